//! Claims: the first due jobs of a scope, leased to a worker.

use std::collections::HashSet;

use rusqlite::types::Value;
use rusqlite::vtab::array::Array;
use rusqlite::{OptionalExtension, Row, params};
use windlass_core::{AttemptToken, JobId, Priority, QueueName, Timestamp};
use windlass_store::rules::{LATE_PER_CLAIM_MAX, past};
use windlass_store::{ClaimRequest, Claimed, LeasedJob, StoreError};

use super::Claimer;
use crate::error::During;
use crate::lanes::Lanes;
use crate::maintenance::expire;
use crate::writer::Tx;
use crate::{row, sql};

const NAME: &str = "claim jobs";

/// Leases what the request asks for, as far as there is something due.
pub(super) fn claim(
    tx: &mut Tx<'_>,
    request: &ClaimRequest,
    claimer: &Claimer,
) -> Result<Claimed, StoreError> {
    let lanes = open_lanes(tx, request).during(NAME)?;
    let mut catch = Catch { jobs: Vec::new(), limit: request.limit as usize, late: 0 };
    for priority in Priority::ALL {
        Band { lanes: &lanes, priority, claimer }.fill(tx, &mut catch).during(NAME)?;
    }
    let next_due = match &catch {
        catch if catch.is_full() => None,
        catch if catch.is_weary() => Some(tx.now),
        _ => next_due(tx, &lanes).during(NAME)?,
    };
    Ok(Claimed { jobs: catch.jobs, next_due })
}

/// What a claim has so far.
struct Catch {
    jobs: Vec<LeasedJob>,
    limit: usize,
    /// How many it met past their deadline.
    late: usize,
}

impl Catch {
    fn is_full(&self) -> bool {
        self.jobs.len() == self.limit
    }

    fn is_weary(&self) -> bool {
        self.late == LATE_PER_CLAIM_MAX
    }
}

/// Leases the one waiting job at `seq`; none if it is past its deadline.
pub(super) fn claim_one(tx: &mut Tx<'_>, seq: i64, claimer: &Claimer) -> rusqlite::Result<Option<LeasedJob>> {
    tx.lanes.refresh(tx.connection)?;
    let (mut leased, _) = lease(tx, &[seq], claimer, 1)?;
    Ok(leased.pop())
}

/// The lanes a request may take from now.
fn open_lanes(tx: &mut Tx<'_>, request: &ClaimRequest) -> rusqlite::Result<Vec<i64>> {
    tx.lanes.refresh(tx.connection)?;
    let lanes = tx.lanes.resolve(&request.scope);
    let paused = paused(tx)?;
    Ok(tx.lanes.unpaused(&lanes, &paused))
}

/// The queues that are paused.
fn paused(tx: &Tx<'_>) -> rusqlite::Result<HashSet<QueueName>> {
    let mut statement = tx.connection.prepare_cached(sql::queue::PAUSED)?;
    let names = statement.query_map([], |row| row::name(row, 0))?;
    names.collect()
}

/// Whether a job's queue is paused.
pub(super) fn waits_in_paused_queue(tx: &Tx<'_>, job: JobId) -> rusqlite::Result<bool> {
    let mut statement = tx.connection.prepare_cached(sql::lane::QUEUE_OF)?;
    let queue: QueueName = statement.query_row([job.as_bytes()], |found| row::name(found, 0))?;
    Ok(paused(tx)?.contains(&queue))
}

/// The jobs of one priority in some lanes, and who claims them.
struct Band<'a> {
    lanes: &'a [i64],
    priority: Priority,
    claimer: &'a Claimer,
}

impl Band<'_> {
    /// Adds to the catch until it is full. What is met past its deadline ends.
    fn fill(&self, tx: &mut Tx<'_>, catch: &mut Catch) -> rusqlite::Result<()> {
        while !catch.is_full() && !catch.is_weary() {
            let want = catch.limit - catch.jobs.len();
            let seqs = self.first(tx, want)?;
            let (leased, late) = lease(tx, &seqs, self.claimer, LATE_PER_CLAIM_MAX - catch.late)?;
            catch.jobs.extend(leased);
            catch.late += late.len();
            for seq in late {
                expire(tx, seq)?;
            }
            if seqs.len() < want {
                break;
            }
        }
        Ok(())
    }

    /// The places of the first due jobs, in claim order.
    fn first(&self, tx: &Tx<'_>, want: usize) -> rusqlite::Result<Vec<i64>> {
        let mut statement = tx.connection.prepare_cached(sql::lease::CANDIDATES)?;
        let mut places: Vec<(i64, i64)> = Vec::new();
        for lane in self.lanes {
            let values = params![lane, self.priority.as_number(), tx.now.as_micros(), want];
            for place in statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))? {
                places.push(place?);
            }
        }
        if self.lanes.len() > 1 {
            places.sort_unstable();
            places.truncate(want);
        }
        Ok(places.into_iter().map(|(_, seq)| seq).collect())
    }
}

