//! The server, in a process of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use clap::Subcommand;
use tempfile::TempDir;
use tokio::net::TcpListener;
use windlass_server::{Config, serve};
use windlass_sqlite::SqliteOptions;

use super::connection::Connection;

/// The parts, named on the command line of this very program.
#[derive(Subcommand)]
pub(crate) enum Part {
    /// Serves a file by HTTP until its input ends; says where first.
    #[command(name = "http-serve", hide = true)]
    Serve {
        /// The file.
        path: PathBuf,
    },
}

/// Does a part.
pub(crate) fn run(part: &Part) {
    let Part::Serve { path } = part;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(served(path));
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn served(path: &Path) {
    let store = SqliteOptions::new(path).open().await.expect("a fresh store");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let stop = async {
        let _ = ended.await;
    };
    let served = serve(listener, Arc::new(store), Config::default(), stop).await;
    served.expect("a listener that does not fail");
}

/// A server on a fresh file. Ends when it is dropped.
pub(super) struct Served {
    child: Child,
    at: String,
    _folder: TempDir,
}

impl Served {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the file");
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        command.arg("http-serve").arg(folder.path().join("served.db"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let (mut at, output) = (String::new(), child.stdout.take().expect("piped"));
        BufReader::new(output).read_line(&mut at).expect("it says where it listens");
        Self { child, at: at.trim().to_owned(), _folder: folder }
    }

    pub(super) fn connect(&self) -> Connection {
        Connection::to(&self.at)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
