//! A job is stopped on purpose.

use windlass_core::{AttemptError, AttemptOutcome, Due, JobState, Json, Progress, Reason, Verdict};
use windlass_store::{Actor, CancelOutcome, ClaimRequest, ErrorKind, JobEvent, LeaseTerm, LeasedJob, Rescued, Turn};

use crate::bench::{
    Bench, LEASE, SECOND, anything, at_once, failed, failed_for_now, line, operator, refused, succeeded,
};

cases! {
    g18_a_cancelled_waiting_job_never_starts,
    whatever_waits_can_be_cancelled,
    a_running_job_is_cancelled_at_once,
    a_late_settle_is_answered_cancelled_and_closes_the_attempt,
    nothing_else_is_written_for_a_cancelled_attempt,
    the_worker_learns_of_it_by_every_way_it_asks,
    the_worker_is_told_until_the_attempt_is_closed,
    an_extension_keeps_the_lease_of_a_cancelled_attempt,
    a_cancelled_attempt_whose_worker_vanished_is_closed_once,
    a_cancelled_job_stays_as_it_is_when_cancelled_again,
    a_job_that_its_handler_cancelled_counts_as_cancelled,
    a_finished_job_cannot_be_cancelled,
    an_unknown_job_cannot_be_cancelled,
    g21_a_cancel_records_who_and_why,
    a_cancel_of_a_running_job_hints_at_work,
    g18_a_cancel_and_a_claim_at_once_agree_on_who_was_first,
}

/// A running job that was cancelled, its attempt still open.
async fn cancelled_while_running(bench: &Bench) -> LeasedJob {
    let job = bench.start_one().await;
    assert_eq!(bench.cancel(job.id()).await, CancelOutcome::Requested);
    job
}

const BY_OPERATOR: (JobState, Option<Reason>) = (JobState::Cancelled, Some(Reason::Operator));

async fn g18_a_cancelled_waiting_job_never_starts(bench: Bench) {
    let id = bench.enqueue_one().await;

    assert_eq!(bench.cancel(id).await, CancelOutcome::Cancelled);

    let job = bench.job(id).await;
    assert_eq!((job.state, job.reason), BY_OPERATOR);
    assert_eq!((job.finished_at, job.result, job.error), (Some(bench.now()), None, None));
    assert_eq!(job.revision, 2);
    assert_eq!(bench.attempts(id).await, []);
    bench.advance(LEASE);
    bench.rescue().await;
    assert_eq!(bench.claim(1).await, []);
}

async fn whatever_waits_can_be_cancelled(bench: Bench) {
    let scheduled = bench.enqueue_with(|job| job.due = Due::In(SECOND)).await;
    let retryable = bench.start_one().await;
    bench.settle(&retryable, failed("x")).await;

    for id in [scheduled, retryable.id()] {
        assert_eq!(bench.cancel(id).await, CancelOutcome::Cancelled);
        assert_eq!(bench.state_of(id).await, BY_OPERATOR);
    }

    bench.advance(LEASE);
    assert_eq!(bench.claim(10).await, []);
}

async fn a_running_job_is_cancelled_at_once(bench: Bench) {
    let job = cancelled_while_running(&bench).await;

    assert_eq!(bench.state_of(job.id()).await, BY_OPERATOR);
    assert_eq!(bench.job(job.id()).await.finished_at, Some(bench.now()));
    assert_eq!(bench.outcomes(job.id()).await, [None], "its attempt is still open");
}

async fn a_late_settle_is_answered_cancelled_and_closes_the_attempt(bench: Bench) {
    let job = cancelled_while_running(&bench).await;
    bench.advance(SECOND);
    let before = bench.job(job.id()).await;

    let settled = bench.try_settle(&job, failed_for_now("late")).await;

    assert_eq!(settled, Err(ErrorKind::Cancelled));
    assert_eq!(bench.job(job.id()).await, before);
    let attempt = bench.attempts(job.id()).await.remove(0);
    assert_eq!((attempt.outcome, attempt.ended_at), (Some(AttemptOutcome::Cancelled), Some(bench.now())));
    assert_eq!(attempt.error, None);
    assert_eq!(bench.try_settle(&job, succeeded()).await, Err(ErrorKind::NotRunning));
}

async fn nothing_else_is_written_for_a_cancelled_attempt(bench: Bench) {
    let job = cancelled_while_running(&bench).await;
    let before = bench.job(job.id()).await;
    let progress = Progress::new(50, None).unwrap();

    assert_eq!(refused(bench.store.progress(job.token, progress).await), ErrorKind::Cancelled);
    assert_eq!(refused(bench.store.checkpoint(job.token, Json::null()).await), ErrorKind::Cancelled);
    assert_eq!(refused(bench.store.log(job.token, vec![line("late")]).await), ErrorKind::Cancelled);

    assert_eq!(bench.job(job.id()).await, before);
    assert_eq!(bench.log_lines(job.id()).await, []);
}

async fn the_worker_learns_of_it_by_every_way_it_asks(bench: Bench) {
    let running = bench.start_one().await;
    let job = cancelled_while_running(&bench).await;
    let worker = bench.worker().await;

    let beat = bench.store.beat(worker).await.unwrap();
    let claim = ClaimRequest::new(worker, anything(), 1);
    let turned = bench.store.turn(Turn { settlements: vec![], claim: Some(claim) }).await.unwrap();

    assert_eq!(beat.cancelled, [job.token]);
    assert_eq!(turned.cancelled, [job.token]);
    let unclaimed = bench.store.turn(Turn { settlements: vec![], claim: None }).await.unwrap();
    assert_eq!(unclaimed.cancelled, [], "who does not claim is told by the beat");
    assert!(bench.store.extend(job.token).await.unwrap().cancel_requested);
    assert!(bench.store.holder(job.token).await.unwrap().cancel_requested);
    assert!(!bench.store.holder(running.token).await.unwrap().cancel_requested);
    let other = bench.register().await;
    assert_eq!(bench.store.beat(other).await.unwrap().cancelled, []);
}

