//! Opens the store that was named.

use std::path::Path;
use std::sync::Arc;

use windlass_sqlite::SqliteOptions;
use windlass_store::SharedStore;

use crate::error::{CliError, ErrorCode};

/// The store at `path`, made if there is none.
pub(crate) async fn open_or_make(path: &Path) -> Result<SharedStore, CliError> {
    if path.to_str().is_some_and(|text| text.contains("://")) {
        return Err(CliError::new(ErrorCode::Invalid, format!("store: {} is not a path", path.display()))
            .with_help("this version keeps jobs in a SQLite file; name its path"));
    }
    Ok(Arc::new(SqliteOptions::new(path).open().await?))
}

/// The store at `path`, which must be there: looking into a misspelt path must not make a store of it.
pub(crate) async fn open(path: &Path) -> Result<SharedStore, CliError> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(CliError::new(ErrorCode::NoStore, format!("there is no store at {}", path.display())).with_help(
                "`windlass enqueue`, `run` and `work` make one; or point at yours with --store PATH or WINDLASS_STORE",
            ))
        }
        // Whatever else is wrong with it, opening it says so.
        _ => open_or_make(path).await,
    }
}
