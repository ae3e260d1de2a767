//! Installing PostgreSQL where we may.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

use crate::error::Attempted as _;
use crate::{Binaries, Error};

/// A system's package manager, and what it is told, one command after the other.
struct Manager {
    program: &'static str,
    commands: &'static [&'static str],
}

const MANAGERS: [Manager; 3] = [
    Manager { program: "dnf", commands: &["install -y postgresql-server"] },
    Manager { program: "apk", commands: &["add postgresql postgresql-client"] },
    Manager { program: "pacman", commands: &["-Sy --noconfirm postgresql"] },
];

/// Where Debian is told what an installation starts.
const DEBIAN: &str = "/etc/postgresql-common/createcluster.conf";

impl Binaries {
    /// As [`Binaries::find`]. If there are none and we are root, installs them with the system's package manager, which
    /// prints what it does. No cluster of the system's is made or started.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when we may not or cannot install them, else what the package manager ended with.
    pub fn find_or_install() -> Result<Self, Error> {
        Self::find().or_else(|missing| {
            if !geteuid().is_root() {
                return Err(missing);
            }
            install(missing)?;
            Self::find()
        })
    }
}

fn install(missing: Error) -> Result<(), Error> {
    if is_installed("apt-get") {
        return install_on_debian();
    }
    let manager = MANAGERS.iter().find(|manager| is_installed(manager.program));
    let manager = manager.ok_or(missing)?;
    manager.commands.iter().try_for_each(|arguments| run(manager.program, arguments))
}

/// In two steps, because the file that forbids a cluster comes with the first of them.
fn install_on_debian() -> Result<(), Error> {
    run("apt-get", "update -q")?;
    run("apt-get", "install -y -q --no-install-recommends postgresql-common")?;
    let text = fs::read_to_string(DEBIAN).unwrap_or_default();
    fs::write(DEBIAN, without_cluster(&text)).attempted(|| format!("write {DEBIAN}"))?;
    run("apt-get", "install -y -q --no-install-recommends postgresql")
}

/// The same settings, but for the one that makes a cluster of every installation.
fn without_cluster(text: &str) -> String {
    let is_other = |line: &&str| !line.trim_start_matches(['#', ' ']).starts_with("create_main_cluster");
    let others = text.lines().filter(is_other).map(|line| format!("{line}\n"));
    others.chain(["create_main_cluster = false\n".to_owned()]).collect()
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn run(program: &str, arguments: &str) -> Result<(), Error> {
    let mut command = Command::new(program);
    command.args(arguments.split(' ')).env("DEBIAN_FRONTEND", "noninteractive").current_dir(Path::new("/"));
    let status = command.status().attempted(|| format!("start {program}"))?;
    let failed = || Error::Failed(format!("`{program} {arguments}` ended with {status}"));
    status.success().then_some(()).ok_or_else(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_is_told_once_to_make_no_cluster() {
        let text = "# Create a cluster\n#create_main_cluster = true\nssl = on\n";
        let expected = "# Create a cluster\nssl = on\ncreate_main_cluster = false\n";

        assert_eq!(without_cluster(text), expected);
        assert_eq!(without_cluster(expected), expected);
        assert_eq!(without_cluster(""), "create_main_cluster = false\n");
    }
}
