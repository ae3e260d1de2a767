//! Why a job does not run, and when it will.
//!
//! A store gathers what it knows of a job ([`Facts`]); [`explain`] says what follows from it, by the functions that a claim
//! asks with the same facts. Nothing is decided a second time here.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use windlass_core::gate::{GateState, Place, Refusal};
use windlass_core::limits::AHEAD_COUNT_MAX;
use windlass_core::{Gate, GateForm, Job, JobId, JobState, Need, Reason, Timestamp};

use crate::Pause;
use crate::rules::past;

/// What stands between a job and its start, or what it is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// It is final.
    Final {
        /// Since when.
        since: Option<Timestamp>,
    },
    /// It runs already.
    Running {
        /// On which worker.
        worker: Option<String>,
        /// Since when.
        since: Option<Timestamp>,
    },
    /// It is due later.
    Scheduled {
        /// When.
        until: Timestamp,
    },
    /// It was not started by its deadline: whoever looks at it next ends it.
    Late {
        /// Its deadline.
        deadline: Timestamp,
    },
    /// It waits for other jobs.
    Dependencies {
        /// The unfinished ones, as far as they are told.
        jobs: Vec<JobId>,
        /// How many there are.
        count: u64,
    },
    /// It waits for a person.
    Review {
        /// Since when, if that is known.
        since: Option<Timestamp>,
    },
    /// Its queue is paused.
    Paused(Pause),
    /// A lock, a limit, a rate or its order key does not let it in.
    Gate(GateObstacle),
    /// No live worker takes its queue, kind and version.
    NoWorker,
}

/// A gate that does not let a job in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateObstacle {
    /// Which gate, and what the job wants of it.
    pub need: Need,
    /// Why it is turned away.
    pub refusal: Refusal,
    /// Who has what it wants, as far as they are told.
    pub holders: Vec<GateHolder>,
    /// How many have.
    pub held: u64,
    /// The job that comes before it: the first in line, or the first of its order key.
    pub before: Option<JobId>,
}

/// An open attempt that has what a gate gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateHolder {
    /// Its job.
    pub job: JobId,
    /// Whether it has it alone.
    pub exclusive: bool,
    /// Since when.
    pub since: Timestamp,
}

/// The answer to "why does it not run?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The job.
    pub id: JobId,
    /// Its state.
    pub state: JobState,
    /// Its reason, where it has one.
    pub reason: Option<Reason>,
    /// What stands in its way, in the order in which a claim would meet it; empty if nothing does.
    pub obstacles: Vec<Obstacle>,
    /// How many jobs of its queue a claim would take before it, counted up to
    /// [`AHEAD_COUNT_MAX`]. Zero for a job that something else stands in the way of.
    pub ahead: u64,
    /// The time by the store's clock for which this holds.
    pub now: Timestamp,
}

impl Explanation {
    /// Whether the next claim of its queue takes it.
    #[must_use]
    pub fn is_next(&self) -> bool {
        self.obstacles.is_empty() && self.ahead == 0
    }

    /// Whether nothing stands in its way but jobs that come before it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.obstacles.is_empty()
    }

    /// The earliest time at which it could start, as far as time decides.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        let times = self.obstacles.iter().filter_map(|obstacle| match obstacle {
            Obstacle::Scheduled { until } => Some(*until),
            Obstacle::Gate(gate) => gate.refusal.until(),
            _ => None,
        });
        times.max()
    }
}

/// What a store knows of a job and of all that may stand in its way.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The job as it is read.
    pub job: Job,
    /// Its place in the claim order.
    pub place: Place,
    /// The pause of its queue.
    pub pause: Option<Pause>,
    /// The gates it needs, those of its queue and kind first.
    pub gates: Vec<GateFacts>,
    /// Whether a live worker takes its queue, kind and version.
    pub served: bool,
    /// The unfinished jobs that it waits for.
    pub parents: Vec<JobId>,
    /// Since when it is in review.
    pub review_since: Option<Timestamp>,
    /// How many jobs of its queue a claim would take before it.
    pub ahead: u64,
}

