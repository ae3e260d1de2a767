//! The folder of a cluster, and the watchdog that sees to it that nothing stays when the owner is gone.
//!
//! Destructors do not run for statics, nor in a process that is killed. So a shell waits for the end of a pipe that only
//! this process holds, and cleans up then. An orderly end takes the same way, so it is no rare one.

use std::fs::DirBuilder;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::Error;
use crate::account::Account;
use crate::error::Attempted as _;

const SCRIPT: &str = include_str!("watchdog.sh");

/// A folder that is removed, with what runs in it, when this is dropped or when this process ends.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    watchdog: Child,
    /// None only while it is dropped.
    leash: Option<ChildStdin>,
}

impl Folder {
    /// Makes a folder of `account` in `parent`.
    pub(crate) fn create(account: Account, parent: &Path) -> Result<Self, Error> {
        let path = parent.join(format!("wlpg-{}", unique()));
        // First the watchdog, so that there is no moment to die in that leaves a folder behind.
        let folder = Self::watched(path)?;
        let create = DirBuilder::new().mode(0o700).create(&folder.path);
        create.attempted(|| format!("make the folder {}", folder.path.display()))?;
        account.own(&folder.path)?;
        Ok(folder)
    }

    fn watched(path: PathBuf) -> Result<Self, Error> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "windlass-postgres-watchdog"]).arg(&path);
        // It outlives a Ctrl-C that is meant for us, keeps no folder busy, and holds no output open that somebody reads
        // to its end.
        command.current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut watchdog = command.spawn().attempted(|| "start the watchdog `sh`".to_owned())?;
        let leash = watchdog.stdin.take();
        Ok(Self { path, watchdog, leash })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Names the process that has to end before the folder goes, or says that there is none.
    pub(crate) fn occupied_by(&mut self, process: Option<u32>) -> Result<(), Error> {
        let line = process.map_or_else(String::new, |id| id.to_string()) + "\n";
        let leash = self.leash.as_mut().expect("it is there until the folder is dropped");
        leash.write_all(line.as_bytes()).attempted(|| "tell the watchdog".to_owned())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.leash.take());
        let _ = self.watchdog.wait();
    }
}

/// Sixteen digits that nobody else has. Random rather than counted: ids of processes come again, and what they made before
/// may still be there.
pub(crate) fn unique() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
