//! What lies beside the jobs: who has unique keys, what was answered, what went wrong, and how far rates have come.

use tokio_postgres::types::ToSql;
use uuid::Uuid;
use windlass_core::{Gate, JobId, Timestamp, UniqueKey};
use windlass_store::unique::{KeyRow, outcome_number};
use windlass_store::{Enqueued, ErrorGroup, StoreError};

use crate::database::Values;
use crate::error::During;
use crate::unique::Rows;
use crate::value::Instant;
use crate::{PostgresStore, sql};

impl PostgresStore {
    /// Takes over who has unique keys. A key that somebody has here already is left alone.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    pub async fn import_keys(&self, taken: &[(UniqueKey, KeyRow)]) -> Result<(), StoreError> {
        const NAME: &str = "import unique keys";
        let session = self.core.database.call(NAME).await?;
        let Rows { keys, jobs, holds, untils, nexts, free_at } = Rows::of(taken.iter().copied());
        let values: Values<'_> = &[&keys, &jobs, &holds, &untils, &nexts, &free_at];
        session.execute(sql::import::KEYS, values).await.committing(NAME).map(|_| ())
    }

    /// Takes over what was answered to jobs that were not made, each with when that was.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    pub async fn import_answers(&self, answers: &[(JobId, Enqueued, Timestamp)]) -> Result<(), StoreError> {
        const NAME: &str = "import what was answered";
        let session = self.core.database.call(NAME).await?;
        let ids: Vec<Uuid> = answers.iter().map(|(id, ..)| id.as_uuid()).collect();
        let jobs: Vec<Uuid> = answers.iter().map(|(_, answer, _)| answer.id.as_uuid()).collect();
        let outcomes: Vec<i16> =
            answers.iter().map(|(_, answer, _)| outcome_number(answer.outcome).into()).collect();
        let at: Vec<Instant> = answers.iter().map(|(.., at)| Instant(*at)).collect();
        let values: Values<'_> = &[&ids, &jobs, &outcomes, &at];
        session.execute(sql::import::ANSWERS, values).await.committing(NAME).map(|_| ())
    }

    /// Takes over groups of errors, with how often each was seen.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    pub async fn import_errors(&self, groups: &[ErrorGroup]) -> Result<(), StoreError> {
        const NAME: &str = "import groups of errors";
        let session = self.core.database.call(NAME).await?;
        let fingerprints: Vec<i64> = groups.iter().map(|group| group.fingerprint.as_number()).collect();
        let kinds: Vec<&str> = groups.iter().map(|group| group.kind.as_str()).collect();
        let classes: Vec<Option<&str>> = groups.iter().map(|group| group.class.as_deref()).collect();
        let messages: Vec<&str> = groups.iter().map(|group| group.message.as_str()).collect();
        let counts: Vec<i64> = groups.iter().map(|group| group.count.cast_signed()).collect();
        let first_at: Vec<Instant> = groups.iter().map(|group| Instant(group.first_at)).collect();
        let last_at: Vec<Instant> = groups.iter().map(|group| Instant(group.last_at)).collect();
        let jobs: Vec<Uuid> = groups.iter().map(|group| group.example.as_uuid()).collect();
        let values: [&(dyn ToSql + Sync); 8] =
            [&fingerprints, &kinds, &classes, &messages, &counts, &first_at, &last_at, &jobs];
        session.execute(sql::import::ERRORS, &values).await.committing(NAME).map(|_| ())
    }

    /// Takes over how far the starts of each rate have come, so that no more start in any window than may, be it that the move
    /// lies in the middle of it.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    pub async fn import_arrivals(&self, arrivals: &[(Gate, Timestamp)]) -> Result<(), StoreError> {
        const NAME: &str = "import how far the rates have come";
        let session = self.core.database.call(NAME).await?;
        let forms: Vec<i16> = arrivals.iter().map(|(gate, _)| gate.form.as_number().into()).collect();
        let names: Vec<&str> = arrivals.iter().map(|(gate, _)| &*gate.name).collect();
        let arrivals: Vec<Instant> = arrivals.iter().map(|(_, arrival)| Instant(*arrival)).collect();
        let values: Values<'_> = &[&forms, &names, &arrivals];
        session.execute(sql::import::ARRIVALS, values).await.committing(NAME).map(|_| ())
    }
}
