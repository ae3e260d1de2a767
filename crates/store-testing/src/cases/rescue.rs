//! What the dead held is taken back.

use std::time::Duration;

use windlass_core::{AttemptError, AttemptOutcome, Due, JobState, Priority, Reason};
use windlass_store::{ErrorKind, LeaseTerm, Rescued};

use crate::bench::{
    Bench, LEASE, MICROSECOND, SECOND, anything, at_once, failed, failed_for_now, ids_of, operator, queue, refused, succeeded, just_before};

cases! {
    g19_a_lost_job_may_be_claimed_again,
    a_lease_is_not_taken_back_before_its_end,
    a_lost_job_keeps_its_place,
    rescuing_twice_changes_nothing,
    a_loss_costs_no_attempt,
    g04_the_third_loss_is_poison,
    losses_are_counted_apart_from_failures,
    without_forgiveness_the_first_loss_is_poison,
    an_expired_worker_is_forgotten_with_all_it_held,
    a_lease_of_its_own_is_lost_though_the_worker_lives,
    what_others_run_is_not_touched,
    a_job_past_its_deadline_is_ended_though_nobody_claims,
    a_job_past_its_deadline_is_ended_in_a_paused_queue,
    a_retry_past_the_deadline_is_never_started,
    a_lost_job_past_its_deadline_is_ended_by_the_same_rescue,
    a_rescue_hints_at_work,
    g11_the_clock_set_back_revives_no_lease_and_unmakes_no_time,
    an_expired_lease_is_taken_back_by_another_process,
    rescuers_at_once_take_each_job_back_once,
}

async fn g19_a_lost_job_may_be_claimed_again(bench: Bench) {
    let job = bench.start_one().await;
    bench.advance(LEASE);

    assert_eq!(bench.rescue().await, Rescued { returned: 1, workers: 1, ..Rescued::default() });

    let again = bench.claim_one().await;
    assert_eq!(again.id(), job.id());
    assert_eq!((again.attempt, again.losses), (1, 1));
    let lost = bench.attempts(job.id()).await.remove(0);
    assert_eq!((lost.outcome, lost.ended_at), (Some(AttemptOutcome::Lost), Some(bench.now())));
    assert_eq!(lost.error, Some(AttemptError::lost(1, 2)));
    assert_eq!(bench.job(job.id()).await.error, Some(AttemptError::lost(1, 2)));
}

async fn a_lease_is_not_taken_back_before_its_end(bench: Bench) {
    let job = bench.start_one().await;
    bench.start_with_own_lease(LEASE).await;
    bench.advance(just_before(LEASE));

    assert_eq!(bench.rescue().await, Rescued::default());

    assert_eq!(bench.settle(&job, succeeded()).await.state, JobState::Completed);
}

async fn a_lost_job_keeps_its_place(bench: Bench) {
    let ids = bench.enqueue_many(3).await;
    bench.claim_one().await;
    let run_at = bench.job(ids[0]).await.run_at;
    bench.advance(LEASE);

    bench.rescue().await;

    assert_eq!(bench.job(ids[0]).await.run_at, run_at);
    assert_eq!(bench.state_of(ids[0]).await, (JobState::Ready, None));
    assert_eq!(ids_of(&bench.claim(10).await), ids);
}

async fn rescuing_twice_changes_nothing(bench: Bench) {
    let job = bench.start_one().await;
    bench.advance(LEASE);
    bench.rescue().await;
    let (before, attempts) = (bench.job(job.id()).await, bench.attempts(job.id()).await);

    assert_eq!(bench.rescue().await, Rescued::default());

    assert_eq!((bench.job(job.id()).await, bench.attempts(job.id()).await), (before, attempts));
}

async fn a_loss_costs_no_attempt(bench: Bench) {
    let id = bench.enqueue_with(|job| job.attempts_max = 1).await;
    bench.claim_one().await;
    bench.advance(LEASE);
    bench.rescue().await;

    let job = bench.claim_one().await;

    assert_eq!((job.attempt, job.token.number), (1, 2));
    assert_eq!(bench.settle(&job, succeeded()).await.state, JobState::Completed);
    assert_eq!(bench.job(id).await.losses, 1);
}

