//! Claims: the first due jobs of a scope, leased to a worker.

use std::collections::{BTreeSet, HashSet};

use rusqlite::types::Value;
use rusqlite::vtab::array::Array;
use rusqlite::{OptionalExtension, Row, params};
use windlass_core::gate::Place;
use windlass_core::limits::PARKED_PER_CLAIM_MAX;
use windlass_core::{AttemptToken, Gate, GateForm, JobId, QueueName, Timestamp, Traits};
use windlass_store::rules::{LATE_PER_CLAIM_MAX, past};
use windlass_store::{ClaimRequest, Claimed, LeasedJob, StoreError};

use super::Claimer;
use crate::error::During;
use crate::gates::{self, Asked, Wholes};
use crate::lanes::{Lane, Lanes};
use crate::maintenance::expire;
use crate::writer::Tx;
use crate::{reviews, row, sql};

const NAME: &str = "claim jobs";

/// Leases what the request asks for, as far as there is something due.
pub(super) fn claim(
    tx: &mut Tx<'_>,
    request: &ClaimRequest,
    claimer: &Claimer,
) -> Result<Claimed, StoreError> {
    gates::open(tx).during(NAME)?;
    let lanes = open_lanes(tx, request).during(NAME)?;
    let mut catch = Catch::new(tx, lanes.clone(), request.limit as usize).during(NAME)?;
    while catch.walk(tx, claimer).during(NAME)? == Walk::Again {}
    for gate in std::mem::take(&mut catch.passed) {
        gates::call(tx, gate).during(NAME)?;
    }
    let next_due = match &catch {
        catch if catch.is_full() => None,
        catch if catch.is_weary() => Some(tx.now),
        _ => {
            let due = next_due(tx, &lanes, claimer).during(NAME)?.into_iter();
            let opening = gates::next_opening(tx.connection, &lanes).during(NAME)?;
            due.chain(catch.opens_at).chain(opening).min()
        }
    };
    Ok(Claimed { jobs: catch.jobs, next_due })
}

/// What a claim has so far.
struct Catch {
    /// The lanes that it looks into.
    lanes: Vec<i64>,
    wholes: Wholes,
    jobs: Vec<LeasedJob>,
    limit: usize,
    /// How many it met past their deadline, and how many their gates turned away.
    late: usize,
    turned: usize,
    /// When time opens a queue or a kind that lets nobody in now.
    opens_at: Option<Timestamp>,
    /// The gates that let somebody in.
    passed: BTreeSet<i64>,
}

/// How a claim goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// To the next.
    On,
    /// From the beginning: there may be jobs now that come before the next.
    Again,
}

impl Catch {
    fn new(tx: &Tx<'_>, lanes: Vec<i64>, limit: usize) -> rusqlite::Result<Self> {
        let wholes = Wholes::read(tx.connection)?;
        let passed = BTreeSet::new();
        Ok(Self { lanes, wholes, jobs: Vec::new(), limit, late: 0, turned: 0, opens_at: None, passed })
    }

    fn is_full(&self) -> bool {
        self.jobs.len() == self.limit
    }

    fn is_weary(&self) -> bool {
        self.late >= LATE_PER_CLAIM_MAX || self.turned >= PARKED_PER_CLAIM_MAX
    }

    /// Walks through what is due until it is full.
    fn walk(&mut self, tx: &mut Tx<'_>, claimer: &Claimer) -> rusqlite::Result<Walk> {
        for rank in claimer.ranks() {
            while !self.is_full() && !self.is_weary() {
                // Where many are turned away, more are looked at together.
                let want = (self.limit - self.jobs.len()).max(self.turned.min(LOOK_MAX));
                let seqs = first(tx, (&self.lanes, rank), want)?;
                if self.take(tx, &seqs, claimer)? == Walk::Again {
                    return Ok(Walk::Again);
                }
                if seqs.len() < want {
                    break;
                }
            }
        }
        Ok(Walk::On)
    }

