//! A cluster: a folder, a port, and a server that can be stopped, killed and started again.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::error::Attempted as _;
use crate::folder::Folder;
use crate::port::Port;
use crate::server::{Ready, Server, tail};
use crate::wait::{PATIENCE, until};
use crate::{Binaries, Config, Error, psql, template, url};

/// The name of the one superuser, and of the database that every cluster has.
const SUPERUSER: &str = "postgres";

/// The longest path of a socket that every system takes. The server puts `.s.PGSQL.` and the port into the folder.
const SOCKET_FOLDER_MAX: usize = 103 - "/.s.PGSQL.65535".len();

/// What the server says when somebody else has its port.
const PORT_TAKEN: &str = "Address already in use";

/// How many ports are tried for a new cluster. Where one can be reserved, the first is right.
const PORTS: usize = 10;

/// A PostgreSQL cluster of one's own.
///
/// It ends with this value, and no later than this process, however that ends; its folder goes with it.
#[derive(Debug)]
pub struct Cluster {
    config: Config,
    binaries: Binaries,
    account: Account,
    port: Port,
    url: String,
    /// None while it is down.
    server: Option<Server>,
    /// Below the server: it goes when the server is gone.
    folder: Folder,
    /// Where the socket is, if the folder's own path is too long for one.
    socket_folder: Option<Folder>,
}

impl Cluster {
    /// Starts an empty cluster and waits until it takes connections.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when there is no PostgreSQL, else what went wrong, with the end of the server's log.
    pub fn start(config: Config) -> Result<Self, Error> {
        let mut cluster = Self::prepare(config)?;
        for _ in 1..PORTS {
            match cluster.try_run()? {
                Attempt::Runs => return cluster.protected(),
                Attempt::PortTaken => cluster.move_to(reserve()?),
            }
        }
        cluster.run()?;
        cluster.protected()
    }

    /// A cluster that has its folder and its port, and no server yet.
    fn prepare(config: Config) -> Result<Self, Error> {
        let binaries = config.binaries.clone().map_or_else(Binaries::find, Ok)?;
        let account = Account::find()?;
        let mut folder = Folder::create(account, &config.place.parent())?;
        let is_long = folder.path().as_os_str().len() > SOCKET_FOLDER_MAX;
        let socket_folder = is_long.then(|| Folder::create(account, Path::new("/tmp"))).transpose()?;
        let data = folder.path().join("data");
        template::fill(&data, &mut folder, &binaries, account)?;
        let port = reserve()?;
        let url = String::new();
        let mut cluster = Self { config, binaries, account, port, url, server: None, folder, socket_folder };
        cluster.url = cluster.tcp_url();
        Ok(cluster)
    }

    fn move_to(&mut self, port: Port) {
        self.port = port;
        self.url = self.tcp_url();
    }

    fn tcp_url(&self) -> String {
        let password = self.config.password.as_deref();
        let password = password.map_or_else(String::new, |it| format!(":{}", url::encoded(it.as_bytes())));
        format!("postgres://{SUPERUSER}{password}@127.0.0.1:{}/postgres", self.port.number())
    }

    /// Gives the superuser the password that was asked for, and asks everybody on TCP for theirs.
    fn protected(self) -> Result<Self, Error> {
        let Some(password) = &self.config.password else { return Ok(self) };
        let statement = format!("ALTER ROLE {SUPERUSER} PASSWORD '{}'", password.replace('\'', "''"));
        self.query(&statement)?;
        let rules = "local all all trust\nhost all all all scram-sha-256\n";
        fs::write(self.data_folder().join("pg_hba.conf"), rules)
            .attempted(|| "write pg_hba.conf".to_owned())?;
        self.query("SELECT pg_reload_conf()")?;
        Ok(self)
    }

