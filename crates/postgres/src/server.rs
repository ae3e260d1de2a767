//! Whether a server will do, asked once when a store is opened: what would fail later, or go wrong unseen, is said here.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};
use windlass_core::Invalid;
use windlass_store::{ErrorKind, StoreError};

use crate::address::Place;
use crate::error::During;
use crate::migrate::{grants, quoted};

/// The oldest server that has all that our statements use, as it tells its version itself.
const VERSION_MIN: i64 = 14_00_00;

/// What a server says of itself.
#[derive(Debug)]
struct Server {
    version: i64,
    version_name: String,
    encoding: String,
    is_replica: bool,
    only_reads: bool,
    isolation: String,
    search_path: String,
    user: String,
    database: String,
}

/// Refuses a server that will not do. `settled` tells whether our settings were sent to it.
pub(crate) async fn check(client: &Client, settled: bool, name: &'static str) -> Result<(), StoreError> {
    let rows = client.query_typed(include_str!("../sql/server/look.sql"), &[]).await.during(name)?;
    let server = rows.first().map(Server::of).ok_or_else(|| StoreError::new(name, ErrorKind::Unavailable))?;
    match server.fault(settled) {
        Some((kind, detail)) => Err(StoreError::new(name, kind).with_detail(detail)),
        None => Ok(()),
    }
}

impl Server {
    fn of(row: &Row) -> Self {
        Self {
            version: row.get(0),
            version_name: row.get(1),
            encoding: row.get(2),
            is_replica: row.get(3),
            only_reads: row.get(4),
            isolation: row.get(5),
            search_path: row.get(6),
            user: row.get(7),
            database: row.get(8),
        }
    }

    /// What is wrong with it, and what to do.
    fn fault(&self, settled: bool) -> Option<(ErrorKind, String)> {
        let (user, database) = (&self.user, &self.database);
        if self.version < VERSION_MIN {
            let why =
                format!("the server is PostgreSQL {}, and Windlass needs 14 or later", self.version_name);
            return Some((ErrorKind::Incompatible, why));
        }
        if self.encoding != "UTF8" {
            let why = format!(
                "the database \"{database}\" keeps text as {}, which has no room for the text of every job: make one with \
                 CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
                self.encoding
            );
            return Some((ErrorKind::Incompatible, why));
        }
        if self.is_replica {
            let why = "this server is a replica, which only reads: connect to the primary, or name all servers and add \
                       target_session_attrs=read-write to the URL";
            return Some((ErrorKind::Unavailable, why.to_owned()));
        }
        if self.only_reads {
            let why = format!(
                "transactions only read here, as default_transaction_read_only is on: ALTER ROLE {} SET \
                 default_transaction_read_only = off, or whoever set it for the database or the server takes it back",
                quoted(user)
            );
            return Some((ErrorKind::Unavailable, why));
        }
        if settled && self.search_path != "pg_catalog" {
            return Some(pooler("the settings of this store did not arrive"));
        }
        if self.isolation != "read committed" {
            let why = format!(
                "transactions are {} here, and the statements of this store rely on read committed: ALTER ROLE {} SET \
                 default_transaction_isolation = 'read committed'",
                self.isolation,
                quoted(user)
            );
            return Some((ErrorKind::Incompatible, why));
        }
        None
    }
}

/// What it means that something between us and the server does not pass on what we ask for.
pub(crate) fn pooler(symptom: &str) -> (ErrorKind, String) {
    let why = format!(
        "{symptom}: if there is a pooler before the server, such as PgBouncer, say so with `.pooled()` or pooled=true in the \
         URL"
    );
    (ErrorKind::Invalid(Invalid::new("url", why.clone())), why)
}

/// Refuses a schema in which we may not do all that a store does.
pub(crate) async fn check_rights(
    client: &Client,
    place: &Place,
    name: &'static str,
) -> Result<(), StoreError> {
    let missing = include_str!("../sql/schema/missing_rights.sql");
    let missing = client.query_typed(missing, &[(&place.schema, Type::TEXT)]).await.during(name)?;
    let Some(first) = missing.first() else { return Ok(()) };
    let (table, schema): (&str, _) = (first.get(0), &place.schema);
    let what = format!("the role \"{}\" may not use {table} in the schema \"{schema}\"", place.user);
    Err(StoreError::new(name, ErrorKind::Unavailable).with_detail(with_grants(&what, place)))
}

/// What was refused, and what would have to be granted.
pub(crate) fn with_grants(what: &str, place: &Place) -> String {
    format!("{what}; its owner can grant it: {}", grants(&place.schema, &quoted(&place.user)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server {
            version: 140_000,
            version_name: "14.0".to_owned(),
            encoding: "UTF8".to_owned(),
            is_replica: false,
            only_reads: false,
            isolation: "read committed".to_owned(),
            search_path: "pg_catalog".to_owned(),
            user: "app".to_owned(),
            database: "jobs".to_owned(),
        }
    }

    // Those that a server can be made to have are met in `tests/open.rs`, too.
    #[test]
    fn a_server_that_will_not_do_is_told_why() {
        let fault = |server: Server| server.fault(true).map(|(_, why)| why);

        assert_eq!(fault(server()), None);
        let old = fault(Server { version: 130_016, version_name: "13.16".to_owned(), ..server() });
        assert_eq!(old.as_deref(), Some("the server is PostgreSQL 13.16, and Windlass needs 14 or later"));
        let lost = fault(Server { search_path: "\"$user\", public".to_owned(), ..server() });
        assert!(lost.is_some_and(|why| why.contains(".pooled()")));
        let strict = fault(Server { isolation: "serializable".to_owned(), ..server() });
        assert!(strict.is_some_and(|why| why.contains("'read committed'")));
    }
}
