//! Queues: how full they are, and whether they are paused.

use async_trait::async_trait;
use windlass_core::{Bounds, JobState, QueueName, Timestamp, Whole};
use windlass_store::{
    Actor, Change, ErrorKind, Noun, Pause, QueueRetention, QueueStore, QueueSummary, StateCounts, StoreError,
};

use crate::MemoryStore;
use crate::state::State;

#[async_trait]
impl QueueStore for MemoryStore {
    async fn queues(&self) -> Result<Vec<QueueSummary>, StoreError> {
        self.act("list queues", |state, now| Ok(state.summaries(now)))
    }

    async fn pause(&self, queue: &QueueName, by: Actor) -> Result<(), StoreError> {
        self.act("pause the queue", |state, now| {
            by.validate().map_err(ErrorKind::Invalid)?;
            let pause = state.queues.entry(queue.clone()).or_default();
            if pause.is_none() {
                *pause = Some(Pause { since: now, by: by.clone().plain() });
                state.audited_change("pause", (Noun::Queue, queue), (by, Some(Change::of_pause(true))));
            }
            Ok(())
        })
    }

    async fn resume(&self, queue: &QueueName, by: Actor) -> Result<(), StoreError> {
        self.act("resume the queue", |state, _| {
            by.validate().map_err(ErrorKind::Invalid)?;
            if state.queues.get_mut(queue).ok_or(ErrorKind::NotFound)?.take().is_some() {
                state.audited_change("resume", (Noun::Queue, queue), (by, Some(Change::of_pause(false))));
            }
            state.hint_work();
            Ok(())
        })
    }

    async fn keep(&self, queue: &QueueName, retention: QueueRetention, by: Actor) -> Result<(), StoreError> {
        self.act("say how long jobs of the queue are kept", |state, _| {
            retention.validate().map_err(ErrorKind::Invalid)?;
            by.validate().map_err(ErrorKind::Invalid)?;
            let before = if retention.is_default() {
                state.retentions.remove(queue)
            } else {
                state.retentions.insert(queue.clone(), retention)
            };
            let change = Change::of_retention(before.unwrap_or_default(), retention);
            state.audited_change("keep", (Noun::Queue, queue), (by, Some(change)));
            Ok(())
        })
    }

    async fn retentions(&self) -> Result<Vec<(QueueName, QueueRetention)>, StoreError> {
        self.act("list retentions", |state, _| {
            Ok(state.retentions.iter().map(|(queue, own)| (queue.clone(), *own)).collect())
        })
    }

    async fn bound(&self, whole: &Whole, bounds: Bounds, by: Actor) -> Result<(), StoreError> {
        self.act("bound the queue", |state, _| {
            bounds.validate().map_err(ErrorKind::Invalid)?;
            by.validate().map_err(ErrorKind::Invalid)?;
            let before = state.gates.bounds.get(whole).copied().unwrap_or_default();
            state.bound(whole, bounds);
            let change = Change::of_bounds(before, bounds);
            state.audited_change("bound", Noun::of_whole(whole), (by, Some(change)));
            Ok(())
        })
    }

    async fn bounds(&self) -> Result<Vec<(Whole, Bounds)>, StoreError> {
        self.act("list the bounds", |state, _| {
            Ok(state.gates.bounds.iter().map(|(whole, bounds)| (whole.clone(), *bounds)).collect())
        })
    }
}

impl State {
    fn summaries(&self, now: Timestamp) -> Vec<QueueSummary> {
        self.queues.iter().map(|(name, pause)| self.summary_of(name, pause.as_ref(), now)).collect()
    }

    fn summary_of(&self, name: &QueueName, pause: Option<&Pause>, now: Timestamp) -> QueueSummary {
        let mut counts = StateCounts::default();
        let mut oldest_ready_at = None;
        for record in self.jobs.values().filter(|record| record.job.queue == *name) {
            let (state, _) = record.state(now);
            counts.add(state, 1);
            if state == JobState::Ready {
                let run_at = record.job.run_at;
                oldest_ready_at =
                    Some(oldest_ready_at.map_or(run_at, |oldest: Timestamp| oldest.min(run_at)));
            }
        }
        QueueSummary { name: name.clone(), pause: pause.cloned(), counts, oldest_ready_at }
    }
}
