//! Why a job does not run, and when it will.

use rusqlite::{Connection, OptionalExtension, params};
use windlass_core::gate::Place;
use windlass_core::limits::{AHEAD_COUNT_MAX, HOLDERS_TOLD_MAX};
use windlass_core::{Gate, GateForm, Job, JobId, JobState, Need, QueueName, Stage, Timestamp};
use windlass_store::explain::{Facts, GateFacts, Rehearsal, explain as told};
use windlass_store::rules::past;
use windlass_store::{Actor, Explanation, GateHolder, Pause, Scope};

use crate::gates::{self, Candidate, Wholes};
use crate::lanes::Lane;
use crate::{row, sql, unique, workers};

/// Explains a job, if there is one.
pub(crate) fn explain(
    connection: &Connection,
    id: JobId,
    now: Timestamp,
) -> rusqlite::Result<Option<Explanation>> {
    let read = |found: &rusqlite::Row<'_>| Ok((row::job(found, now)?, found.get::<_, i64>(25)?));
    let found = connection.prepare_cached(sql::job::READ)?.query_row([id.as_bytes()], read).optional()?;
    let Some((job, seq)) = found else { return Ok(None) };
    let wholes = Wholes::read(connection)?;
    let lane = Lane { queue: job.queue.clone(), kind: job.kind.clone(), version: job.version };
    let candidate = gates::candidate(connection, seq, wholes.needs(&lane))?;
    let mut rehearsal = Rehearsal::default();
    if job.state == JobState::Ready {
        rehearse(connection, (&candidate, &job.queue), (&wholes, now), &mut rehearsal)?;
    }
    let facts = Facts {
        place: candidate.place,
        pause: pause_of(connection, &job.queue)?,
        ahead: rehearsal.ahead(),
        gates: gates_of(connection, &candidate, rehearsal)?,
        served: is_served(connection, &job, now)?,
        parents: unfinished_parents(connection, id)?,
        review_since: review_since(connection, &job)?,
        job,
    };
    Ok(Some(told(&facts, now)))
}

/// Goes through the jobs of its queue that come before a job.
fn rehearse(
    connection: &Connection,
    (candidate, queue): (&Candidate, &QueueName),
    (wholes, now): (&Wholes, Timestamp),
    rehearsal: &mut Rehearsal,
) -> rusqlite::Result<()> {
    let lanes = lanes_of(connection, queue)?;
    let mut before: Vec<(Place, i64)> = Vec::new();
    for (index, (id, _)) in lanes.iter().enumerate() {
        for place in ahead(connection, *id, (candidate.place, now))? {
            before.push((place, index.try_into().unwrap_or(i64::MAX)));
        }
    }
    before.sort_unstable();
    for (place, index) in before {
        let lane = &lanes[usize::try_from(index).unwrap_or(0)].1;
        let seq = place.order.cast_signed();
        let deadline = connection
            .prepare_cached(sql::gate::JOB)?
            .query_row([seq], |found| row::instant_option(found, 4))?;
        if past(deadline, now) {
            continue;
        }
        let met = gates::candidate(connection, seq, wholes.needs(lane))?;
        rehearsal
            .meet((&met.needs, place), now, |gate| gates::look(connection, gate).map(|known| known.state))?;
        if rehearsal.is_over() {
            break;
        }
    }
    Ok(())
}

/// The due jobs of a lane that come before a place: those in the sight of claims, and those that a claim would call first.
fn ahead(
    connection: &Connection,
    lane: i64,
    (before, now): (Place, Timestamp),
) -> rusqlite::Result<Vec<Place>> {
    let place = |found: &rusqlite::Row<'_>| {
        Ok(Place {
            priority: found.get(0)?,
            run_at: row::instant(found, 1)?,
            order: row::unsigned(found, 2)?,
        })
    };
    let (run_at, order) = (before.run_at.as_micros(), before.order.cast_signed());
    let values = params![lane, now.as_micros(), before.priority, run_at, order, AHEAD_COUNT_MAX];
    let mut statement = connection.prepare_cached(sql::gate::AHEAD)?;
    let mut places: Vec<Place> = statement.query_map(values, place)?.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare_cached(sql::gate::OPENED)?;
    for opened in statement.query_map(params![now.as_micros(), lane], place)? {
        places.push(opened?);
    }
    places.retain(|place| *place < before);
    Ok(places)
}

