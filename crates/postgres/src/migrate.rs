//! The schema: how it comes to be, which version it has, and which programs may use it.
//!
//! Migrations only go forward, and each is applied once, in one transaction with those before it, under a lock of the
//! schema's name: of eight programs that start at once one does it and the others find it done, and one that is killed on
//! the way leaves nothing behind.
//!
//! Programs are replaced one after the other, so for a while the one before runs beside a schema that it does not know.
//! Each migration says in its header how old a program may be that still understands what it leaves behind:
//!
//! ```sql
//! -- Adds the tags of jobs.
//! -- Compatible from: 3.
//! ```
//!
//! reads "a program that knows migrations up to the third may use this schema". A migration that only adds (a table, a
//! column with a default, an index) repeats the number of the one before it. Without the line nobody but this version and
//! later ones may; such a migration also renames what old programs use, so that those that run already fail rather than go
//! wrong. A program that is too old is refused, and writes nothing.

mod script;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};
use windlass_core::Timestamp;
use windlass_store::{ErrorKind, StoreError};

use crate::address::Place;
use crate::error::During;
use crate::server::with_grants;
use crate::sql::in_schema;
use crate::value::Instant;
use crate::{PostgresOptions, row};

pub use script::sql;
pub(crate) use script::{VERSION, check_name, grants, quoted};

/// What a program does about a schema that is not as it needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// Bring it to this program's version.
    Allowed,
    /// Refuse to use it.
    Refused,
}

/// What [`up`] found, and what it left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The version that the schema had; none if there was no schema.
    pub from: Option<u32>,
    /// The version that it has now.
    pub to: u32,
}

/// Which version a schema has, and what this program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Its name.
    pub schema: String,
    /// Its version; none if there is no such schema.
    pub version: Option<u32>,
    /// The newest version that this program knows.
    pub newest: u32,
    /// The oldest program that may use it, by the newest version that one knows; none if there is no such schema.
    pub compatible_from: Option<u32>,
    /// All migrations that the schema has had or this program knows, in their order.
    pub migrations: Vec<Migration>,
}

/// One step of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// The version that it leads to.
    pub version: u32,
    /// What it is called, as in `0001_jobs`.
    pub name: String,
    /// When the schema had it; none if it has not.
    pub applied_at: Option<Timestamp>,
}

/// Brings the schema to the version of this program. Does nothing to one that has it, nor to a newer one that this program
/// may use.
///
/// # Errors
///
/// As [`PostgresOptions::open`].
pub async fn up(options: &PostgresOptions) -> Result<Report, StoreError> {
    const NAME: &str = "migrate the schema";
    let (client, place) = options.connect(NAME).await?;
    let from = find(&client, &place, NAME).await?.version;
    let to = ensure(&client, (&place, Renewal::Allowed), NAME).await?;
    Ok(Report { from, to })
}

/// Which version the schema has. Changes nothing.
///
/// # Errors
///
/// As [`PostgresOptions::open`], except for what it says of the schema.
pub async fn status(options: &PostgresOptions) -> Result<Status, StoreError> {
    const NAME: &str = "read the version of the schema";
    let (client, place) = options.connect(NAME).await?;
    find(&client, &place, NAME).await
}

/// Makes sure that the schema can be used, and answers with its version. Without the right to make anything, this succeeds
/// wherever nothing has to be made.
pub(crate) async fn ensure(
    client: &Client,
    (place, renewal): (&Place, Renewal),
    name: &'static str,
) -> Result<u32, StoreError> {
    let found = find(client, place, name).await?;
    if let Some(version) = usable(&found, name)? {
        return Ok(version);
    }
    if renewal == Renewal::Refused {
        return Err(StoreError::new(name, ErrorKind::Incompatible).with_detail(behind(&found)));
    }
    apply(client, place, name).await?;
    // Whoever held the lock before us may have been a newer program.
    let found = find(client, place, name).await?;
    usable(&found, name)?.ok_or_else(|| row::damaged("the schema is not what it was made to be a moment ago"))
}

