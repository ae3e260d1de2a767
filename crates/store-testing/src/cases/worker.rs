//! Workers come, beat and go.

use std::time::Duration;

use windlass_core::{AttemptOutcome, AttemptToken, JobState, WorkerId};
use windlass_store::{ErrorKind, LeaseTerm, NewWorker, Queues, Rescued, Worker, ids};

use crate::bench::{
    Bench, LEASE, MICROSECOND, SECOND, anything, at_once, just_before, queue, refused, succeeded,
};

cases! {
    a_registered_worker_is_listed_as_it_registered,
    whose_a_worker_is_is_kept_and_replaced_with_it,
    workers_are_listed_by_their_silence,
    a_beat_resets_the_silence,
    a_claim_is_no_sign_of_life,
    an_unknown_worker_cannot_beat_or_deregister,
    an_expired_worker_cannot_beat,
    a_beat_in_the_last_moment_counts,
    a_deregistered_worker_is_gone,
    a_worker_with_a_running_job_cannot_leave,
    a_worker_whose_jobs_were_cancelled_may_leave,
    an_expired_worker_may_leave_too,
    registering_again_replaces_what_was_known,
    registering_again_keeps_what_is_held,
    registering_again_after_expiry_loses_what_was_held,
    it_counts_what_it_holds,
    it_is_told_all_it_holds_and_nothing_else,
    a_registration_survives_the_store_that_took_it,
    many_beat_at_once,
}

fn ids_of(workers: &[Worker]) -> Vec<WorkerId> {
    workers.iter().map(|worker| worker.registered.id).collect()
}

async fn a_registered_worker_is_listed_as_it_registered(bench: Bench) {
    let worker = NewWorker {
        name: "Größe 🐠".to_owned(),
        queues: Queues::Only(vec![queue("a"), queue("b")]),
        slots: u32::MAX,
        lease: Duration::from_millis(12_345),
        ..bench.new_worker()
    };

    bench.store.register(worker.clone()).await.unwrap();

    let now = bench.now();
    let expected = Worker { registered: worker, since: now, seen_at: now, running: 0 };
    assert_eq!(bench.store.workers(Duration::ZERO).await.unwrap(), [expected]);
}

async fn whose_a_worker_is_is_kept_and_replaced_with_it(bench: Bench) {
    // A door says itself whose a worker is, and tells nobody.
    let kept = |owner: &str| (!bench.has_door()).then(|| owner.to_owned());
    let listed = async || bench.store.workers(Duration::ZERO).await.unwrap().remove(0).registered.owner;
    let worker = NewWorker { owner: Some("a token".to_owned()), ..bench.new_worker() };
    bench.store.register(worker.clone()).await.unwrap();
    assert_eq!(listed().await, kept("a token"));
    bench.store.beat(worker.id).await.unwrap();
    assert_eq!(listed().await, kept("a token"));

    let others = NewWorker { owner: Some("another".to_owned()), ..worker.clone() };
    bench.store.register(others).await.unwrap();
    assert_eq!(listed().await, kept("another"));
    bench.store.register(NewWorker { owner: None, ..worker }).await.unwrap();
    assert_eq!(listed().await, None);
}

async fn workers_are_listed_by_their_silence(bench: Bench) {
    let early = bench.register().await;
    bench.advance(SECOND);
    let (first, second) = (bench.register().await, bench.register().await);
    bench.advance(SECOND);

    let silent = async |span| ids_of(&bench.store.workers(span).await.unwrap());

    assert_eq!(silent(Duration::ZERO).await, [early, first, second]);
    assert_eq!(silent(SECOND).await, [early, first, second]);
    assert_eq!(silent(SECOND + MICROSECOND).await, [early]);
    assert_eq!(silent(LEASE).await, []);
}

async fn a_beat_resets_the_silence(bench: Bench) {
    let worker = bench.register().await;
    bench.advance(SECOND);

    let beat = bench.store.beat(worker).await.unwrap();

    assert_eq!(beat.lease_until, bench.now().after(LEASE));
    let listed = bench.store.workers(Duration::ZERO).await.unwrap().remove(0);
    assert_eq!((listed.seen_at, listed.since), (bench.now(), bench.now().before(SECOND)));
    assert_eq!(bench.store.workers(MICROSECOND).await.unwrap(), []);
}

