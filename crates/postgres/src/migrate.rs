//! The schema, and how it comes to be.

use std::fmt::Write;

use windlass_store::{ErrorKind, StoreError};

use crate::sql::in_schema;

/// What this version of the program knows, in order.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_jobs.sql")];

/// The newest schema this version knows.
#[expect(clippy::cast_possible_truncation, reason = "there will never be so many migrations")]
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

const NAME: &str = "open the store";

/// Brings the schema to the version of this program.
///
/// One transaction under a lock of the schema's name: of eight processes that start at once one does it and the others find
/// it done; one that dies on the way leaves nothing behind.
pub(crate) async fn up(client: &tokio_postgres::Client, schema: &str) -> Result<(), StoreError> {
    let version = version(client, schema).await?;
    if version == Some(VERSION) {
        return Ok(());
    }
    refuse_newer(version)?;
    let text = script(schema);
    client
        .batch_execute(&text)
        .await
        .map_err(|error| StoreError::new(NAME, ErrorKind::Unavailable).with_source(error))
}

fn refuse_newer(version: Option<u32>) -> Result<(), StoreError> {
    match version {
        Some(newer) if newer > VERSION => Err(StoreError::new(NAME, ErrorKind::Incompatible).with_detail(format!(
            "the schema has version {newer}, and this program knows up to {VERSION}: install the newer program"
        ))),
        _ => Ok(()),
    }
}

/// The version of the schema; none if there is none.
pub(crate) async fn version(
    client: &tokio_postgres::Client,
    schema: &str,
) -> Result<Option<u32>, StoreError> {
    // sql: the name of a table cannot be bound
    let there = "SELECT to_regclass(format('%I.migration', $1::text)) IS NOT NULL";
    let failed = |error| StoreError::new(NAME, ErrorKind::Unavailable).with_source(error);
    let there: bool = client.query_one(there, &[&schema]).await.map_err(failed)?.get(0);
    if !there {
        return Ok(None);
    }
    // sql: the name of a table cannot be bound
    let newest = in_schema("SELECT coalesce(max(version), 0) FROM windlass.migration", schema);
    let version: i32 = client.query_one(&newest, &[]).await.map_err(failed)?.get(0);
    Ok(u32::try_from(version).ok())
}

/// All that is missing, for a schema at whatever version: each step looks for itself whether it is done.
fn script(schema: &str) -> String {
    let name = format!("\"{}\"", schema.replace('"', "\"\""));
    let literal = schema.replace('\'', "''");
    let mut script = format!(
        "BEGIN;\nSELECT pg_advisory_xact_lock(hashtextextended('windlass {literal}', 0));\nCREATE SCHEMA IF NOT EXISTS {name};\n\
         CREATE TABLE IF NOT EXISTS {name}.migration (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());\n"
    );
    for (index, migration) in MIGRATIONS.iter().enumerate() {
        let version = index + 1;
        let migration = in_schema(migration, schema);
        // Writing to a string cannot fail.
        let _ = write!(
            script,
            "DO $migration$ BEGIN IF NOT EXISTS (SELECT FROM {name}.migration WHERE version = {version}) THEN\n{migration}\n\
             INSERT INTO {name}.migration (version) VALUES ({version});\nEND IF; END $migration$;\n"
        );
    }
    script.push_str("COMMIT;\n");
    script
}