async fn g04_the_third_loss_is_poison(bench: Bench) {
    let id = bench.enqueue_one().await;
    for _ in 0..2 {
        bench.claim_one().await;
        bench.advance(LEASE);
        assert_eq!(bench.rescue().await.returned, 1);
    }
    bench.claim_one().await;
    bench.advance(LEASE);

    assert_eq!(bench.rescue().await, Rescued { poisoned: 1, workers: 1, ..Rescued::default() });

    let job = bench.job(id).await;
    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Poison)));
    assert_eq!((job.losses, job.finished_at), (3, Some(bench.now())));
    assert_eq!(job.error, Some(AttemptError::lost(3, 2)), "the error names the limit");
    assert_eq!(bench.outcomes(id).await, [Some(AttemptOutcome::Lost); 3]);
    assert_eq!(bench.claim(1).await, []);
}

async fn losses_are_counted_apart_from_failures(bench: Bench) {
    let id = bench.enqueue_with(|job| (job.attempts_max, job.losses_max) = (2, 1)).await;
    bench.claim_one().await;
    bench.advance(LEASE);
    bench.rescue().await;
    let job = bench.claim_one().await;
    bench.settle(&job, failed_for_now("x")).await;

    let job = bench.job(id).await;

    assert_eq!((job.state, job.attempt, job.losses), (JobState::Ready, 1, 1));
}

async fn without_forgiveness_the_first_loss_is_poison(bench: Bench) {
    let job = bench.start_with(|job| job.losses_max = 0).await;
    bench.advance(LEASE);

    bench.rescue().await;

    assert_eq!(bench.state_of(job.id()).await, (JobState::Dead, Some(Reason::Poison)));
}

async fn an_expired_worker_is_forgotten_with_all_it_held(bench: Bench) {
    bench.enqueue_many(3).await;
    bench.claim(3).await;
    let idle = bench.register().await;
    bench.advance(LEASE);

    assert_eq!(bench.rescue().await, Rescued { returned: 3, workers: 2, ..Rescued::default() });

    assert_eq!(bench.store.workers(Duration::ZERO).await.unwrap(), []);
    assert_eq!(bench.store.leases(Duration::ZERO).await.unwrap(), []);
    assert_eq!(refused(bench.store.beat(idle).await), ErrorKind::NotFound);
}

async fn a_lease_of_its_own_is_lost_though_the_worker_lives(bench: Bench) {
    let job = bench.start_with_own_lease(SECOND).await;
    bench.advance(SECOND);

    assert_eq!(bench.rescue().await, Rescued { returned: 1, ..Rescued::default() });

    assert_eq!(bench.outcomes(job.id()).await, [Some(AttemptOutcome::Lost)]);
}

async fn what_others_run_is_not_touched(bench: Bench) {
    bench.start_one().await;
    bench.advance(just_before(LEASE));
    let alive = bench.register().await;
    let id = bench.enqueue_one().await;
    let job = bench.store.claim_job(alive, id, LeaseTerm::Process).await.unwrap();
    bench.advance(MICROSECOND);

    assert_eq!(bench.rescue().await, Rescued { returned: 1, workers: 1, ..Rescued::default() });

    assert_eq!(bench.settle(&job, succeeded()).await.state, JobState::Completed);
}

async fn a_job_past_its_deadline_is_ended_though_nobody_claims(bench: Bench) {
    let ready = bench.enqueue_with(|job| job.deadline = Some(Due::In(SECOND))).await;
    let scheduled = bench
        .enqueue_with(|job| {
            job.due = Due::In(LEASE);
            job.deadline = Some(Due::In(SECOND));
        })
        .await;
    bench.advance(just_before(SECOND));
    assert_eq!(bench.rescue().await, Rescued::default());
    bench.advance(MICROSECOND);

    assert_eq!(bench.rescue().await, Rescued { expired: 2, ..Rescued::default() });
    assert_eq!(bench.rescue().await, Rescued::default());

    for id in [ready, scheduled] {
        let job = bench.job(id).await;
        assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Deadline)));
        assert_eq!((job.finished_at, job.revision), (Some(bench.now()), 2));
        assert_eq!(job.error, job.deadline.map(AttemptError::missed));
        assert_eq!(bench.attempts(id).await, []);
    }
}

