//! What follows a decision: it is carried out by an attempt of the same job, before all other work, until it succeeds.

use std::time::Duration;

use windlass_core::{
    AttemptOutcome, Decision, JobId, JobState, Json, Phase, Priority, Reason, RetryPolicy, Review, Verdict,
};
use windlass_store::{ErrorKind, LeasedJob, NewRuling, Settled, Settlement, Turn};

use super::review::{made, of_outcome, result, reviewer};
use crate::bench::{
    Bench, LEASE, SECOND, anything, at_once, failed, failed_for_now, ids_of, just_before, line, of_queues,
    operator, refused, succeeded,
};

cases! {
    an_accepted_outcome_is_carried_out_and_completes_the_job,
    a_declined_outcome_is_carried_out_and_cancels_the_job,
    what_carries_a_decision_out_is_told_all_of_it,
    what_carries_a_decision_out_may_return_another_result,
    what_carries_a_decision_out_goes_before_all_other_work_of_its_queue,
    what_carries_a_decision_out_begins_without_a_checkpoint,
    a_decision_is_tried_again_by_its_own_budget,
    a_decision_that_cannot_be_carried_out_stays_decided,
    a_retry_by_hand_goes_on_carrying_the_decision_out,
    a_lost_attempt_at_a_decision_is_taken_back_to_it,
    a_decision_that_is_carried_out_can_be_cancelled,
    log_lines_of_every_phase_are_in_one_log,
    an_outcome_is_decided_whatever_comes_in_between,
    nothing_changed_is_as_good_as_done_for_a_decision,
    a_decision_that_waits_for_its_retry_holds_nobody_up,
    a_turn_brings_jobs_into_review_in_its_order,
}

impl Bench {
    /// A job whose outcome was decided about, claimed to carry that out.
    async fn settling(&self, decision: Decision) -> LeasedJob {
        let id = self.staged_with(of_outcome).await.id();
        self.decide(id, decision).await;
        self.claim_one().await
    }
}

async fn an_accepted_outcome_is_carried_out_and_completes_the_job(bench: Bench) {
    let staged = bench.staged_with(of_outcome).await;
    bench.advance(SECOND);

    let decided = bench.decide(staged.id(), Decision::Accept).await;

    assert_eq!(decided, Settled { state: JobState::Ready, reason: None });
    let waiting = bench.job(staged.id()).await;
    assert_eq!((waiting.phase, waiting.run_at, waiting.attempt), (Phase::Settle, bench.now(), 0));
    let job = bench.claim_one().await;
    assert_eq!((job.id(), job.token.number, job.attempt), (staged.id(), 2, 1));
    assert_eq!(bench.job(staged.id()).await.phase, Phase::Settle);
    let settled = bench.settle(&job, succeeded()).await;
    assert_eq!(settled, Settled { state: JobState::Completed, reason: Some(Reason::Accepted) });
    let ended = bench.job(staged.id()).await;
    assert_eq!((ended.result, ended.priority), (result("{\"rows\":3}"), Priority::Normal));
    assert_eq!(bench.outcomes(staged.id()).await, [Some(AttemptOutcome::Succeeded); 2]);
    assert_eq!(refused(bench.store.retry(staged.id(), operator()).await), ErrorKind::Finished);
}

async fn a_declined_outcome_is_carried_out_and_cancels_the_job(bench: Bench) {
    let job = bench.settling(Decision::Decline).await;

    let settled = bench.settle(&job, succeeded()).await;

    assert_eq!(settled, Settled { state: JobState::Cancelled, reason: Some(Reason::Declined) });
    let ended = bench.job(job.id()).await;
    assert_eq!((ended.result, ended.finished_at), (None, Some(bench.now())));
    assert_eq!(bench.outcomes(job.id()).await, [Some(AttemptOutcome::Succeeded); 2]);
    assert_eq!(bench.try_settle(&job, succeeded()).await, Err(ErrorKind::NotRunning));
}

async fn what_carries_a_decision_out_is_told_all_of_it(bench: Bench) {
    let job = bench.settling(Decision::Accept).await;

    let settling = job.settles.clone().unwrap();

    assert_eq!((job.phase(), job.attempts_max, job.losses), (Phase::Settle, 200, 0));
    assert_eq!(settling.staged, result("{\"rows\":3}"));
    assert_eq!(Some(&settling.ruling), bench.review(job.id()).await.ruling.as_ref());
    assert_eq!(settling.ruling.by.as_deref(), Some("bob"));
    assert_eq!(job.priority, Priority::Normal);
}

async fn what_carries_a_decision_out_may_return_another_result(bench: Bench) {
    let job = bench.settling(Decision::Accept).await;

    bench.settle(&job, made("\"published\"")).await;

    assert_eq!(bench.job(job.id()).await.result, result("\"published\""));
    assert_eq!(bench.review(job.id()).await.staged, result("{\"rows\":3}"));
}

