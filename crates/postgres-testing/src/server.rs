//! One run of the server, from its start to its end.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Signal, WaitId, WaitIdOptions, waitid};

use crate::Error;
use crate::error::Attempted as _;
use crate::processes::{any_runs, children_of, id, signal};
use crate::wait::{PATIENCE, until};

/// As much of the log as a person wants to read below an error, in bytes.
const TAIL: u64 = 4096;

/// The server gives its children five seconds to end at once, and then kills them.
const AT_ONCE: Duration = Duration::from_secs(10);

/// A server that runs, or has just died.
#[derive(Debug)]
pub(crate) struct Server {
    postmaster: Child,
}

impl Server {
    /// Starts what `command` says, and sends all that it prints to the end of `log`.
    pub(crate) fn spawn(mut command: Command, log: &Path) -> Result<Self, Error> {
        let open = || File::options().create(true).append(true).open(log);
        let open = || open().attempted(|| format!("open the log {}", log.display()));
        command.stdin(Stdio::null()).stdout(open()?).stderr(open()?);
        let name = command.get_program().to_owned();
        let postmaster = command.spawn().attempted(|| format!("start {}", name.display()))?;
        Ok(Self { postmaster })
    }

    pub(crate) fn id(&self) -> u32 {
        self.postmaster.id()
    }

    /// Waits until it takes connections, after crash recovery if there has to be one.
    pub(crate) fn wait_ready(&mut self, data: &Path) -> Result<Ready, Error> {
        let lock = data.join("postmaster.pid");
        let id = self.id().to_string();
        let ready = until(PATIENCE, || {
            if fs::read_to_string(&lock).is_ok_and(|text| says_ready(&text, &id)) {
                return Ok(Some(Ready::Yes));
            }
            Ok(self.status()?.map(Ready::Died))
        });
        Ok(ready?.unwrap_or(Ready::TooLate))
    }

    fn status(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.postmaster.try_wait().attempted(|| "ask for the state of the server".to_owned())
    }

    /// Ends it in order: connections are cut, what they had begun is rolled back, and the rest goes to the disk.
    pub(crate) fn stop(mut self) -> Result<(), Error> {
        self.ask_to_end(Signal::INT)?;
        if self.ended_within(PATIENCE)? {
            return Ok(());
        }
        self.end();
        Err(Error::Failed(format!("the server did not stop within {PATIENCE:?}")))
    }

    /// Ends it without a last word to the disk, and takes away what it had in memory.
    pub(crate) fn end(mut self) {
        let asked = self.ask_to_end(Signal::QUIT);
        if asked.is_err() || !self.ended_within(AT_ONCE).unwrap_or(false) {
            let _ = self.kill();
        }
    }

    /// Sends a signal that it has to be awake for. A test may have frozen it.
    fn ask_to_end(&mut self, how: Signal) -> Result<(), Error> {
        self.signal(how)?;
        self.signal(Signal::CONT)
    }

    fn ended_within(&mut self, bound: Duration) -> Result<bool, Error> {
        Ok(until(bound, || self.status())?.is_some())
    }

    /// Kills it and every process it has started, and returns once all are gone. While one is left, the server does not
    /// start again.
    pub(crate) fn kill(mut self) -> Result<(), Error> {
        self.freeze()?;
        let children = children_of(self.id())?;
        // Fails only if it was dead before.
        let _ = self.postmaster.kill();
        let _ = self.postmaster.wait();
        for child in &children {
            signal(*child, Signal::KILL);
        }
        let gone = until(PATIENCE, || Ok((!any_runs(&children)?).then_some(())))?;
        gone.ok_or_else(|| {
            Error::Failed(format!("killed processes of the server still run after {PATIENCE:?}"))
        })
    }

    /// Stops the first process where it stands, so that it starts no other while its children are counted.
    fn freeze(&mut self) -> Result<(), Error> {
        self.signal(Signal::STOP)?;
        // Without reaping it, should it have died.
        let how = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        if let Some(id) = id(self.id()) {
            // An error means that it was reaped before.
            let _ = waitid(WaitId::Pid(id), how);
        }
        Ok(())
    }

    /// Sends a signal, unless it has ended: then its id may be another's by now.
    fn signal(&mut self, how: Signal) -> Result<(), Error> {
        if self.status()?.is_none() {
            signal(self.id(), how);
        }
        Ok(())
    }
}

/// How waiting for a server ended.
#[derive(Debug)]
pub(crate) enum Ready {
    Yes,
    Died(ExitStatus),
    TooLate,
}

/// The lock file has the id of the server that wrote it on its first line, and its state on the eighth: what `pg_ctl`
/// looks at. One that was killed leaves it as it was, so the id has to be the right one.
fn says_ready(text: &str, id: &str) -> bool {
    let mut lines = text.lines();
    lines.next() == Some(id) && lines.nth(6).is_some_and(|state| state.trim_end() == "ready")
}

/// The end of the file at `path`, by whole lines.
pub(crate) fn tail(path: &Path) -> String {
    let read = || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let cut = if length > TAIL { text.find('\n').map_or(0, |at| at + 1) } else { 0 };
        Ok::<_, std::io::Error>(text[cut..].to_owned())
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "42\n/data\n1767225600\n5432\n/tmp\n127.0.0.1\n  1234    5678\nready   \n";

    #[test]
    fn only_the_server_itself_can_say_that_it_is_ready() {
        assert!(says_ready(LOCK, "42"));
        assert!(!says_ready(LOCK, "43"));
        assert!(!says_ready(&LOCK.replace("ready   ", "starting"), "42"));
        assert!(!says_ready("42\n", "42"));
        assert!(!says_ready("", "42"));
    }

    #[test]
    fn the_tail_of_a_log_that_is_not_there_is_empty() {
        assert_eq!(tail(Path::new("/nowhere/at/all")), "");
    }
}
