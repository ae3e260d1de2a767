//! An attempt ends, and its job goes where the rules say.

use std::time::Duration;

use windlass_core::attempt::AttemptError;
use windlass_core::limits::{ATTEMPTS_UNLIMITED, DELAY_MAX};
use windlass_core::retry::{Jitter, Step};
use windlass_core::{AttemptOutcome, Due, JobState, Json, Reason, RetryPolicy, Verdict};
use windlass_store::{ErrorKind, Settled, Settlement};

use crate::bench::{Bench, LEASE, MICROSECOND, SECOND, failed, failed_for_now, succeeded, just_before};

cases! {
    success_completes_the_job,
    a_result_reads_back_byte_for_byte,
    a_result_of_null_is_a_result,
    an_unchanged_outcome_is_a_success_of_its_own,
    a_failure_waits_as_its_policy_says,
    the_default_policy_waits_with_the_jitter_of_the_job,
    a_failure_may_say_when_to_try_again,
    a_job_dies_once_its_attempts_are_used_up,
    unlimited_attempts_go_on,
    fatal_and_undecodable_kill_at_once,
    a_handler_may_cancel_its_own_job,
    a_timeout_is_retried_but_not_past_the_deadline,
    a_snooze_waits_and_costs_nothing,
    an_interruption_costs_nothing_and_keeps_the_place,
    a_release_leaves_no_trace,
    success_clears_the_last_error_and_keeps_its_attempt,
    an_error_of_any_text_can_be_told,
    every_attempt_is_listed_with_how_it_ended,
    one_refused_settlement_does_not_touch_the_others,
    the_same_token_settles_once_also_within_a_turn,
    settling_nothing_answers_nothing,
    an_end_is_hinted_at,
    an_attempt_given_back_survives_the_store_that_took_it,
}

async fn success_completes_the_job(bench: Bench) {
    let job = bench.start_one().await;
    bench.advance(SECOND);

    let settled = bench.settle(&job, succeeded()).await;

    assert_eq!(settled, Settled { state: JobState::Completed, reason: Some(Reason::Done) });
    let job = bench.job(job.id()).await;
    assert_eq!((job.state, job.reason), (JobState::Completed, Some(Reason::Done)));
    assert_eq!((job.result, job.error), (None, None));
    assert_eq!((job.attempt, job.losses), (1, 0));
    assert_eq!(job.finished_at, Some(bench.now()));
    assert_eq!(job.started_at, Some(bench.now().before(SECOND)));
    assert_eq!(job.revision, 3);
    assert_eq!(bench.claim(1).await, []);
}

async fn a_result_reads_back_byte_for_byte(bench: Bench) {
    for text in [r#"{"a\u0000":"\u0000","a":-0}"#, " [9007199254740993] ", "\"🐠\""] {
        let job = bench.start_one().await;
        let result = Some(Json::new("result", text).unwrap());

        bench.settle(&job, Verdict::Succeeded { result: result.clone() }).await;

        assert_eq!(bench.job(job.id()).await.result, result.map(|result| bench.kept(&result)));
    }
}

async fn a_result_of_null_is_a_result(bench: Bench) {
    let job = bench.start_one().await;

    bench.settle(&job, Verdict::Succeeded { result: Some(Json::null()) }).await;

    assert_eq!(bench.job(job.id()).await.result, Some(Json::null()));
}

async fn an_unchanged_outcome_is_a_success_of_its_own(bench: Bench) {
    let job = bench.start_one().await;

    let settled = bench.settle(&job, Verdict::Unchanged { result: Some(Json::null()) }).await;

    assert_eq!(settled, Settled { state: JobState::Completed, reason: Some(Reason::Unchanged) });
    assert_eq!(bench.outcomes(job.id()).await, [Some(AttemptOutcome::Succeeded)]);
    assert_eq!(bench.job(job.id()).await.result, Some(Json::null()));
}