    /// Leases the waiting jobs at these places, parks whom its gates turn away, and ends those past their deadline.
    fn take(&mut self, tx: &mut Tx<'_>, seqs: &[i64], claimer: &Claimer) -> rusqlite::Result<Walk> {
        let (mut outcome, mut walk) = (Outcome::default(), Walk::On);
        for met in meet(tx, seqs, claimer)? {
            if self.is_full() || self.is_weary() || walk == Walk::Again {
                break;
            }
            walk = self.take_one(tx, met, &mut outcome)?;
        }
        write(tx, &outcome.taken, claimer)?;
        if !outcome.marked.is_empty() {
            gates::mark(tx, outcome.marked.into_iter())?;
        }
        gates::park(tx, &outcome.parked)?;
        for seq in outcome.late {
            expire(tx, seq)?;
        }
        Ok(walk)
    }

    fn take_one(&mut self, tx: &mut Tx<'_>, mut met: Met, outcome: &mut Outcome) -> rusqlite::Result<Walk> {
        let gated = met.traits.has(Traits::GATED);
        if past(met.job.deadline, tx.now) {
            self.late += 1;
            outcome.late.push(met.seq);
            return Ok(if gated { Walk::Again } else { Walk::On });
        }
        let mut needs = tx.lanes.get(met.lane).map(|lane| self.wholes.needs(lane)).unwrap_or_default();
        if !needs.is_empty() && !gated {
            outcome.marked.push(met.seq);
        }
        if gated {
            needs.extend(met.job.options.iter().flat_map(|options| options.needs()));
        }
        if !needs.is_empty() {
            let candidate = gates::Candidate { seq: met.seq, lane: met.lane, place: met.place, needs };
            let known = match gates::ask(tx.connection, &candidate, tx.now)? {
                Asked::LetIn(known) => known,
                Asked::Turned(turned) => {
                    outcome.marked.pop_if(|seq| *seq == met.seq);
                    return self.turn_away(tx, (&candidate, &turned), outcome);
                }
            };
            let passed = gates::pass(tx, &candidate, known)?;
            self.passed.extend(passed.gates);
            met.job.fences = passed.fences;
        }
        outcome.taken.push(met.seq);
        self.jobs.push(met.job);
        Ok(Walk::On)
    }

    fn turn_away(
        &mut self,
        tx: &mut Tx<'_>,
        (candidate, turned): (&gates::Candidate, &gates::Turned),
        outcome: &mut Outcome,
    ) -> rusqlite::Result<Walk> {
        let gate = &turned.need.gate;
        if gate.form.is_whole() {
            self.opens_at = self.opens_at.into_iter().chain(turned.refusal.until()).min();
            let lanes = &*tx.lanes;
            let is_open = |lane: &i64| lanes.get(*lane).is_some_and(|lane| !is_of(gate, lane));
            self.lanes.retain(is_open);
            return Ok(Walk::Again);
        }
        self.turned += 1;
        outcome.parked.push(candidate.seq);
        let called = gates::turn_away(tx, candidate, turned)?;
        Ok(if called { Walk::Again } else { Walk::On })
    }
}

fn is_of(gate: &Gate, lane: &Lane) -> bool {
    match gate.form {
        GateForm::QueueLimit | GateForm::QueueRate => lane.queue.as_str() == &*gate.name,
        _ => lane.kind.as_str() == &*gate.name,
    }
}

/// What becomes of jobs that a claim has met, to be written together.
#[derive(Debug, Default)]
struct Outcome {
    taken: Vec<i64>,
    /// Those among them that have gates only by their queue or kind.
    marked: Vec<i64>,
    parked: Vec<i64>,
    late: Vec<i64>,
}

/// A due job as it would be leased.
struct Met {
    seq: i64,
    lane: i64,
    place: Place,
    traits: Traits,
    job: LeasedJob,
}

/// Most jobs that are looked at together.
const LOOK_MAX: usize = 200;

