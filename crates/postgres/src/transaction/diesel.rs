//! Connections of `diesel-async` 0.9.

use std::io::Write as _;

use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::serialize::{IsNull, Output, ToSql};
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use tokio_postgres::types::Type;
use uuid::Uuid;
use windlass_store::{ErrorKind, StoreError};

use super::Request;
use super::driver::Driver;
use super::request::Parameter;
use crate::error::ENDED_MESSAGE;
use crate::row::damaged;

type Query = BoxedSqlQuery<'static, Pg, SqlQuery>;

impl Driver for AsyncPgConnection {
    async fn ids(&mut self, request: Request<'_>) -> Result<Vec<Uuid>, StoreError> {
        let found: Vec<Found> = load(self, &request).await?;
        Ok(found.into_iter().map(|found| found.id).collect())
    }

    async fn texts(&mut self, request: Request<'_>) -> Result<Vec<String>, StoreError> {
        let said: Vec<Said> = load(self, &request).await?;
        Ok(said.into_iter().map(|said| said.said).collect())
    }
}

async fn load<T>(connection: &mut AsyncPgConnection, request: &Request<'_>) -> Result<Vec<T>, StoreError>
where
    T: QueryableByName<Pg> + Send + 'static,
{
    let mut query = sql_query(request.text()).into_boxed::<Pg>();
    for parameter in request.parameters()? {
        query = bind(query, parameter)?;
    }
    query.load(connection).await.map_err(|error| from_diesel(request.operation, error))
}

/// The one column that a statement answers.
struct Found {
    id: Uuid,
}

impl QueryableByName<Pg> for Found {
    fn build<'a>(row: &impl diesel::row::NamedRow<'a, Pg>) -> diesel::deserialize::Result<Self> {
        diesel::row::NamedRow::get::<SqlUuid, _>(row, "id").map(|id| Self { id })
    }
}

/// The one column that a statement answers in words.
struct Said {
    said: String,
}

impl QueryableByName<Pg> for Said {
    fn build<'a>(row: &impl diesel::row::NamedRow<'a, Pg>) -> diesel::deserialize::Result<Self> {
        diesel::row::NamedRow::get::<Text, _>(row, "said").map(|said| Self { said })
    }
}

/// Adds a value. The driver wants to be told its type when it is compiled, and the statement's header tells it later.
fn bind(query: Query, parameter: Parameter) -> Result<Query, StoreError> {
    Ok(match parameter.of {
        Type::BOOL => query.bind::<Nullable<Bool>, _>(parameter),
        Type::INT2 => query.bind::<Nullable<SmallInt>, _>(parameter),
        Type::INT4 => query.bind::<Nullable<Integer>, _>(parameter),
        Type::INT8 => query.bind::<Nullable<BigInt>, _>(parameter),
        Type::TEXT => query.bind::<Nullable<Text>, _>(parameter),
        Type::TIMESTAMPTZ => query.bind::<Nullable<Timestamptz>, _>(parameter),
        Type::UUID => query.bind::<Nullable<SqlUuid>, _>(parameter),
        Type::INT2_ARRAY => query.bind::<Array<SmallInt>, _>(parameter),
        Type::INT4_ARRAY => query.bind::<Array<Integer>, _>(parameter),
        Type::INT8_ARRAY => query.bind::<Array<BigInt>, _>(parameter),
        Type::BYTEA_ARRAY => query.bind::<Array<Binary>, _>(parameter),
        Type::TEXT_ARRAY => query.bind::<Array<Text>, _>(parameter),
        Type::TIMESTAMPTZ_ARRAY => query.bind::<Array<Timestamptz>, _>(parameter),
        Type::UUID_ARRAY => query.bind::<Array<SqlUuid>, _>(parameter),
        other => return Err(damaged(format!("a statement has a parameter of type {other}"))),
    })
}

impl<As> ToSql<As, Pg> for Parameter {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
        let Some(bytes) = &self.bytes else { return Ok(IsNull::Yes) };
        out.write_all(bytes)?;
        Ok(IsNull::No)
    }
}

/// This driver does not pass on the server's codes, so what it does not name itself is told by its text.
fn from_diesel(operation: &'static str, error: Error) -> StoreError {
    let kind = match &error {
        Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => ErrorKind::Conflict,
        Error::DatabaseError(_, reported) if reported.message() == ENDED_MESSAGE => ErrorKind::Conflict,
        _ => ErrorKind::Unavailable,
    };
    StoreError::new(operation, kind).with_source(error)
}
