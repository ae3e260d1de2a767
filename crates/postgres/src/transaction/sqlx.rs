//! Connections and transactions of `sqlx` 0.9.

use sqlx_core::arguments::Arguments;
use sqlx_core::encode::{Encode, IsNull};
use sqlx_core::error::BoxDynError;
use sqlx_core::from_row::FromRow;
use sqlx_core::query_scalar::query_scalar_with;
use sqlx_core::sql_str::AssertSqlSafe;
use sqlx_core::transaction::Transaction;
use sqlx_core::types::Type;
use sqlx_postgres::types::Oid;
use sqlx_postgres::{PgArgumentBuffer, PgArguments, PgConnection, PgRow, PgTypeInfo, Postgres};
use uuid::Uuid;
use windlass_store::{ErrorKind, StoreError};

use super::Request;
use super::driver::Driver;
use super::request::Parameter;
use crate::error::from_code;
use crate::row::damaged;

impl Driver for PgConnection {
    async fn ids(&mut self, request: Request<'_>) -> Result<Vec<Uuid>, StoreError> {
        first_column(self, &request).await
    }

    async fn texts(&mut self, request: Request<'_>) -> Result<Vec<String>, StoreError> {
        first_column(self, &request).await
    }
}

impl Driver for Transaction<'_, Postgres> {
    async fn ids(&mut self, request: Request<'_>) -> Result<Vec<Uuid>, StoreError> {
        (**self).ids(request).await
    }

    async fn texts(&mut self, request: Request<'_>) -> Result<Vec<String>, StoreError> {
        (**self).texts(request).await
    }
}

async fn first_column<T>(connection: &mut PgConnection, request: &Request<'_>) -> Result<Vec<T>, StoreError>
where
    T: Send + Unpin,
    (T,): for<'r> FromRow<'r, PgRow>,
{
    let mut arguments = PgArguments::default();
    for parameter in request.parameters()? {
        arguments.add(parameter).map_err(damaged)?;
    }
    // The text is one of our files, with the name of the schema quoted in it.
    let query = query_scalar_with(AssertSqlSafe(request.text().to_owned()), arguments);
    query.fetch_all(connection).await.map_err(|error| from_sqlx(request.operation, error))
}

fn from_sqlx(operation: &'static str, error: sqlx_core::Error) -> StoreError {
    let reported = error.as_database_error();
    match reported.and_then(|reported| Some((reported.code()?.into_owned(), reported.message().to_owned()))) {
        Some((code, message)) => from_code(operation, &code, &message).with_source(error),
        None => StoreError::new(operation, ErrorKind::Unavailable).with_source(error),
    }
}

impl Type<Postgres> for Parameter {
    /// Never asked: each value says by itself what it is.
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("unknown")
    }
}

impl Encode<'_, Postgres> for Parameter {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let Some(bytes) = &self.bytes else { return Ok(IsNull::Yes) };
        buffer.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(self.of.oid())))
    }
}