fn lanes_of(connection: &Connection, queue: &QueueName) -> rusqlite::Result<Vec<(i64, Lane)>> {
    let mut statement = connection.prepare_cached(sql::lane::NEWER)?;
    let lanes = statement.query_map([0], |found| {
        Ok((
            found.get(0)?,
            Lane { queue: row::name(found, 1)?, kind: row::name(found, 2)?, version: found.get(3)? },
        ))
    })?;
    let mut lanes: Vec<(i64, Lane)> = lanes.collect::<Result<_, _>>()?;
    lanes.retain(|(_, lane)| lane.queue == *queue);
    Ok(lanes)
}

fn gates_of(
    connection: &Connection,
    candidate: &Candidate,
    mut rehearsal: Rehearsal,
) -> rusqlite::Result<Vec<GateFacts>> {
    let facts = |need: &Need| {
        let known = gates::look(connection, &need.gate)?;
        let state = *rehearsal.state(&need.gate, |_| Ok::<_, rusqlite::Error>(known.state))?;
        let holders = known.id.map_or(Ok(Vec::new()), |id| holders(connection, id))?;
        Ok(GateFacts {
            need: need.clone(),
            state,
            holders,
            before: before(connection, &need.gate, known.id)?,
        })
    };
    candidate.needs.iter().map(facts).collect()
}

fn holders(connection: &Connection, gate: i64) -> rusqlite::Result<Vec<GateHolder>> {
    let mut statement = connection.prepare_cached(sql::gate::HOLDERS)?;
    let holders = statement.query_map(params![gate, HOLDERS_TOLD_MAX], |found| {
        Ok(GateHolder {
            job: row::job_id(found, 0)?,
            exclusive: found.get(1)?,
            since: row::instant(found, 2)?,
        })
    })?;
    holders.collect()
}

/// The job that comes before others at a gate.
fn before(connection: &Connection, gate: &Gate, id: Option<i64>) -> rusqlite::Result<Option<JobId>> {
    if gate.form == GateForm::Order {
        let mut statement = connection.prepare_cached(sql::gate::TURN)?;
        return statement.query_row([&*gate.name], |found| row::job_id(found, 1)).optional();
    }
    let Some(id) = id else { return Ok(None) };
    let mut statement = connection.prepare_cached(sql::gate::FIRST_IN_LINE)?;
    statement.query_row([id], |found| row::job_id(found, 0)).optional()
}

/// Whether a live worker takes its queue, kind and version. One that names no kinds takes all of them.
fn is_served(connection: &Connection, job: &Job, now: Timestamp) -> rusqlite::Result<bool> {
    let workers = workers::list(connection, Timestamp::MAX)?;
    let live = workers.iter().filter(|worker| worker.seen_at.after(worker.registered.lease) > now);
    Ok(live
        .into_iter()
        .any(|worker| Scope::of_worker(&worker.registered).admits(&job.queue, &job.kind, job.version)))
}

fn pause_of(connection: &Connection, queue: &QueueName) -> rusqlite::Result<Option<Pause>> {
    let mut statement = connection.prepare_cached(sql::queue::LIST)?;
    let mut rows = statement.query([])?;
    while let Some(found) = rows.next()? {
        if found.get_ref(0)?.as_str()? == queue.as_str() {
            let Some(since) = row::instant_option(found, 1)? else { return Ok(None) };
            return Ok(Some(Pause {
                since,
                by: Actor { name: found.get(2)?, why: found.get(3)?, via: None },
            }));
        }
    }
    Ok(None)
}

/// The unfinished jobs that a job waits for.
fn unfinished_parents(connection: &Connection, id: JobId) -> rusqlite::Result<Vec<JobId>> {
    let mut statement = connection.prepare_cached(sql::edge::STANDING)?;
    let parents =
        statement.query_map([id.as_bytes()], |found| Ok((row::job_id(found, 0)?, row::stage(found, 2)?)))?;
    let parents: Vec<(JobId, Stage)> = parents.collect::<Result<_, _>>()?;
    let unfinished = parents.into_iter().filter(|(_, stage)| !stage.is_final()).map(|(id, _)| id);
    Ok(unfinished.chain(unique::has_key_for(connection, id)?).collect())
}

fn review_since(connection: &Connection, job: &Job) -> rusqlite::Result<Option<Timestamp>> {
    if job.state != JobState::InReview {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(sql::review::SINCE)?;
    statement.query_row([job.id.as_bytes()], |found| row::instant(found, 0)).optional()
}