    /// Starts it again on the same data and the same port, stopping it in order if it runs. After [`Cluster::kill`] this is
    /// a crash recovery, and returns when it is over.
    ///
    /// # Errors
    ///
    /// What went wrong, with the end of the server's log.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.stop()?;
        self.run()
    }

    /// Starts the server, and insists on its port.
    fn run(&mut self) -> Result<(), Error> {
        let started = until(PATIENCE, || Ok(matches!(self.try_run()?, Attempt::Runs).then_some(())))?;
        started.ok_or_else(|| self.problem(&format!("did not get its port within {PATIENCE:?}")))
    }

    fn try_run(&mut self) -> Result<Attempt, Error> {
        let log = self.log();
        let before = fs::metadata(&log).map_or(0, |it| it.len());
        let data = self.data_folder();
        let server = self.server.insert(Server::spawn(self.command(), &log)?);
        self.folder.occupied_by(Some(server.id()))?;
        let problem = match server.wait_ready(&data)? {
            Ready::Yes => return Ok(Attempt::Runs),
            Ready::Died(status) => format!("ended with {status}"),
            Ready::TooLate => format!("was not ready within {PATIENCE:?}"),
        };
        self.end()?;
        let said = fs::read(&log).unwrap_or_default();
        let said =
            String::from_utf8_lossy(said.get(usize::try_from(before).unwrap_or(0)..).unwrap_or_default());
        if said.contains(PORT_TAKEN) { Ok(Attempt::PortTaken) } else { Err(self.problem(&problem)) }
    }

    fn command(&self) -> Command {
        let mut command = self.account.command(&self.binaries.postgres(), self.folder.path());
        command.arg("-D").arg(self.data_folder());
        let own = [
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", self.port.number().to_string()),
            ("unix_socket_directories", format!("\"{}\"", self.socket_folder().display())),
        ];
        let asked = self.config.settings.iter().map(|(name, value)| (name.as_str(), value.clone()));
        for (name, value) in asked.chain(own) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command
    }

    /// Kills the server as `kill -9` would, with all its processes, and returns once they are gone. What is not on the disk
    /// is lost. The folder stays, for [`Cluster::restart`].
    ///
    /// # Errors
    ///
    /// When the system does not tell about its processes.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.server.take().map_or(Ok(()), Server::kill)?;
        self.folder.occupied_by(None)
    }

    /// Stops the server in order (a *fast* shutdown), and returns once it is gone. Does nothing if it is down.
    ///
    /// # Errors
    ///
    /// When it takes far too long; it has been ended then.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.server.take().map_or(Ok(()), Server::stop)?;
        self.folder.occupied_by(None)
    }

    /// Ends the server at once, its data forgotten.
    fn end(&mut self) -> Result<(), Error> {
        if let Some(server) = self.server.take() {
            server.end();
        }
        self.folder.occupied_by(None)
    }

    /// The cluster over TCP: `postgres://postgres@127.0.0.1:PORT/postgres`. The same for the life of the cluster.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The cluster over its socket, which never asks for a password: `postgres://postgres@FOLDER:PORT/postgres`, with the
    /// folder's slashes encoded.
    #[must_use]
    pub fn socket_url(&self) -> String {
        let folder = url::encoded(self.socket_folder().as_os_str().as_bytes());
        format!("postgres://{SUPERUSER}@{folder}:{}/postgres", self.port.number())
    }

    /// The TCP port, on `127.0.0.1` only.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The id of the first process of the server, the postmaster; none while it is down.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Server::id)
    }

    /// What the server keeps on the disk.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The last lines of the server's log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        tail(&self.log())
    }

    /// Runs `statement` as the superuser, with `psql`, and returns its rows: one a line, columns divided by `|`.
    ///
    /// # Errors
    ///
    /// What the server says to it.
    pub fn query(&self, statement: &str) -> Result<String, Error> {
        psql::run(&self.binaries.psql(), &self.socket_url(), statement)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn socket_folder(&self) -> &Path {
        self.socket_folder.as_ref().unwrap_or(&self.folder).path()
    }

    fn problem(&self, what: &str) -> Error {
        Error::Failed(format!("the server {what}; the end of its log:\n{}", self.log_tail()))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The folders go after this, with their own destructors.
        let _ = self.end();
    }
}

/// How starting the server went, if not wrong.
enum Attempt {
    Runs,
    PortTaken,
}

fn reserve() -> Result<Port, Error> {
    Port::reserve().attempted(|| "find a free port".to_owned())
}
