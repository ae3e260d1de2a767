//! Programs that the gate needs and cargo does not bring: found on the path, or installed where we may.

use std::env;
use std::path::Path;
use std::process::Command;

/// A program of the system, and what brings it.
pub(crate) struct Needed {
    /// What people call it.
    pub(crate) name: &'static str,
    /// What Debian and its kin call its packages.
    pub(crate) debian: &'static str,
    /// What Fedora, Alpine and Arch call them.
    pub(crate) elsewhere: &'static str,
}

/// What installs packages, and how it is told to.
const MANAGERS: [(&str, &str); 4] = [
    ("apt-get", "install -y -q --no-install-recommends"),
    ("dnf", "install -y"),
    ("apk", "add"),
    ("pacman", "-Sy --noconfirm"),
];

impl Needed {
    /// Makes sure that it `works`, and installs it with the system's package manager if it does not and this is root.
    ///
    /// # Errors
    ///
    /// What to install where that is left to the caller, or what went wrong with it.
    pub(crate) fn ensure(&self, works: impl Fn() -> bool) -> Result<(), String> {
        if works() {
            return Ok(());
        }
        let advice =
            format!("{} is needed: install {} (on Debian: {})", self.name, self.elsewhere, self.debian);
        let manager = MANAGERS.iter().find(|(program, _)| is_on_path(program));
        let Some((program, arguments)) = manager.filter(|_| is_root()) else { return Err(advice) };
        println!("{} is not installed, or too old: installing it", self.name);
        let packages = if *program == "apt-get" { self.debian } else { self.elsewhere };
        if *program == "apt-get" {
            run(program, "update -q")?;
        }
        run(program, &format!("{arguments} {packages}"))?;
        if works() { Ok(()) } else { Err(format!("what {program} installs is not enough: {advice}")) }
    }
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn run(program: &str, arguments: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(arguments.split(' ')).env("DEBIAN_FRONTEND", "noninteractive").current_dir(Path::new("/"));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{program} {arguments}` ended with {status}")),
        Err(error) => Err(format!("`{program}` could not be started: {error}")),
    }
}

/// Whether `program` runs with these arguments, and says that all is well.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Needed = Needed { name: "Nothing", debian: "nothing-dev", elsewhere: "nothing" };

    #[test]
    fn what_works_is_left_alone() {
        assert_eq!(NOTHING.ensure(|| true), Ok(()));
    }

    #[test]
    fn a_program_succeeds_if_it_is_there_and_says_so() {
        assert!(succeeds("true", &[]));
        assert!(!succeeds("false", &[]));
        assert!(!succeeds("windlass-no-such-program", &[]));
    }
}
