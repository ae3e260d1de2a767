//! Enqueueing: a batch in one statement.

mod columns;

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryFutureExt;
use futures_util::future::{self, Either};
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use uuid::{Uuid, Version};
use windlass_core::job::Due;
use windlass_core::{JobOptions, NewJob, Timestamp};
use windlass_store::{EnqueueOutcome, Enqueued, StoreError};

use crate::database::{Session, Values};
use crate::error::{During, ENDED};
use crate::floors;
use crate::gather::Errand;
use crate::row::budget;
use crate::sql::Statement;
use crate::value::Instant;
use crate::{Core, sql};

pub(crate) use columns::Columns;
use columns::traits;

/// How far the clock of whoever makes ids may be ahead of the store's.
const SKEW: Duration = Duration::from_secs(60 * 60);

/// How long a caller waits for what is said to others beside its insert: a server on which others say much, in transactions
/// that take long, lets nobody else speak meanwhile.
const SAY_MAX: Duration = Duration::from_millis(5);

/// Enqueueing for many callers at a time.
pub(crate) struct Enqueueing(pub(crate) Arc<Core>);

impl Errand for Enqueueing {
    type Wish = Vec<NewJob>;
    type Answer = Vec<Enqueued>;

    const NAME: &'static str = "enqueue jobs";

    fn weight(jobs: &Vec<NewJob>) -> usize {
        jobs.len()
    }

    /// An id that was drawn for its call stands in no other. Others may come twice at the same time, and two groups that
    /// name the same ids in different order would wait for one another.
    fn is_apart(jobs: &Vec<NewJob>) -> bool {
        jobs.iter().all(|job| job.drawn)
    }

    async fn run(&self, mut wishes: Vec<Vec<NewJob>>) -> Vec<Result<Vec<Enqueued>, StoreError>> {
        let counts: Vec<usize> = wishes.iter().map(Vec::len).collect();
        let jobs: Vec<NewJob> = match wishes.len() {
            1 => wishes.remove(0),
            _ => wishes.into_iter().flatten().collect(),
        };
        match insert(&self.0, &jobs, Self::NAME).await {
            Ok(enqueued) => {
                let mut enqueued = enqueued.into_iter();
                counts.iter().map(|count| Ok(enqueued.by_ref().take(*count).collect())).collect()
            }
            // What one of them did wrong must not be the others' loss.
            Err(error) if counts.len() > 1 && !error.is_transient() => self.each(&jobs, &counts).await,
            Err(error) => counts.iter().map(|_| Err(error.share(Self::NAME))).collect(),
        }
    }
}

impl Enqueueing {
    /// From how many jobs on a batch goes by itself, beside whatever else is on its way: others would gain nothing from
    /// sharing its commit, and it would gain nothing from theirs.
    pub(crate) const LARGE: usize = 100;

    pub(crate) async fn alone(core: &Core, jobs: &[NewJob]) -> Result<Vec<Enqueued>, StoreError> {
        insert(core, jobs, Self::NAME).await
    }

    async fn each(&self, mut jobs: &[NewJob], counts: &[usize]) -> Vec<Result<Vec<Enqueued>, StoreError>> {
        let mut answers = Vec::with_capacity(counts.len());
        for count in counts {
            let (these, others) = jobs.split_at(*count);
            answers.push(insert(&self.0, these, Self::NAME).await);
            jobs = others;
        }
        answers
    }
}

/// Makes jobs known, says so to those who wait for work, and says of each whether it was there already.
async fn insert(store: &Core, jobs: &[NewJob], name: &'static str) -> Result<Vec<Enqueued>, StoreError> {
    let lanes = store.lanes.of(jobs, &store.database, name).await?;
    if let Some(lanes) = &lanes
        && jobs.iter().all(|job| job.drawn && job.options.review.is_none())
        && insert_drawn(store, jobs, lanes, name).await?
    {
        return Ok(jobs.iter().map(|job| answer(job, false)).collect());
    }
    let enqueued = insert_some(store, jobs, lanes, name).await?;
    hint_here(store, jobs);
    store.wake.work_elsewhere();
    Ok(enqueued)
}

/// Says in this process that there is work, once for a group: a crowd of callers would say the same again and again.
fn hint_here(store: &Core, jobs: &[NewJob]) {
    if comes_before_others(jobs, store) {
        store.floors.forget();
    }
    store.wake.work_here();
}

/// Whether one of them may be due at an instant before what was claimed already.
fn comes_before_others(jobs: &[NewJob], store: &Core) -> bool {
    let at = jobs.iter().filter_map(|job| if let Due::At(at) = job.due { Some(at) } else { None });
    at.min().is_some_and(|first| floors::may_be_passed(first, store.database.now_here()))
}

async fn insert_some(
    store: &Core,
    jobs: &[NewJob],
    lanes: Option<Vec<i32>>,
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    let mut made = match lanes {
        Some(lanes) => insert_all(store, jobs, &lanes, name).await?,
        None => insert_unknown(store, jobs, name).await?,
    };
    // Where several callers name the same id, the first of them made it.
    Ok(jobs.iter().map(|job| answer(job, !made.remove(&job.id.as_uuid()))).collect())
}