/// Leases the one waiting job at `seq`; none if its gates do not let it in.
pub(super) fn claim_one(tx: &mut Tx<'_>, seq: i64, claimer: &Claimer) -> rusqlite::Result<Option<LeasedJob>> {
    tx.lanes.refresh(tx.connection)?;
    let mut catch = Catch::new(tx, Vec::new(), 1)?;
    let Some(met) = meet(tx, &[seq], claimer)?.pop() else { return Ok(None) };
    let wholes = tx.lanes.get(met.lane).map(|lane| catch.wholes.needs(lane)).unwrap_or_default();
    let candidate = gates::candidate(tx.connection, seq, wholes)?;
    if let Asked::Turned(_) = gates::ask(tx.connection, &candidate, tx.now)? {
        return Ok(None);
    }
    if met.traits.has(Traits::GATED) {
        gates::show(tx, seq)?;
    }
    let _ = catch.take(tx, &[seq], claimer)?;
    for gate in std::mem::take(&mut catch.passed) {
        gates::call(tx, gate)?;
    }
    Ok(catch.jobs.pop())
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

/// The places of the first due jobs of some lanes and a rank, in claim order.
fn first(tx: &Tx<'_>, (lanes, rank): (&[i64], u8), want: usize) -> rusqlite::Result<Vec<i64>> {
    let mut statement = tx.connection.prepare_cached(sql::lease::CANDIDATES)?;
    let mut places: Vec<(i64, i64)> = Vec::new();
    for lane in lanes {
        let values = params![lane, rank, tx.now.as_micros(), want];
        for place in statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))? {
            places.push(place?);
        }
    }
    if lanes.len() > 1 {
        places.sort_unstable();
        places.truncate(want);
    }
    Ok(places.into_iter().map(|(_, seq)| seq).collect())
}

/// When the next job of these lanes is due.
fn next_due(tx: &Tx<'_>, lanes: &[i64], claimer: &Claimer) -> rusqlite::Result<Option<Timestamp>> {
    let mut statement = tx.connection.prepare_cached(sql::lease::NEXT_DUE)?;
    let mut earliest: Option<Timestamp> = None;
    for lane in lanes {
        for rank in claimer.ranks() {
            let values = params![lane, rank, tx.now.as_micros()];
            let due = statement.query_row(values, |found| row::instant(found, 0)).optional()?;
            earliest = earliest.into_iter().chain(due).min();
        }
    }
    Ok(earliest)
}

/// The waiting jobs at these places.
fn meet(tx: &Tx<'_>, seqs: &[i64], claimer: &Claimer) -> rusqlite::Result<Vec<Met>> {
    if seqs.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = tx.connection.prepare_cached(sql::lease::READ_CANDIDATES)?;
    let mut rows = statement.query([array(seqs.iter().copied())])?;
    let mut met = Vec::with_capacity(seqs.len());
    while let Some(found) = rows.next()? {
        let traits = row::traits(found, 14)?;
        let mut job = leased(found, claimer, (tx.lanes, tx.now))?;
        job.settles = reviews::settling(tx.connection, job.id(), traits)?;
        if let (Some(_), Some(terms)) =
            (&job.settles, job.options.as_ref().and_then(|all| all.review.as_ref()))
        {
            job.attempts_max = terms.settle_attempts_max;
        }
        let (seq, priority) = (found.get(0)?, found.get(4)?);
        let place = Place { priority, run_at: job.run_at, order: row::unsigned(found, 0)? };
        met.push(Met { seq, lane: found.get(3)?, place, traits, job });
    }
    Ok(met)
}

fn write(tx: &Tx<'_>, seqs: &[i64], claimer: &Claimer) -> rusqlite::Result<()> {
    if seqs.is_empty() {
        return Ok(());
    }
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
pub(crate) fn array<V: Into<Value>>(values: impl Iterator<Item = V>) -> Array {
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
        priority: row::priority(row, 4, row::traits(row, 14)?)?,
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
        fences: Vec::new(),
        settles: None,
    })
}
