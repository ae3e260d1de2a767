//! The clients in other languages: checked and tested against the program that the tests before them have built.

use std::env;
use std::path::PathBuf;

use crate::python;
use crate::steps::Step;
use crate::system::{Needed, succeeds};

const NODE: Needed =
    Needed { name: "Node from 20 on, with npm", debian: "nodejs npm", elsewhere: "nodejs npm" };

/// Says whether Node is new enough for the client.
const PROBE: &str = "process.exit(Number(process.versions.node.split('.')[0]) < 20)";

const PYTHON_CHECKS: &str =
    "cd clients/python && ruff format --check . && ruff check . && mypy && pytest --quiet";

const TYPESCRIPT_CHECKS: &str =
    "cd clients/typescript && npm ci --silent --ignore-scripts && npm run --silent check";

/// The gate's steps for all clients.
///
/// # Errors
///
/// What to install, where Python or Node is missing and cannot be installed.
pub(crate) fn steps() -> Result<Vec<Step>, String> {
    let tools = python::venv("clients/python/requirements.txt")?;
    NODE.ensure(|| succeeds("node", &["-e", PROBE]) && succeeds("npm", &["--version"]))?;
    let program = program()?.display().to_string();
    let python = format!("PATH={}/bin:$PATH && {PYTHON_CHECKS}", tools.display());
    let steps = [
        Step::shell("python client", &python)
            .or_else("clients/python/README.md says how to run one of its checks alone"),
        Step::shell("typescript client", TYPESCRIPT_CHECKS)
            .or_else("clients/typescript/README.md says how to run one of its checks alone"),
    ];
    Ok(steps.into_iter().map(|step| step.with("WINDLASS_BIN", &program)).collect())
}

/// The `windlass` that was built for the tests: it lies beside this program.
pub(crate) fn program() -> Result<PathBuf, String> {
    let own = env::current_exe().map_err(|error| format!("could not find this program: {error}"))?;
    Ok(own.with_file_name("windlass"))
}
