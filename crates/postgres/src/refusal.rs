//! Why there is no connection, in words that say what to do. They name the server, the user and the database, and never a
//! secret.

use std::error::Error as _;
use std::io;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::Error;
use tokio_postgres::error::DbError;
use windlass_store::{ErrorKind, StoreError};

use crate::address::Place;
use crate::migrate::quoted;
use crate::server::pooler;

/// How the driver says that TLS is what failed; it has no other way.
const TLS_FAILED: &str = "error performing TLS handshake";

/// What the system says of a name that it cannot find.
const UNKNOWN_HOST: &str = "failed to lookup address";

impl Place {
    /// Why a pool gave no connection.
    pub(crate) fn no_connection(&self, operation: &'static str, error: PoolError) -> StoreError {
        match error {
            PoolError::Backend(error) => self.refused(operation, error),
            PoolError::Timeout(TimeoutType::Wait) => StoreError::new(operation, ErrorKind::Unavailable).with_detail(
                "no connection was free in time: raise the number of connections, or ask for less at a time",
            ),
            PoolError::Timeout(_) => self.silent(operation),
            other => StoreError::new(operation, ErrorKind::Unavailable).with_source(other),
        }
    }

    /// Nobody answered in time.
    pub(crate) fn silent(&self, operation: &'static str) -> StoreError {
        let detail = format!("{} gave no answer in time", self.servers);
        StoreError::new(operation, ErrorKind::Unavailable).with_detail(detail)
    }

    /// Why a connection could not be made. Nothing has happened.
    pub(crate) fn refused(&self, operation: &'static str, error: Error) -> StoreError {
        let (kind, detail) = match error.as_db_error() {
            Some(said) => self.said(said),
            None => (ErrorKind::Unavailable, self.unheard(&error)),
        };
        StoreError::new(operation, kind).with_detail(detail).with_source(error)
    }

    /// What the server gave as the reason.
    fn said(&self, error: &DbError) -> (ErrorKind, String) {
        let Self { servers, user, database, .. } = self;
        let said = error.message();
        let detail = match error.code().code() {
            "28P01" => format!("{servers} refused the password of the user \"{user}\""),
            "28000" => format!("{servers} does not let the user \"{user}\" in: {said}"),
            "3D000" => format!(
                "there is no database \"{database}\" on {servers}: make it with CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE \
                 template0",
                quoted(database)
            ),
            "42501" => format!(
                "{servers} does not let the user \"{user}\" into the database: {said}; its owner can: GRANT CONNECT ON \
                 DATABASE {} TO {}",
                quoted(database),
                quoted(user)
            ),
            "53300" => format!(
                "{servers} has no connection left ({said}): raise max_connections there, or let its clients use fewer, \
                 here with `.connections()`"
            ),
            "57P03" => format!("{servers} is not ready: {said}"),
            _ if said.contains("startup parameter") => {
                return pooler(&format!("{servers} refused the settings of this store ({said})"));
            }
            _ => format!("{servers} refused the connection: {said}"),
        };
        (ErrorKind::Unavailable, detail)
    }

    /// What went wrong before the server said anything.
    fn unheard(&self, error: &Error) -> String {
        let servers = &self.servers;
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        if error.to_string().starts_with(TLS_FAILED) {
            return match cause.as_str() {
                "server does not support TLS" => {
                    format!("{servers} does not speak TLS, which sslmode asks for")
                }
                _ => format!(
                    "{servers} could not be trusted: {cause}; sslrootcert names the file of the authority to trust"
                ),
            };
        }
        let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        match io.map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => {
                format!("nothing answers at {servers}: is the server started, and is that its address?")
            }
            Some(io::ErrorKind::NotFound) => {
                format!("there is no socket at {servers}: is the server started, and is that its folder?")
            }
            Some(io::ErrorKind::TimedOut) => format!("{servers} gave no answer in time"),
            _ if cause.starts_with(UNKNOWN_HOST) => {
                format!("no address is known of {servers}: is that the name of the host?")
            }
            _ if error.is_closed() => format!("{servers} closed the connection"),
            _ if cause.is_empty() => format!("{servers}: {error}"),
            _ => format!("{servers}: {cause}"),
        }
    }
}
