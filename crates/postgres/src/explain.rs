//! Why a job does not run, and when it will.

use std::collections::{BTreeMap, HashMap};

use tokio_postgres::Row;
use uuid::Uuid;
use windlass_core::gate::{GateState, Place};
use windlass_core::limits::{AHEAD_COUNT_MAX, HOLDERS_TOLD_MAX};
use windlass_core::{Gate, GateForm, Job, JobId, JobOptions, JobState, Need, Timestamp, Traits};
use windlass_store::explain::{Facts, GateFacts, Rehearsal, explain as told};
use windlass_store::{Actor, ErrorKind, Explanation, GateHolder, Pause, Scope, StoreError};

use crate::database::{Session, Values};
use crate::error::During;
use crate::gates::{self, Known, Wholes};
use crate::lanes::Lane;
use crate::{Core, row, sql, workers};

/// What gates ask of a job.
struct Asking {
    place: Place,
    needs: Vec<Need>,
}

/// Explains a job.
pub(crate) async fn explain(store: &Core, id: JobId, name: &'static str) -> Result<Explanation, StoreError> {
    let session = store.database.call(name).await?;
    let found = session.query_opt(sql::job::READ, &[&session.now, &id.as_uuid()]).await.during(name)?;
    let found = found.ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))?;
    let (job, now) = (row::job(&found)?, row::instant(&found, 28));
    let wholes = Wholes::read(&session, name).await?;
    let asking = Asking {
        place: gates::place_of(found.get(6), job.run_at, row::unsigned(&found, 26)),
        needs: needs(&wholes, (&job, &job.options)),
    };
    let mut reader = Reader { store, session: &session, name, now };
    let before =
        if job.state == JobState::Ready { reader.before(&job, &asking, &wholes).await? } else { Vec::new() };
    let gates: Vec<&Gate> =
        before.iter().chain([&asking]).flat_map(|one| &one.needs).map(|need| &need.gate).collect();
    let known = reader.known(&gates).await?;
    let mut rehearsal = Rehearsal::default();
    for one in &before {
        let load = |gate: &Gate| {
            Ok::<_, StoreError>(known.get(gate).map_or_else(GateState::default, |known| known.state))
        };
        rehearsal.meet((&one.needs, one.place), now, load)?;
        if rehearsal.is_over() {
            break;
        }
    }
    let facts = Facts {
        place: asking.place,
        pause: reader.pause(&job).await?,
        ahead: rehearsal.ahead(),
        gates: reader.gates(&asking, &known, rehearsal).await?,
        served: reader.is_served(&job).await?,
        parents: reader.parents(id).await?,
        review_since: reader.review_since(&job).await?,
        job,
    };
    Ok(told(&facts, now))
}

fn needs(wholes: &Wholes, (job, options): (&Job, &JobOptions)) -> Vec<Need> {
    let lane = Lane { queue: job.queue.clone(), kind: job.kind.clone(), version: job.version, gated: false };
    let mut needs = wholes.needs(&lane);
    needs.extend(options.needs());
    needs
}

struct Reader<'a> {
    store: &'a Core,
    session: &'a Session,
    name: &'static str,
    now: Timestamp,
}

