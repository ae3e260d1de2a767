//! Transactions of `tokio-postgres`, and those that `deadpool-postgres` gives out, which are the same.
//!
//! The store speaks through the same driver, so here every verdict can be settled, by the code that settles elsewhere.

use tokio_postgres::{Row, Transaction};
use uuid::Uuid;
use windlass_store::{Settled, Settlement, StoreError};

use super::driver::Driver;
use super::{Request, settle};
use crate::database::{Ask, Values};
use crate::error::During;
use crate::leases::settle_in;
use crate::sql::{Ready, Statement};
use crate::value::Instant;
use crate::{Core, PostgresStore};

impl Driver for Transaction<'_> {
    async fn ids(&mut self, request: Request<'_>) -> Result<Vec<Uuid>, StoreError> {
        // Not prepared by name: the caller's connection may be gone behind a pooler by the next statement.
        let rows = self.query_typed(request.text(), &request.typed()).await.during(request.operation)?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn texts(&mut self, request: Request<'_>) -> Result<Vec<String>, StoreError> {
        let rows = self.query_typed(request.text(), &request.typed()).await.during(request.operation)?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn decide(
        &mut self,
        store: &PostgresStore,
        settlement: &Settlement,
    ) -> Result<Settled, StoreError> {
        let core = &store.core;
        let lent = Lent { transaction: self, core, now: core.database.now() };
        settle_in(&lent, settlement, &core.limits, settle::NAME).await
    }
}

impl Driver for deadpool_postgres::Transaction<'_> {
    async fn ids(&mut self, request: Request<'_>) -> Result<Vec<Uuid>, StoreError> {
        (**self).ids(request).await
    }

    async fn texts(&mut self, request: Request<'_>) -> Result<Vec<String>, StoreError> {
        (**self).texts(request).await
    }

    async fn decide(
        &mut self,
        store: &PostgresStore,
        settlement: &Settlement,
    ) -> Result<Settled, StoreError> {
        (**self).decide(store, settlement).await
    }
}

/// The caller's transaction, as what settles asks it.
struct Lent<'a> {
    transaction: &'a Transaction<'a>,
    core: &'a Core,
    now: Option<Instant>,
}

impl Ask for Lent<'_> {
    fn now(&self) -> Option<Instant> {
        self.now
    }

    async fn query(
        &self,
        statement: Statement,
        values: Values<'_>,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let Ready { text, types } = self.core.database.statements.get(statement);
        let typed: Vec<_> = values.iter().copied().zip(types.iter().cloned()).collect();
        self.transaction.query_typed(text, &typed).await
    }
}
