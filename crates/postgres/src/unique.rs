//! Unique keys: who has each, and what follows when they are asked for.
//!
//! The insert of a key's row decides who has it. Who finds it taken reads what is there, asks the rules of the port, and writes
//! what they say where nothing has changed meanwhile; else the transaction is begun again. Jobs are locked before keys that were
//! there before, both in their order, so nobody waits in a circle.

mod door;
mod key;
mod passing;
mod state;
mod writing;

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;
use windlass_core::limits::ANSWER_KEPT;
use windlass_core::{JobId, NewJob, Timestamp, UniqueKey};
use windlass_store::rules::flows::missing_parent;
use windlass_store::unique::{Hold, KeyRow, KeyState, Plan, outcome_from_number, plan, stand_in};
use windlass_store::{Enqueued, ErrorKind, StoreError};

pub(crate) use door::{Door, Lent, Own};
pub(crate) use key::Rows;
pub(crate) use passing::{ended, forget, removed, retake};
use writing::Writing;

use crate::database::Session;
use crate::floors;
use crate::flows::is_linked;
use crate::tries::Tries;
use crate::workers::micros;
use crate::{Core, row, sql};

/// What became of one go at a batch.
enum Attempted {
    /// It is written; the transaction's to commit.
    Done(Written),
    /// Somebody else changed what it was about.
    Again,
    /// A lane is missing that these jobs are for.
    Lanes(Vec<NewJob>),
}

/// What was written.
struct Written {
    answers: Vec<Enqueued>,
    /// Whether a job may be due before those that were claimed last.
    early: bool,
}

/// Whether some job of these asks for a key.
pub(crate) fn is_asked_for(jobs: &[NewJob]) -> bool {
    jobs.iter().any(|job| job.options.unique.is_some())
}

/// Makes jobs known of which some ask for a key, in a transaction of ours.
pub(crate) async fn enqueue(
    core: &Core,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    let mut tries = Tries::new(&core.database, name);
    loop {
        let mut missing = Vec::new();
        let transaction = tries.begin().await?;
        let outcome = write_within(core, &transaction, (jobs, &mut missing), name).await;
        if let Some(answer) = tries.end(transaction, outcome).await {
            let written = answer?;
            if written.early {
                core.floors.forget();
            }
            core.hint_work();
            return Ok(written.answers);
        }
        core.lanes.ensure(&missing, &core.database, name).await?;
    }
}

/// Makes jobs known of which some ask for a key, in a transaction of the caller. It cannot be begun again, so what lanes are
/// missing is made beside it.
pub(crate) async fn enqueue_lent(
    core: &Core,
    door: &mut impl Door,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    match attempt(core, door, jobs, name).await? {
        Attempted::Done(written) => Ok(written.answers),
        Attempted::Again | Attempted::Lanes(_) => Err(StoreError::new(name, ErrorKind::Conflict)
            .with_detail("someone else changed who has the unique key; roll back and begin again")),
    }
}

/// The same in a transaction of ours that does more than this: where lanes are missing, it is for the caller to make them and to
/// begin again.
pub(crate) async fn enqueue_within(
    core: &Core,
    session: &Session,
    (jobs, missing): (&[NewJob], &mut Vec<NewJob>),
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    write_within(core, session, (jobs, missing), name).await.map(|written| written.answers)
}

async fn write_within(
    core: &Core,
    session: &Session,
    (jobs, missing): (&[NewJob], &mut Vec<NewJob>),
    name: &'static str,
) -> Result<Written, StoreError> {
    match attempt(core, &mut Own { session, name }, jobs, name).await? {
        Attempted::Done(written) => return Ok(written),
        Attempted::Lanes(jobs) => *missing = jobs,
        Attempted::Again => {}
    }
    Err(StoreError::new(name, ErrorKind::Conflict)
        .with_detail("others kept changing who has the unique key; ask again"))
}

