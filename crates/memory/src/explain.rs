//! Why a job does not run, and when it will.

use std::convert::Infallible;

use windlass_core::{JobId, JobState, Need, Stage, Timestamp};
use windlass_store::explain::{Facts, GateFacts, Rehearsal, explain};
use windlass_store::rules::{expired, past};
use windlass_store::{ErrorKind, Explanation, Scope};

use crate::claims::due;
use crate::state::{Place, Record, State};

impl State {
    pub(crate) fn explain(&self, id: JobId, now: Timestamp) -> Result<Explanation, ErrorKind> {
        let record = self.record(id)?;
        let job = record.seen(now);
        let rehearsal =
            if job.state == JobState::Ready { self.rehearse(record, now) } else { Rehearsal::default() };
        let facts = Facts {
            place: record.place().at_gate(),
            pause: self.queues.get(&job.queue).cloned().flatten(),
            ahead: rehearsal.ahead(),
            gates: self.gates_of(record, rehearsal),
            served: self.is_served(record, now),
            parents: self.unfinished_parents(id),
            review_since: record
                .review
                .as_ref()
                .filter(|_| record.stage == Stage::InReview)
                .map(|kept| kept.round.asked_at),
            job,
        };
        Ok(explain(&facts, now))
    }

    /// Goes through the jobs of its queue that come before a job.
    fn rehearse(&self, record: &Record, now: Timestamp) -> Rehearsal {
        let mut rehearsal = Rehearsal::default();
        let Some(places) = self.waiting.get(&record.job.queue) else { return rehearsal };
        let waiting = due(places, now).take_while(|(place, _)| *place < record.place());
        let mut before: Vec<(Place, JobId)> = waiting.chain(self.opened(&record.job.queue, now)).collect();
        before.sort_unstable();
        for (place, id) in before.into_iter().take_while(|(place, _)| *place < record.place()) {
            let Some(before) = self.jobs.get(&id).filter(|before| !past(before.job.deadline, now)) else {
                continue;
            };
            let needs = self.needs(before);
            let load = |gate: &windlass_core::Gate| Ok::<_, Infallible>(self.gate_state(gate));
            let Ok(()) = rehearsal.meet((&needs, place.at_gate()), now, load);
            if rehearsal.is_over() {
                break;
            }
        }
        rehearsal
    }

    fn gates_of(&self, record: &Record, mut rehearsal: Rehearsal) -> Vec<GateFacts> {
        let facts = |need: Need| {
            let mut facts = self.gate_facts(need);
            let Ok(state) = rehearsal.state(&facts.need.gate, |_| Ok::<_, Infallible>(facts.state));
            facts.state = *state;
            facts
        };
        self.needs(record).into_iter().map(facts).collect()
    }

    /// Whether a live worker takes its queue, kind and version. One that names no kinds takes all of them.
    fn is_served(&self, record: &Record, now: Timestamp) -> bool {
        let job = &record.job;
        self.workers
            .values()
            .filter(|worker| !expired(worker.lease_until(), now))
            .any(|worker| Scope::of_worker(&worker.registered).admits(&job.queue, &job.kind, job.version))
    }

    /// The unfinished jobs that a job waits for.
    fn unfinished_parents(&self, id: JobId) -> Vec<JobId> {
        let parents = self.edges.parents.get(&id).into_iter().flatten().map(|edge| edge.parent);
        let waited_for = parents.chain(self.has_key_for(id));
        waited_for.filter(|job| self.jobs.get(job).is_some_and(|record| !record.stage.is_final())).collect()
    }
}