async fn a_job_past_its_deadline_is_ended_in_a_paused_queue(bench: Bench) {
    let id = bench.enqueue_with(|job| job.deadline = Some(Due::Now)).await;
    bench.store.pause(&queue("default"), operator()).await.unwrap();
    assert_eq!(bench.claim(1).await, []);
    assert_eq!(bench.state_of(id).await, (JobState::Ready, None), "a claim passes over it");

    bench.rescue().await;

    assert_eq!(bench.state_of(id).await, (JobState::Dead, Some(Reason::Deadline)));
}

async fn a_retry_past_the_deadline_is_never_started(bench: Bench) {
    let job = bench.start_with(|job| job.deadline = Some(Due::In(SECOND))).await;
    bench.settle(&job, failed("x")).await;
    bench.advance(SECOND * 10);

    assert_eq!(bench.claim(1).await, []);

    assert_eq!(bench.state_of(job.id()).await, (JobState::Dead, Some(Reason::Deadline)));
    assert_eq!(bench.outcomes(job.id()).await, [Some(AttemptOutcome::Failed)]);
}

async fn a_lost_job_past_its_deadline_is_ended_by_the_same_rescue(bench: Bench) {
    let job = bench.start_with(|job| job.deadline = Some(Due::In(SECOND))).await;
    bench.advance(LEASE);

    assert_eq!(bench.rescue().await, Rescued { returned: 1, expired: 1, workers: 1, ..Rescued::default() });
    assert_eq!(bench.rescue().await, Rescued::default());

    assert_eq!(bench.state_of(job.id()).await, (JobState::Dead, Some(Reason::Deadline)));
    assert_eq!(bench.outcomes(job.id()).await, [Some(AttemptOutcome::Lost)]);
}

async fn a_rescue_hints_at_work(bench: Bench) {
    bench.start_one().await;
    bench.advance(LEASE);
    let mut work = bench.store.signals().work();

    bench.rescue().await;

    work.next().await;
}

async fn g11_the_clock_set_back_revives_no_lease_and_unmakes_no_time(bench: Bench) {
    let job = bench.start_one().await;
    let start = bench.now();
    let due = bench.enqueue_with(|job| (job.due, job.priority) = (Due::In(SECOND), Priority::Critical)).await;
    bench.advance(LEASE);
    let late = bench.store.status().await.unwrap().now;
    assert_eq!(late, bench.now());

    bench.clock.set(start);

    assert_eq!(bench.store.status().await.unwrap().now, late);
    assert_eq!(bench.state_of(due).await, (JobState::Ready, None));
    assert!(bench.try_settle(&job, succeeded()).await.is_err());
    assert_eq!(bench.rescue().await.returned, 1);
    let worker = bench.register().await;
    let claimed = bench.claim_as(worker, anything(), 10).await.jobs;
    assert_eq!(ids_of(&claimed), [due, job.id()]);
    assert_eq!(claimed[0].lease_until, late.after(LEASE));
}

async fn an_expired_lease_is_taken_back_by_another_process(bench: Bench) {
    let job = bench.start_one().await;
    let store = bench.reopened().await.unwrap_or_else(|| bench.store.clone());
    assert_eq!(store.rescue().await.unwrap(), Rescued::default(), "a restart of one touches no other");
    bench.advance(LEASE);

    assert_eq!(store.rescue().await.unwrap().returned, 1);

    assert_eq!(bench.outcomes(job.id()).await, [Some(AttemptOutcome::Lost)]);
}

async fn rescuers_at_once_take_each_job_back_once(bench: Bench) {
    let ids = bench.enqueue_many(50).await;
    bench.claim(50).await;
    bench.advance(LEASE);
    let store = bench.store.clone();

    let rescued = at_once(2, move |_| {
        let store = store.clone();
        async move { store.rescue().await.unwrap() }
    })
    .await;

    assert_eq!(rescued.iter().map(|one| one.returned).sum::<u64>(), 50);
    assert_eq!(rescued.iter().map(|one| one.workers).sum::<u64>(), 1);
    for id in ids {
        assert_eq!(bench.outcomes(id).await, [Some(AttemptOutcome::Lost)]);
        assert_eq!(bench.job(id).await.losses, 1);
    }
}
