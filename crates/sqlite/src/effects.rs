//! What follows when an attempt closes and when a job ends, for jobs that use what most do not.
//!
//! Called in the same transaction by everything that closes an attempt or ends a job, once the job's own row says so. A job
//! that uses nothing of it is sent back at the door.

use windlass_core::{JobId, Reason, Stage, Traits, cleanup};

use crate::facts::Facts;
use crate::jobs::notices;
use crate::writer::Tx;
use crate::{gates, reviews, unique};

/// An attempt of the job has closed, for whatever reason; `facts` are from before.
pub(crate) fn closed(tx: &mut Tx<'_>, facts: &Facts) -> rusqlite::Result<()> {
    if !facts.traits.has(Traits::SPECIAL) {
        return Ok(());
    }
    if facts.traits.has(Traits::GATED) {
        gates::give_back(tx, facts.seq)?;
    }
    Ok(())
}

/// The job has become final at `stage`, for `reason`; `facts` are from before.
pub(crate) fn ended(
    tx: &mut Tx<'_>,
    facts: &Facts,
    (stage, reason): (Stage, Reason),
) -> rusqlite::Result<()> {
    if !facts.traits.has(Traits::SPECIAL) {
        return Ok(());
    }
    if facts.traits.has(Traits::GATED) {
        gates::ended(tx, facts)?;
    }
    if facts.traits.has(Traits::UNIQUE) {
        unique::ended(tx, &[facts.id])?;
    }
    if facts.traits.has(Traits::PARENT) {
        tx.untold.ended.push((facts.id, stage));
    }
    if facts.traits.has(Traits::REVIEWED) {
        reviews::close(tx, facts.id)?;
    }
    if facts.traits.has(Traits::NOTIFIES) {
        notices::enqueue(tx, facts.id)?;
    }
    if cleanup::is_left(facts.traits, facts.number, facts.stage, reason) {
        tx.untold.left.push(facts.id);
    }
    Ok(())
}

/// What [`completed`] can follow up of many jobs at once: not what a person has decided about.
pub(crate) const FOLLOWED_UP: Traits =
    Traits::UNIQUE.and(Traits::PARENT).and(Traits::NOTIFIES).and(Traits::GATED);

/// A job that was completed, with what it uses.
#[derive(Debug)]
pub(crate) struct Completed {
    pub(crate) id: JobId,
    pub(crate) seq: i64,
    pub(crate) traits: Traits,
}

/// Jobs that have no special traits but [those](FOLLOWED_UP) were completed together, and with that their attempts were closed.
pub(crate) fn completed(tx: &mut Tx<'_>, jobs: &[Completed]) -> rusqlite::Result<()> {
    let with = |asked: Traits| jobs.iter().filter(move |job| job.traits.has(asked));
    for job in with(Traits::GATED) {
        gates::give_back(tx, job.seq)?;
        gates::end_turn(tx, job.seq)?;
    }
    let keyed: Vec<JobId> = with(Traits::UNIQUE).map(|job| job.id).collect();
    if !keyed.is_empty() {
        unique::ended(tx, &keyed)?;
    }
    tx.untold.ended.extend(with(Traits::PARENT).map(|job| (job.id, Stage::Completed)));
    with(Traits::NOTIFIES).try_for_each(|job| notices::enqueue(tx, job.id))
}