impl Reader<'_> {
    /// The due jobs of its queue that come before a job.
    async fn before(
        &mut self,
        job: &Job,
        asking: &Asking,
        wholes: &Wholes,
    ) -> Result<Vec<Asking>, StoreError> {
        let (session, place) = (self.session, asking.place);
        let (priority, run_at) = (i16::from(place.priority), crate::value::Instant(place.run_at));
        let limit = i64::try_from(AHEAD_COUNT_MAX).unwrap_or(i64::MAX);
        let seq = place.order.cast_signed();
        let values: Values<'_> = &[&session.now, &job.queue.as_str(), &priority, &run_at, &seq, &limit];
        let rows = session.query(sql::gate::AHEAD, values).await.during(self.name)?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
        let rows = session.query(sql::gate::JOB, &[&ids]).await.during(self.name)?;
        let lanes = rows.iter().map(|row| row.get::<_, i32>(2));
        let lanes = self.store.lanes.names(lanes, &self.store.database, self.name).await?;
        let mut before = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut needs = wholes.needs(&lanes[&row.get::<_, i32>(2)]);
            if row::traits(row, 5).has(Traits::GATED) {
                needs.extend(row::options(row, 6)?.iter().flat_map(|options| options.needs()));
            }
            let place = gates::place_of(row.get(3), row::instant(row, 4), row::unsigned(row, 1));
            before.push(Asking { place, needs });
        }
        before.sort_unstable_by_key(|one| one.place);
        Ok(before)
    }

    /// How gates stand; those of which nothing is known stand open, but for the turns of order keys.
    async fn known(&self, gates: &[&Gate]) -> Result<BTreeMap<Gate, Known>, StoreError> {
        let (forms, names) = gates::columns(gates.iter().copied());
        let rows = self.session.query(sql::gate::LOOK, &[&forms, &names]).await.during(self.name)?;
        let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        let mut known = gates::states(self.session, &ids, self.name).await?;
        for (gate, (first, _)) in self.turns(gates).await? {
            known.entry(gate).or_insert_with(Known::unknown).state.first = Some(first);
        }
        Ok(known)
    }

    /// The first unfinished job of each order key among these gates.
    async fn turns(&self, gates: &[&Gate]) -> Result<HashMap<Gate, (u64, JobId)>, StoreError> {
        let ordered = gates.iter().filter(|gate| gate.form == GateForm::Order);
        let keys: Vec<&str> = ordered.map(|gate| &*gate.name).collect();
        let rows = self.session.query(sql::gate::TURNS, &[&keys]).await.during(self.name)?;
        let turn = |row: &Row| {
            (Gate::new(GateForm::Order, row.get::<_, &str>(0)), (row::unsigned(row, 1), row::job_id(row, 2)))
        };
        Ok(rows.iter().map(turn).collect())
    }

    async fn gates(
        &self,
        asking: &Asking,
        known: &BTreeMap<Gate, Known>,
        mut rehearsal: Rehearsal,
    ) -> Result<Vec<GateFacts>, StoreError> {
        let gates: Vec<&Gate> = asking.needs.iter().map(|need| &need.gate).collect();
        let ids: Vec<i64> = gates.iter().filter_map(|gate| known.get(gate)).map(|known| known.id).collect();
        let limit = i64::try_from(HOLDERS_TOLD_MAX).unwrap_or(i64::MAX);
        let mut holders: HashMap<i64, Vec<GateHolder>> = HashMap::new();
        for row in self.session.query(sql::gate::HOLDERS, &[&ids, &limit]).await.during(self.name)? {
            let holder =
                GateHolder { job: row::job_id(&row, 1), exclusive: row.get(2), since: row::instant(&row, 3) };
            holders.entry(row.get(0)).or_default().push(holder);
        }
        let rows = self.session.query(sql::gate::FIRST_IN_LINE, &[&ids]).await.during(self.name)?;
        let first: HashMap<i64, JobId> = rows.iter().map(|row| (row.get(0), row::job_id(row, 1))).collect();
        let turns = self.turns(&gates).await?;
        let mut facts = Vec::with_capacity(asking.needs.len());
        for need in &asking.needs {
            let known = known.get(&need.gate).cloned().unwrap_or_else(Known::unknown);
            let state = *rehearsal.state(&need.gate, |_| Ok::<_, StoreError>(known.state))?;
            let turn = turns.get(&need.gate).map(|(_, job)| *job);
            facts.push(GateFacts {
                need: need.clone(),
                state,
                holders: holders.remove(&known.id).unwrap_or_default(),
                before: turn.or_else(|| first.get(&known.id).copied()),
            });
        }
        Ok(facts)
    }

    async fn pause(&self, job: &Job) -> Result<Option<Pause>, StoreError> {
        let rows = self.session.query(sql::queue::LIST, &[]).await.during(self.name)?;
        let found = rows.iter().find(|row| row.get::<_, &str>(0) == job.queue.as_str());
        Ok(found.and_then(|row| {
            let since = row::instant_option(row, 1)?;
            let by = Actor {
                name: row.get::<_, Option<String>>(2).unwrap_or_default(),
                why: row.get(3),
                via: None,
            };
            Some(Pause { since, by })
        }))
    }

    /// Whether a live worker takes its queue, kind and version. One that names no kinds takes all of them.
    async fn is_served(&self, job: &Job) -> Result<bool, StoreError> {
        let values: Values<'_> = &[&self.session.now, &0_i64];
        let rows = self.session.query(sql::worker::LIST, values).await.during(self.name)?;
        for row in &rows {
            let worker = workers::worker(row)?;
            let lives = worker.seen_at.after(worker.registered.lease) > self.now;
            if lives && Scope::of_worker(&worker.registered).admits(&job.queue, &job.kind, job.version) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The unfinished jobs that a job waits for.
    async fn parents(&self, id: JobId) -> Result<Vec<JobId>, StoreError> {
        let rows = self.session.query(sql::edge::STANDING, &[&vec![id.as_uuid()]]).await.during(self.name)?;
        let mut parents = Vec::new();
        for row in &rows {
            if !row::stage(row, 3, 0)?.is_final() {
                parents.push(row::job_id(row, 1));
            }
        }
        let keys = self.session.query(sql::unique::WAITED_FOR, &[&id.as_uuid()]).await.during(self.name)?;
        parents.extend(keys.iter().map(|row| row::job_id(row, 0)));
        Ok(parents)
    }

    async fn review_since(&self, job: &Job) -> Result<Option<Timestamp>, StoreError> {
        if job.state != JobState::InReview {
            return Ok(None);
        }
        let found =
            self.session.query_opt(sql::review::SINCE, &[&job.id.as_uuid()]).await.during(self.name)?;
        Ok(found.map(|row| row::instant(&row, 0)))
    }
}
