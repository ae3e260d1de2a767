//! What is done to a job by hand.

use windlass_core::{AttemptError, AttemptOutcome, Due, JobState, Json, Reason, Verdict};
use windlass_store::{Actor, ErrorKind, JobEvent};

use crate::bench::{
    Bench, LEASE, SECOND, anything, failed, failed_for_now, ids_of, line, operator, refused, succeeded,
};

cases! {
    a_dead_job_gets_a_new_budget,
    a_poisoned_job_gets_a_new_budget_of_losses,
    a_cancelled_job_can_be_retried,
    a_retryable_job_can_be_retried_at_once,
    a_failed_job_that_is_due_again_can_be_retried,
    a_retry_keeps_the_id_the_place_and_the_history,
    a_retry_drops_a_deadline_that_has_passed,
    a_retry_keeps_a_deadline_that_is_to_come,
    a_completed_job_cannot_be_retried,
    a_job_that_has_not_failed_cannot_be_retried,
    a_cancelled_job_whose_attempt_is_open_cannot_be_retried_yet,
    run_now_makes_a_waiting_job_due,
    run_now_leaves_a_ready_job_as_it_is,
    run_now_is_refused_for_what_does_not_wait,
    g21_every_change_by_hand_is_recorded_in_order,
    a_deleted_job_is_gone_with_all_that_was_kept_of_it,
    a_job_can_be_deleted_in_every_state_without_an_open_attempt,
    a_job_with_an_open_attempt_cannot_be_deleted,
    the_id_of_a_deleted_job_may_be_enqueued_anew,
}

async fn a_dead_job_gets_a_new_budget(bench: Bench) {
    let job = bench.start_with(|job| job.attempts_max = 1).await;
    bench.settle(&job, failed("first")).await;
    bench.advance(SECOND);

    bench.store.retry(job.id(), operator()).await.unwrap();

    let retried = bench.job(job.id()).await;
    assert_eq!((retried.state, retried.reason), (JobState::Ready, None));
    assert_eq!((retried.attempt, retried.losses), (0, 0));
    assert_eq!((retried.run_at, retried.finished_at), (bench.now(), None));
    assert_eq!(retried.error.unwrap().message, "first");
    let again = bench.claim_one().await;
    assert_eq!((again.attempt, again.token.number), (1, 2));
    assert_eq!(bench.settle(&again, succeeded()).await.state, JobState::Completed);
    assert_eq!(bench.outcomes(job.id()).await, [AttemptOutcome::Failed, AttemptOutcome::Succeeded].map(Some));
}

async fn a_poisoned_job_gets_a_new_budget_of_losses(bench: Bench) {
    let job = bench.start_with(|job| job.losses_max = 0).await;
    bench.advance(LEASE);
    bench.rescue().await;

    bench.store.retry(job.id(), operator()).await.unwrap();

    assert_eq!(bench.job(job.id()).await.losses, 0);
    assert_eq!(bench.claim_one().await.losses, 0);
}

async fn a_cancelled_job_can_be_retried(bench: Bench) {
    let waiting = bench.enqueue_one().await;
    bench.cancel(waiting).await;
    let running = bench.start_one().await;
    bench.cancel(running.id()).await;
    bench.try_settle(&running, succeeded()).await.unwrap_err();

    for id in [waiting, running.id()] {
        bench.store.retry(id, operator()).await.unwrap();
        assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
    }

    assert_eq!(bench.try_settle(&running, succeeded()).await, Err(ErrorKind::NotRunning));
    assert_eq!(ids_of(&bench.claim(10).await), [waiting, running.id()]);
}

async fn a_retryable_job_can_be_retried_at_once(bench: Bench) {
    let job = bench.start_one().await;
    bench.settle(&job, failed("x")).await;
    assert_eq!(bench.claim(1).await, []);

    bench.store.retry(job.id(), operator()).await.unwrap();

    assert_eq!(bench.claim_one().await.attempt, 1);
}

async fn a_failed_job_that_is_due_again_can_be_retried(bench: Bench) {
    let failed_once = bench.start_one().await;
    bench.settle(&failed_once, failed_for_now("x")).await;
    assert_eq!(bench.state_of(failed_once.id()).await, (JobState::Ready, None));

    bench.store.retry(failed_once.id(), operator()).await.unwrap();

    assert_eq!(bench.job(failed_once.id()).await.attempt, 0);
}

