//! What a cluster is started with.

use std::path::PathBuf;

use rustix::fs::statvfs;

use crate::Binaries;

/// How safe a cluster is, and how it is set. Later settings win over earlier ones.
#[derive(Debug, Clone)]
#[must_use]
pub struct Config {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) password: Option<String>,
    pub(crate) place: Place,
    pub(crate) binaries: Option<Binaries>,
}

impl Config {
    /// For tests of what is answered. Nothing waits for the disk: a crash of the *machine* may lose or ruin anything. Where
    /// the system offers memory as a folder, the cluster lies there: a database is made in 40 ms there, in 200 on a disk.
    pub fn quick() -> Self {
        Self { place: Place::Memory, ..Self::plain() }
            // It is memory that is filled, and a short log is as good.
            .set("max_wal_size", "128MB")
            .set("fsync", "off")
            .set("synchronous_commit", "off")
            .set("full_page_writes", "off")
            .set("log_checkpoints", "off")
    }

    /// For tests of crashes, and for benchmarks: what was committed is on the disk.
    pub fn durable() -> Self {
        Self::plain().set("fsync", "on").set("synchronous_commit", "on").set("full_page_writes", "on")
    }

    fn plain() -> Self {
        let empty = Self { settings: Vec::new(), password: None, place: Place::Temporary, binaries: None };
        empty
            // As many as a suite needs whose tests each have a pool, with half as many processors as it hopes for.
            .set("max_connections", "200")
            .set("shared_buffers", "128MB")
            .set("timezone", "UTC")
            .set("log_timezone", "UTC")
            .set("password_encryption", "scram-sha-256")
            // In files of the cluster, which go with it. The default leaves some behind in the system's shared memory when
            // the server is killed and not started again.
            .set("dynamic_shared_memory_type", "mmap")
    }

    /// Any setting of the server: `.set("shared_buffers", "1GB")`.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Asks for this password on TCP (SCRAM). The socket goes on to trust everybody.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Where the cluster's own folder is made, instead of in memory or among the temporary files. Those may lie in memory,
    /// too, where a flush costs nothing: a benchmark has to name a disk. The account that the server runs as has to be able to reach it.
    pub fn folder(mut self, parent: impl Into<PathBuf>) -> Self {
        self.place = Place::Folder(parent.into());
        self
    }

    /// Another server than [`Binaries::find`] would take.
    pub fn binaries(mut self, binaries: Binaries) -> Self {
        self.binaries = Some(binaries);
        self
    }
}

/// Where the folder of a cluster is made.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// In memory, if there is enough.
    Memory,
    /// Among the temporary files.
    Temporary,
    Folder(PathBuf),
}

/// Memory as a folder, on Linux.
const MEMORY: &str = "/dev/shm";

/// As much as has to be free there, in bytes: some times what a quick cluster takes with a suite on it. A system has half of
/// its memory there, so this is no more than half of what it has; a container often has 64 MB, which is too little.
const MEMORY_MIN: u64 = 2 << 30;

impl Place {
    pub(crate) fn parent(&self) -> PathBuf {
        match self {
            Self::Memory if has_memory() => PathBuf::from(MEMORY),
            Self::Memory | Self::Temporary => std::env::temp_dir(),
            Self::Folder(parent) => parent.clone(),
        }
    }
}

fn has_memory() -> bool {
    statvfs(MEMORY).is_ok_and(|it| it.f_bavail.saturating_mul(it.f_frsize) >= MEMORY_MIN)
}
