//! What every store decides alike where unique keys meet.
//!
//! A store keeps a row for each key that is taken: [`KeyRow`]. Whoever enqueues reads the rows of its batch, asks
//! [`plan`] what comes of it, and writes that down, all in one transaction in which nobody else takes one of those keys;
//! that no key has two rows is the schema's to hold. Whatever ends a job asks [`let_go`]. Nothing here reads or writes
//! anything.
//!
//! A job that was started keeps its row, even where its scope is `waiting` and the key is free from then on: whether it
//! was started is told by its own row, so a claim need not touch a key.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use windlass_core::limits::ANSWER_KEPT;
use windlass_core::{
    Invalid, JobId, NewJob, OnConflict, Reason, Stage, Timestamp, Traits, Unique, UniqueKey, UniqueScope,
};

use crate::rules::flows::check_edges;
use crate::{EnqueueOutcome, Enqueued, ErrorKind, StoreError};

/// How long the job that has a key stands in the way of others, as far as its scope goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// No longer: it has ended. What is left is the time that the key is to be kept in any case.
    Over = 0,
    /// Until it is started.
    Waiting = 1,
    /// Until it is final.
    Active = 2,
}

impl Hold {
    /// The number stores keep.
    #[must_use]
    pub const fn as_number(self) -> u8 {
        self as u8
    }

    /// What stores keep as `number`, if there is such a thing.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Over, Self::Waiting, Self::Active]
            .into_iter()
            .find(|hold| i64::from(hold.as_number()) == number)
    }

    /// How long a job of this scope has its key.
    #[must_use]
    pub const fn of(scope: UniqueScope) -> Self {
        match scope {
            UniqueScope::Waiting => Self::Waiting,
            _ => Self::Active,
        }
    }
}

/// What a store keeps of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRow {
    /// The job that has it. Unfinished, unless its hold is over.
    pub job: JobId,
    /// How long it has it.
    pub hold: Hold,
    /// Until when it has it in any case.
    pub until: Option<Timestamp>,
    /// The job that waits until this one has ended, to have the key then. It is parked: `blocked`, and claimed by nobody.
    pub next: Option<JobId>,
    /// Before when the job must not be due, as the key was kept until then by the one before it.
    pub free_at: Option<Timestamp>,
}

/// What has to be known of an unfinished job that has a key, or waits for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its stage.
    pub stage: Stage,
    /// Whether it was ever started.
    pub started: bool,
    /// What it uses.
    pub traits: Traits,
    /// When it was enqueued.
    pub created_at: Timestamp,
}

impl Kept {
    /// Whether what it was asked for may still be changed.
    const fn may_change(&self) -> bool {
        !self.started
            && matches!(self.stage, Stage::Waiting | Stage::Blocked)
            && !self.traits.has(Traits::IRREPLACEABLE)
    }
}

/// A key that is taken, and what is known of those it names; nothing where they have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyState {
    /// The row.
    pub row: KeyRow,
    /// The job that has it.
    pub holder: Option<Kept>,
    /// The job that waits for it.
    pub next: Option<Kept>,
}

impl KeyState {
    /// The key of a job that is just made, or takes it over.
    fn taken(job: JobId, unique: &Unique, (kept, free_at): (Kept, Option<Timestamp>)) -> Self {
        let (hold, until) = (Hold::of(unique.scope), unique.until(kept.created_at));
        Self { row: KeyRow { job, hold, until, next: None, free_at }, holder: Some(kept), next: None }
    }

    /// Whether whoever comes at `now` with the same key meets a job that stands in its way.
    #[must_use]
    pub fn blocks(&self, now: Timestamp) -> bool {
        let holds = match (self.row.hold, self.holder) {
            (Hold::Over, _) | (_, None) => false,
            (Hold::Waiting, Some(kept)) => !kept.started && !kept.stage.is_final(),
            (Hold::Active, Some(kept)) => !kept.stage.is_final(),
        };
        holds || self.is_kept(now)
    }

    fn is_kept(&self, now: Timestamp) -> bool {
        self.row.until.is_some_and(|until| now < until)
    }
}

/// A job to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Where it stands in the batch.
    pub place: usize,
    /// Whether it waits for the end of another: `blocked`, for the reason `dependency`.
    pub parked: bool,
    /// When it is due, if not when it was asked for.
    pub run_at: Option<Timestamp>,
    /// Why it waits until then, if there is something to say.
    pub reason: Option<Reason>,
}

/// A job that is given what another asked for. Everything that was asked for is replaced; its id, its stage and its place
/// in the enqueue order stay, and so do the traits that others gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The job.
    pub id: JobId,
    /// Where the last one stands in the batch whose wishes it is given.
    pub place: usize,
    /// When it is due.
    pub run_at: Timestamp,
    /// Why it waits until then.
    pub reason: Option<Reason>,
    /// How often it was changed by this batch: by so much its revision rises.
    pub times: u64,
    /// The stage it is at.
    pub stage: Stage,
    /// The traits it had before.
    pub traits: Traits,
}

impl Change {
    /// The traits that go with what is asked for. The others are given by those who need the job.
    pub const ASKED: Traits = Traits::BYTES.and(Traits::UNIQUE).and(Traits::NOTIFIES);

    /// The traits it has from now on, `asked` being those of the job whose wishes it is given.
    #[must_use]
    pub fn traits(&self, asked: Traits) -> Traits {
        given_traits(self.traits, asked)
    }
}

/// A row of a key to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyWrite {
    /// The key.
    pub key: UniqueKey,
    /// Its row when it was read; none if there was none. If that has changed, the plan is void.
    pub before: Option<KeyRow>,
    /// The row.
    pub row: KeyRow,
}