async fn a_retry_keeps_the_id_the_place_and_the_history(bench: Bench) {
    let first = bench.start_one().await;
    bench.store.checkpoint(first.token, Json::null()).await.unwrap();
    bench.store.log(first.token, vec![line("kept")]).await.unwrap();
    let second = bench.start_one().await;
    for job in [&second, &first] {
        bench.settle(job, Verdict::Fatal { error: AttemptError::new("x") }).await;
    }

    for job in [&second, &first] {
        bench.store.retry(job.id(), operator()).await.unwrap();
    }

    let again = bench.claim(10).await;
    assert_eq!(ids_of(&again), [first.id(), second.id()], "the order is that of the enqueue");
    assert_eq!(again[0].checkpoint, Some(Json::null()));
    assert_eq!(bench.log_lines(first.id()).await.len(), 1);
    assert_eq!(bench.outcomes(first.id()).await, [Some(AttemptOutcome::Failed), None]);
}

async fn a_retry_drops_a_deadline_that_has_passed(bench: Bench) {
    let id = bench.enqueue_with(|job| job.deadline = Some(Due::In(SECOND))).await;
    bench.advance(SECOND);
    bench.rescue().await;

    bench.store.retry(id, operator()).await.unwrap();

    assert_eq!(bench.job(id).await.deadline, None);
    assert_eq!(bench.claim_one().await.id(), id);
}

async fn a_retry_keeps_a_deadline_that_is_to_come(bench: Bench) {
    let id = bench.enqueue_with(|job| job.deadline = Some(Due::In(SECOND))).await;
    let deadline = bench.job(id).await.deadline;
    bench.cancel(id).await;

    bench.store.retry(id, operator()).await.unwrap();

    assert_eq!(bench.job(id).await.deadline, deadline);
}

async fn a_completed_job_cannot_be_retried(bench: Bench) {
    let job = bench.start_one().await;
    bench.settle(&job, succeeded()).await;
    let before = bench.job(job.id()).await;

    assert_eq!(refused(bench.store.retry(job.id(), operator()).await), ErrorKind::Finished);

    assert_eq!(bench.job(job.id()).await, before);
    assert_eq!(bench.store.events(job.id()).await.unwrap(), []);
}

async fn a_job_that_has_not_failed_cannot_be_retried(bench: Bench) {
    let running = bench.start_one().await.id();
    let ready = bench.enqueue_one().await;
    let scheduled = bench.enqueue_with(|job| job.due = Due::In(SECOND)).await;
    let snoozed = bench.start_one().await;
    bench.settle(&snoozed, Verdict::Snoozed { delay: SECOND }).await;

    for id in [running, ready, scheduled, snoozed.id()] {
        let before = bench.job(id).await;
        assert_eq!(refused(bench.store.retry(id, operator()).await), ErrorKind::NotReady);
        assert_eq!(bench.job(id).await, before);
    }
}

async fn a_cancelled_job_whose_attempt_is_open_cannot_be_retried_yet(bench: Bench) {
    let job = bench.start_one().await;
    bench.cancel(job.id()).await;

    assert_eq!(refused(bench.store.retry(job.id(), operator()).await), ErrorKind::NotReady);

    bench.advance(LEASE);
    bench.rescue().await;
    bench.store.retry(job.id(), operator()).await.unwrap();
}

async fn run_now_makes_a_waiting_job_due(bench: Bench) {
    let scheduled = bench.enqueue_with(|job| job.due = Due::In(LEASE)).await;
    let retryable = bench.start_one().await;
    bench.settle(&retryable, failed("x")).await;
    bench.advance(SECOND);

    for id in [scheduled, retryable.id()] {
        bench.store.run_now(id, operator()).await.unwrap();
        assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
        assert_eq!(bench.job(id).await.run_at, bench.now());
    }

    let claimed = bench.claim_scope(anything(), 10).await.jobs;
    assert_eq!(ids_of(&claimed), [scheduled, retryable.id()]);
    assert_eq!(claimed[1].attempt, 2, "its attempts still count");
}

async fn run_now_leaves_a_ready_job_as_it_is(bench: Bench) {
    let id = bench.enqueue_one().await;
    bench.advance(SECOND);
    let before = bench.job(id).await;

    bench.store.run_now(id, operator()).await.unwrap();

    assert_eq!(bench.job(id).await, before);
    assert_eq!(bench.store.events(id).await.unwrap(), []);
}

