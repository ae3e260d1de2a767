//! Taking in jobs from another store, with all that became of them there.
//!
//! No port has a method for this: jobs come to exist by being enqueued, and move on by what workers and people do. A move
//! from one store to another is the one time when they appear in the middle of their lives. Where they come from is not
//! known here; a record is what every store tells of a job.

mod access;
mod beside;
mod columns;
mod reviews;

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;
use windlass_core::{Attempt, Job, JobState, KindName, LogLine, QueueName, Timestamp};
use windlass_store::{ErrorKind, JobEvent, Pause, Relative, ReviewRecord, StoreError, ids};

use crate::database::{Session, Values};
use crate::error::During;
use crate::value::Instant;
use crate::{PostgresStore, row, sql};

use columns::{AttemptColumns, EdgeColumns, EventColumns, JobColumns, LineColumns};
use reviews::ReviewColumns;

const NAME: &str = "import jobs";

/// How long a day of the history is.
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// A job as another store told of it, with everything that is kept of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its place in the enqueue order, 1 or more. Each job has its own; some may be left out.
    pub place: u64,
    /// The job.
    pub job: Job,
    /// Every attempt, first one first.
    pub attempts: Vec<Attempt>,
    /// The whole log.
    pub log: Vec<LogLine>,
    /// What was done by hand.
    pub events: Vec<JobEvent>,
    /// The jobs it waits for or waited for, in the order of its edges.
    pub parents: Vec<Relative>,
    /// Whether others wait for it, or did.
    pub awaited: bool,
    /// What is or was to be decided about it.
    pub review: Option<ReviewRecord>,
}

impl PostgresStore {
    /// Leaves the first `count` places of the enqueue order to jobs that are to be [imported](Self::import), so that what
    /// is enqueued from now on comes after them.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    pub async fn reserve_places(&self, count: u64) -> Result<(), StoreError> {
        const NAME: &str = "reserve places for jobs";
        let session = self.core.database.call(NAME).await?;
        session.query(sql::import::PLACES, &[&count.max(1).cast_signed()]).await.during(NAME)?;
        Ok(())
    }

    /// Takes in jobs as they stand, with their attempts, logs and events: all of them or none.
    ///
    /// Ids, instants, revisions and budgets stay as they are. A job whose id is here already is left alone, so a call may
    /// be repeated; the answer says how many were not. A ready job may be claimed at once: pause its queue first if it
    /// must not. Tokens of attempts are not taken over: an attempt must have ended where the job comes from.
    ///
    /// # Errors
    ///
    /// `NotReady` for a job with an open attempt; `Unknown`: all of them or none are here.
    pub async fn import(&self, records: &[Record]) -> Result<u64, StoreError> {
        let is_open = |record: &&Record| record.attempts.iter().any(|attempt| attempt.ended_at.is_none());
        if let Some(Record { job, .. }) = records.iter().find(is_open) {
            let detail = format!("job {} is still being worked on", job.id);
            return Err(StoreError::new(NAME, ErrorKind::NotReady).with_detail(detail));
        }
        self.make_days(records).await?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = import_in(&transaction, records, &self.core.schema).await;
        let made = transaction.end(outcome, NAME).await?;
        // They may be due since long ago, before what was claimed already.
        self.core.floors.forget();
        self.core.hint_work();
        Ok(made)
    }

    /// Makes partitions for the days on which jobs completed, as far as nobody is in the way: what has none goes where the
    /// rest is, and is removed from there one by one.
    async fn make_days(&self, records: &[Record]) -> Result<(), StoreError> {
        let completed = records.iter().filter(|record| record.job.state == JobState::Completed);
        let ends = completed.filter_map(|record| record.job.finished_at);
        let days: BTreeSet<i64> = ends.map(|end| end.as_micros() / DAY_MICROS).collect();
        if days.is_empty() {
            return Ok(());
        }
        let session = self.core.database.call(NAME).await?;
        for day in days.iter().rev() {
            let starts = Some(Instant(Timestamp::from_micros(day * DAY_MICROS)));
            let values: Values<'_> = &[&starts, &self.core.schema];
            session.query(sql::maintenance::MAKE_DAYS, values).await.during(NAME)?;
        }
        Ok(())
    }

    /// Forgets edges to jobs that were not imported: what has ended, and was left behind.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    pub async fn forget_missing_parents(&self) -> Result<(), StoreError> {
        const NAME: &str = "forget edges to jobs that are not here";
        let session = self.core.database.call(NAME).await?;
        session.execute(sql::import::FORGET_MISSING, &[]).await.committing(NAME).map(|_| ())
    }

    /// Puts the jobs in review that were imported into the order in which they came into it, before all that come later.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    pub async fn order_reviews(&self) -> Result<(), StoreError> {
        const NAME: &str = "order what persons are asked";
        let session = self.core.database.call(NAME).await?;
        session.execute(sql::import::ORDER_REVIEWS, &[]).await.committing(NAME).map(|_| ())
    }

    /// Lets every exclusive grant from now on have a larger number than `last`.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    pub async fn continue_fences(&self, last: u64) -> Result<(), StoreError> {
        const NAME: &str = "import the numbers of grants";
        let session = self.core.database.call(NAME).await?;
        session.query(sql::import::FENCE, &[&last.cast_signed()]).await.committing(NAME).map(|_| ())
    }

    /// Makes a queue known with this pause, instead of the one that it has; without one it is resumed.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    pub async fn import_queue(&self, queue: &QueueName, pause: Option<&Pause>) -> Result<(), StoreError> {
        const NAME: &str = "import a queue";
        let session = self.core.database.call(NAME).await?;
        let since = pause.map(|pause| Instant(pause.since));
        let by = pause.map(|pause| pause.by.name.as_str());
        let why = pause.and_then(|pause| pause.by.why.as_deref());
        let values: Values<'_> = &[&queue.as_str(), &since, &by, &why];
        session.execute(sql::import::QUEUE, values).await.committing(NAME)?;
        self.core.hint_work();
        Ok(())
    }
}

