//! Taking in jobs from another store, with all that became of them there.
//!
//! No port has a method for this: jobs come to exist by being enqueued, and move on by what workers and people do. A move
//! from one store to another is the one time when they appear in the middle of their lives. Where they come from is not
//! known here; a record is what every store tells of a job.

mod columns;

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;
use windlass_core::{Attempt, Job, JobState, KindName, LogLine, QueueName, Timestamp};
use windlass_store::{ErrorKind, JobEvent, Pause, StoreError, ids};

use crate::database::{Session, Values};
use crate::error::During;
use crate::value::Instant;
use crate::{PostgresStore, row, sql};

use columns::{AttemptColumns, EventColumns, JobColumns, LineColumns};

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
    EventColumns::of(records).write(session).await.during(NAME)
}

/// A queue, a kind and a version.
type LaneName<'a> = (&'a str, &'a str, u32);

/// What names are known by here.
struct Numbers {
    lanes: HashMap<(QueueName, KindName, u32), i32>,
    workers: HashMap<String, i32>,
}

impl Numbers {
    fn lane(&self, job: &Job) -> Result<i32, StoreError> {
        let lane = (job.queue.clone(), job.kind.clone(), job.version);
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
) -> Result<HashMap<(QueueName, KindName, u32), i32>, StoreError> {
    // In order, so that two that make the same lanes do not wait for one another.
    let wanted: BTreeSet<LaneName<'_>> = records.iter().map(|record| lane_name(&record.job)).collect();
    let queues: Vec<&str> = wanted.iter().map(|(queue, _, _)| *queue).collect();
    let kinds: Vec<&str> = wanted.iter().map(|(_, kind, _)| *kind).collect();
    let versions: Vec<i64> = wanted.iter().map(|(_, _, version)| i64::from(*version)).collect();
    session.execute(sql::lane::MAKE, &[&queues, &kinds, &versions]).await.during(NAME)?;
    let rows = session.query(sql::lane::ALL, &[]).await.during(NAME)?;
    rows.iter()
        .map(|row| Ok(((row::name(row, 1)?, row::name(row, 2)?, row::count(row, 3)), row.get(0))))
        .collect()
}

fn lane_name(job: &Job) -> LaneName<'_> {
    (job.queue.as_str(), job.kind.as_str(), job.version)
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