async fn the_worker_is_told_until_the_attempt_is_closed(bench: Bench) {
    let job = cancelled_while_running(&bench).await;
    let worker = bench.worker().await;
    assert_eq!(bench.store.beat(worker).await.unwrap().cancelled, [job.token]);
    assert_eq!(bench.store.beat(worker).await.unwrap().cancelled, [job.token]);

    bench.try_settle(&job, succeeded()).await.unwrap_err();

    assert_eq!(bench.store.beat(worker).await.unwrap().cancelled, []);
    assert_eq!(refused(bench.store.holder(job.token).await), ErrorKind::NotRunning);
}

async fn an_extension_keeps_the_lease_of_a_cancelled_attempt(bench: Bench) {
    let job = bench.start_with_own_lease(SECOND).await;
    bench.cancel(job.id()).await;
    bench.advance(SECOND / 2);

    let holder = bench.store.extend(job.token).await.unwrap();

    assert_eq!(holder.lease_until, bench.now().after(SECOND));
    bench.advance(SECOND);
    assert_eq!(bench.try_settle(&job, succeeded()).await, Err(ErrorKind::LeaseLost));
}

async fn a_cancelled_attempt_whose_worker_vanished_is_closed_once(bench: Bench) {
    let job = cancelled_while_running(&bench).await;
    let before = bench.job(job.id()).await;
    bench.advance(LEASE);

    assert_eq!(bench.rescue().await, Rescued { closed: 1, workers: 1, ..Rescued::default() });
    assert_eq!(bench.rescue().await, Rescued::default());

    assert_eq!(bench.job(job.id()).await, before, "it is no loss, and changes nothing of the job");
    let attempt = bench.attempts(job.id()).await.remove(0);
    assert_eq!((attempt.outcome, attempt.ended_at), (Some(AttemptOutcome::Cancelled), Some(bench.now())));
    assert_eq!(bench.try_settle(&job, succeeded()).await, Err(ErrorKind::LeaseLost));
}

async fn a_cancelled_job_stays_as_it_is_when_cancelled_again(bench: Bench) {
    let id = bench.enqueue_one().await;
    bench.cancel(id).await;
    bench.advance(SECOND);
    let before = bench.job(id).await;

    assert_eq!(bench.cancel(id).await, CancelOutcome::AlreadyCancelled);

    assert_eq!(bench.job(id).await, before);
    assert_eq!(bench.store.events(id).await.unwrap().len(), 1);
}

async fn a_job_that_its_handler_cancelled_counts_as_cancelled(bench: Bench) {
    let job = bench.start_one().await;
    bench.settle(&job, Verdict::Cancelled { error: AttemptError::new("x") }).await;

    assert_eq!(bench.cancel(job.id()).await, CancelOutcome::AlreadyCancelled);

    assert_eq!(bench.state_of(job.id()).await, (JobState::Cancelled, Some(Reason::Handler)));
}

async fn a_finished_job_cannot_be_cancelled(bench: Bench) {
    let completed = bench.start_one().await;
    bench.settle(&completed, Verdict::Succeeded { result: Some(Json::null()) }).await;
    let dead = bench.start_with(|job| job.attempts_max = 1).await;
    bench.settle(&dead, failed("x")).await;

    for job in [completed, dead] {
        let before = bench.job(job.id()).await;
        assert_eq!(refused(bench.store.cancel(job.id(), operator()).await), ErrorKind::Finished);
        assert_eq!(bench.job(job.id()).await, before);
    }
}

async fn an_unknown_job_cannot_be_cancelled(bench: Bench) {
    let answer = bench.store.cancel(bench.fresh_id(), operator()).await;

    assert_eq!(refused(answer), ErrorKind::NotFound);
}

async fn g21_a_cancel_records_who_and_why(bench: Bench) {
    let id = bench.enqueue_one().await;
    let by = Actor::new("Größe 🐠").because("it was\nwrong\u{1b}[31m; DROP TABLE job");

    bench.store.cancel(id, by.clone()).await.unwrap();

    let events = bench.store.events(id).await.unwrap();
    assert_eq!(events, [JobEvent { at: bench.now(), verb: "cancel".to_owned(), by, revision: 2 }]);
}

async fn a_cancel_of_a_running_job_hints_at_work(bench: Bench) {
    let job = bench.start_one().await;
    let (mut work, mut ended) = (bench.store.signals().work(), bench.store.signals().ended());

    bench.cancel(job.id()).await;

    work.next().await;
    ended.next().await;
}

async fn g18_a_cancel_and_a_claim_at_once_agree_on_who_was_first(bench: Bench) {
    let ids = bench.enqueue_many(20).await;
    let worker = bench.register().await;
    let store = bench.store.clone();

    let outcomes = at_once(2, move |index| {
        let (store, ids) = (store.clone(), ids.clone());
        async move {
            let mut requested = Vec::new();
            let mut claimed = Vec::new();
            for id in ids {
                if index == 0 {
                    let outcome = store.cancel(id, operator()).await.unwrap();
                    requested.extend((outcome == CancelOutcome::Requested).then_some(id));
                } else {
                    let term = LeaseTerm::Process;
                    claimed.extend(store.claim_job(worker, id, term).await.map(|job| job.id()));
                }
            }
            (requested, claimed)
        }
    })
    .await;

    let [(requested, _), (_, claimed)] = <[_; 2]>::try_from(outcomes).unwrap();
    assert_eq!(requested, claimed, "a job was running when it was cancelled if and only if it was claimed");
}