async fn run_now_is_refused_for_what_does_not_wait(bench: Bench) {
    let running = bench.start_one().await.id();
    let cancelled = bench.enqueue_one().await;
    bench.cancel(cancelled).await;

    assert_eq!(refused(bench.store.run_now(running, operator()).await), ErrorKind::NotReady);
    assert_eq!(refused(bench.store.run_now(cancelled, operator()).await), ErrorKind::Finished);
}

async fn g21_every_change_by_hand_is_recorded_in_order(bench: Bench) {
    let id = bench.enqueue_with(|job| job.due = Due::In(LEASE)).await;
    let actors = ["ada", "grace", "edsger"].map(|name| Actor::new(name).because("so"));

    bench.store.run_now(id, actors[0].clone()).await.unwrap();
    bench.advance(SECOND);
    bench.store.cancel(id, actors[1].clone()).await.unwrap();
    bench.store.retry(id, actors[2].clone()).await.unwrap();

    let now = bench.now();
    let event = |at, verb: &str, by: &Actor, revision| JobEvent {
        at,
        verb: verb.to_owned(),
        by: by.clone(),
        revision,
    };
    let expected = [
        event(now.before(SECOND), "run_now", &actors[0], 2),
        event(now, "cancel", &actors[1], 3),
        event(now, "retry", &actors[2], 4),
    ];
    assert_eq!(bench.store.events(id).await.unwrap(), expected);
}

async fn a_deleted_job_is_gone_with_all_that_was_kept_of_it(bench: Bench) {
    let job = bench.start_one().await;
    bench.store.log(job.token, vec![line("x")]).await.unwrap();
    bench.settle(&job, succeeded()).await;

    bench.store.delete(job.id(), operator()).await.unwrap();

    let store = &bench.store;
    assert_eq!(refused(store.job(job.id()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.attempts(job.id()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.holder(job.token).await), ErrorKind::NotFound);
    assert_eq!(refused(store.delete(job.id(), operator()).await), ErrorKind::NotFound);
    assert_eq!(bench.try_settle(&job, succeeded()).await, Err(ErrorKind::NotFound));
}

async fn a_job_can_be_deleted_in_every_state_without_an_open_attempt(bench: Bench) {
    let scheduled = bench.enqueue_with(|job| job.due = Due::In(LEASE)).await;
    let ready = bench.enqueue_one().await;
    let cancelled = bench.enqueue_one().await;
    bench.cancel(cancelled).await;
    let retryable = bench.start_with(|_| {}).await;
    bench.settle(&retryable, failed("x")).await;
    let dead = bench.start_with(|job| job.attempts_max = 1).await;
    bench.settle(&dead, failed("x")).await;

    for id in [scheduled, ready, cancelled, retryable.id(), dead.id()] {
        bench.store.delete(id, operator()).await.unwrap();
    }

    bench.advance(LEASE);
    assert_eq!(bench.claim(10).await, []);
    assert_eq!(bench.store.queues().await.unwrap()[0].counts.total(), 0);
}

async fn a_job_with_an_open_attempt_cannot_be_deleted(bench: Bench) {
    let running = bench.start_one().await;
    let cancelled = bench.start_one().await;
    bench.cancel(cancelled.id()).await;

    for job in [&running, &cancelled] {
        assert_eq!(refused(bench.store.delete(job.id(), operator()).await), ErrorKind::NotReady);
    }

    assert_eq!(bench.state_of(running.id()).await, (JobState::Running, None));
    assert_eq!(bench.state_of(cancelled.id()).await, (JobState::Cancelled, Some(Reason::Operator)));
}

async fn the_id_of_a_deleted_job_may_be_enqueued_anew(bench: Bench) {
    let job = bench.start_one().await;
    bench.settle(&job, succeeded()).await;
    bench.store.delete(job.id(), operator()).await.unwrap();
    let mut anew = bench.new_job();
    anew.id = job.id();

    let enqueued = bench.store.enqueue(vec![anew]).await.unwrap();

    assert!(!enqueued[0].repeated);
    assert_eq!(bench.job(job.id()).await.revision, 1);
    assert_eq!(bench.attempts(job.id()).await, []);
    assert_eq!(bench.claim_one().await.id(), job.id());
    assert_eq!(
        bench.try_settle(&job, succeeded()).await,
        Err(ErrorKind::LeaseLost),
        "its old token is no key to it"
    );
}
