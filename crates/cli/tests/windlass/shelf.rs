//! A folder with a store in it, and the command run there.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use windlass_postgres_testing::{Binaries, Database, shared};

/// What stands for a password in addresses. No command may ever print it.
const SECRET: &str = "s3cret";

/// A folder of its own for one test, and a database if the test wants one.
pub(crate) struct Shelf {
    folder: TempDir,
    database: Option<Database>,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Whatever a command says, it is never a secret.
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran =
            Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!ran.stdout.contains(SECRET) && !ran.stderr.contains(SECRET), "{ran:?}");
        ran
    }
}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), database: None }
    }

    /// One whose commands use a database of their own, as `WINDLASS_STORE` says.
    pub(crate) fn with_database() -> Self {
        let database = Database::create(shared().unwrap()).unwrap();
        Self { database: Some(database), ..Self::new() }
    }

    /// The database's address, with a password that its server does not ask for.
    pub(crate) fn url(&self) -> String {
        let url = self.database.as_ref().unwrap().url();
        let (user, rest) = url.split_once('@').unwrap();
        format!("{user}:{SECRET}@{rest}")
    }

    /// The database's address as it is shown.
    pub(crate) fn shown_url(&self) -> String {
        format!("postgres://{}", self.url().split_once('@').unwrap().1)
    }

    /// PostgreSQL's own client on the database, to be told what to do on stdin.
    pub(crate) fn psql(&self) -> Command {
        let mut psql = Command::new(Binaries::find().unwrap().psql());
        psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1"]);
        psql.args(["--dbname", &self.url()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        psql
    }

    /// What PostgreSQL's own client prints.
    pub(crate) fn sql(&self, statements: &str) -> String {
        let mut psql = self.psql().spawn().unwrap();
        psql.stdin.take().unwrap().write_all(statements.as_bytes()).unwrap();
        let output = psql.wait_with_output().unwrap();
        assert!(output.status.success(), "{statements}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The command with these words, in the folder, with nothing of the environment that it would heed.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command.args(words).current_dir(self.folder.path());
        self.set_folders(&mut command);
        for name in [
            "WINDLASS_STORE",
            "WINDLASS_URL",
            "WINDLASS_TOKEN",
            "WINDLASS_CONTEXT",
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "WINDLASS_SMTP",
            "WINDLASS_MAIL_FROM",
            "WINDLASS_WEBHOOK_SECRETS",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "TRACEPARENT",
            "TRACESTATE",
            "NO_COLOR",
            "CLICOLOR_FORCE",
            "RUST_BACKTRACE",
        ] {
            command.env_remove(name);
        }
        if self.database.is_some() {
            command.env("WINDLASS_STORE", self.url());
        }
        command
    }

    /// Lets it have the configuration of this test, and find the servers that this test started.
    fn set_folders(&self, command: &mut Command) {
        for name in ["XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"] {
            command.env(name, self.folder.path().join(name));
        }
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, "")
    }

    /// Runs the command with this on stdin.
    pub(crate) fn run_with(&self, words: &[&str], stdin: &str) -> Ran {
        let mut child = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Ran::of(output)
    }

    /// What the command says, which has to succeed.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!(ran.code, Some(0), "{words:?}: {ran:?}");
        ran.stdout
    }

    /// The one line that the command says.
    pub(crate) fn line(&self, words: &[&str]) -> String {
        self.ok(words).trim_end().to_owned()
    }

    /// What the command says in JSON.
    pub(crate) fn json(&self, words: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.ok(words)).unwrap()
    }

    /// A field of a job.
    pub(crate) fn of_job(&self, id: &str, field: &str) -> serde_json::Value {
        self.json(&["jobs", "show", id, "--json"])[field].clone()
    }

    /// The command, running.
    pub(crate) fn start(&self, words: &[&str]) -> Running {
        Running::of(self.command(words))
    }

    /// What the command says to a terminal, which it has for stdout and stderr.
    pub(crate) fn on_a_terminal(&self, words: &str) -> String {
        let line = format!("stty cols 110; {} {words}", env!("CARGO_BIN_EXE_windlass"));
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).current_dir(self.folder.path());
        self.set_folders(&mut script);
        if self.database.is_some() {
            script.env("WINDLASS_STORE", self.url());
        }
        let output = script.env("TERM", "xterm").env_remove("NO_COLOR").output().unwrap();
        Ran::of(output).stdout.replace('\r', "")
    }

    /// Makes a pipe with a name.
    pub(crate) fn pipe(&self, name: &str) {
        let made = Command::new("mkfifo").arg(self.path(name)).status().unwrap();
        assert!(made.success());
    }

    /// Waits until a job has opened the pipe, and reads the line it wrote. What is returned ends when every process
    /// that has the pipe open is gone.
    pub(crate) fn reached(&self, pipe: &str) -> (String, BufReader<File>) {
        let mut reader = BufReader::new(File::open(self.path(pipe)).unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        (line.trim_end().to_owned(), reader)
    }
}

/// Waits until nobody has the pipe open for writing any more.
pub(crate) fn wait_for_the_end(mut pipe: BufReader<File>) {
    let mut rest = Vec::new();
    pipe.read_to_end(&mut rest).unwrap();
}

/// A process that does not outlive its test, whatever becomes of that.
pub(crate) struct Running(Option<Child>);

impl Running {
    /// The command, from now on.
    pub(crate) fn of(mut command: Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Self(Some(child.unwrap()))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.0.as_ref().map(Child::id).and_then(|id| i32::try_from(id).ok());
        kill_process(id.and_then(Pid::from_raw).unwrap(), signal).unwrap();
    }

    /// Kills it.
    pub(crate) fn kill(mut self) {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// What it says on stderr, taken away from what it has said when it has ended.
    pub(crate) fn stderr(&mut self) -> BufReader<std::process::ChildStderr> {
        BufReader::new(self.0.as_mut().unwrap().stderr.take().unwrap())
    }

    /// What it prints, taken away from what it has printed when it has ended.
    pub(crate) fn stdout(&mut self) -> BufReader<std::process::ChildStdout> {
        BufReader::new(self.0.as_mut().unwrap().stdout.take().unwrap())
    }

    /// Reads nothing more of what it prints.
    pub(crate) fn turn_away(&mut self) {
        self.0.as_mut().unwrap().stdout.take();
    }

    /// Waits until it has ended.
    pub(crate) fn ended(mut self) -> Ran {
        Ran::of(self.0.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