async fn a_claim_is_no_sign_of_life(bench: Bench) {
    let worker = bench.register().await;
    bench.advance(just_before(LEASE));
    bench.claim_as(worker, anything(), 1).await;

    bench.advance(MICROSECOND);

    assert_eq!(refused(bench.store.beat(worker).await), ErrorKind::NotFound);
}

async fn an_unknown_worker_cannot_beat_or_deregister(bench: Bench) {
    let stranger = bench.new_worker().id;

    assert_eq!(refused(bench.store.beat(stranger).await), ErrorKind::NotFound);
    assert_eq!(refused(bench.store.deregister(stranger).await), ErrorKind::NotFound);
}

async fn an_expired_worker_cannot_beat(bench: Bench) {
    let worker = bench.register().await;

    bench.advance(LEASE);

    assert_eq!(refused(bench.store.beat(worker).await), ErrorKind::NotFound);
    assert_eq!(
        bench.store.workers(Duration::ZERO).await.unwrap().len(),
        1,
        "it is listed until it is rescued"
    );
    assert_eq!(bench.rescue().await, Rescued { workers: 1, ..Rescued::default() });
    assert_eq!(bench.store.workers(Duration::ZERO).await.unwrap(), []);
    assert_eq!(refused(bench.store.beat(worker).await), ErrorKind::NotFound);
}

async fn a_beat_in_the_last_moment_counts(bench: Bench) {
    let worker = bench.register().await;
    bench.advance(just_before(LEASE));

    bench.store.beat(worker).await.unwrap();

    bench.advance(just_before(LEASE));
    assert_eq!(bench.rescue().await, Rescued::default());
    bench.store.beat(worker).await.unwrap();
}

async fn a_deregistered_worker_is_gone(bench: Bench) {
    let worker = bench.register().await;

    bench.store.deregister(worker).await.unwrap();

    assert_eq!(bench.store.workers(Duration::ZERO).await.unwrap(), []);
    assert_eq!(refused(bench.store.beat(worker).await), ErrorKind::NotFound);
    assert_eq!(refused(bench.store.deregister(worker).await), ErrorKind::NotFound);
}

async fn a_worker_with_a_running_job_cannot_leave(bench: Bench) {
    for own in [false, true] {
        let job = if own { bench.start_with_own_lease(LEASE).await } else { bench.start_one().await };
        let worker = bench.worker().await;

        assert_eq!(refused(bench.store.deregister(worker).await), ErrorKind::NotReady);

        assert_eq!(bench.settle(&job, succeeded()).await.state, JobState::Completed);
    }
    let worker = bench.worker().await;
    bench.store.deregister(worker).await.unwrap();
}

async fn a_worker_whose_jobs_were_cancelled_may_leave(bench: Bench) {
    let job = bench.start_one().await;
    bench.cancel(job.id()).await;
    let before = bench.job(job.id()).await;
    let worker = bench.worker().await;

    bench.store.deregister(worker).await.unwrap();

    assert_eq!(bench.outcomes(job.id()).await, [Some(AttemptOutcome::Cancelled)]);
    assert_eq!(bench.job(job.id()).await, before);
    assert_eq!(bench.try_settle(&job, succeeded()).await, Err(ErrorKind::LeaseLost));
    assert_eq!(bench.store.leases(Duration::ZERO).await.unwrap(), []);
}

async fn an_expired_worker_may_leave_too(bench: Bench) {
    let worker = bench.register().await;
    bench.advance(LEASE);

    bench.store.deregister(worker).await.unwrap();

    assert_eq!(bench.rescue().await, Rescued::default());
}

async fn registering_again_replaces_what_was_known(bench: Bench) {
    let old = bench.new_worker();
    bench.store.register(old.clone()).await.unwrap();
    bench.advance(SECOND);
    let new = NewWorker { name: "other".to_owned(), lease: LEASE * 2, ..old };

    bench.store.register(new.clone()).await.unwrap();

    let now = bench.now();
    let expected = Worker { registered: new, since: now, seen_at: now, running: 0 };
    assert_eq!(bench.store.workers(Duration::ZERO).await.unwrap(), [expected]);
}

