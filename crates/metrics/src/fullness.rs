//! How full the store is, as its queues and workers say.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use windlass_core::{JobState, Timestamp};
use windlass_store::{NewWorker, QueueSummary, Queues, Worker};

use crate::series::{OTHER, QUEUES_MAX};

/// How full the store is: what was read of it, and when.
#[derive(Debug, Clone, Copy)]
pub struct Fullness<'a> {
    /// Its queues.
    pub queues: &'a [QueueSummary],
    /// Those who work on it.
    pub workers: &'a [Worker],
    /// What time it is, by its clock.
    pub now: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    queue: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    queue: String,
}

impl Fullness<'_> {
    /// Registers what was read.
    pub fn register(&self, registry: &mut Registry) {
        self.register_queues(registry);
        self.register_workers(registry);
    }

    /// The queues, each with what it is called here: the fullest by their names, the rest together.
    fn named(&self) -> impl Iterator<Item = (&QueueSummary, String)> {
        let mut fullest: Vec<&QueueSummary> = self.queues.iter().collect();
        fullest.sort_by_key(|queue| std::cmp::Reverse(queue.counts.total()));
        fullest.into_iter().enumerate().map(|(index, queue)| {
            let name = if index < QUEUES_MAX { queue.name.as_str() } else { OTHER };
            (queue, name.to_owned())
        })
    }

    fn register_queues(&self, registry: &mut Registry) {
        let jobs = Family::<JobLabels, Gauge>::default();
        let oldest = Family::<QueueLabels, Gauge<f64, AtomicU64>>::default();
        let paused = Family::<QueueLabels, Gauge>::default();
        for (queue, name) in self.named() {
            for state in JobState::ALL {
                let labels = JobLabels { queue: name.clone(), state: state.as_str() };
                jobs.get_or_create(&labels).inc_by(whole(queue.counts.of(*state)));
            }
            let labels = QueueLabels { queue: name };
            let waited = queue.oldest_ready_at.map_or(Duration::ZERO, |since| self.now.since(since));
            let longest = oldest.get_or_create(&labels).get().max(waited.as_secs_f64());
            oldest.get_or_create(&labels).set(longest);
            paused.get_or_create(&labels).inc_by(i64::from(queue.pause.is_some()));
        }
        registry.register("jobs", "Jobs by queue and state", jobs);
        let help = "How long the ready job has waited that waits longest";
        registry.register_with_unit("oldest_ready", help, Unit::Seconds, oldest);
        registry.register("queue_paused", "Whether claims from the queue are stopped", paused);
    }

    fn register_workers(&self, registry: &mut Registry) {
        // Who looks after the store, or sends notices, does nobody's jobs: a server alone is no worker.
        let at_work: Vec<&Worker> = self.workers.iter().filter(|worker| takes_jobs(worker)).collect();
        let slots = at_work.iter().map(|worker| u64::from(worker.registered.slots)).sum();
        let running = at_work.iter().map(|worker| worker.running).sum();
        registry.register("workers", "Registered workers", number(at_work.len() as u64));
        registry.register("worker_slots", "Slots of all workers", number(slots));
        registry.register("attempts_open", "Attempts that workers hold", number(running));
    }
}

/// Whether it takes jobs of anybody's, and not only those of Windlass's own.
fn takes_jobs(worker: &Worker) -> bool {
    let NewWorker { queues, kinds, .. } = &worker.registered;
    let is_anywhere = match queues {
        Queues::Any => true,
        Queues::Only(names) => names.iter().any(|name| !name.is_own()),
    };
    is_anywhere && (kinds.is_empty() || kinds.iter().any(|support| !support.kind.is_own()))
}

fn number(value: u64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(whole(value));
    gauge
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use windlass_core::{KindName, QueueName, WorkerId};
    use windlass_store::{KindSupport, StateCounts, ids};

    use super::*;

    fn told(queues: &[QueueSummary], workers: &[Worker]) -> String {
        let mut registry = Registry::default();
        Fullness { queues, workers, now: Timestamp::MIN }.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("a string takes any text");
        text
    }

    fn queue(index: usize, ready: u64) -> QueueSummary {
        let mut counts = StateCounts::default();
        counts.add(JobState::Ready, ready);
        let name = QueueName::new(format!("q{index}")).expect("a valid name");
        QueueSummary { name, pause: None, counts, oldest_ready_at: None }
    }

    fn worker(id: WorkerId, queues: Queues, kinds: &[&str]) -> Worker {
        let support =
            |kind: &&str| KindSupport { kind: KindName::new(kind).expect("a valid name"), version_max: 1 };
        let registered = NewWorker {
            id,
            name: "w".to_owned(),
            host: "h".to_owned(),
            version: "1".to_owned(),
            queues,
            kinds: kinds.iter().map(support).collect(),
            slots: 3,
            lease: Duration::from_secs(30),
            owner: None,
        };
        Worker { registered, since: Timestamp::MIN, seen_at: Timestamp::MIN, running: 1 }
    }

    #[test]
    fn the_fullest_queues_are_told_apart_and_the_rest_together() {
        let mut queues: Vec<QueueSummary> = (0..QUEUES_MAX).map(|index| queue(index, 2)).collect();
        queues.insert(0, queue(QUEUES_MAX, 1));
        queues.push(queue(QUEUES_MAX + 1, 1));

        let text = told(&queues, &[]);

        assert!(text.contains(r#"jobs{queue="q0",state="ready"} 2"#), "{text}");
        assert!(text.contains(r#"jobs{queue="other",state="ready"} 2"#), "{text}");
        assert!(!text.contains(&format!("\"q{QUEUES_MAX}\"")), "{text}");
    }

    #[test]
    fn who_only_looks_after_the_store_is_no_worker() {
        let own = QueueName::new("windlass.server").expect("a valid name");
        let workers = [
            worker(ids::worker_id(), Queues::Only(vec![own]), &[]),
            worker(ids::worker_id(), Queues::Only(vec![QueueName::default()]), &["windlass.server"]),
            worker(ids::worker_id(), Queues::Any, &["windlass.notice", "mail"]),
        ];

        let text = told(&[], &workers);

        assert!(text.contains("workers 1\n") && text.contains("worker_slots 3\n"), "{text}");
        assert!(text.contains("attempts_open 1\n"), "{text}");
    }
}
