//! Jobs of schedules that ask for a unique key, or whose lanes are not known to be there: each step in a transaction that may
//! find the key taken, or the tick fired already.

use windlass_core::{JobId, NewJob, Timestamp};
use windlass_store::rules::schedules::{self as rules, Step};
use windlass_store::{Fired, Firing, StoreError};

use super::history::{record_firings, sweep};
use super::record::keep;
use super::{Asked, Missing, insert, lock};
use crate::database::{Session, Values};
use crate::error::During;
use crate::value::Instant;
use crate::{Core, sql, unique};

/// Why a step could not be written as it stands.
enum Hindrance {
    /// Somebody else has changed the schedule since it was looked at.
    Overtaken,
    /// Lanes are missing that these jobs are for.
    Lanes(Missing),
    /// The job of this tick could not be enqueued.
    Refused(Timestamp, StoreError),
    /// The database failed.
    Failed(StoreError),
}

impl From<StoreError> for Hindrance {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// Whether the jobs of this step ask for a key.
pub(super) fn is_keyed(step: &Step) -> bool {
    step.jobs.iter().any(|(_, job)| job.options.unique.is_some())
}

/// Writes a step by itself, and takes account of it. When to look at the schedule again.
pub(super) async fn write(
    core: &Core,
    (id, mut step, now): (i64, Step, Timestamp),
    fired: &mut Fired,
    name: &'static str,
) -> Result<Option<Timestamp>, StoreError> {
    // Each refusal takes a tick away, and lanes that were made are there, so this ends.
    loop {
        let transaction = core.database.begin(name).await?;
        let hindrance = match attempt(core, &transaction, (id, &step, now), name).await {
            Ok((written, made)) => {
                transaction.end(Ok(()), name).await?;
                fired.count(&written);
                fired.jobs += made;
                return Ok(written.schedule.look_at);
            }
            Err(hindrance) => {
                // Rolled back, and its connection given back: making lanes takes another, which may be the same.
                drop(transaction);
                hindrance
            }
        };
        match hindrance {
            Hindrance::Lanes(missing) => drop(missing.mend(core, name).await?),
            Hindrance::Overtaken => return Ok(Some(now)),
            Hindrance::Refused(tick, error) if !error.is_transient() => {
                step = rules::refused(step, tick, &error.to_string(), now);
            }
            Hindrance::Refused(_, error) | Hindrance::Failed(error) => return Err(error),
        }
    }
}

/// The step as it was written, and how many jobs were made.
async fn attempt(
    core: &Core,
    session: &Session,
    (id, step, now): (i64, &Step, Timestamp),
    name: &'static str,
) -> Result<(Step, u64), Hindrance> {
    let (there, _) = lock(session, step.schedule.name(), name).await.map_err(|_| Hindrance::Overtaken)?;
    if (there.id, there.schedule.revision + 1) != (id, step.schedule.revision) {
        return Err(Hindrance::Overtaken);
    }
    let (mut step, mut made) = (step.clone(), 0);
    record_firings(session, (id, now), &step.skipped, name).await?;
    for (tick, job) in step.jobs.clone() {
        let firing = Firing::fired(tick, job.id, now);
        if record_firings(session, (id, now), &[firing], name).await?.is_empty() {
            continue;
        }
        let mut missing = Missing::default();
        let enqueued = enqueue_all((core, session, &mut missing), std::slice::from_ref(&job), name)
            .await
            .map_err(|error| {
                let is_refused = missing.0.is_empty();
                if is_refused { Hindrance::Refused(tick, error) } else { Hindrance::Lanes(missing) }
            })?;
        let stands = enqueued.first().map_or(job.id, |(stands, _)| *stands);
        if stands != job.id {
            amend(session, (id, tick), stands, name).await?;
        }
        step = rules::stood_in(step, tick, stands);
        made += 1;
    }
    keep(session, std::slice::from_ref(&step.schedule), name).await?;
    if step.sweep {
        sweep(session, &[id], name).await?;
    }
    Ok((step, made))
}

/// Makes jobs, keyed or not; the job that stands for each, and whether it is new.
pub(super) async fn enqueue_all(
    (core, session, missing): Asked<'_>,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Vec<(JobId, bool)>, StoreError> {
    if !unique::is_asked_for(jobs) {
        let made = insert((core, session, missing), jobs, name).await?;
        return Ok(jobs.iter().map(|job| (job.id, made.contains(&job.id.as_uuid()))).collect());
    }
    let enqueued = unique::enqueue_within(core, session, (jobs, &mut missing.0), name).await?;
    Ok(enqueued.iter().map(|enqueued| (enqueued.id, !enqueued.repeated)).collect())
}

/// Says that another job stands for that of a tick.
pub(super) async fn amend(
    session: &Session,
    (id, tick): (i64, Timestamp),
    stands: JobId,
    name: &'static str,
) -> Result<(), StoreError> {
    let values: Values<'_> = &[&id, &Instant(tick), &stands.as_uuid()];
    session.execute(sql::schedule::AMEND_FIRING, values).await.during(name).map(|_| ())
}
