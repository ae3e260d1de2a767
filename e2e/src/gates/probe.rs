//! Whether anything is still held when all jobs are over: jobs that want all of it, alone, must start at once.

use std::time::Duration;

use windlass_core::{Args, KeyedLimit, KindName, Lock, NewJob, Unique, Verdict};
use windlass_store::{
    EnqueueOutcome, KindSupport, LeaseTerm, NewWorker, Queues, Settlement, SharedStore, ids,
};

use super::draw::{LIMITS, ORDER_KEYS, RESOURCES, UNIQUE_KEYS};
use crate::Failure;
use crate::worker::KIND;

/// How long the worker of these jobs is taken to be alive: far longer than they take.
const LEASE: Duration = Duration::from_secs(60);

/// A sentence for everything that does not let a job in, or that has a job nobody knows of.
///
/// # Errors
///
/// When the store cannot say.
pub(super) async fn held(store: &SharedStore) -> Result<Vec<String>, Failure> {
    let worker = NewWorker {
        id: ids::worker_id(),
        name: "probe".to_owned(),
        host: "e2e".to_owned(),
        version: "1".to_owned(),
        queues: Queues::Any,
        kinds: vec![KindSupport { kind: KindName::new(KIND)?, version_max: 1 }],
        slots: 1,
        lease: LEASE,
        owner: None,
    };
    let id = worker.id;
    store.register(worker).await?;
    let mut violations = Vec::new();
    for job in probes()? {
        let job_id = job.id;
        let enqueued = store.enqueue(vec![job]).await?;
        if enqueued.iter().any(|one| one.outcome != EnqueueOutcome::Created) {
            violations.push(format!("a unique key is still taken: {enqueued:?}"));
            continue;
        }
        let explained = store.explain(job_id).await?;
        if !explained.is_next() {
            violations.push(format!("something is still held: {:?}", explained.obstacles));
            continue;
        }
        let leased = store.claim_job(id, job_id, LeaseTerm::Process).await?;
        let settlement = Settlement { token: leased.token, verdict: Verdict::Succeeded { result: None } };
        store.settle(vec![settlement]).await?.remove(0)?;
    }
    store.deregister(id).await?;
    Ok(violations)
}

/// One job for each order key and unique key; each wants everything else alone.
fn probes() -> Result<Vec<NewJob>, Failure> {
    let keys = ORDER_KEYS.iter().map(|key| (Some(*key), None));
    let keys = keys.chain(UNIQUE_KEYS.iter().map(|key| (None, Some(*key))));
    keys.map(|(order, unique)| {
        let mut job = NewJob::new(ids::job_id(), KindName::new(KIND)?, Args::default());
        job.options.locks = RESOURCES.map(Lock::exclusive).to_vec();
        job.options.limits = LIMITS.map(|(key, _)| KeyedLimit { key: key.to_owned(), max: 1 }).to_vec();
        job.options.order_key = order.map(str::to_owned);
        job.options.unique = unique.map(Unique::key);
        Ok(job)
    })
    .collect()
}
