//! Transactions that are begun again where others were in the way.

use uuid::Uuid;
use windlass_store::{ErrorKind, StoreError};

use crate::database::{Database, Transaction};
use crate::error::During;
use crate::sql;

/// How often the same is tried before the caller is told of a conflict. Each time whoever was in the way has got through, so as
/// many as this would have to come one after the other.
const TRIES_MAX: usize = 200;

/// How often the same is tried, and behind whom.
///
/// A transaction that meets a job which somebody else has locked notes it (`Session::meet`) and gives up; the next one is
/// begun once nobody has that job any more. So nobody waits for one lock while he holds another.
#[derive(Debug)]
pub(crate) struct Tries<'a> {
    database: &'a Database,
    name: &'static str,
    /// How many are left behind the one that runs.
    left: usize,
    /// A job that others had locked.
    behind: Option<Uuid>,
    keeps: bool,
}

impl<'a> Tries<'a> {
    pub(crate) fn new(database: &'a Database, name: &'static str) -> Self {
        Self { database, name, left: TRIES_MAX, behind: None, keeps: false }
    }

    /// The same for transactions that wait for nobody once they have begun: they keep what they have waited for, so that all who
    /// want the same job stand in line instead of trying at once.
    pub(crate) fn in_line(database: &'a Database, name: &'static str) -> Self {
        Self { keeps: true, ..Self::new(database, name) }
    }

    /// Begins the next transaction, as soon as whoever was in the way of the last one is done.
    pub(crate) async fn begin(&mut self) -> Result<Transaction, StoreError> {
        self.left = self.left.saturating_sub(1);
        let Some(job) = self.behind else { return self.database.begin(self.name).await };
        // Never all connections wait: whoever has the job may need another one to be done with it.
        let _place = self.database.waiters.acquire().await;
        let transaction = self.database.begin(self.name).await?;
        transaction.query(sql::job::LOCK, &[&vec![job]]).await.during(self.name)?;
        if self.keeps {
            return Ok(transaction);
        }
        let in_the_way: Result<(), StoreError> = Err(StoreError::new(self.name, ErrorKind::Conflict));
        let _ = transaction.end(in_the_way, self.name).await;
        self.database.begin(self.name).await
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
