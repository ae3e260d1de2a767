//! What a batch does to the keys that it asks for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use windlass_core::{Invalid, JobId, NewJob, OnConflict, Reason, Stage, Timestamp, Unique, UniqueKey};

use super::{Change, Hold, Kept, KeyRow, KeyState, KeyWrite, Made, Plan, Refused, given_traits, reason};
use crate::rules::flows::check_edges;
use crate::{EnqueueOutcome, Enqueued};

/// Works out what a batch does, one job after the other: what the first of two does, the second meets.
///
/// `known` are the answers to ids that were enqueued before, `keys` those keys of the batch that are taken.
///
/// # Errors
///
/// [`Refused`]: a job that asked to be refused met another. Nothing of the batch is done then.
#[expect(clippy::implicit_hasher, reason = "only stores call it, with maps of the default kind")]
pub fn plan(
    jobs: &[NewJob],
    known: &HashMap<JobId, Enqueued>,
    keys: HashMap<UniqueKey, KeyState>,
    now: Timestamp,
) -> Result<Plan, Refused> {
    let before = keys.iter().map(|(key, state)| (*key, state.row)).collect();
    let mut planning = Planning {
        before,
        keys,
        written: BTreeSet::new(),
        now,
        plan: Plan::default(),
        changed: BTreeMap::new(),
    };
    for (place, job) in jobs.iter().enumerate() {
        let answer = match known.get(&job.id) {
            Some(answer) => *answer,
            None => planning.admit(place, job)?,
        };
        planning.plan.answers.push(answer);
    }
    Ok(planning.done())
}

struct Planning {
    before: HashMap<UniqueKey, KeyRow>,
    keys: HashMap<UniqueKey, KeyState>,
    written: BTreeSet<UniqueKey>,
    now: Timestamp,
    plan: Plan,
    changed: BTreeMap<JobId, Change>,
}

impl Planning {
    fn admit(&mut self, place: usize, job: &NewJob) -> Result<Enqueued, Refused> {
        let Some((unique, key)) = job.options.unique.as_ref().zip(job.unique_key()) else {
            self.plan.made.push(Made { place, parked: false, run_at: None, reason: None });
            return Ok(made(job.id));
        };
        let met = self.keys.get(&key).copied().filter(|state| state.blocks(self.now));
        let Some(state) = met else {
            self.take(place, job, (unique, key), None);
            return Ok(made(job.id));
        };
        let answer = match unique.on_conflict {
            OnConflict::Existing => found(state.row.job, EnqueueOutcome::Existing),
            OnConflict::Reject => return Err(Refused { place, holder: state.row.job }),
            _ => return Ok(self.replace(place, job, (unique, key), state)),
        };
        self.remember(place, job);
        Ok(answer)
    }

    /// Gives what `job` asks for to the one that waits with its key, be it the holder or the next; or makes it the next.
    #[expect(clippy::too_many_arguments, reason = "one step of a statement, called from one place or two")]
    fn replace(
        &mut self,
        place: usize,
        job: &NewJob,
        (unique, key): (&Unique, UniqueKey),
        mut state: KeyState,
    ) -> Enqueued {
        let holder = match (state.row.hold, state.holder) {
            (Hold::Over, _) | (_, None) => {
                // It has ended, and the key is kept: the new one has it, and is due when the time is over.
                self.take(place, job, (unique, key), state.row.until);
                return made(job.id);
            }
            (_, Some(holder)) => holder,
        };
        if holder.may_change() {
            let id = state.row.job;
            state.row.hold = Hold::of(unique.scope);
            state.row.until = unique.until(holder.created_at);
            self.change(place, job, unique, (id, holder, state.row.free_at));
            state.holder = Some(given(holder, job));
            self.write(key, state);
            return found(id, EnqueueOutcome::Replaced);
        }
        if let Some((id, next)) = state.row.next.zip(state.next) {
            self.change(place, job, unique, (id, next, None));
            state.next = Some(given(next, job));
            self.write(key, state);
            return found(id, EnqueueOutcome::Replaced);
        }
        let run_at = self.debounced(unique, self.now);
        self.plan.made.push(Made { place, parked: true, run_at, reason: Some(Reason::Dependency) });
        let next = Kept { stage: Stage::Blocked, ..self.fresh(job) };
        (state.row.next, state.next) = (Some(job.id), Some(next));
        self.write(key, state);
        made(job.id)
    }

