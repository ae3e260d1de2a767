//! Ends the commands of running jobs when this process dies without a word.
//!
//! Commands run in process groups of their own, so that a Ctrl-C meant for us does not reach them. When we are killed,
//! nobody would end them: a second run of the same job would then run beside the first. So we start ourselves once
//! more, tell that process which groups there are, and let it read from us until there is nothing left to read: then
//! we are gone, however that happened, and it ends the groups.
//!
//! A command that was started in our last moment was not told of any more. It carries a mark in its environment, by
//! which it is found where the system shows the environment of processes. There is no moment before that: until a
//! command has begun, it holds the guard's pipe open itself.

use std::collections::HashSet;
use std::io::{self, BufRead, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, getpgid, kill_process_group};

/// The name of the mark in a command's environment.
pub(crate) const MARK: &str = "WINDLASS_GUARD";

/// The process that outlives us.
#[derive(Debug)]
pub(crate) struct Guard {
    mark: String,
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
        let mark = uuid::Uuid::now_v7().to_string();
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["guard", &mark])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/");
        // Its own group: Ctrl-C is sent to all of ours.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn()?;
        let to = process.stdin.take().ok_or_else(|| io::Error::other("the guard has no input"))?;
        Ok(Arc::new(Self { mark, to: Mutex::new(to), _process: process }))
    }

    /// The value of [`MARK`] that its commands carry.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// Takes on the group that `leader` leads, which was started just now.
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

/// The life of the guard: `windlass guard MARK`.
pub(crate) fn live(mark: &str) -> io::Result<()> {
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
    for leader in leaders.into_iter().chain(marked(&format!("{MARK}={mark}"))) {
        let _ = kill_process_group(leader, Signal::KILL);
    }
    Ok(())
}

/// The groups of processes with `entry` in their environment, where the system shows it.
fn marked(entry: &str) -> HashSet<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return HashSet::new() };
    let numbers = processes.flatten().filter_map(|process| process.file_name().to_str()?.parse().ok());
    let carries = |process: &Pid| {
        let environment =
            std::fs::read(format!("/proc/{}/environ", process.as_raw_nonzero())).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|found| found == entry.as_bytes())
    };
    numbers
        .filter_map(Pid::from_raw)
        .filter(carries)
        .filter_map(|process| getpgid(Some(process)).ok())
        .collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::*;

    #[test]
    fn a_command_is_found_by_its_mark_alone() {
        let spawn = |mark: &str| {
            let mut command = Command::new("cat");
            command.env(MARK, mark).stdin(Stdio::piped()).process_group(0).spawn().unwrap()
        };
        let (mut ours, mut other) = (spawn("this-test"), spawn("this-test-not"));

        let found = marked(&format!("{MARK}=this-test"));

        assert_eq!(found, HashSet::from([Pid::from_child(&ours)]));
        for child in [&mut ours, &mut other] {
            // Without its input, `cat` ends.
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }
}
