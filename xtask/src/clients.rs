//! The clients in other languages: checked and tested against the program that the tests before them have built.

use std::env;
use std::path::{Path, PathBuf};

use crate::python;
use crate::steps::Step;
use crate::system::succeeds;

/// The oldest Node that the client runs on.
const NODE_MIN: u32 = 20;

const PYTHON_CHECKS: &str =
    "cd clients/python && ruff format --check . && ruff check . && mypy && pytest --quiet";

const TYPESCRIPT_CHECKS: &str =
    "cd clients/typescript && npm ci --silent --ignore-scripts && npm run --silent check";

/// The gate's steps for all clients.
///
/// # Errors
///
/// What to install, where Python is missing and cannot be installed.
pub(crate) fn steps() -> Result<Vec<Step>, String> {
    let tools = [Some(python::venv("clients/python/requirements.txt")?), node()?];
    let [python, node] = tools.map(|folder| folder.map_or_else(String::new, |folder| first_on_path(&folder)));
    let program = program()?.display().to_string();
    let steps = [
        Step::shell("python client", &format!("{python}{PYTHON_CHECKS}"))
            .or_else("clients/python/README.md says how to run one of its checks alone"),
        Step::shell("typescript client", &format!("{node}{TYPESCRIPT_CHECKS}"))
            .or_else("clients/typescript/README.md says how to run one of its checks alone"),
    ];
    Ok(steps.into_iter().map(|step| step.with("WINDLASS_BIN", &program)).collect())
}

/// Where Node and npm lie, unless good ones are on the path: the package managers of many systems have only older ones, so
/// they come from Python's registry, like the other tools.
fn node() -> Result<Option<PathBuf>, String> {
    if is_node(NODE_MIN) && succeeds("npm", &["--version"]) {
        return Ok(None);
    }
    python::venv("xtask/node.txt").map(Some)
}

/// What the shell runs to look for programs in this virtual environment first.
fn first_on_path(folder: &Path) -> String {
    format!("PATH={}/bin:$PATH && ", folder.display())
}

/// Whether Node is there, of this major version or a later one.
fn is_node(major: u32) -> bool {
    // A number, since Node refuses any other exit code from version 20 on.
    let probe = format!("process.exit(parseInt(process.versions.node) >= {major} ? 0 : 1)");
    succeeds("node", &["-e", &probe])
}

/// The `windlass` that was built for the tests: it lies beside this program.
pub(crate) fn program() -> Result<PathBuf, String> {
    let own = env::current_exe().map_err(|error| format!("could not find this program: {error}"))?;
    Ok(own.with_file_name("windlass"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_old_enough_for_the_past_and_too_old_for_the_future() {
        if !succeeds("node", &["--version"]) {
            return; // The gate has one in a folder of its own, where these tests do not look.
        }
        assert!(is_node(1));
        assert!(!is_node(1_000));
    }
}