    /// Makes a job that has the key from now on, and is not due before `free_at`.
    #[expect(clippy::too_many_arguments, reason = "one step of a statement, called from one place or two")]
    fn take(
        &mut self,
        place: usize,
        job: &NewJob,
        (unique, key): (&Unique, UniqueKey),
        free_at: Option<Timestamp>,
    ) {
        let free_at = free_at.filter(|free_at| self.now < *free_at);
        let debounced = self.debounced(unique, self.now);
        let asked = debounced.unwrap_or_else(|| job.due.instant(self.now));
        let run_at = match (debounced, free_at) {
            (None, None) => None,
            _ => Some(free_at.map_or(asked, |free_at| asked.max(free_at))),
        };
        self.plan.made.push(Made { place, parked: false, run_at, reason: reason(unique) });
        self.write(key, KeyState::taken(job.id, unique, (self.fresh(job), free_at)));
    }

    #[expect(clippy::too_many_arguments, reason = "one step of a statement, called from one place or two")]
    fn change(
        &mut self,
        place: usize,
        job: &NewJob,
        unique: &Unique,
        (id, kept, free_at): (JobId, Kept, Option<Timestamp>),
    ) {
        let asked = self.debounced(unique, kept.created_at).unwrap_or_else(|| job.due.instant(self.now));
        let run_at = free_at.map_or(asked, |free_at| asked.max(free_at));
        let reason = if kept.stage == Stage::Blocked { Some(Reason::Dependency) } else { reason(unique) };
        let times = self.changed.get(&id).map_or(0, |change| change.times) + 1;
        self.changed
            .insert(id, Change { id, place, run_at, reason, times, stage: kept.stage, traits: kept.traits });
        self.remember(place, job);
    }

    /// When a debounced job is due that was first enqueued at `first`.
    fn debounced(&self, unique: &Unique, first: Timestamp) -> Option<Timestamp> {
        match unique.on_conflict {
            OnConflict::Debounce { delay, max_wait } => {
                Some(self.now.after(delay).min(first.after(max_wait)))
            }
            _ => None,
        }
    }

    /// Keeps what is answered to a job that is not made. Nobody asks again for an id that was drawn for one call.
    fn remember(&mut self, place: usize, job: &NewJob) {
        if !job.drawn {
            self.plan.answered.push(place);
        }
    }

    fn write(&mut self, key: UniqueKey, state: KeyState) {
        self.keys.insert(key, state);
        self.written.insert(key);
    }

    fn fresh(&self, job: &NewJob) -> Kept {
        let stage = if job.after.is_empty() { Stage::Waiting } else { Stage::Blocked };
        Kept { stage, started: false, traits: job.traits(), created_at: self.now }
    }

    fn done(self) -> Plan {
        let Self { before, keys, written, mut plan, changed, .. } = self;
        plan.changed = changed.into_values().collect();
        let write = |key: UniqueKey| {
            let row = keys.get(&key)?.row;
            Some(KeyWrite { key, before: before.get(&key).copied(), row })
        };
        plan.keys = written.into_iter().filter_map(write).collect();
        plan
    }
}

/// What is known of a job once it is given what another asked for.
fn given(kept: Kept, job: &NewJob) -> Kept {
    Kept { traits: given_traits(kept.traits, job.traits()), ..kept }
}

pub(super) const fn made(id: JobId) -> Enqueued {
    Enqueued { id, outcome: EnqueueOutcome::Created, repeated: false }
}

pub(super) const fn found(id: JobId, outcome: EnqueueOutcome) -> Enqueued {
    Enqueued { id, outcome, repeated: false }
}

/// Lets the jobs of a batch wait for those that stand for others of it, which were not made.
///
/// # Errors
///
/// [`Invalid`] with the edges that lead round in a circle then.
pub fn stand_in(jobs: &mut [NewJob], plan: &Plan) -> Result<(), Invalid> {
    let answers = jobs.iter().zip(&plan.answers);
    let others = answers.filter(|(job, answer)| job.id != answer.id).map(|(job, answer)| (job.id, answer.id));
    let others: HashMap<JobId, JobId> = others.collect();
    if others.is_empty() {
        return Ok(());
    }
    for edge in jobs.iter_mut().flat_map(|job| &mut job.after) {
        edge.parent = others.get(&edge.parent).copied().unwrap_or(edge.parent);
    }
    check_edges(jobs)
}
