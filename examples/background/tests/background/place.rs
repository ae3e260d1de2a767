//! A folder for the application to live in, and a database if the test wants one.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use windlass::Windlass;
use windlass::model::Job;
use windlass::store::JobFilter;
use windlass_postgres_testing::{Database, shared};

/// Nothing here takes as long; what does is not coming.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often to look at what another process does.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) struct Place {
    folder: TempDir,
    database: Option<Database>,
}

impl Place {
    pub(crate) fn in_folder() -> Self {
        Self { folder: TempDir::new().unwrap(), database: None }
    }

    pub(crate) fn in_database() -> Self {
        let database = Database::create(shared().unwrap()).unwrap();
        Self { database: Some(database), ..Self::in_folder() }
    }

    pub(crate) fn background(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_background"));
        command.args(words).current_dir(self.folder.path()).env_remove("DATABASE_URL");
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", database.url());
        }
        command
    }

    pub(crate) fn sign_up(&self, emails: &[&str]) {
        let output = self.background(&[&["sign-up"], emails].concat()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Starts a worker, and waits until it says so.
    pub(crate) fn work(&self) -> Work {
        let mut process = self.background(&["work"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        stderr.read_line(&mut said).unwrap();
        let work = Work { process, stderr };
        assert_eq!(said, "working; Ctrl-C to stop\n");
        work
    }

    /// Runs the first `sh` block of the guide, and answers what it prints.
    pub(crate) fn guide(&self) -> String {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let guide = std::fs::read_to_string(guide).unwrap();
        let script = guide.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
        let command = self.background(&[]);
        let mut folders = vec![PathBuf::from(command.get_program()).parent().unwrap().to_owned()];
        folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let mut shell = Command::new("sh");
        shell.args(["-ec", script]).current_dir(self.folder.path());
        shell.env("PATH", std::env::join_paths(folders).unwrap()).env_remove("DATABASE_URL");
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    /// No folder can be made where a file is.
    pub(crate) fn break_outbox(&self) {
        std::fs::create_dir_all(self.data("")).unwrap();
        std::fs::write(self.data("outbox"), "").unwrap();
    }

    pub(crate) fn mend_outbox(&self) {
        std::fs::remove_file(self.data("outbox")).unwrap();
    }

    /// The texts of what was sent.
    pub(crate) fn mails(&self) -> Vec<String> {
        let Ok(mails) = std::fs::read_dir(self.data("outbox")) else { return Vec::new() };
        let whole = mails
            .map(|mail| mail.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == "eml"));
        whole.map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    pub(crate) fn wait_for_mails(&self, count: usize) {
        self.until(&format!("{count} mails"), || self.mails().len() >= count);
    }

    /// Waits until the jobs are as `found` says.
    pub(crate) fn wait_for(&self, what: &str, found: impl Fn(&[Job]) -> bool) {
        self.until(what, || found(&self.jobs()));
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}: {:?}", self.jobs());
            std::thread::park_timeout(LOOK);
        }
    }

    pub(crate) fn jobs(&self) -> Vec<Job> {
        self.asked(async |windlass| windlass.jobs(JobFilter::default()).all().await.unwrap())
    }

    /// The names of the schedules.
    pub(crate) fn schedules(&self) -> Vec<String> {
        let schedules = self.asked(async |windlass| windlass.schedules().await.unwrap());
        schedules.iter().map(|schedule| schedule.name().to_string()).collect()
    }

    /// What the queue answers, as another process sees it.
    fn asked<T>(&self, question: impl AsyncFnOnce(Windlass) -> T) -> T {
        let address = match &self.database {
            Some(database) => PathBuf::from(database.url()),
            None => self.data("jobs.db"),
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { question(Windlass::open(address).await.unwrap()).await })
    }
}

/// A worker that does not outlive its test.
pub(crate) struct Work {
    process: Child,
    stderr: BufReader<ChildStderr>,
}

impl Work {
    /// Asks it to stop, waits until it has, and answers what it said.
    pub(crate) fn stopped_by(mut self, signal: Signal) -> String {
        let id = i32::try_from(self.process.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        assert!(self.process.wait().unwrap().success(), "{said}");
        said
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