/// What a store knows of a gate.
#[derive(Debug, Clone)]
pub struct GateFacts {
    /// Which gate, and what the job wants of it.
    pub need: Need,
    /// How it stands.
    pub state: GateState,
    /// Who has what it gives, the first some of them.
    pub holders: Vec<GateHolder>,
    /// The first in line, or the first of the order key.
    pub before: Option<JobId>,
}

/// Goes through the jobs before one, as a claim would, and changes nothing: whom a claim meets on its way and turns away
/// stands in line before those who come later.
#[derive(Debug, Default)]
pub struct Rehearsal {
    states: BTreeMap<Gate, GateState>,
    ahead: u64,
}

impl Rehearsal {
    /// Meets a due job that comes earlier; `load` tells how a gate stands.
    ///
    /// # Errors
    ///
    /// Those of `load`.
    pub fn meet<E>(
        &mut self,
        (needs, place): (&[Need], Place),
        now: Timestamp,
        mut load: impl FnMut(&Gate) -> Result<GateState, E>,
    ) -> Result<(), E> {
        for need in needs {
            if self.state(&need.gate, &mut load)?.refusal(need.wish, place, now).is_none() {
                continue;
            }
            if need.gate.form == GateForm::Lock {
                for lock in needs.iter().filter(|need| need.gate.form == GateForm::Lock) {
                    self.state(&lock.gate, &mut load)?.line.join(place, lock.wish);
                }
            }
            return Ok(());
        }
        self.ahead += 1;
        Ok(())
    }

    /// How a gate stands once all before have been met.
    ///
    /// # Errors
    ///
    /// Those of `load`.
    pub fn state<E>(
        &mut self,
        gate: &Gate,
        load: impl FnOnce(&Gate) -> Result<GateState, E>,
    ) -> Result<&mut GateState, E> {
        match self.states.entry(gate.clone()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(load(gate)?)),
        }
    }

    /// How many of those that were met a claim would take.
    #[must_use]
    pub const fn ahead(&self) -> u64 {
        self.ahead
    }

    /// Whether enough were met: more are not counted.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.ahead >= AHEAD_COUNT_MAX as u64
    }
}

/// What follows from the facts.
#[must_use]
pub fn explain(facts: &Facts, now: Timestamp) -> Explanation {
    let obstacles = obstacles(facts, now);
    let ahead = if obstacles.is_empty() { facts.ahead } else { 0 };
    let Job { id, state, reason, .. } = facts.job;
    Explanation { id, state, reason, obstacles, ahead, now }
}

fn obstacles(facts: &Facts, now: Timestamp) -> Vec<Obstacle> {
    let job = &facts.job;
    match job.state {
        JobState::Completed | JobState::Cancelled | JobState::Dead => {
            return vec![Obstacle::Final { since: job.finished_at }];
        }
        JobState::Running => {
            return vec![Obstacle::Running { worker: job.worker.clone(), since: job.started_at }];
        }
        _ => {}
    }
    let mut obstacles = Vec::new();
    if let Some(deadline) = job.deadline.filter(|_| past(job.deadline, now)) {
        obstacles.push(Obstacle::Late { deadline });
    }
    match job.state {
        JobState::Blocked => {
            let (jobs, count) = (facts.parents.clone(), facts.parents.len() as u64);
            obstacles.push(Obstacle::Dependencies { jobs, count });
        }
        JobState::InReview => obstacles.push(Obstacle::Review { since: facts.review_since }),
        JobState::Scheduled | JobState::Retryable => {
            obstacles.push(Obstacle::Scheduled { until: job.run_at });
        }
        _ => {}
    }
    obstacles.extend(facts.pause.clone().map(Obstacle::Paused));
    obstacles.extend(facts.gates.iter().filter_map(|gate| gate.obstacle(facts.place, now)));
    if !facts.served {
        obstacles.push(Obstacle::NoWorker);
    }
    obstacles
}

impl GateFacts {
    fn obstacle(&self, place: Place, now: Timestamp) -> Option<Obstacle> {
        let refusal = self.state.refusal(self.need.wish, place, now)?;
        let before = self.before.filter(|_| matches!(refusal, Refusal::Behind { .. } | Refusal::Turn));
        let (held, holders) = (self.state.holders.into(), self.holders.clone());
        let need = self.need.clone();
        Some(Obstacle::Gate(GateObstacle { need, refusal, holders, held, before }))
    }
}
