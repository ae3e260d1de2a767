//! Reviews as columns.

use tokio_postgres::types::ToSql;
use uuid::Uuid;
use windlass_store::ReviewRecord;

use super::Record;
use crate::database::Session;
use crate::sql;
use crate::value::{Instant, instant};

/// Columns of `import/reviews.sql`.
#[derive(Debug, Default)]
pub(super) struct ReviewColumns {
    jobs: Vec<Uuid>,
    rounds: Vec<i64>,
    asked: Vec<Instant>,
    staged: Vec<Option<String>>,
    decide_by: Vec<Option<Instant>>,
    reminders: Vec<i64>,
    remind_at: Vec<Option<Instant>>,
    open: Vec<bool>,
    decisions: Vec<Option<i16>>,
    decided_at: Vec<Option<Instant>>,
    reviewers: Vec<Option<String>>,
    comments: Vec<Option<String>>,
    digests: Vec<Option<Vec<u8>>>,
    edited: Vec<bool>,
}

impl ReviewColumns {
    pub(super) fn of(records: &[&Record]) -> Self {
        let mut columns = Self::default();
        for review in records.iter().filter_map(|record| record.review.as_ref()) {
            columns.add(review);
        }
        columns
    }

    fn add(&mut self, review: &ReviewRecord) {
        self.jobs.push(review.job.as_uuid());
        self.rounds.push(review.round.into());
        self.asked.push(Instant(review.asked_at));
        self.staged.push(review.staged.as_ref().map(|staged| staged.as_str().to_owned()));
        self.decide_by.push(instant(review.decide_by));
        self.reminders.push(review.reminders.into());
        self.remind_at.push(instant(review.remind_at));
        self.open.push(review.open);
        let ruling = review.ruling.as_ref();
        self.decisions.push(ruling.map(|ruling| ruling.decision.as_number().into()));
        self.decided_at.push(instant(ruling.map(|ruling| ruling.at)));
        self.reviewers.push(ruling.and_then(|ruling| ruling.by.clone()));
        self.comments.push(ruling.and_then(|ruling| ruling.comment.clone()));
        self.digests.push(ruling.map(|ruling| ruling.digest.as_bytes().to_vec()));
        self.edited.push(ruling.is_some_and(|ruling| ruling.edited));
    }

    pub(super) async fn write(&self, session: &Session) -> Result<(), tokio_postgres::Error> {
        let values: [&(dyn ToSql + Sync); 14] = [
            &self.jobs,
            &self.rounds,
            &self.asked,
            &self.staged,
            &self.decide_by,
            &self.reminders,
            &self.remind_at,
            &self.open,
            &self.decisions,
            &self.decided_at,
            &self.reviewers,
            &self.comments,
            &self.digests,
            &self.edited,
        ];
        if !self.jobs.is_empty() {
            session.execute(sql::import::REVIEWS, &values).await?;
        }
        Ok(())
    }
}
