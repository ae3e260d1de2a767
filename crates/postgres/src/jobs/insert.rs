//! Enqueueing: a batch in one statement.

use std::collections::HashSet;
use std::time::Duration;

use tokio_postgres::Row;
use uuid::{Uuid, Version};
use windlass_core::job::Due;
use windlass_core::{Args, JobOptions, NewJob, Timestamp};
use windlass_store::{EnqueueOutcome, Enqueued, StoreError};

use crate::database::Session;
use crate::error::{During, ENDED};
use crate::fates::as_json;
use crate::row::TRAIT_BYTES;
use crate::value::Instant;
use crate::workers::micros;
use crate::{PostgresStore, sql};

/// How far the clock of whoever makes ids may be ahead of the store's.
const SKEW: Duration = Duration::from_secs(60 * 60);

/// Makes jobs known, and says of each whether it was there already.
pub(super) async fn insert(
    store: &PostgresStore,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    let made = match store.lanes.of(jobs, &store.database, name).await? {
        Some(lanes) => insert_all(store, jobs, &lanes, name).await?,
        None => insert_unknown(store, jobs, name).await?,
    };
    Ok(jobs.iter().map(|job| answer(job, !made.contains(&job.id.as_uuid()))).collect())
}

async fn insert_all(
    store: &PostgresStore,
    jobs: &[NewJob],
    lanes: &[i32],
    name: &'static str,
) -> Result<HashSet<Uuid>, StoreError> {
    let columns = Columns::of(jobs, lanes)?;
    let session = store.database.call(name).await?;
    match columns.insert(&session).await {
        Err(error) if error.code().is_some_and(|code| code.code() == ENDED) => {
            let ended = session.query(sql::job::ENDED, &[&columns.ids, &columns.ended_since]).await;
            insert_others(store, jobs, &made(&ended.during(name)?), name).await
        }
        answer => Ok(made(&answer.committing(name)?)),
    }
}

/// Some lane is not there. A repeated job makes no new one, whatever it names this time.
async fn insert_unknown(
    store: &PostgresStore,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<HashSet<Uuid>, StoreError> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id.as_uuid()).collect();
    let known = store.database.call(name).await?.query(sql::job::KNOWN, &[&ids]).await.during(name)?;
    insert_others(store, jobs, &made(&known), name).await
}

/// Makes those jobs known that are not among `known`.
async fn insert_others(
    store: &PostgresStore,
    jobs: &[NewJob],
    known: &HashSet<Uuid>,
    name: &'static str,
) -> Result<HashSet<Uuid>, StoreError> {
    let jobs: Vec<NewJob> = jobs.iter().filter(|job| !known.contains(&job.id.as_uuid())).cloned().collect();
    if jobs.is_empty() {
        return Ok(HashSet::new());
    }
    let lanes = store.lanes.make(&jobs, &store.database, name).await?;
    let session = store.database.call(name).await?;
    // Should yet another end in this very moment, the caller may ask again.
    Ok(made(&Columns::of(&jobs, &lanes)?.insert(&session).await.committing(name)?))
}

fn made(rows: &[Row]) -> HashSet<Uuid> {
    rows.iter().map(|row| row.get(0)).collect()
}

fn answer(job: &NewJob, repeated: bool) -> Enqueued {
    Enqueued { id: job.id, outcome: EnqueueOutcome::Created, repeated }
}

/// Before when no job of these can have ended: an id that tells when it was made was not enqueued before that.
fn ended_since(jobs: &[NewJob]) -> Instant {
    let made_at = jobs.iter().map(|job| made_at(&job.id.as_uuid()));
    Instant(made_at.min().unwrap_or(Timestamp::MIN).before(SKEW))
}

fn made_at(id: &Uuid) -> Timestamp {
    let is_timed = id.get_version() == Some(Version::SortRand);
    let since_epoch = id.get_timestamp().filter(|_| is_timed).map(|timestamp| timestamp.to_unix());
    since_epoch.map_or(Timestamp::MIN, |(seconds, nanos)| Timestamp::MIN.after(Duration::new(seconds, nanos)))
}

/// Columns of `job/insert.sql`. What nobody asks for stays empty.
struct Columns<'a> {
    ids: Vec<Uuid>,
    lanes: &'a [i32],
    priorities: Vec<i16>,
    attempts_max: Vec<i64>,
    losses_max: Vec<i64>,
    args: Vec<&'a [u8]>,
    run_at: Vec<Option<Instant>>,
    delays: Vec<Option<i64>>,
    deadlines: Vec<Option<Instant>>,
    deadline_delays: Vec<Option<i64>>,
    traits: Vec<Option<i32>>,
    options: Vec<Option<String>>,
    ended_since: Instant,
}

impl<'a> Columns<'a> {
    fn of(jobs: &'a [NewJob], lanes: &'a [i32]) -> Result<Self, StoreError> {
        let default = JobOptions::default();
        let options =
            jobs.iter().map(|job| (job.options != default).then(|| as_json(&job.options)).transpose());
        Ok(Self {
            ids: jobs.iter().map(|job| job.id.as_uuid()).collect(),
            lanes,
            priorities: jobs.iter().map(|job| job.priority.as_number().into()).collect(),
            attempts_max: jobs.iter().map(|job| job.attempts_max.into()).collect(),
            losses_max: jobs.iter().map(|job| job.losses_max.into()).collect(),
            args: jobs.iter().map(|job| job.args.as_bytes()).collect(),
            run_at: unless_none(jobs.iter().map(|job| at(job.due))),
            delays: unless_none(jobs.iter().map(|job| delay(job.due))),
            deadlines: unless_none(jobs.iter().map(|job| job.deadline.and_then(at))),
            deadline_delays: unless_none(
                jobs.iter()
                    .map(|job| job.deadline.and_then(|due| delay(due).or((due == Due::Now).then_some(0)))),
            ),
            traits: unless_none(
                jobs.iter().map(|job| matches!(job.args, Args::Bytes(_)).then_some(TRAIT_BYTES)),
            ),
            options: unless_none(options.collect::<Result<Vec<_>, _>>()?.into_iter()),
            ended_since: ended_since(jobs),
        })
    }

    async fn insert(&self, session: &Session) -> Result<Vec<Row>, tokio_postgres::Error> {
        session
            .query(
                sql::job::INSERT,
                &[
                    &session.now,
                    &self.ids,
                    &self.lanes,
                    &self.priorities,
                    &self.attempts_max,
                    &self.losses_max,
                    &self.args,
                    &self.run_at,
                    &self.delays,
                    &self.deadlines,
                    &self.deadline_delays,
                    &self.traits,
                    &self.options,
                    &self.ended_since,
                ],
            )
            .await
    }
}

/// The values, or none at all where every one is missing.
fn unless_none<T>(values: impl Iterator<Item = Option<T>>) -> Vec<Option<T>> {
    let values: Vec<Option<T>> = values.collect();
    if values.iter().all(Option::is_none) { Vec::new() } else { values }
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
