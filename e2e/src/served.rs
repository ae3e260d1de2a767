//! `windlass serve` as a process of its own, and a caller that speaks no more HTTP than it has to.

use std::io::{BufRead as _, BufReader as LineReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Failure;
use crate::process::PATIENCE;

/// A server that runs on a file of its own. Killed when it is dropped.
#[derive(Debug)]
pub struct Served {
    child: Child,
    at: String,
    token: String,
    _folder: TempDir,
}

impl Served {
    /// Starts the `windlass` that lies beside `program`, without a bound on how often one token may ask.
    ///
    /// # Errors
    ///
    /// When it is not there, or does not say where it listens.
    pub fn start(program: &Path) -> Result<Self, Failure> {
        let windlass = beside(program)?;
        let folder = tempfile::tempdir()?;
        let store = folder.path().join("jobs.db");
        let mut command = Command::new(windlass);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--requests-per-token", "0", "--store"])
            .arg(&store);
        // It tells the commands of its user where it is: those of nobody else.
        command.env("HOME", folder.path()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_RUNTIME_DIR");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = child.stdout.take().ok_or_else(|| Failure::new("the server has no output"))?;
        let mut served = Self { child, at: String::new(), token: String::new(), _folder: folder };
        let mut line = String::new();
        LineReader::new(output).read_line(&mut line)?;
        let at = line.trim().strip_prefix("listening on http://");
        at.ok_or_else(|| Failure::new(format!("the server says {line:?}")))?.clone_into(&mut served.at);
        let token = std::fs::read_to_string(store.with_extension("db.token"))?;
        token.trim().clone_into(&mut served.token);
        Ok(served)
    }

    /// Where it listens.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.at
    }

    /// A connection to it.
    ///
    /// # Errors
    ///
    /// When it cannot be made in time.
    pub async fn caller(&self) -> Result<Caller, Failure> {
        let stream = timeout(PATIENCE, TcpStream::connect(&self.at)).await??;
        stream.set_nodelay(true)?;
        Ok(Caller { stream: BufReader::new(stream), at: self.at.clone(), token: self.token.clone() })
    }

    /// The most memory it ever had, in KiB.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn peak_kib(&self) -> Result<u64, Failure> {
        self.memory("VmHWM:")
    }

    /// The memory it has now, in KiB.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn memory_kib(&self) -> Result<u64, Failure> {
        self.memory("VmRSS:")
    }

    fn memory(&self, field: &str) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        number.ok_or_else(|| Failure::new(format!("the system does not say {field}")))
    }

    /// How much processor time it has used so far, to the hundredth of a second.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn processor_time(&self) -> Result<Duration, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
        let used = ticks(11).zip(ticks(12)).map(|(own, system)| own + system);
        let used = used.ok_or_else(|| Failure::new("the system does not say how much time it used"))?;
        Ok(Duration::from_millis(used * 10))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // One that has ended already is reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn beside(program: &Path) -> Result<PathBuf, Failure> {
    let windlass = program.with_file_name("windlass");
    if windlass.is_file() {
        return Ok(windlass);
    }
    let problem = format!("{} is not there: cargo build --package windlass-cli", windlass.display());
    Err(Failure::new(problem))
}

/// One connection, on which one request follows the other.
#[derive(Debug)]
pub struct Caller {
    stream: BufReader<TcpStream>,
    at: String,
    token: String,
}

/// What was answered.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Caller {
    /// Sends a request, and nothing of its answer is waited for.
    ///
    /// # Errors
    ///
    /// When the connection is closed.
    pub async fn send(&mut self, line: &str, body: &str) -> Result<(), Failure> {
        let (at, token, length) = (&self.at, &self.token, body.len());
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {at}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        Ok(self.stream.get_mut().write_all(request.as_bytes()).await?)
    }

    /// What is answered next.
    ///
    /// # Errors
    ///
    /// When the connection is closed before, or nothing comes within [`PATIENCE`].
    pub async fn answer(&mut self) -> Result<Answered, Failure> {
        timeout(PATIENCE, self.read()).await?
    }

    /// A request and its answer.
    ///
    /// # Errors
    ///
    /// As the two.
    pub async fn ask(&mut self, line: &str, body: &str) -> Result<Answered, Failure> {
        self.send(line, body).await?;
        self.answer().await
    }

    async fn read(&mut self) -> Result<Answered, Failure> {
        let (mut status, mut length, mut line) = (0, 0, String::new());
        while line != "\r\n" {
            line.clear();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(Failure::new("the server closed the connection"));
            }
            let lower = line.to_lowercase();
            if let Some(rest) = lower.strip_prefix("http/1.1 ") {
                status = rest.split(' ').next().and_then(|status| status.parse().ok()).unwrap_or(0);
            } else if let Some(rest) = lower.strip_prefix("content-length:") {
                length = rest.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(Answered { status, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

impl Answered {
    /// The text of a field, wherever it stands first.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        let from = self.body.split(&format!("\"{field}\":\"")).nth(1)?;
        from.split('"').next()
    }

    /// Itself, if it is of this status.
    ///
    /// # Errors
    ///
    /// If not, with what it says.
    pub fn of(self, status: u16) -> Result<Self, Failure> {
        if self.status == status {
            Ok(self)
        } else {
            Err(Failure::new(format!("{}: {}", self.status, self.body)))
        }
    }
}