/// Makes jobs known that are said to be new, and says so; false where one of them is not, and none was made.
async fn insert_drawn(
    store: &Core,
    jobs: &[NewJob],
    lanes: &[i32],
    name: &'static str,
) -> Result<bool, StoreError> {
    let session = store.database.call(name).await?;
    let (made, others_told) = if let Some(alike) = Alike::of(jobs, lanes) {
        session.prepare(alike.statement()).await.during(name)?;
        say_beside(alike.insert(&session), store, (&session, jobs)).await
    } else {
        session.prepare(sql::job::INSERT_DRAWN).await.during(name)?;
        say_beside(Columns::of(jobs, lanes)?.insert_drawn(&session), store, (&session, jobs)).await
    };
    match made {
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            tracing::debug!("an id that was said to be new was there already");
            return Ok(false);
        }
        made => made.committing(name)?,
    }
    if !others_told {
        store.wake.work_elsewhere();
    }
    Ok(true)
}

/// Says that there is work: in this process as soon as it is made, and to others meanwhile. Whether others were told.
async fn say_beside<E>(
    insert: impl Future<Output = Result<(), E>>,
    store: &Core,
    (session, jobs): (&Session, &[NewJob]),
) -> (Result<(), E>, bool) {
    let insert = pin!(insert.inspect_ok(|()| hint_here(store, jobs)));
    match future::select(insert, pin!(say_work(store, session, jobs))).await {
        // Should it take longer, it is answered when nobody waits for it any more.
        Either::Left((made, saying)) => (made, timeout(SAY_MAX, saying).await.unwrap_or(true)),
        Either::Right((others_told, insert)) => (insert.await, others_told),
    }
}

/// Tells other processes on the connection where the jobs are made, right behind that and before its answer has come; whether
/// that was done. Not of those that others find only once they forget their floors; nor through a pooler, where what is sent
/// next may arrive first.
async fn say_work(store: &Core, session: &Session, jobs: &[NewJob]) -> bool {
    if comes_before_others(jobs, store) || !store.database.named {
        return false;
    }
    match store.wake.say_work() {
        Some(statement) => session.run(&statement).await.is_ok(),
        None => false,
    }
}

async fn insert_all(
    store: &Core,
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
    store: &Core,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<HashSet<Uuid>, StoreError> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id.as_uuid()).collect();
    let known = store.database.call(name).await?.query(sql::job::KNOWN, &[&ids]).await.during(name)?;
    insert_others(store, jobs, &made(&known), name).await
}

/// Makes those jobs known that are not among `known`.
async fn insert_others(
    store: &Core,
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

pub(crate) fn answer(job: &NewJob, repeated: bool) -> Enqueued {
    Enqueued { id: job.id, outcome: EnqueueOutcome::Created, repeated }
}

/// Before when no job of these can have ended: an id that tells when it was made was not enqueued before that.
pub(crate) fn ended_since(jobs: &[NewJob]) -> Instant {
    let made_at = jobs.iter().map(|job| made_at(&job.id.as_uuid()));
    Instant(made_at.min().unwrap_or(Timestamp::MIN).before(SKEW))
}

fn made_at(id: &Uuid) -> Timestamp {
    let is_timed = id.get_version() == Some(Version::SortRand);
    let since_epoch = id.get_timestamp().filter(|_| is_timed).map(|timestamp| timestamp.to_unix());
    since_epoch.map_or(Timestamp::MIN, |(seconds, nanos)| Timestamp::MIN.after(Duration::new(seconds, nanos)))
}

/// Jobs that differ in nothing but their args, and ask for nothing that most do not.
struct Alike<'a> {
    jobs: &'a [NewJob],
    lane: i32,
}

impl<'a> Alike<'a> {
    fn of(jobs: &'a [NewJob], lanes: &[i32]) -> Option<Self> {
        let (first, lane) = (jobs.first()?, *lanes.first()?);
        let default = JobOptions::default();
        let is_alike = |job: &NewJob| {
            (job.priority, job.attempts_max, job.losses_max)
                == (first.priority, first.attempts_max, first.losses_max)
                && (job.due, job.deadline) == (Due::Now, None)
                && traits(job).is_none()
                && job.options == default
        };
        (lanes.iter().all(|other| *other == lane) && jobs.iter().all(is_alike)).then_some(Self { jobs, lane })
    }

    const fn statement(&self) -> Statement {
        match self.jobs {
            [_] => sql::job::INSERT_ONE,
            _ => sql::job::INSERT_ALIKE,
        }
    }

    async fn insert(&self, session: &Session) -> Result<(), tokio_postgres::Error> {
        let Some(first) = self.jobs.first() else { return Ok(()) };
        let priority = i16::from(first.priority.as_number());
        let budget = budget(first.attempts_max, first.losses_max);
        let made = if let [job] = self.jobs {
            let values: Values<'_> =
                &[&session.now, &job.id.as_uuid(), &self.lane, &priority, &budget, &job.args.as_bytes()];
            session.execute(self.statement(), values).await
        } else {
            let ids: Vec<Uuid> = self.jobs.iter().map(|job| job.id.as_uuid()).collect();
            let args: Vec<&[u8]> = self.jobs.iter().map(|job| job.args.as_bytes()).collect();
            let values: Values<'_> = &[&session.now, &ids, &self.lane, &priority, &budget, &args];
            session.execute(self.statement(), values).await
        };
        made.map(|_| ())
    }
}
