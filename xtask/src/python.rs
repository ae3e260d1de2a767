//! Python for the steps of the gate that are written in it: an interpreter, and folders with pinned packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repo;
use crate::system::{Needed, succeeds};

const PYTHON: Needed =
    Needed { name: "Python from 3.10 on, with venv", debian: "python3 python3-venv", elsewhere: "python3" };

/// Says whether the interpreter is new enough for the tools, and can make folders of its own.
const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";

/// Where a folder keeps what it was made of.
const STAMP: &str = "made-of";

/// The folder of a virtual environment, under `target/python`, with what `requirements` pins: the path of such a file from
/// the root of the repository. Programs lie in its `bin`.
///
/// It is made once, and again when the file or the interpreter has changed.
///
/// # Errors
///
/// What to install where Python is missing and cannot be installed, or what pip said.
pub(crate) fn venv(requirements: &str) -> Result<PathBuf, String> {
    PYTHON.ensure(|| succeeds("python3", &["-c", PROBE]))?;
    let root = repo::root();
    let file = root.join(requirements);
    let pins =
        fs::read_to_string(&file).map_err(|error| format!("could not read {requirements}: {error}"))?;
    let folder = root.join("target/python").join(name(requirements));
    let stamp = stamp(&pins)?;
    if fs::read_to_string(folder.join(STAMP)).is_ok_and(|made_of| made_of == stamp) {
        return Ok(folder);
    }
    println!("making {} of {requirements}", folder.display());
    make(&folder, &file)?;
    // Last, so that a folder that was left half-made is made again.
    fs::write(folder.join(STAMP), stamp).map_err(|error| format!("could not finish the folder: {error}"))?;
    Ok(folder)
}

/// One for each list: `clients-python-requirements`.
fn name(requirements: &str) -> String {
    requirements.trim_end_matches(".txt").replace('/', "-")
}

/// What a folder is made of: the interpreter and the pins.
fn stamp(pins: &str) -> Result<String, String> {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.version, sys.prefix)"]).output();
    let output = output.map_err(|error| format!("python3 could not be started: {error}"))?;
    Ok(format!("{}{pins}", String::from_utf8_lossy(&output.stdout)))
}

fn make(folder: &Path, requirements: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .map_err(|error| format!("could not remove {}: {error}", folder.display()))?;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    run(pip.args(["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "-r"]).arg(requirements))
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} ended with {status}")),
        Err(error) => Err(format!("{command:?} could not be started: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_has_a_folder_of_its_own() {
        assert_eq!(name("clients/python/requirements.txt"), "clients-python-requirements");
        assert_ne!(name("a/requirements.txt"), name("b/requirements.txt"));
    }

    #[test]
    fn a_list_that_is_not_there_is_an_error() {
        assert!(venv("no/such/list.txt").is_err());
    }
}