async fn what_carries_a_decision_out_goes_before_all_other_work_of_its_queue(bench: Bench) {
    let idle = bench
        .staged_with(|job| (job.priority, job.options.review) = (Priority::Idle, Some(Review::outcome())))
        .await;
    let urgent = bench.enqueue_with(|job| job.priority = Priority::Critical).await;
    bench.advance(SECOND);
    bench.decide(idle.id(), Decision::Accept).await;

    let claimed = bench.claim(10).await;

    assert_eq!(ids_of(&claimed), [idle.id(), urgent]);
    assert_eq!(claimed[0].priority, Priority::Idle);
    assert_eq!(bench.job(idle.id()).await.priority, Priority::Idle);
}

async fn what_carries_a_decision_out_begins_without_a_checkpoint(bench: Bench) {
    let job = bench.start_with(of_outcome).await;
    bench.store.checkpoint(job.token, Json::new("checkpoint", "7").unwrap()).await.unwrap();
    bench.settle(&job, made("1")).await;
    bench.decide(job.id(), Decision::Accept).await;

    let settling = bench.claim_one().await;
    assert_eq!(settling.checkpoint, None);
    bench.store.checkpoint(settling.token, Json::new("checkpoint", "8").unwrap()).await.unwrap();
    bench.settle(&settling, failed_for_now("x")).await;

    assert_eq!(bench.claim_one().await.checkpoint, Some(Json::new("checkpoint", "8").unwrap()));
}

async fn a_decision_is_tried_again_by_its_own_budget(bench: Bench) {
    const WAIT: Duration = Duration::from_secs(600);
    let staged =
        bench.staged_with(|job| (job.attempts_max, job.options.review) = (1, Some(Review::outcome()))).await;
    bench.decide(staged.id(), Decision::Accept).await;
    let first = bench.claim_one().await;

    let settled = bench.settle(&first, failed("away")).await;

    assert_eq!(settled, Settled { state: JobState::Retryable, reason: Some(Reason::Error) });
    let waiting = bench.job(staged.id()).await;
    assert_eq!((waiting.run_at, waiting.phase), (bench.now().after(WAIT), Phase::Settle));
    assert_eq!(waiting.error.unwrap().message, "away");
    bench.advance(just_before(WAIT));
    assert_eq!(bench.claim(1).await, []);
    bench.advance(WAIT.saturating_sub(just_before(WAIT)));
    let second = bench.claim_one().await;
    assert_eq!((second.attempt, second.phase()), (2, Phase::Settle));
    assert_eq!(second.settles.unwrap().staged, result("{\"rows\":3}"));
}

async fn a_decision_that_cannot_be_carried_out_stays_decided(bench: Bench) {
    let terms = Review::outcome().settle_attempts(2, RetryPolicy::Fixed(SECOND));
    let id = bench.staged_with(|job| job.options.review = Some(terms)).await.id();
    bench.decide(id, Decision::Accept).await;
    let first = bench.claim_one().await;
    bench.settle(&first, failed("a")).await;
    bench.advance(SECOND);
    let last = bench.claim_one().await;

    let settled = bench.settle(&last, failed("b")).await;

    assert_eq!(settled, Settled { state: JobState::Dead, reason: Some(Reason::Exhausted) });
    let review = bench.review(id).await;
    assert_eq!(review.ruling.map(|ruling| ruling.decision), Some(Decision::Accept));
    assert_eq!((review.open, review.staged), (false, result("{\"rows\":3}")));
    assert_eq!(bench.job(id).await.result, None);
}

async fn a_retry_by_hand_goes_on_carrying_the_decision_out(bench: Bench) {
    for verdict in [failed("x"), Verdict::Fatal { error: windlass_core::AttemptError::new("x") }] {
        let job = bench.settling(Decision::Accept).await;
        bench.settle(&job, verdict).await;
        bench.advance(SECOND);

        bench.store.retry(job.id(), operator()).await.unwrap();

        let again = bench.claim_one().await;
        assert_eq!((again.id(), again.attempt, again.phase()), (job.id(), 1, Phase::Settle));
        assert_eq!(again.settles.as_ref().unwrap().staged, result("{\"rows\":3}"));
        assert_eq!(bench.settle(&again, succeeded()).await.reason, Some(Reason::Accepted));
        assert_eq!(bench.job(job.id()).await.result, result("{\"rows\":3}"));
    }
}

