//! What an insert sends: a column for each thing that jobs may ask for.

use std::collections::HashSet;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;
use windlass_core::job::Due;
use windlass_core::{JobOptions, NewJob, Traits};
use windlass_store::StoreError;

use super::ended_since;
use crate::database::Session;
use crate::fates::as_json;
use crate::row::budget;
use crate::sql;
use crate::value::Instant;
use crate::workers::micros;

/// Columns of `job/insert.sql`. What nobody asks for stays empty.
pub(crate) struct Columns<'a> {
    pub(super) ids: Vec<Uuid>,
    lanes: &'a [i32],
    priorities: Vec<i16>,
    budgets: Vec<i64>,
    args: Vec<&'a [u8]>,
    run_at: Vec<Option<Instant>>,
    delays: Vec<Option<i64>>,
    deadlines: Vec<Option<Instant>>,
    deadline_delays: Vec<Option<i64>>,
    traits: Vec<Option<i32>>,
    options: Vec<Option<String>>,
    /// None where all ids were drawn for their calls: none of them can have ended.
    pub(super) ended_since: Option<Instant>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(jobs: &'a [NewJob], lanes: &'a [i32]) -> Result<Self, StoreError> {
        let default = JobOptions::default();
        let options =
            jobs.iter().map(|job| (job.options != default).then(|| as_json(&job.options)).transpose());
        Ok(Self {
            ids: jobs.iter().map(|job| job.id.as_uuid()).collect(),
            lanes,
            priorities: jobs.iter().map(|job| job.priority.as_number().into()).collect(),
            budgets: jobs.iter().map(|job| budget(job.attempts_max, job.losses_max)).collect(),
            args: jobs.iter().map(|job| job.args.as_bytes()).collect(),
            run_at: unless_none(jobs.iter().map(|job| at(job.due))),
            delays: unless_none(jobs.iter().map(|job| delay(job.due))),
            deadlines: unless_none(jobs.iter().map(|job| job.deadline.and_then(at))),
            deadline_delays: unless_none(
                jobs.iter()
                    .map(|job| job.deadline.and_then(|due| delay(due).or((due == Due::Now).then_some(0)))),
            ),
            traits: unless_none(jobs.iter().map(traits)),
            options: unless_none(options.collect::<Result<Vec<_>, _>>()?.into_iter()),
            ended_since: jobs.iter().any(|job| !job.drawn).then(|| ended_since(jobs)),
        })
    }

    /// Marks those of them that others are to wait for.
    pub(crate) fn mark_parents(&mut self, parents: &[Uuid]) {
        let parents: HashSet<&Uuid> = parents.iter().collect();
        self.traits.resize(self.ids.len(), None);
        for (id, traits) in self.ids.iter().zip(&mut self.traits) {
            if parents.contains(id) {
                *traits = Some(traits.unwrap_or(0) | Traits::PARENT.bits().cast_signed());
            }
        }
    }

    pub(super) async fn insert(&self, session: &Session) -> Result<Vec<Row>, tokio_postgres::Error> {
        session.query(sql::job::INSERT, &self.values(&session.now)).await
    }

    pub(super) async fn insert_drawn(&self, session: &Session) -> Result<(), tokio_postgres::Error> {
        let values = self.values(&session.now);
        session.execute(sql::job::INSERT_DRAWN, &values[..values.len() - 1]).await.map(|_| ())
    }

    /// The values of `job/insert.sql`; without the last, those of `job/insert_drawn.sql`.
    #[expect(clippy::ref_option, reason = "a value of a statement is passed by reference")]
    pub(crate) fn values<'v>(&'v self, now: &'v Option<Instant>) -> [&'v (dyn ToSql + Sync); 13] {
        [
            now,
            &self.ids,
            &self.lanes,
            &self.priorities,
            &self.budgets,
            &self.args,
            &self.run_at,
            &self.delays,
            &self.deadlines,
            &self.deadline_delays,
            &self.traits,
            &self.options,
            &self.ended_since,
        ]
    }
}

/// The values, or none at all where every one is missing.
fn unless_none<T>(values: impl Iterator<Item = Option<T>>) -> Vec<Option<T>> {
    let values: Vec<Option<T>> = values.collect();
    if values.iter().all(Option::is_none) { Vec::new() } else { values }
}

/// What it uses that most do not; none if nothing.
pub(super) fn traits(job: &NewJob) -> Option<i32> {
    let traits = job.traits().bits();
    (traits != 0).then_some(traits.cast_signed())
}

fn at(due: Due) -> Option<Instant> {
    match due {
        Due::At(instant) => Some(Instant(instant)),
        Due::Now | Due::In(_) => None,
    }
}

fn delay(due: Due) -> Option<i64> {
    match due {
        Due::In(delay) => Some(micros(delay)),
        Due::Now | Due::At(_) => None,
    }
}