/// What a batch does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The answers, in the order of the batch.
    pub answers: Vec<Enqueued>,
    /// Jobs to be made, in the order of the batch.
    pub made: Vec<Made>,
    /// Jobs to be changed, once those are made.
    pub changed: Vec<Change>,
    /// Rows of keys to be written, in the order of the keys.
    pub keys: Vec<KeyWrite>,
    /// Ids of jobs that were not made, with the places of what they are answered: to be remembered for
    /// [`ANSWER_KEPT`], so that whoever asks again is answered the same.
    pub answered: Vec<usize>,
}

/// A job that was refused, as another has its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Where it stands in the batch.
    pub place: usize,
    /// The job that has its key.
    pub holder: JobId,
}

impl Refused {
    /// The refusal of the whole batch.
    #[must_use]
    pub fn error(self, operation: &'static str, jobs: usize) -> StoreError {
        let Self { place, holder } = self;
        let error = StoreError::new(operation, ErrorKind::Duplicate(holder));
        if jobs == 1 {
            return error;
        }
        error.with_detail(format!("jobs[{place}].unique: job {holder} has its unique key"))
    }
}

/// What was answered at `at` to a job that was not made, as long as that is remembered at `now`.
#[must_use]
pub fn remembered(job: JobId, outcome: EnqueueOutcome, at: Timestamp, now: Timestamp) -> Option<Enqueued> {
    (now < at.after(ANSWER_KEPT)).then_some(Enqueued { id: job, outcome, repeated: true })
}

/// The number that stores keep of what was answered to a job that was not made.
#[must_use]
pub const fn outcome_number(outcome: EnqueueOutcome) -> u8 {
    match outcome {
        EnqueueOutcome::Created => 0,
        EnqueueOutcome::Existing => 1,
        EnqueueOutcome::Replaced => 2,
    }
}

/// The outcome that stores keep as `number`, if there is one.
#[must_use]
pub const fn outcome_from_number(number: i64) -> Option<EnqueueOutcome> {
    match number {
        0 => Some(EnqueueOutcome::Created),
        1 => Some(EnqueueOutcome::Existing),
        2 => Some(EnqueueOutcome::Replaced),
        _ => None,
    }
}

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

fn given_traits(before: Traits, asked: Traits) -> Traits {
    before.without(Change::ASKED) | asked
}

const fn reason(unique: &Unique) -> Option<Reason> {
    match unique.on_conflict {
        OnConflict::Debounce { .. } => Some(Reason::Debounce),
        _ => None,
    }
}

const fn made(id: JobId) -> Enqueued {
    Enqueued { id, outcome: EnqueueOutcome::Created, repeated: false }
}

const fn found(id: JobId, outcome: EnqueueOutcome) -> Enqueued {
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

/// A job that waits until another has ended, to have its key then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextInLine {
    /// The job.
    pub id: JobId,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it is due.
    pub run_at: Timestamp,
    /// What it asked for.
    pub unique: Unique,
}

/// What becomes of a key when a job ends that its row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetGo {
    /// Nobody has it any more: the row is removed.
    Free,
    /// The row is written.
    Kept(KeyRow),
    /// The next job has it. It may run from `run_at` on.
    Passed {
        /// The row is written.
        row: KeyRow,
        /// When the next job is due.
        run_at: Timestamp,
        /// Why it waits until then.
        reason: Option<Reason>,
    },
}

/// Lets go of a key, as `ended` has ended at `now`, which the row names; `next` is the job that waits for it, if there is one.
///
/// A job that is removed by hand keeps nothing: its row is asked for with no `until`.
#[must_use]
pub fn let_go(row: &KeyRow, ended: JobId, next: Option<&NextInLine>, now: Timestamp) -> LetGo {
    if row.job != ended {
        let next = row.next.filter(|next| *next != ended);
        return LetGo::Kept(KeyRow { next, ..*row });
    }
    let kept_until = row.until.filter(|until| now < *until);
    let Some(next) = next else {
        return match kept_until {
            Some(_) => LetGo::Kept(KeyRow { hold: Hold::Over, next: None, free_at: None, ..*row }),
            None => LetGo::Free,
        };
    };
    let row = KeyRow {
        job: next.id,
        hold: Hold::of(next.unique.scope),
        until: next.unique.until(next.created_at),
        next: None,
        free_at: kept_until,
    };
    let run_at = kept_until.map_or(next.run_at, |free_at| next.run_at.max(free_at));
    LetGo::Passed { row, run_at, reason: reason(&next.unique) }
}

/// A final job that is brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returning {
    /// The job.
    pub id: JobId,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// Whether it was ever started.
    pub started: bool,
    /// What it asked for.
    pub unique: Unique,
}

impl Returning {
    /// The row to be written if it is brought back at `now`, `state` being what there is of its key; none if it needs no
    /// key any more.
    ///
    /// # Errors
    ///
    /// `Duplicate`: another job has the key now.
    pub fn retake(&self, state: Option<&KeyState>, now: Timestamp) -> Result<Option<KeyRow>, ErrorKind> {
        if self.unique.scope == UniqueScope::Waiting && self.started {
            return Ok(None);
        }
        match state {
            Some(state) if state.row.job != self.id && state.blocks(now) => {
                Err(ErrorKind::Duplicate(state.row.job))
            }
            _ => Ok(Some(KeyRow {
                job: self.id,
                hold: Hold::of(self.unique.scope),
                until: self.unique.until(self.created_at),
                next: None,
                free_at: None,
            })),
        }
    }
}

#[cfg(test)]
mod tests;