async fn registering_again_keeps_what_is_held(bench: Bench) {
    let worker = bench.new_worker();
    bench.store.register(worker.clone()).await.unwrap();
    let id = bench.enqueue_one().await;
    let job = bench.store.claim_job(worker.id, id, LeaseTerm::Process).await.unwrap();
    bench.advance(SECOND);

    bench.store.register(worker).await.unwrap();

    let holder = bench.store.holder(job.token).await.unwrap();
    assert_eq!(holder.lease_until, bench.now().after(LEASE));
    assert_eq!(bench.settle(&job, succeeded()).await.state, JobState::Completed);
}

async fn registering_again_after_expiry_loses_what_was_held(bench: Bench) {
    let worker = bench.new_worker();
    bench.store.register(worker.clone()).await.unwrap();
    let (first, second) = (bench.enqueue_one().await, bench.enqueue_one().await);
    let of_process = bench.store.claim_job(worker.id, first, LeaseTerm::Process).await.unwrap();
    let own = bench.store.claim_job(worker.id, second, LeaseTerm::Own(LEASE * 2)).await.unwrap();
    bench.advance(LEASE);

    bench.store.register(worker).await.unwrap();

    assert_eq!(bench.try_settle(&of_process, succeeded()).await, Err(ErrorKind::LeaseLost));
    assert_eq!(bench.outcomes(first).await, [Some(AttemptOutcome::Lost)]);
    assert_eq!(bench.job(first).await.losses, 1);
    assert_eq!(bench.settle(&own, succeeded()).await.state, JobState::Completed);
}

async fn it_counts_what_it_holds(bench: Bench) {
    let running = bench.start_one().await;
    let cancelled = bench.start_with_own_lease(LEASE).await;
    bench.cancel(cancelled.id()).await;
    let listed = async || bench.store.workers(Duration::ZERO).await.unwrap()[0].running;

    assert_eq!(listed().await, 2);
    bench.settle(&running, succeeded()).await;
    assert_eq!(listed().await, 1);
    bench.try_settle(&cancelled, succeeded()).await.unwrap_err();
    assert_eq!(listed().await, 0);
}

async fn it_is_told_all_it_holds_and_nothing_else(bench: Bench) {
    let (worker, other) = (bench.register().await, bench.register().await);
    bench.enqueue_many(1_003).await;
    let of_other = bench.claim_as(other, anything(), 2).await.jobs;
    let mut jobs = bench.claim_as(worker, anything(), 1_000).await.jobs;
    let own = bench.enqueue_one().await;
    jobs.push(bench.store.claim_job(worker, own, LeaseTerm::Own(LEASE)).await.unwrap());
    bench.settle(&jobs.swap_remove(0), succeeded()).await;
    bench.cancel(jobs[0].id()).await;

    let held = bench.store.held(worker).await.unwrap();

    let mut tokens: Vec<AttemptToken> = jobs.iter().map(|job| job.token).collect();
    tokens.sort_by_key(|token| token.job);
    assert_eq!(held, tokens);
    assert_eq!(bench.store.held(other).await.unwrap().len(), of_other.len());
    assert_eq!(bench.store.held(ids::worker_id()).await.unwrap(), []);
}

async fn a_registration_survives_the_store_that_took_it(bench: Bench) {
    let worker = bench.register().await;
    let listed = bench.store.workers(Duration::ZERO).await.unwrap();

    let store = bench.reopened().await.unwrap_or_else(|| bench.store.clone());

    assert_eq!(store.workers(Duration::ZERO).await.unwrap(), listed);
    store.beat(worker).await.unwrap();
}

async fn many_beat_at_once(bench: Bench) {
    let mut workers = Vec::new();
    for _ in 0..16 {
        workers.push(bench.register().await);
    }
    bench.advance(SECOND);
    let store = bench.store.clone();

    let beats = at_once(workers.len(), move |index| {
        let (store, worker) = (store.clone(), workers[index]);
        async move { store.beat(worker).await.unwrap().lease_until }
    })
    .await;

    assert_eq!(beats, [bench.now().after(LEASE); 16]);
    assert_eq!(bench.store.workers(MICROSECOND).await.unwrap(), []);
}