async fn a_lost_attempt_at_a_decision_is_taken_back_to_it(bench: Bench) {
    let job = bench.settling(Decision::Decline).await;
    bench.advance(LEASE);

    assert_eq!(bench.rescue().await.returned, 1);

    let again = bench.claim_one().await;
    assert_eq!((again.id(), again.losses, again.phase()), (job.id(), 1, Phase::Settle));
    assert_eq!(bench.try_settle(&job, succeeded()).await, Err(ErrorKind::LeaseLost));
    assert_eq!(bench.settle(&again, succeeded()).await.reason, Some(Reason::Declined));
}

async fn a_decision_that_is_carried_out_can_be_cancelled(bench: Bench) {
    let job = bench.settling(Decision::Accept).await;

    bench.cancel(job.id()).await;

    assert_eq!(bench.try_settle(&job, succeeded()).await, Err(ErrorKind::Cancelled));
    assert_eq!(bench.state_of(job.id()).await, (JobState::Cancelled, Some(Reason::Operator)));
    bench.store.retry(job.id(), operator()).await.unwrap();
    assert_eq!(bench.claim_one().await.phase(), Phase::Settle);
}

async fn log_lines_of_every_phase_are_in_one_log(bench: Bench) {
    let job = bench.start_with(of_outcome).await;
    bench.store.log(job.token, vec![line("imported")]).await.unwrap();
    bench.settle(&job, made("1")).await;
    bench.decide(job.id(), Decision::Accept).await;
    let settling = bench.claim_one().await;

    bench.store.log(settling.token, vec![line("published")]).await.unwrap();

    let lines: Vec<(u64, String)> =
        bench.log_lines(job.id()).await.into_iter().map(|line| (line.attempt, line.message)).collect();
    assert_eq!(lines, [(1, "imported".to_owned()), (2, "published".to_owned())]);
}

async fn an_outcome_is_decided_whatever_comes_in_between(bench: Bench) {
    let id = bench.staged_with(of_outcome).await.id();
    let digest = bench.review(id).await.digest;
    let worker = bench.worker().await;
    let store = bench.store.clone();

    // Some decide, some claim and carry out, at the same time.
    at_once(8, move |index| {
        let store = store.clone();
        async move {
            if index < 4 {
                let ruling = if index % 2 == 0 { NewRuling::accept } else { NewRuling::decline };
                let _one_wins = store.decide(id, ruling(reviewer(), digest)).await;
                return;
            }
            let request = windlass_store::ClaimRequest::new(worker, anything(), 1);
            for job in store.claim(request).await.unwrap().jobs {
                let settlement = Settlement { token: job.token, verdict: succeeded() };
                store.settle(vec![settlement]).await.unwrap().remove(0).unwrap();
            }
        }
    })
    .await;

    for job in bench.claim(1).await {
        bench.settle(&job, succeeded()).await;
    }
    let decision = bench.review(id).await.ruling.unwrap().decision;
    let expected = if decision == Decision::Accept {
        (JobState::Completed, Some(Reason::Accepted))
    } else {
        (JobState::Cancelled, Some(Reason::Declined))
    };
    assert_eq!(bench.state_of(id).await, expected);
}

async fn nothing_changed_is_as_good_as_done_for_a_decision(bench: Bench) {
    let job = bench.settling(Decision::Accept).await;

    let settled = bench.settle(&job, Verdict::Unchanged { result: None }).await;

    assert_eq!(settled.reason, Some(Reason::Accepted));
    assert_eq!(bench.job(job.id()).await.result, result("{\"rows\":3}"));
}

async fn a_decision_that_waits_for_its_retry_holds_nobody_up(bench: Bench) {
    let job = bench.settling(Decision::Accept).await;
    bench.settle(&job, failed("away")).await;
    let other = bench.enqueue_one().await;

    let claimed = bench.claim_scope(of_queues(&["default"]), 10).await;

    assert_eq!(ids_of(&claimed.jobs), [other]);
    let next = bench.now().after(Duration::from_secs(600));
    assert!(claimed.next_due.is_none_or(|due| due == next));
}

async fn a_turn_brings_jobs_into_review_in_its_order(bench: Bench) {
    let (first, second) = (bench.start_with(of_outcome).await, bench.start_with(of_outcome).await);
    let plain = bench.start_one().await;
    let settle = |job: &LeasedJob| Settlement { token: job.token, verdict: made("1") };
    let settlements = vec![settle(&second), settle(&plain), settle(&first)];

    let turned = bench.store.turn(Turn { settlements, claim: None }).await.unwrap();

    let states: Vec<JobState> = turned.settled.into_iter().map(|one| one.unwrap().state).collect();
    assert_eq!(states, [JobState::InReview, JobState::Completed, JobState::InReview]);
    let page = bench.store.reviews(windlass_store::ReviewFilter::default(), windlass_store::PageRequest::first(10)).await.unwrap();
    let listed: Vec<JobId> = page.items.into_iter().map(|review| review.job).collect();
    assert_eq!(listed, [second.id(), first.id()]);
}
