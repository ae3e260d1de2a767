//! The migrations as one script, which a program or a person may run.

use std::fmt::Write as _;

use windlass_core::Invalid;
use windlass_store::StoreError;

use super::Migration;
use crate::sql::in_schema;

/// A migration, as this version of the program knows it.
#[derive(Debug)]
struct Known {
    name: &'static str,
    text: &'static str,
}

macro_rules! known {
    ($($name:literal),+ $(,)?) => {
        &[$(Known { name: $name, text: include_str!(concat!("../../migrations/", $name, ".sql")) }),+]
    };
}

/// All of them, in order.
const MIGRATIONS: &[Known] = known![
    "0001_jobs",
    "0002_enqueue_function",
    "0003_edges",
    "0004_unique_keys",
    "0005_gates",
    "0006_reviews",
    "0007_schedules",
    "0008_errors",
    "0009_retention",
    "0010_access",
    "0011_changes",
    "0012_together",
    "0013_operations",
    "0014_owners",
    "0015_places",
    "0016_summaries",
];

/// The newest schema this version knows.
#[expect(clippy::cast_possible_truncation, reason = "there will never be so many migrations")]
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// How a header says which programs may use what the migration leaves behind.
const COMPATIBLE_FROM: &str = "-- Compatible from: ";

/// As long as the server lets a name be; the rest would be cut off, and two schemas be one.
const NAME_BYTES_MAX: usize = 63;

/// Everything that makes the schema, for a schema at whatever version: each step looks for itself whether it is done. For
/// those who do not let programs change their databases: run it with `psql --file`, or paste it.
///
/// # Errors
///
/// `Invalid(schema)` for a name that no schema can have.
pub fn sql(schema: &str) -> Result<String, StoreError> {
    check_name(schema).map_err(|invalid| StoreError::invalid("write the script", invalid))?;
    let name = quoted(schema);
    let literal = schema.replace('\'', "''");
    let mut script = format!(
        "-- Makes or renews the schema {name} of Windlass, up to version {VERSION}. Running it again changes nothing.\n\
         BEGIN ISOLATION LEVEL READ COMMITTED;\n\
         SET LOCAL statement_timeout = 0;\n\
         SET LOCAL idle_in_transaction_session_timeout = 0;\n\
         SET LOCAL search_path = pg_catalog;\n\
         SET LOCAL client_min_messages = warning;\n\
         SET LOCAL standard_conforming_strings = on;\n\
         -- However long another one that migrates takes.\n\
         SET LOCAL lock_timeout = 0;\n\
         DO $lock$ BEGIN PERFORM pg_advisory_xact_lock(hashtextextended('windlass {literal}', 0)); END $lock$;\n\
         -- Whoever waits for a table keeps all others from it, so not for long.\n\
         SET LOCAL lock_timeout = '10s';\n\
         DO $schema$ BEGIN\n\
         -- To ask for one that is there already takes the right to make it.\n\
         IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{literal}') THEN\n\
         CREATE SCHEMA {name};\n\
         END IF;\n\
         END $schema$;\n\
         CREATE TABLE IF NOT EXISTS {name}.migration (\n    \
             version integer PRIMARY KEY,\n    \
             name text NOT NULL,\n    \
             -- The oldest program that may use the schema, by the newest version that it knows.\n    \
             compatible_from integer NOT NULL,\n    \
             applied_at timestamptz NOT NULL DEFAULT now()\n\
         );\n"
    );
    for (migration, version) in MIGRATIONS.iter().zip(1..) {
        script.push_str(&step(migration, version, schema));
    }
    script.push_str("COMMIT;\n");
    Ok(script)
}