async fn a_failure_waits_as_its_policy_says(bench: Bench) {
    let steps = [3, 7].map(|seconds| Step(Duration::from_secs(seconds)));
    let id = bench.enqueue_with(|job| job.options.retry = RetryPolicy::List(steps.to_vec())).await;

    for wait in [3, 7, 7].map(Duration::from_secs) {
        let job = bench.claim_one().await;
        let settled = bench.settle(&job, failed("x")).await;
        assert_eq!(settled, Settled { state: JobState::Retryable, reason: Some(Reason::Error) });
        assert_eq!(bench.job(id).await.run_at, bench.now().after(wait));

        bench.advance(just_before(wait));
        assert_eq!(bench.claim(1).await, [], "never before its time");
        bench.advance(MICROSECOND);
    }
    assert_eq!(bench.claim_one().await.attempt, 4);
}

async fn the_default_policy_waits_with_the_jitter_of_the_job(bench: Bench) {
    let job = bench.start_one().await;

    bench.settle(&job, failed("x")).await;

    let wait = RetryPolicy::default().delay_after(1, Jitter::of(job.id(), job.token.number));
    assert_eq!(bench.job(job.id()).await.run_at, bench.now().after(wait));
}

async fn a_failure_may_say_when_to_try_again(bench: Bench) {
    let after = |wait| Verdict::Failed { error: AttemptError::new("x"), retry_after: Some(wait) };
    let job = bench.start_one().await;

    assert_eq!(bench.settle(&job, after(Duration::ZERO)).await.state, JobState::Ready);
    let job = bench.claim_one().await;
    bench.settle(&job, after(SECOND)).await;
    assert_eq!(bench.job(job.id()).await.run_at, bench.now().after(SECOND));

    bench.advance(SECOND);
    let job = bench.claim_one().await;
    bench.settle(&job, after(Duration::MAX)).await;
    assert_eq!(bench.job(job.id()).await.run_at, bench.now().after(DELAY_MAX));
}

async fn a_job_dies_once_its_attempts_are_used_up(bench: Bench) {
    let id = bench.enqueue_with(|job| job.attempts_max = 3).await;

    for attempt in 1..=3 {
        let job = bench.claim_one().await;
        assert_eq!((job.attempt, job.attempts_max), (attempt, 3));
        bench.settle(&job, failed_for_now(&format!("boom {attempt}"))).await;
    }

    let job = bench.job(id).await;
    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Exhausted)));
    assert_eq!((job.attempt, job.finished_at), (3, Some(bench.now())));
    assert_eq!(job.error, Some(AttemptError::new("boom 3")));
    assert_eq!(bench.claim(1).await, []);
    assert_eq!(bench.outcomes(id).await, [Some(AttemptOutcome::Failed); 3]);
}

async fn unlimited_attempts_go_on(bench: Bench) {
    let id = bench.enqueue_with(|job| job.attempts_max = ATTEMPTS_UNLIMITED).await;

    for _ in 0..20 {
        let job = bench.claim_one().await;
        assert_eq!(bench.settle(&job, failed_for_now("x")).await.state, JobState::Ready);
    }

    let job = bench.job(id).await;
    assert_eq!((job.attempt, job.attempts_max), (20, ATTEMPTS_UNLIMITED));
}

async fn fatal_and_undecodable_kill_at_once(bench: Bench) {
    let error = AttemptError::new("hopeless");
    for (verdict, reason) in [
        (Verdict::Fatal { error: error.clone() }, Reason::Fatal),
        (Verdict::Undecodable { error: error.clone() }, Reason::Undecodable),
    ] {
        let job = bench.start_one().await;

        let settled = bench.settle(&job, verdict).await;

        assert_eq!(settled, Settled { state: JobState::Dead, reason: Some(reason) });
        assert_eq!(bench.job(job.id()).await.error, Some(error.clone()));
        assert_eq!(bench.outcomes(job.id()).await, [Some(AttemptOutcome::Failed)]);
    }
}

async fn a_handler_may_cancel_its_own_job(bench: Bench) {
    let job = bench.start_one().await;

    let settled = bench.settle(&job, Verdict::Cancelled { error: AttemptError::new("not needed") }).await;

    assert_eq!(settled, Settled { state: JobState::Cancelled, reason: Some(Reason::Handler) });
    assert_eq!(bench.outcomes(job.id()).await, [Some(AttemptOutcome::Cancelled)]);
    assert_eq!(bench.job(job.id()).await.error, Some(AttemptError::new("not needed")));
}

