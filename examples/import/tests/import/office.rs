//! A folder with a queue and tables in it, and the program run there.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use windlass::model::LogLevel;
use windlass::reviews::Conclusion;
use windlass::{JobId, JobState, Windlass};
use windlass_postgres_testing::{Database, shared};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(10);

pub(crate) const COUNTRIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/iso3166.tab");
pub(crate) const ZONES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/zone1970.tab");

pub(crate) struct Office {
    folder: TempDir,
    /// The queue, if it is not the file in the folder.
    database: Option<Database>,
    /// The same queue, for the test to look into.
    pub(crate) windlass: Windlass,
}

impl Office {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let windlass = Windlass::open(folder.path().join("windlass.db")).await.unwrap();
        Self { folder, database: None, windlass }
    }

    /// One whose queue is in PostgreSQL.
    pub(crate) async fn with_database() -> Self {
        let database = Database::create(shared().unwrap()).unwrap();
        let windlass = Windlass::open(database.url()).await.unwrap();
        Self { folder: TempDir::new().unwrap(), database: Some(database), windlass }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and says where it is.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        name.to_owned()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_import"));
        command.args(words).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in ["WINDLASS_STORE", "WINDLASS_SMTP", "WINDLASS_MAIL_FROM"] {
            command.env_remove(name);
        }
        if let Some(database) = &self.database {
            command.env("WINDLASS_STORE", database.url());
        }
        command
    }

    /// The service, running.
    pub(crate) fn serve(&self, words: &[&str]) -> Running {
        let child = self.command(&[&["serve"], words].concat()).stderr(Stdio::null()).spawn().unwrap();
        Running(child)
    }

    /// Asks for an import or an export, and does not wait for what comes of it.
    pub(crate) fn ask(&self, words: &[&str]) -> (JobId, Running) {
        let mut child = self.command(words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (line.trim().parse().unwrap(), Running(child))
    }

    /// Asks for an import, waits until a person is needed or it has ended, and gives what is said then.
    pub(crate) fn load(&self, table: &str, words: &[&str]) -> (JobId, String) {
        let output = self.command(&[&["load", table], words].concat()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (id, said) = (text(output.stdout), text(output.stderr));
        (id.trim().parse().unwrap_or_else(|error| panic!("{error}: {said}")), said)
    }

    /// Accepts what an import has staged, and waits for what follows.
    pub(crate) async fn accept(&self, import: JobId) -> Conclusion {
        let review = self.windlass.reviews().wait_for(import).await.unwrap();
        review.accept().by("bob").await.unwrap().conclusion().await.unwrap()
    }

    /// Makes the table `country` what its file says.
    pub(crate) async fn load_countries(&self) {
        let (import, said) = self.load("country", &[COUNTRIES]);
        assert_eq!(self.accept(import).await, Conclusion::Accepted, "{said}");
    }

    /// A number that is asked of the tables.
    pub(crate) fn count(&self, query: &str) -> u64 {
        let tables = Connection::open(self.path("import.db")).unwrap();
        tables.busy_timeout(PATIENCE).unwrap();
        tables.query_row(&format!("SELECT count(*) FROM {query}"), [], |row| row.get(0)).unwrap()
    }

    /// What a job is doing.
    pub(crate) async fn state(&self, job: JobId) -> JobState {
        self.windlass.handle::<()>(job).state().await.unwrap()
    }

    /// The lines of a job's log from this level on.
    pub(crate) async fn log(&self, job: JobId, level: LogLevel) -> Vec<String> {
        let lines = self.windlass.handle::<()>(job).logs().await.unwrap();
        lines.into_iter().filter(|line| line.level >= level).map(|line| line.message).collect()
    }

    /// Lets nobody write into a database of the folder.
    pub(crate) fn lock(&self, name: &str) -> Locked {
        let connection = Connection::open(self.path(name)).unwrap();
        connection.busy_timeout(PATIENCE).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        Locked(connection)
    }

    /// Waits until it is so.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl AsyncFnMut(&Self) -> bool) {
        let mut looks = tokio::time::interval(LOOK);
        let come = async {
            while !is_so(self).await {
                looks.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, come).await.unwrap_or_else(|_| panic!("never: {what}"));
    }

    /// A file that says nothing until it is written to.
    pub(crate) fn pipe(&self, name: &str) -> Pipe {
        assert!(Command::new("mkfifo").arg(self.path(name)).status().unwrap().success());
        Pipe(self.path(name))
    }
}

/// A database that nobody can write into while this is there.
pub(crate) struct Locked(
    #[expect(dead_code, reason = "it is the connection that holds the lock")] Connection,
);

/// A file that is written while it is read.
pub(crate) struct Pipe(PathBuf);

impl Pipe {
    /// Waits until somebody reads it. They are given what is written, and the end when the file is dropped.
    pub(crate) fn reader(&self) -> File {
        File::create(&self.0).unwrap()
    }

    pub(crate) fn name(&self) -> &str {
        Path::new(&self.0).to_str().unwrap()
    }
}

/// A process that does not outlive its test, whatever becomes of that.
pub(crate) struct Running(Child);

impl Running {
    /// Kills it, as a loss of power would.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
