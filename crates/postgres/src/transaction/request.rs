//! A statement of the store with its values, for whichever driver sends it.

use tokio_postgres::types::{ToSql, Type};

use crate::Core;
use crate::database::Values;
use crate::sql::{Ready, Statement};

/// What is sent, and what it is for.
pub struct Request<'a> {
    ready: &'a Ready,
    values: Values<'a>,
    /// As a fragment that fits after "could not".
    pub(super) operation: &'static str,
}

/// A value as the server takes it, in the binary form.
#[cfg(any(feature = "sqlx", feature = "diesel"))]
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) of: Type,
    /// None for NULL.
    pub(super) bytes: Option<bytes::BytesMut>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(
        core: &'a Core,
        (statement, values): (Statement, Values<'a>),
        operation: &'static str,
    ) -> Self {
        Self { ready: core.database.statements.get(statement), values, operation }
    }

    pub(super) fn text(&self) -> &'a str {
        &self.ready.text
    }

    /// The values as they are, each with its type, for the driver that the store itself uses.
    pub(super) fn typed(&self) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
        self.values.iter().copied().zip(self.ready.types.iter().cloned()).collect()
    }

    /// The values as bytes, for other drivers: what they are is decided once, and not again for each of them.
    #[cfg(any(feature = "sqlx", feature = "diesel"))]
    pub(super) fn parameters(&self) -> Result<Vec<Parameter>, windlass_store::StoreError> {
        let parameter = |(value, of): (&(dyn ToSql + Sync), Type)| {
            let mut bytes = bytes::BytesMut::new();
            let is_null = value.to_sql_checked(&of, &mut bytes).map_err(crate::row::damaged)?;
            let is_given = matches!(is_null, tokio_postgres::types::IsNull::No);
            Ok(Parameter { of, bytes: is_given.then_some(bytes) })
        };
        self.typed().into_iter().map(parameter).collect()
    }
}

impl std::fmt::Debug for Request<'_> {
    /// Without the values, which may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("operation", &self.operation).finish_non_exhaustive()
    }
}