async fn a_timeout_is_retried_but_not_past_the_deadline(bench: Bench) {
    let late = || Verdict::TimedOut { error: AttemptError::new("too slow") };
    let job = bench.start_with(|job| job.deadline = Some(Due::In(LEASE / 2))).await;

    let settled = bench.settle(&job, late()).await;
    assert_eq!(settled, Settled { state: JobState::Retryable, reason: Some(Reason::TimedOut) });

    bench.advance(LEASE / 3);
    let job = bench.claim_one().await;
    bench.advance(LEASE / 6);
    let settled = bench.settle(&job, late()).await;
    assert_eq!(settled, Settled { state: JobState::Dead, reason: Some(Reason::Deadline) });
    assert_eq!(bench.outcomes(job.id()).await, [Some(AttemptOutcome::TimedOut); 2]);
}

async fn a_snooze_waits_and_costs_nothing(bench: Bench) {
    let id = bench.enqueue_with(|job| job.attempts_max = 1).await;

    for _ in 0..3 {
        let job = bench.claim_one().await;
        assert_eq!(job.attempt, 1);
        let settled = bench.settle(&job, Verdict::Snoozed { delay: SECOND }).await;
        assert_eq!(settled, Settled { state: JobState::Scheduled, reason: Some(Reason::Snoozed) });
        assert_eq!(bench.claim(1).await, []);
        bench.advance(SECOND);
    }

    assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
    assert_eq!(bench.outcomes(id).await, [Some(AttemptOutcome::Snoozed); 3]);
    assert_eq!(bench.job(id).await.attempt, 0);
}

async fn an_interruption_costs_nothing_and_keeps_the_place(bench: Bench) {
    let first = bench.enqueue_with(|job| job.attempts_max = 1).await;
    bench.advance(SECOND);
    bench.enqueue_one().await;
    let run_at = bench.job(first).await.run_at;
    let job = bench.claim_one().await;

    let settled = bench.settle(&job, Verdict::Interrupted).await;

    assert_eq!(settled, Settled { state: JobState::Ready, reason: None });
    assert_eq!(bench.job(first).await.run_at, run_at);
    assert_eq!(bench.outcomes(first).await, [Some(AttemptOutcome::Interrupted)]);
    let again = bench.claim_one().await;
    assert_eq!((again.id(), again.attempt), (first, 1));
}

async fn a_release_leaves_no_trace(bench: Bench) {
    let job = bench.start_one().await;

    let settled = bench.settle(&job, Verdict::Released).await;

    assert_eq!(settled, Settled { state: JobState::Ready, reason: None });
    assert_eq!(bench.attempts(job.id()).await, []);
    assert_eq!(bench.job(job.id()).await.attempt, 0);
    let again = bench.claim_one().await;
    assert_eq!((again.token.number, again.attempt), (2, 1));
    let attempts = bench.attempts(job.id()).await;
    assert_eq!(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [2]);
}

async fn success_clears_the_last_error_and_keeps_its_attempt(bench: Bench) {
    let job = bench.start_one().await;
    bench.settle(&job, failed_for_now("first")).await;
    let again = bench.claim_one().await;
    assert_eq!(bench.job(job.id()).await.error, Some(AttemptError::new("first")));
    bench.settle(&again, Verdict::Snoozed { delay: Duration::ZERO }).await;
    assert_eq!(bench.job(job.id()).await.error, Some(AttemptError::new("first")));

    let last = bench.claim_one().await;
    bench.settle(&last, succeeded()).await;

    assert_eq!(bench.job(job.id()).await.error, None);
    assert_eq!(bench.attempts(job.id()).await[0].error, Some(AttemptError::new("first")));
}

