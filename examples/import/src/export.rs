//! The job that writes a table into a file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use windlass::prelude::*;

use crate::App;
use crate::table::{Rows, Table};

/// Writes a table down, a row a line. Any number may do so at a time, but nobody while the table is being changed.
#[derive(Debug, Serialize, Deserialize, Job)]
#[job(
    kind = "export",
    queue = "exports",
    attempts = 5,
    timeout = "5m",
    lock_shared = "table:{args.table}",
    output = usize
)]
pub(crate) struct Export {
    pub(crate) table: Table,
    pub(crate) file: PathBuf,
}

/// Writes the file, and says how many rows it has. The file appears in one step, whole.
pub(crate) async fn export(
    Export { table, file }: Export,
    State(app): State<App>,
    cx: JobCx,
) -> Result<usize, JobError> {
    let rows = app.database.rows(table).await?;
    let count = rows.len();
    // An attempt that was given up may still write: each has a file of its own.
    let mut part = file.clone().into_os_string();
    part.push(format!(".{}-{}", cx.id(), cx.attempt().number));
    tokio::task::spawn_blocking(move || write(&rows, part.as_ref(), &file)).await??;
    Ok(count)
}

fn write(rows: &Rows, part: &Path, file: &Path) -> std::io::Result<()> {
    let lines: String = rows.values().map(|row| row.join("\t") + "\n").collect();
    std::fs::write(part, lines)?;
    std::fs::rename(part, file)
}
