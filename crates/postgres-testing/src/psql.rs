//! Statements by way of PostgreSQL's own client: a driver would have to be built before anything else is.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Error;
use crate::account::without_settings;
use crate::error::{Attempted as _, succeeded};

/// Runs one statement and returns what it printed: a line a row.
pub(crate) fn run(psql: &Path, url: &str, statement: &str) -> Result<String, Error> {
    let mut command = Command::new(psql);
    without_settings(&mut command);
    // Nobody's own settings, no question for a password, bare rows.
    command.args(["--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only"]);
    command.args(["--set", "ON_ERROR_STOP=1", "--command", statement, "--dbname", url]);
    let output = command.stdin(Stdio::null()).output();
    succeeded(psql, &output.attempted(|| format!("start {}", psql.display()))?)
}
