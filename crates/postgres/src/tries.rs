//! Transactions that are begun again where others were in the way.

use uuid::Uuid;
use windlass_store::{ErrorKind, StoreError};

use crate::database::{Database, Transaction};
use crate::error::During;
use crate::sql;

/// How often the same is tried before the caller is told of a conflict. Each time one of those has got through who were in the
/// way, so as many as this would have to come at the same moment.
const TRIES_MAX: usize = 200;

/// How often the same is tried, and behind whom.
///
/// A transaction that meets a job which somebody else has locked notes it (`Session::meet`) and gives up; the next one
/// waits for that job before it locks anything else, and keeps it. So nobody waits for one lock while he holds another,
/// whoever has waited gets on, and callers of the same job stand in line instead of all trying at once.
#[derive(Debug)]
pub(crate) struct Tries<'a> {
    database: &'a Database,
    name: &'static str,
    /// How many are left behind the one that runs.
    left: usize,
    /// Jobs that others had locked.
    behind: Vec<Uuid>,
}

impl<'a> Tries<'a> {
    pub(crate) fn new(database: &'a Database, name: &'static str) -> Self {
        Self { database, name, left: TRIES_MAX, behind: Vec::new() }
    }

    /// Begins the next transaction, as soon as those are done who were in the way of the last one.
    pub(crate) async fn begin(&mut self) -> Result<Transaction, StoreError> {
        self.left = self.left.saturating_sub(1);
        let transaction = self.database.begin(self.name).await?;
        if !self.behind.is_empty() {
            transaction.query(sql::job::LOCK, &[&self.behind]).await.during(self.name)?;
        }
        Ok(transaction)
    }

    /// Ends a transaction. No answer: it was rolled back, for others were in the way, and the same is to be done in another
    /// one.
    pub(crate) async fn end<T>(
        &mut self,
        transaction: Transaction,
        outcome: Result<T, StoreError>,
    ) -> Option<Result<T, StoreError>> {
        self.behind = transaction.met();
        match transaction.end(outcome, self.name).await {
            Err(error) if *error.kind() == ErrorKind::Conflict && self.left > 0 => None,
            answer => Some(answer),
        }
    }
}
