//! Ends the commands of running jobs when this process dies without a word.
//!
//! Commands run in process groups of their own, so that a Ctrl-C meant for us does not reach them. When we are killed,
//! nobody would end them: a second run of the same job would then run beside the first. So we start ourselves once
//! more, tell that process which groups there are, and let it read from us until there is nothing left to read: then
//! we are gone, however that happened, and it ends the groups.

use std::collections::HashSet;
use std::io::{self, BufRead, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

/// The process that outlives us.
#[derive(Debug)]
pub(crate) struct Guard {
    to: Mutex<ChildStdin>,
    _process: Child,
}

/// A process group that ends with its attempt, with us, or when this is dropped.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Pid,
    guard: Arc<Guard>,
}

impl Guard {
    /// Starts the process.
    pub(crate) fn start() -> io::Result<Arc<Self>> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("guard")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/");
        // Its own group: Ctrl-C is sent to all of ours.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn()?;
        let to = process.stdin.take().ok_or_else(|| io::Error::other("the guard has no input"))?;
        Ok(Arc::new(Self { to: Mutex::new(to), _process: process }))
    }

    /// Takes on the group that `leader` leads, which was started just now. Between the two lies the only moment in
    /// which our death would leave a command alone.
    pub(crate) fn watch(self: &Arc<Self>, leader: Pid) -> Group {
        self.tell('+', leader);
        Group { leader, guard: Arc::clone(self) }
    }

    /// A guard that is gone can do nothing for us, and nothing is worse than before: no error is made of it.
    fn tell(&self, sign: char, leader: Pid) {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(to, "{sign}{}", leader.as_raw_nonzero());
    }
}

impl Group {
    /// Sends `signal` to every process of the group. There may be none left.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.leader, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The leader may be gone and waited for; its number stays taken as long as the group has anyone, and numbers
        // are not used again at once. So this reaches the group or nobody.
        self.signal(Signal::KILL);
        self.guard.tell('-', self.leader);
    }
}

/// The life of the guard: `windlass guard`.
pub(crate) fn live() -> io::Result<()> {
    let mut leaders = HashSet::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let Some(leader) = line.get(1..).and_then(|number| number.parse().ok()).and_then(Pid::from_raw)
        else {
            continue;
        };
        if line.starts_with('+') {
            leaders.insert(leader)
        } else {
            leaders.remove(&leader)
        };
    }
    for leader in leaders {
        let _ = kill_process_group(leader, Signal::KILL);
    }
    Ok(())
}
