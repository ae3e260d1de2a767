//! Servers that run on this machine, so that the commands of whoever started them find them by themselves.
//!
//! A server writes a file that only its owner may read, and holds a lock on it as long as it lives. The lock goes with the
//! process, however that ends, so a file that is not locked is of a server that is gone.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Largest file that is read.
const BYTES_MAX: u64 = 16 * 1024;

/// A server that runs on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunningServer {
    /// Where it listens.
    pub(crate) url: String,
    /// The file with the token for everything.
    pub(crate) token_file: PathBuf,
    /// What keeps its jobs, as it is called anywhere, without secrets.
    pub(crate) store: String,
}

/// That a server runs, for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Announced {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl Drop for Announced {
    fn drop(&mut self) {
        // One that stays is told from others by its lock, which is gone.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Says that `server` runs, in `folder`.
///
/// # Errors
///
/// When it cannot be written there.
pub(crate) fn announce(folder: &Path, server: &RunningServer) -> io::Result<Announced> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let name: String = server.url.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let path = folder.join(format!("{name}.server"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
    // Somebody may be looking at what the last server of this address left.
    file.lock()?;
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(server)?)?;
    Ok(Announced { path, _file: file })
}

/// The servers that said in `folder` that they run, and do.
pub(crate) fn running(folder: &Path) -> Vec<RunningServer> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut servers: Vec<RunningServer> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "server"))
        .filter_map(|path| living(&path))
        .collect();
    servers.sort_by(|one, other| one.url.cmp(&other.url));
    servers
}

/// What the file at `path` says, if its server lives and is this user's.
fn living(path: &Path) -> Option<RunningServer> {
    let file = File::open(path).ok()?;
    if file.metadata().ok()?.uid() != rustix::process::geteuid().as_raw() {
        return None;
    }
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        _ => return None,
    }
    let mut text = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> RunningServer {
        RunningServer { url: url.to_owned(), token_file: "/tmp/token".into(), store: "app.db".to_owned() }
    }

    #[test]
    fn a_server_is_found_as_long_as_it_lives() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (server("http://127.0.0.1:1"), server("http://127.0.0.1:2"));

        let first = announce(folder.path(), &one).unwrap();
        let second = announce(folder.path(), &other).unwrap();
        assert_eq!(running(folder.path()), [one.clone(), other.clone()]);

        drop(second);
        assert_eq!(running(folder.path()), [one]);
        drop(first);
        assert_eq!(running(folder.path()), []);
    }

    #[test]
    fn what_a_dead_server_left_is_not_believed_and_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let one = server("http://127.0.0.1:1");
        let path = folder.path().join("http___127_0_0_1_1.server");
        std::fs::write(&path, serde_json::to_vec(&server("http://gone/with/a/long/name")).unwrap()).unwrap();

        assert_eq!(running(folder.path()), []);
        let _announced = announce(folder.path(), &one).unwrap();
        assert_eq!(running(folder.path()), [one]);
    }
}
