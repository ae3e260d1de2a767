//! Processes of this machine: whose children they are, and whether they still run.

use std::fs;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::Error;
use crate::error::Attempted as _;

/// One process.
struct Process {
    id: u32,
    parent: u32,
    /// A letter. A process in state `Z` has ended, and waits for a parent to ask how.
    state: char,
}

/// The processes that `parent` has started and that still run.
pub(crate) fn children_of(parent: u32) -> Result<Vec<u32>, Error> {
    let children = running()?.into_iter().filter(|process| process.parent == parent);
    Ok(children.map(|process| process.id).collect())
}

/// Whether any of `ids` still runs.
pub(crate) fn any_runs(ids: &[u32]) -> Result<bool, Error> {
    Ok(running()?.iter().any(|process| ids.contains(&process.id)))
}

/// Sends `signal`. A process that is gone needs none.
pub(crate) fn signal(id: u32, signal: Signal) {
    if let Some(id) = self::id(id) {
        let _ = kill_process(id, signal);
    }
}

pub(crate) fn id(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

fn running() -> Result<Vec<Process>, Error> {
    let mut all = listed_by_kernel().map_or_else(listed_by_ps, Ok)?;
    all.retain(|process| process.state != 'Z');
    Ok(all)
}

/// None where the system has no `/proc`.
fn listed_by_kernel() -> Option<Vec<Process>> {
    fs::metadata("/proc/self/stat").ok()?;
    let entries = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    // One that ends meanwhile has no file any more.
    let files = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    Some(files.filter_map(|text| parse_stat(&text)).collect())
}

/// `42 (a name, with (anything) in it) S 1 ...`
fn parse_stat(text: &str) -> Option<Process> {
    let (id, rest) = text.split_once(" (")?;
    let (_, rest) = rest.rsplit_once(") ")?;
    let mut words = rest.split(' ');
    let state = words.next()?.chars().next()?;
    Some(Process { id: id.parse().ok()?, parent: words.next()?.parse().ok()?, state })
}

fn listed_by_ps() -> Result<Vec<Process>, Error> {
    let output = Command::new("ps").args(["-A", "-o", "pid=,ppid=,stat="]).output();
    let output = output.attempted(|| "list the processes with `ps`".to_owned())?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(parse_ps).collect())
}

fn parse_ps(line: &str) -> Option<Process> {
    let mut words = line.split_whitespace();
    let (id, parent) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Process { id, parent, state: words.next()?.chars().next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_anything_in_it() {
        let process = parse_stat("42 (a) b (c) S 7 42 42 0\n").unwrap();

        assert_eq!((process.id, process.parent, process.state), (42, 7, 'S'));
    }

    #[test]
    fn ps_pads_its_columns() {
        let process = parse_ps("   42     7 Ss+ ").unwrap();

        assert_eq!((process.id, process.parent, process.state), (42, 7, 'S'));
    }

    #[test]
    fn a_child_is_found_until_it_is_dead() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let ids = [child.id()];

        assert!(children_of(std::process::id()).unwrap().contains(&child.id()));
        assert!(any_runs(&ids).unwrap());
        signal(child.id(), Signal::KILL);
        child.wait().unwrap();
        assert!(!any_runs(&ids).unwrap());
    }
}