/// When the next job of these lanes is due.
fn next_due(tx: &Tx<'_>, lanes: &[i64]) -> rusqlite::Result<Option<Timestamp>> {
    let mut statement = tx.connection.prepare_cached(sql::lease::NEXT_DUE)?;
    let mut earliest: Option<Timestamp> = None;
    for lane in lanes {
        for priority in Priority::ALL {
            let values = params![lane, priority.as_number(), tx.now.as_micros()];
            let due = statement.query_row(values, |found| row::instant(found, 0)).optional()?;
            earliest = earliest.into_iter().chain(due).min();
        }
    }
    Ok(earliest)
}

/// Leases the waiting jobs at these places, but for those past their deadline, whose places it returns. It stops where
/// it has met `late_max` of them.
fn lease(
    tx: &Tx<'_>,
    seqs: &[i64],
    claimer: &Claimer,
    late_max: usize,
) -> rusqlite::Result<(Vec<LeasedJob>, Vec<i64>)> {
    if seqs.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let (mut jobs, mut taken, mut late) = (Vec::with_capacity(seqs.len()), Vec::new(), Vec::new());
    let mut statement = tx.connection.prepare_cached(sql::lease::READ_CANDIDATES)?;
    let mut rows = statement.query([array(seqs.iter().copied())])?;
    while let Some(found) = rows.next()? {
        let (seq, job) = (found.get(0)?, leased(found, claimer, (tx.lanes, tx.now))?);
        if past(job.deadline, tx.now) {
            late.push(seq);
            if late.len() == late_max {
                break;
            }
        } else {
            taken.push(seq);
            jobs.push(job);
        }
    }
    drop(rows);
    write(tx, &taken, claimer)?;
    Ok((jobs, late))
}

fn write(tx: &Tx<'_>, seqs: &[i64], claimer: &Claimer) -> rusqlite::Result<()> {
    let seqs = array(seqs.iter().copied());
    let nonce = claimer.nonce.cast_signed();
    let own = claimer.own.map(|(span, _)| span);
    let mut statement = tx.connection.prepare_cached(sql::lease::CLAIM)?;
    statement.execute(params![seqs, claimer.number, nonce, tx.now.as_micros(), own])?;
    if let Some((_, until)) = claimer.own {
        tx.connection.prepare_cached(sql::lease::KEEP)?.execute(params![seqs, until.as_micros()])?;
    }
    Ok(())
}

/// Values as a table that a statement can read.
pub(super) fn array<V: Into<Value>>(values: impl Iterator<Item = V>) -> Array {
    Array::new(values.map(Into::into).collect())
}

/// The job as it is once it is leased.
fn leased(
    row: &Row<'_>,
    claimer: &Claimer,
    (lanes, now): (&Lanes, Timestamp),
) -> rusqlite::Result<LeasedJob> {
    let lane = lanes.get(row.get(3)?).ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let token =
        AttemptToken { job: row::job_id(row, 1)?, number: row::unsigned(row, 2)? + 1, nonce: claimer.nonce };
    Ok(LeasedJob {
        token,
        lease_until: claimer.until,
        kind: lane.kind.clone(),
        version: lane.version,
        queue: lane.queue.clone(),
        priority: row::priority(row, 4)?,
        attempt: row.get::<_, u32>(5)?.saturating_add(1),
        attempts_max: row.get(6)?,
        losses: row.get(7)?,
        run_at: row::instant(row, 8)?,
        created_at: row::instant(row, 9)?,
        deadline: row::instant_option(row, 10)?,
        started_at: now,
        checkpoint: row::json(row, 11)?,
        args: row::args(row, 12)?,
        options: row::options(row, 13)?,
    })
}
