//! The transaction in which keys are asked for: one of ours, or one that a caller lends through whichever driver it has.

use uuid::Uuid;
use windlass_core::NewJob;
use windlass_store::StoreError;

use crate::Core;
use crate::database::{Session, Values};
use crate::error::During;
use crate::flows::{self, is_linked};
use crate::jobs::Columns;
use crate::sql::{self, Statement};
use crate::transaction::{Request, Tx, make_linked};
use crate::value::Instant;

/// What sends statements in a transaction, and reads the one column that they answer.
pub(crate) trait Door: Send {
    /// The time, if it is not the server that tells it.
    fn now(&self) -> Option<Instant>;

    /// Whether the transaction is the caller's, so that it cannot be begun again.
    fn is_lent(&self) -> bool;

    /// Makes those of a batch known that are new; false if somebody else was in the way.
    fn make(
        &mut self,
        jobs: &[NewJob],
        new: &[NewJob],
        lanes: &[i32],
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The ids in the first column.
    fn ids(
        &mut self,
        statement: Statement,
        values: Values<'_>,
    ) -> impl Future<Output = Result<Vec<Uuid>, StoreError>> + Send;

    /// The texts in the first column.
    fn texts(
        &mut self,
        statement: Statement,
        values: Values<'_>,
    ) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;
}

/// A transaction of ours.
pub(crate) struct Own<'a> {
    pub(crate) session: &'a Session,
    pub(crate) name: &'static str,
}

impl Door for Own<'_> {
    fn now(&self) -> Option<Instant> {
        self.session.now
    }

    fn is_lent(&self) -> bool {
        false
    }

    async fn make(&mut self, jobs: &[NewJob], new: &[NewJob], lanes: &[i32]) -> Result<bool, StoreError> {
        if !is_linked(new) {
            return insert(self, new, lanes).await;
        }
        flows::make(self.session, (jobs, new, lanes), self.name).await.map(|()| true)
    }

    async fn ids(&mut self, statement: Statement, values: Values<'_>) -> Result<Vec<Uuid>, StoreError> {
        let rows = self.session.query(statement, values).await.during(self.name)?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn texts(&mut self, statement: Statement, values: Values<'_>) -> Result<Vec<String>, StoreError> {
        let rows = self.session.query(statement, values).await.during(self.name)?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

/// A transaction of the caller.
pub(crate) struct Lent<'a, T: ?Sized> {
    pub(crate) core: &'a Core,
    pub(crate) tx: &'a mut T,
    pub(crate) name: &'static str,
}

impl<T: Tx + ?Sized> Door for Lent<'_, T> {
    fn now(&self) -> Option<Instant> {
        self.core.database.now()
    }

    fn is_lent(&self) -> bool {
        true
    }

    async fn make(&mut self, jobs: &[NewJob], new: &[NewJob], lanes: &[i32]) -> Result<bool, StoreError> {
        if !is_linked(new) {
            return insert(self, new, lanes).await;
        }
        make_linked(self.core, self.tx, jobs, new).await.map(|()| true)
    }

    async fn ids(&mut self, statement: Statement, values: Values<'_>) -> Result<Vec<Uuid>, StoreError> {
        self.tx.ids(Request::new(self.core, (statement, values), self.name)).await
    }

    async fn texts(&mut self, statement: Statement, values: Values<'_>) -> Result<Vec<String>, StoreError> {
        self.tx.texts(Request::new(self.core, (statement, values), self.name)).await
    }
}

async fn insert(door: &mut impl Door, new: &[NewJob], lanes: &[i32]) -> Result<bool, StoreError> {
    let (now, columns) = (door.now(), Columns::of(new, lanes)?);
    let inserted = door.ids(sql::job::INSERT, &columns.values(&now)).await?;
    Ok(inserted.len() == new.len())
}