/// One go at a batch. Refuses before it writes anything but rows of keys.
async fn attempt(
    core: &Core,
    door: &mut impl Door,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Attempted, StoreError> {
    check_parents(door, jobs).await?;
    let known = known(door, jobs).await?;
    let asking = asking(jobs, &known);
    let (taken, at) = take(door, &asking).await?;
    let Some((now, states)) = states(door, &asking, (&taken, at)).await? else { return Ok(Attempted::Again) };
    let plan = plan(jobs, &known, states, now).map_err(|refused| refused.error(name, jobs.len()))?;
    let mut jobs = jobs.to_vec();
    stand_in(&mut jobs, &plan).map_err(|invalid| StoreError::invalid(name, invalid))?;
    // What stands for a parent may be gone.
    check_parents(door, &jobs).await?;
    let needed: Vec<NewJob> = needed(&plan, &jobs).cloned().collect();
    let lanes = if let Some(lanes) = core.lanes.find(&needed) {
        lanes
    } else {
        if !door.is_lent() {
            // Whoever has a connection must not wait for another one.
            return Ok(Attempted::Lanes(needed));
        }
        core.lanes.ensure(&needed, &core.database, name).await?
    };
    let mut writing = Writing { door, jobs: &jobs, plan: &plan, taken: &taken, now };
    if !writing.write(&lanes).await? {
        return Ok(Attempted::Again);
    }
    let mut run_at = plan.made.iter().filter_map(|made| made.run_at);
    let early = !plan.changed.is_empty() || run_at.any(|run_at| floors::may_be_passed(run_at, now));
    Ok(Attempted::Done(Written { answers: plan.answers, early }))
}

/// Refuses a batch in which a job is to wait for one that is nowhere, also where another job stands for the one that waits.
async fn check_parents(door: &mut impl Door, jobs: &[NewJob]) -> Result<(), StoreError> {
    if !is_linked(jobs) {
        return Ok(());
    }
    let parents = jobs.iter().flat_map(|job| &job.after).map(|edge| edge.parent);
    let named: HashSet<Uuid> = parents.chain(jobs.iter().map(|job| job.id)).map(|id| id.as_uuid()).collect();
    let named: Vec<Uuid> = named.into_iter().collect();
    let there: HashSet<Uuid> = door.ids(sql::job::KNOWN, &[&named]).await?.into_iter().collect();
    let is_there = |id: JobId| there.contains(&id.as_uuid());
    missing_parent(jobs, |id| !is_there(id), is_there).map_or(Ok(()), Err)
}

/// The jobs whose lanes are needed, those to be made first.
fn needed<'a>(plan: &'a Plan, jobs: &'a [NewJob]) -> impl Iterator<Item = &'a NewJob> {
    let made = plan.made.iter().map(|made| &jobs[made.place]);
    made.chain(plan.changed.iter().map(|change| &jobs[change.place]))
}

/// What was answered to those of these jobs that were enqueued before.
async fn known(door: &mut impl Door, jobs: &[NewJob]) -> Result<HashMap<JobId, Enqueued>, StoreError> {
    let asked: HashMap<Uuid, bool> = jobs
        .iter()
        .filter(|job| !job.drawn)
        .map(|job| (job.id.as_uuid(), job.options.unique.is_some()))
        .collect();
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let (now, ids, kept): (_, Vec<Uuid>, _) =
        (door.now(), asked.keys().copied().collect(), micros(ANSWER_KEPT));
    let mut known = HashMap::new();
    for said in door.texts(sql::unique::KNOWN, &[&now, &ids, &kept]).await? {
        let (id, stands, outcome): (Uuid, Uuid, i64) = state::parsed(&said)?;
        let outcome = outcome_from_number(outcome).ok_or_else(|| row::damaged(&said))?;
        let answer = Enqueued { id: JobId::from_uuid(stands), outcome, repeated: true };
        // A job that is there says more than what was answered before it was.
        if id == stands || asked[&id] {
            known.entry(JobId::from_uuid(id)).or_insert(answer);
        }
    }
    Ok(known)
}

/// The first job that asks for each key, but for jobs that are known.
fn asking<'a>(jobs: &'a [NewJob], known: &HashMap<JobId, Enqueued>) -> BTreeMap<UniqueKey, &'a NewJob> {
    let mut asking = BTreeMap::new();
    for job in jobs.iter().filter(|job| !known.contains_key(&job.id)) {
        if let Some(key) = job.unique_key() {
            asking.entry(key).or_insert(job);
        }
    }
    asking
}

/// Takes the keys that nobody has, for the first who asks for each. Those that were taken, as they are written, and when.
async fn take(
    door: &mut impl Door,
    asking: &BTreeMap<UniqueKey, &NewJob>,
) -> Result<(HashMap<UniqueKey, KeyRow>, Timestamp), StoreError> {
    let (mut taken, mut at) = (HashMap::new(), Timestamp::MIN);
    if asking.is_empty() {
        return Ok((taken, at));
    }
    let keys: Vec<&[u8]> = asking.keys().map(|key| key.as_bytes().as_slice()).collect();
    let jobs: Vec<Uuid> = asking.values().map(|job| job.id.as_uuid()).collect();
    let first = |job: &NewJob| {
        let unique = job.options.unique.as_ref();
        let hold = unique.map_or(Hold::Active, |unique| Hold::of(unique.scope));
        let until = unique.and_then(|unique| unique.until(Timestamp::MIN));
        (hold, until)
    };
    let rows: Vec<(Hold, Option<Timestamp>)> = asking.values().map(|job| first(job)).collect();
    let holds: Vec<i16> = rows.iter().map(|(hold, _)| hold.as_number().into()).collect();
    let spans: Vec<Option<i64>> =
        rows.iter().map(|(_, until)| until.map(|until| micros(until.since(Timestamp::MIN)))).collect();
    let now = door.now();
    for said in door.texts(sql::unique::TAKE, &[&now, &keys, &jobs, &holds, &spans]).await? {
        let (key, taken_at) = key::parse_taken(&said)?;
        at = taken_at;
        let job = asking.get(&key).ok_or_else(|| row::damaged(&said))?;
        let (hold, until) = first(job);
        taken.insert(key, KeyRow { job: job.id, hold, until, next: None, free_at: None });
    }
    Ok((taken, at))
}

/// What there is of the keys that others have, and the time, which is `at` where nobody has any; none if that has changed since
/// they were asked for.
async fn states(
    door: &mut impl Door,
    asking: &BTreeMap<UniqueKey, &NewJob>,
    (taken, mut at): (&HashMap<UniqueKey, KeyRow>, Timestamp),
) -> Result<Option<(Timestamp, HashMap<UniqueKey, KeyState>)>, StoreError> {
    let mut states = HashMap::new();
    let others = asking.keys().filter(|key| !taken.contains_key(key));
    let others: Vec<&[u8]> = others.map(|key| key.as_bytes().as_slice()).collect();
    if others.is_empty() {
        return Ok(Some((at, states)));
    }
    let now = door.now();
    for said in door.texts(sql::unique::STATES, &[&now, &others]).await? {
        let (key, state, read_at) = state::read(&said)?;
        at = read_at;
        // Let go of since, or the very job that asks: somebody else has just enqueued it.
        let Some(state) = state.filter(|state| asking.get(&key).is_some_and(|job| job.id != state.row.job))
        else {
            return Ok(None);
        };
        states.insert(key, state);
    }
    Ok(Some((at, states)))
}