async fn an_error_of_any_text_can_be_told(bench: Bench) {
    let hostile = "\u{0}\u{1b}[31m'; DROP TABLE job; --\r\n\t\"%s\" \u{feff}\u{202e}🐠".repeat(1000);
    let error = AttemptError::new(&hostile)
        .with_class("std::io::Error\u{0}")
        .with_chain((0..100).map(|_| &hostile))
        .with_trace(&hostile);
    let job = bench.start_one().await;

    bench.settle(&job, Verdict::Fatal { error: error.clone() }).await;

    assert_eq!(bench.job(job.id()).await.error, Some(error.clone()));
    assert_eq!(bench.attempts(job.id()).await[0].error, Some(error));
}

async fn every_attempt_is_listed_with_how_it_ended(bench: Bench) {
    let id = bench.enqueue_one().await;
    let started_at = bench.now();
    for message in ["one", "two"] {
        let job = bench.claim_one().await;
        bench.advance(SECOND);
        bench.settle(&job, failed_for_now(message)).await;
    }
    bench.claim_one().await;

    let attempts = bench.attempts(id).await;

    let told: Vec<_> = attempts.iter().map(|one| (one.number, one.outcome, one.started_at, one.ended_at)).collect();
    let at = |seconds| started_at.after(SECOND * seconds);
    let failed = Some(AttemptOutcome::Failed);
    assert_eq!(told, [(1, failed, at(0), Some(at(1))), (2, failed, at(1), Some(at(2))), (3, None, at(2), None)]);
    let errors: Vec<_> = attempts.into_iter().map(|one| one.error.map(|error| error.message)).collect();
    assert_eq!(errors, [Some("one".to_owned()), Some("two".to_owned()), None]);
}

async fn one_refused_settlement_does_not_touch_the_others(bench: Bench) {
    let (first, other, third) = (bench.start_one().await, bench.start_one().await, bench.start_one().await);
    let mut stale = other.token;
    stale.nonce ^= 2;

    let settle = |token| Settlement { token, verdict: succeeded() };
    let answers = bench.store.settle(vec![settle(first.token), settle(stale), settle(third.token)]).await.unwrap();

    let kinds: Vec<_> = answers.iter().map(|answer| answer.as_ref().map_err(|error| error.kind().clone())).collect();
    let done = Settled { state: JobState::Completed, reason: Some(Reason::Done) };
    assert_eq!(kinds, [Ok(&done), Err(ErrorKind::LeaseLost), Ok(&done)]);
    assert_eq!(bench.state_of(other.id()).await, (JobState::Running, None));
}

async fn the_same_token_settles_once_also_within_a_turn(bench: Bench) {
    let job = bench.start_one().await;

    let settle = |verdict| Settlement { token: job.token, verdict };
    let answers = bench.store.settle(vec![settle(succeeded()), settle(failed("late"))]).await.unwrap();

    assert!(answers[0].is_ok());
    assert_eq!(answers[1].as_ref().unwrap_err().kind(), &ErrorKind::NotRunning);
    assert_eq!(bench.state_of(job.id()).await, (JobState::Completed, Some(Reason::Done)));
    assert_eq!(bench.outcomes(job.id()).await, [Some(AttemptOutcome::Succeeded)], "the attempt ended once");
}

async fn settling_nothing_answers_nothing(bench: Bench) {
    assert!(bench.store.settle(vec![]).await.unwrap().is_empty());
}

async fn an_end_is_hinted_at(bench: Bench) {
    let job = bench.start_one().await;
    let mut ended = bench.store.signals().ended();

    bench.settle(&job, succeeded()).await;

    ended.next().await;
}

async fn an_attempt_given_back_survives_the_store_that_took_it(bench: Bench) {
    let failed_job = bench.start_one().await;
    bench.settle(&failed_job, failed("x")).await;
    let running = bench.start_one().await;
    let (job, attempts) = (bench.job(failed_job.id()).await, bench.attempts(failed_job.id()).await);

    let store = bench.reopened().await.unwrap_or_else(|| bench.store.clone());

    assert_eq!(store.job(failed_job.id()).await.unwrap(), job);
    assert_eq!(store.attempts(failed_job.id()).await.unwrap(), attempts);
    let settlement = Settlement { token: running.token, verdict: succeeded() };
    assert_eq!(store.settle(vec![settlement]).await.unwrap()[0].as_ref().unwrap().state, JobState::Completed);
}