/// The version of a schema that can be used as it is; none if something is missing.
fn usable(found: &Status, name: &'static str) -> Result<Option<u32>, StoreError> {
    let version = found.version.filter(|version| *version >= VERSION);
    let oldest = found.compatible_from.unwrap_or(0);
    if oldest <= VERSION {
        return Ok(version);
    }
    let detail = format!(
        "the schema \"{}\" has version {}, which programs understand that know version {oldest}, and this one knows up to \
         {VERSION}: install the newer program",
        found.schema,
        found.version.unwrap_or(oldest),
    );
    Err(StoreError::new(name, ErrorKind::Incompatible).with_detail(detail))
}

fn behind(found: &Status) -> String {
    let schema = &found.schema;
    match found.version {
        Some(version) => format!(
            "the schema \"{schema}\" has version {version}, and this program needs {VERSION}: run `windlass migrate up`"
        ),
        None => format!("there is no schema \"{schema}\" in this database: run `windlass migrate up`"),
    }
}

async fn apply(client: &Client, place: &Place, name: &'static str) -> Result<(), StoreError> {
    let Err(error) = client.batch_execute(&script::sql(&place.schema)?).await else { return Ok(()) };
    // Of a connection that broke, the server has rolled it back by itself.
    let _ = client.batch_execute("ROLLBACK").await;
    let (detail, said) = (error.code().and_then(|code| advice(code, place)), error.to_string());
    let said = error.as_db_error().map_or(said, |error| error.message().to_owned());
    match detail {
        Some(detail) => {
            Err(StoreError::new(name, ErrorKind::Unavailable).with_detail(format!("{said}; {detail}")))
        }
        None => Err(error).committing(name),
    }
}

/// What to do about a migration that was refused, where a person can do something.
fn advice(code: &SqlState, place: &Place) -> Option<String> {
    let Place { schema, user, database, .. } = place;
    Some(match *code {
        SqlState::INSUFFICIENT_PRIVILEGE => format!(
            "let the role \"{user}\" make the schema \"{schema}\": GRANT CREATE ON DATABASE {} TO {}; or let its owner \
             run `windlass migrate up`, or what `windlass migrate sql` prints, and then: {}",
            quoted(database),
            quoted(user),
            grants(schema, &quoted(user)),
        ),
        SqlState::LOCK_NOT_AVAILABLE => {
            format!(
                "somebody holds a lock on a table of the schema \"{schema}\" for long: end that, and try again"
            )
        }
        _ => return None,
    })
}

/// What there is of the schema.
async fn find(client: &Client, place: &Place, name: &'static str) -> Result<Status, StoreError> {
    let schema = &place.schema;
    let exists = include_str!("../sql/schema/exists.sql");
    let exists = client.query_typed(exists, &[(schema, Type::TEXT)]).await.during(name)?;
    let is_there = exists.first().is_some_and(|row| row.get(0));
    let applied = if is_there { applied(client, place, name).await? } else { Vec::new() };
    let mut migrations: Vec<Migration> = applied.iter().map(migration).collect();
    let version = migrations.last().map(|newest| newest.version);
    migrations.extend(script::later_than(version.unwrap_or(0)));
    let compatible_from = applied.iter().map(|applied| row::count(applied, 2)).max();
    Ok(Status { schema: schema.clone(), version, newest: VERSION, compatible_from, migrations })
}

async fn applied(client: &Client, place: &Place, name: &'static str) -> Result<Vec<Row>, StoreError> {
    let text = in_schema(include_str!("../sql/schema/applied.sql"), &place.schema);
    let applied = client.query_typed(&text, &[]).await;
    if applied.as_ref().is_err_and(|error| error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)) {
        let what = format!("the role \"{}\" may not use the schema \"{}\"", place.user, place.schema);
        return Err(StoreError::new(name, ErrorKind::Unavailable).with_detail(with_grants(&what, place)));
    }
    applied.during(name)
}

fn migration(row: &Row) -> Migration {
    let Instant(applied_at) = row.get(3);
    Migration { version: row::count(row, 0), name: row.get(1), applied_at: Some(applied_at) }
}
