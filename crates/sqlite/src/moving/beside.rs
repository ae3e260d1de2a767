//! What lies beside the jobs that are moved, where the port does not tell of it: a page at a time, in an order.

use rusqlite::{Connection, params};
use windlass_core::{Gate, GateForm, JobId, Timestamp, UniqueKey};
use windlass_store::unique::{KeyRow, outcome_from_number};
use windlass_store::{Enqueued, StoreError};

use crate::error::During;
use crate::unique::key_row;
use crate::{SqliteStore, row, sql};

impl SqliteStore {
    /// Unique keys that are taken, in their order, at most `limit` of those behind `after`.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn taken_keys(
        &self,
        after: Option<UniqueKey>,
        limit: u32,
    ) -> Result<Vec<(UniqueKey, KeyRow)>, StoreError> {
        const NAME: &str = "read the unique keys";
        let taken = move |connection: &Connection| -> rusqlite::Result<_> {
            let mut statement = connection.prepare_cached(sql::unique::TAKEN)?;
            let after = after.as_ref().map(UniqueKey::as_bytes);
            let rows = statement.query_map(params![after, limit], |found| {
                Ok((UniqueKey::from_bytes(found.get(5)?), key_row(found)?))
            })?;
            rows.collect()
        };
        self.readers.run(NAME, move |connection| taken(connection).during(NAME)).await
    }

    /// What is remembered of jobs that were not made, as others had their unique keys: in the order of their ids, at most
    /// `limit` of those behind `after`, each with when it was answered.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn remembered_answers(
        &self,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<(JobId, Enqueued, Timestamp)>, StoreError> {
        const NAME: &str = "read what was answered";
        let answers = move |connection: &Connection| -> rusqlite::Result<_> {
            let mut statement = connection.prepare_cached(sql::unique::ANSWERS)?;
            let after = after.as_ref().map(JobId::as_bytes);
            let rows = statement.query_map(params![after, limit], |found| {
                let outcome = row::number(found, 2, outcome_from_number)?;
                let answer = Enqueued { id: row::job_id(found, 1)?, outcome, repeated: true };
                Ok((row::job_id(found, 0)?, answer, row::instant(found, 3)?))
            })?;
            rows.collect()
        };
        self.readers.run(NAME, move |connection| answers(connection).during(NAME)).await
    }

    /// The number of the last exclusive grant of a resource; zero if there was none.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn last_fence(&self) -> Result<u64, StoreError> {
        const NAME: &str = "read the number of the last grant";
        self.readers
            .run(NAME, |connection| {
                let mut statement = connection.prepare_cached(sql::gate::LAST_NUMBER).during(NAME)?;
                statement.query_row([], |found| row::unsigned(found, 0)).during(NAME)
            })
            .await
    }

    /// How far the starts of each rate have come: the gates with when the next start would be due if all were evenly spread, in
    /// the order of the gates, at most `limit` of those behind `after`.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn rate_arrivals(
        &self,
        after: Option<Gate>,
        limit: u32,
    ) -> Result<Vec<(Gate, Timestamp)>, StoreError> {
        const NAME: &str = "read how far the rates have come";
        let arrivals = move |connection: &Connection| -> rusqlite::Result<_> {
            let mut statement = connection.prepare_cached(sql::gate::ARRIVALS)?;
            let after = after.as_ref().map(|gate| (gate.form.as_number(), &*gate.name)).unwrap_or_default();
            let rows = statement.query_map(params![after.0, after.1, limit], |found| {
                let form = row::number(found, 0, GateForm::from_number)?;
                Ok((Gate::new(form, found.get::<_, String>(1)?), row::instant(found, 2)?))
            })?;
            rows.collect()
        };
        self.readers.run(NAME, move |connection| arrivals(connection).during(NAME)).await
    }
}
