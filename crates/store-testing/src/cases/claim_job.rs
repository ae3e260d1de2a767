//! One given job is claimed by its id.

use windlass_core::{Due, JobState, Priority};
use windlass_store::{ErrorKind, LeaseTerm};

use crate::bench::{Bench, LEASE, MICROSECOND, SECOND, field_of, kind, operator, queue, refused, succeeded};

cases! {
    takes_the_job_whatever_its_place,
    takes_a_job_of_any_kind_and_version,
    refuses_what_cannot_be_claimed,
    leaves_a_job_past_its_deadline_as_it_is,
    needs_a_living_worker_and_a_possible_lease,
}

async fn takes_the_job_whatever_its_place(bench: Bench) {
    let first = bench.enqueue_with(|job| job.priority = Priority::Critical).await;
    let last = bench.enqueue_with(|job| job.priority = Priority::Idle).await;
    let worker = bench.worker().await;

    let job = bench.store.claim_job(worker, last, LeaseTerm::Process).await.unwrap();

    assert_eq!(job.id(), last);
    assert_eq!(job.lease_until, bench.now().after(LEASE));
    assert_eq!(bench.state_of(last).await, (JobState::Running, None));
    bench.settle(&job, succeeded()).await;
    assert_eq!(bench.claim_one().await.id(), first);
}

async fn takes_a_job_of_any_kind_and_version(bench: Bench) {
    let id = bench.enqueue_with(|job| (job.kind, job.version) = (kind("unheard-of"), 99)).await;
    let worker = bench.worker().await;

    let job = bench.store.claim_job(worker, id, LeaseTerm::Process).await.unwrap();

    assert_eq!((job.kind.as_str(), job.version), ("unheard-of", 99));
}

async fn refuses_what_cannot_be_claimed(bench: Bench) {
    let worker = bench.worker().await;
    let running = bench.start_one().await.id();
    let later = bench.enqueue_with(|job| job.due = Due::In(SECOND)).await;
    let cancelled = bench.enqueue_one().await;
    bench.cancel(cancelled).await;
    let paused = bench.enqueue_with(|job| job.queue = queue("paused")).await;
    bench.store.pause(&queue("paused"), operator()).await.unwrap();

    for id in [running, later, cancelled, paused] {
        let before = bench.job(id).await;
        let answer = bench.store.claim_job(worker, id, LeaseTerm::Process).await;
        assert_eq!(refused(answer), ErrorKind::NotReady);
        assert_eq!(bench.job(id).await, before);
    }
    let answer = bench.store.claim_job(worker, bench.fresh_id(), LeaseTerm::Process).await;
    assert_eq!(refused(answer), ErrorKind::NotFound);
}

async fn leaves_a_job_past_its_deadline_as_it_is(bench: Bench) {
    let id = bench.enqueue_with(|job| job.deadline = Some(Due::Now)).await;
    let worker = bench.worker().await;

    let answer = bench.store.claim_job(worker, id, LeaseTerm::Process).await;

    assert_eq!(refused(answer), ErrorKind::NotReady);
    assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
}

async fn needs_a_living_worker_and_a_possible_lease(bench: Bench) {
    let id = bench.enqueue_one().await;
    let (stranger, expired) = (bench.new_worker().id, bench.register().await);
    bench.advance(LEASE);

    for worker in [stranger, expired] {
        let answer = bench.store.claim_job(worker, id, LeaseTerm::Process).await;
        assert_eq!(refused(answer), ErrorKind::NotFound);
    }
    let worker = bench.worker().await;
    let answer = bench.store.claim_job(worker, id, LeaseTerm::Own(MICROSECOND)).await;
    assert_eq!(field_of(answer), "lease");
    assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
}
