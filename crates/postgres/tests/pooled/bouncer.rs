//! A `PgBouncer` in transaction mode, to be thrown away.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use windlass_postgres_testing::Port;

/// Where the program lies besides the search path.
const PLACES: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Starting takes a moment; what takes as long as this is not coming.
const PATIENCE: Duration = Duration::from_secs(60);

/// A pooler before a server. Ends with its value.
pub(crate) struct Bouncer {
    process: Child,
    port: Port,
    _folder: TempDir,
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where the program is, if it is installed.
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(PLACES.map(PathBuf::from));
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file())
}

impl Bouncer {
    /// Before the server at `url`, whose user needs no password; with one more setting.
    pub(crate) fn start(program: &Path, url: &str, setting: &str) -> Self {
        let (_, server) = url.rsplit_once('@').expect("the URL names a user");
        let (server, _) = server.split_once('/').expect("the URL names a database");
        let (host, server_port) = server.split_once(':').expect("the URL names a port");
        let port = Port::reserve().expect("there is a free port");
        let folder = tempfile::tempdir().expect("there is room");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        let users = folder.path().join("users");
        fs::write(&users, "\"postgres\" \"\"\n").expect("there is room");
        let settings = folder.path().join("settings");
        let text = format!(
            "[databases]\n* = host={host} port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\nmax_client_conn = 1000\n\
             default_pool_size = 20\nlog_connections = 0\nlog_disconnections = 0\n{setting}\n",
            port.number(),
            users.display()
        );
        fs::write(&settings, text).expect("there is room");
        let process = spawn(program, &settings);
        let bouncer = Self { process, port, _folder: folder };
        bouncer.wait();
        bouncer
    }

    /// The database of `url`, by way of the pooler.
    pub(crate) fn before(&self, url: &str) -> String {
        let (_, database) = url.rsplit_once('/').expect("the URL names a database");
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port.number())
    }

    fn wait(&self) {
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port.number())).is_err() {
            assert!(Instant::now() < end, "the pooler does not listen");
            std::thread::yield_now();
        }
    }
}

/// It refuses to run as root, who lends it another account.
fn spawn(program: &Path, settings: &Path) -> Child {
    let id = |option: &str, name: &str| -> Option<u32> {
        let output = Command::new("id").arg(option).args((!name.is_empty()).then_some(name)).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    let mut command = Command::new(program);
    if id("-u", "") == Some(0) {
        let nobody = |option| id(option, "nobody").expect("every system has the account");
        command.uid(nobody("-u")).gid(nobody("-g"));
    }
    command.arg("-q").arg(settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the pooler starts")
}