async fn import_in(session: &Session, records: &[Record], schema: &str) -> Result<u64, StoreError> {
    session.query(sql::import::LOCK, &[&schema]).await.during(NAME)?;
    let ids: Vec<Uuid> = records.iter().map(|record| record.job.id.as_uuid()).collect();
    let known = session.query(sql::job::KNOWN, &[&ids]).await.during(NAME)?;
    let known: HashSet<Uuid> = known.iter().map(|row| row.get(0)).collect();
    let fresh: Vec<&Record> =
        records.iter().filter(|record| !known.contains(&record.job.id.as_uuid())).collect();
    if fresh.is_empty() {
        return Ok(0);
    }
    let places = Numbers { lanes: lanes(session, &fresh).await?, workers: workers(session, &fresh).await? };
    write(session, &fresh, &places).await?;
    Ok(fresh.len() as u64)
}

async fn write(session: &Session, records: &[&Record], numbers: &Numbers) -> Result<(), StoreError> {
    JobColumns::of(records, numbers)?.write(session).await.during(NAME)?;
    AttemptColumns::of(records, numbers)?.write(session).await.during(NAME)?;
    LineColumns::of(records).write(session).await.during(NAME)?;
    EventColumns::of(records).write(session).await.during(NAME)?;
    EdgeColumns::of(records).write(session).await.during(NAME)?;
    ReviewColumns::of(records).write(session).await.during(NAME)
}

/// A queue, a kind and a version, and whether for jobs that have gates of their own.
type LaneName<'a> = (&'a str, &'a str, u32, bool);

/// What names are known by here.
struct Numbers {
    lanes: HashMap<(QueueName, KindName, u32, bool), i32>,
    workers: HashMap<String, i32>,
}

impl Numbers {
    fn lane(&self, job: &Job) -> Result<i32, StoreError> {
        let lane = (job.queue.clone(), job.kind.clone(), job.version, job.options.is_gated());
        self.lanes.get(&lane).copied().ok_or_else(|| row::damaged("a lane that was just made is not there"))
    }

    fn worker(&self, name: &str) -> Option<i32> {
        self.workers.get(name).copied()
    }
}

/// Every lane there is, those of `records` among them.
async fn lanes(
    session: &Session,
    records: &[&Record],
) -> Result<HashMap<(QueueName, KindName, u32, bool), i32>, StoreError> {
    // In order, so that two that make the same lanes do not wait for one another.
    let wanted: BTreeSet<LaneName<'_>> = records.iter().map(|record| lane_name(&record.job)).collect();
    let queues: Vec<&str> = wanted.iter().map(|(queue, _, _, _)| *queue).collect();
    let kinds: Vec<&str> = wanted.iter().map(|(_, kind, _, _)| *kind).collect();
    let versions: Vec<i64> = wanted.iter().map(|(_, _, version, _)| i64::from(*version)).collect();
    let gated: Vec<bool> = wanted.iter().map(|(_, _, _, gated)| *gated).collect();
    session.execute(sql::lane::MAKE, &[&queues, &kinds, &versions, &gated]).await.during(NAME)?;
    let rows = session.query(sql::lane::ALL, &[]).await.during(NAME)?;
    rows.iter()
        .map(|row| Ok(((row::name(row, 1)?, row::name(row, 2)?, row::count(row, 3), row.get(4)), row.get(0))))
        .collect()
}

fn lane_name(job: &Job) -> LaneName<'_> {
    (job.queue.as_str(), job.kind.as_str(), job.version, job.options.is_gated())
}

/// The names of all workers that `records` tell of.
async fn workers(session: &Session, records: &[&Record]) -> Result<HashMap<String, i32>, StoreError> {
    let of_jobs = records.iter().filter_map(|record| record.job.worker.as_deref());
    let of_attempts =
        records.iter().flat_map(|record| &record.attempts).map(|attempt| attempt.worker.as_str());
    // A worker that nobody remembers the name of is told as the empty one.
    let names: BTreeSet<&str> = of_jobs.chain(of_attempts.filter(|name| !name.is_empty())).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let fresh: Vec<Uuid> = names.iter().map(|_| ids::worker_id().as_uuid()).collect();
    let values: Values<'_> = &[&session.now, &fresh, &names];
    let rows = session.query(sql::import::WORKERS, values).await.during(NAME)?;
    Ok(rows.iter().map(|row| (row.get(1), row.get(0))).collect())
}