/// One migration, unless the schema has had it. The text may hold function bodies between `$$`.
fn step(migration: &Known, version: u32, schema: &str) -> String {
    let Known { name, text } = migration;
    let (table, text) = (format!("{}.migration", quoted(schema)), in_schema(text, schema));
    let oldest = compatible_from(migration, version);
    format!(
        "DO $migration$ BEGIN IF NOT EXISTS (SELECT FROM {table} WHERE version = {version}) THEN\n{text}\n\
         INSERT INTO {table} (version, name, compatible_from) VALUES ({version}, '{name}', {oldest});\n\
         END IF; END $migration$;\n"
    )
}

/// The oldest program that understands what a migration leaves behind; its own where it does not say.
fn compatible_from(migration: &Known, version: u32) -> u32 {
    let header = migration.text.lines().take_while(|line| line.starts_with("--"));
    let mut said = header.filter_map(|line| line.strip_prefix(COMPATIBLE_FROM));
    said.next().map_or(version, |oldest| {
        oldest
            .trim_end_matches('.')
            .parse()
            .unwrap_or_else(|_| panic!("{}: {oldest} is no version", migration.name))
    })
}

/// What this program knows that a schema at `version` has not had.
pub(super) fn later_than(version: u32) -> impl Iterator<Item = Migration> {
    let known = MIGRATIONS.iter().zip(1..).filter(move |(_, number)| *number > version);
    known.map(|(migration, version)| Migration { version, name: migration.name.to_owned(), applied_at: None })
}

/// What has to be granted to somebody else than who made the schema. `role` as it is to be written in SQL.
pub(crate) fn grants(schema: &str, role: &str) -> String {
    let schema = quoted(schema);
    let mut grants = String::new();
    for rights in [
        format!("USAGE ON SCHEMA {schema}"),
        format!("SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema}"),
        format!("USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema}"),
        format!("EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema}"),
    ] {
        // Writing to a string cannot fail.
        let _ = write!(grants, "GRANT {rights} TO {role}; ");
    }
    grants.trim_end().to_owned()
}

/// A name as it stands in a statement.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Refuses names that no schema can have, and those that would end a quotation of the script.
pub(crate) fn check_name(schema: &str) -> Result<(), Invalid> {
    let invalid = |why: &str| Err(Invalid::new("schema", why));
    if schema.is_empty() || schema.len() > NAME_BYTES_MAX {
        return invalid("must have 1 to 63 bytes");
    }
    if schema.starts_with("pg_") {
        return invalid("must not begin with pg_, which the server keeps for itself");
    }
    if schema.chars().any(|c| c.is_control() || c == '$') {
        return invalid("must not have control characters or $");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_that_says_nothing_is_for_its_own_version_and_later_ones() {
        let silent = Known { name: "0003_locks", text: "-- Adds locks.\nCREATE TABLE windlass.lock ();\n" };
        let additive = Known { text: "-- Adds locks.\n-- Compatible from: 1.\nCREATE …", ..silent };

        assert_eq!(compatible_from(&silent, 3), 3);
        assert_eq!(compatible_from(&additive, 3), 1);
    }

    #[test]
    fn migrations_are_numbered_without_a_gap_and_none_claims_to_suit_programs_from_the_future() {
        for (migration, version) in MIGRATIONS.iter().zip(1..) {
            assert!(migration.name.starts_with(&format!("{version:04}_")), "{}", migration.name);
            assert!((1..=version).contains(&compatible_from(migration, version)), "{}", migration.name);
        }
    }

    #[test]
    fn a_name_cannot_end_the_quotation_that_it_stands_in() {
        let script = sql("it's \"mine\"").unwrap();

        assert!(script.contains("CREATE SCHEMA \"it's \"\"mine\"\"\";"), "{script}");
        assert!(script.contains("'windlass it''s \"mine\"'"), "{script}");
        for name in ["", "pg_jobs", "a$migration$b", "a\0b", &"x".repeat(64)] {
            assert!(sql(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn no_name_of_ours_is_left_without_a_schema() {
        let script = sql("elsewhere").unwrap();

        assert!(!script.contains("windlass."), "{script}");
    }
}
