use std::time::Duration;

use super::*;
use crate::limits::{ATTEMPTS_UNLIMITED, ERROR_BYTES_MAX};
use crate::retry::Jitter;
use crate::{Decision, Reason, RetryPolicy, Review, Stage};

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);
const DUE: Timestamp = Timestamp::from_micros(900_000_000);

fn running(attempt: u32, policy: &RetryPolicy) -> Running<'_> {
    Running {
        attempt,
        attempts_max: 3,
        losses: 0,
        losses_max: 2,
        run_at: DUE,
        deadline: None,
        retry: policy,
        jitter: Jitter::NONE,
        review: None,
        settles: None,
    }
}

fn failed() -> Verdict {
    Verdict::Failed { error: AttemptError::new("boom"), retry_after: None }
}

#[test]
fn a_failure_waits_by_policy_and_the_last_one_kills() {
    let policy = RetryPolicy::Fixed(Duration::from_secs(7));

    let second = settle(&running(2, &policy), &failed(), NOW);
    let third = settle(&running(3, &policy), &failed(), NOW);

    let run_at = NOW.after(Duration::from_secs(7));
    assert_eq!(second.next, Next::Waiting { reason: Some(Reason::Error), run_at });
    assert_eq!(third.next, Next::Finished { stage: Stage::Dead, reason: Reason::Exhausted });
}

#[test]
fn unlimited_attempts_never_exhaust() {
    let policy = RetryPolicy::default();
    let job = Running { attempts_max: ATTEMPTS_UNLIMITED, ..running(u32::MAX, &policy) };

    assert_eq!(settle(&job, &failed(), NOW).next.stage(), Stage::Waiting);
}

#[test]
fn what_is_not_counted_gives_the_attempt_back() {
    let policy = RetryPolicy::default();
    for verdict in [Verdict::Interrupted, Verdict::Released, Verdict::Snoozed { delay: Duration::ZERO }] {
        assert_eq!(settle(&running(3, &policy), &verdict, NOW).attempt, 2, "{verdict:?}");
    }
}

#[test]
fn an_interrupted_job_keeps_its_place() {
    let policy = RetryPolicy::default();

    let ending = settle(&running(1, &policy), &Verdict::Interrupted, NOW);

    assert_eq!(ending.next, Next::Waiting { reason: None, run_at: DUE });
}

#[test]
fn the_third_loss_is_poison_and_costs_no_attempt() {
    let policy = RetryPolicy::default();
    let losing = |losses| lose(&Running { losses, ..running(1, &policy) });

    assert_eq!(losing(0).next, Next::Waiting { reason: Some(Reason::Lost), run_at: DUE });
    assert_eq!((losing(0).attempt, losing(0).losses), (0, 1));
    assert_eq!(losing(1).next.stage(), Stage::Waiting);
    assert_eq!(losing(2).next, Next::Finished { stage: Stage::Dead, reason: Reason::Poison });
}

#[test]
fn a_timeout_after_the_deadline_is_final() {
    let policy = RetryPolicy::default();
    let verdict = Verdict::TimedOut { error: AttemptError::new("too slow") };
    let with = |deadline| settle(&Running { deadline, ..running(1, &policy) }, &verdict, NOW).next.reason();

    assert_eq!(with(Some(NOW)), Some(Reason::Deadline));
    assert_eq!(with(Some(Timestamp::MAX)), Some(Reason::TimedOut));
}

#[test]
fn every_ending_is_a_legal_move() {
    let policy = RetryPolicy::default();
    let error = || AttemptError::new("x");
    let verdicts = [
        Verdict::Succeeded { result: None },
        Verdict::Unchanged { result: None },
        failed(),
        Verdict::Fatal { error: error() },
        Verdict::Undecodable { error: error() },
        Verdict::TimedOut { error: error() },
        Verdict::Snoozed { delay: Duration::ZERO },
        Verdict::Cancelled { error: error() },
        Verdict::Interrupted,
        Verdict::Released,
    ];
    for verdict in verdicts {
        let stage = settle(&running(1, &policy), &verdict, NOW).next.stage();
        assert!(Stage::Running.may_become(stage), "{verdict:?}");
    }
}

#[test]
fn an_oversize_result_fails_the_attempt() {
    let big = Json::new("result", format!("\"{}\"", "x".repeat(300 * 1024))).unwrap();

    let verdict = Verdict::Succeeded { result: Some(big) }.within(&Limits::default());

    let message = &verdict.error().unwrap().message;
    assert_eq!(message, "the result is 307202 bytes long; at most 262144 can be stored");
}

#[test]
fn only_success_clears_the_last_error() {
    let before = || Some(AttemptError::new("first"));

    assert_eq!(Verdict::Succeeded { result: None }.error_after(before()), None);
    assert_eq!(Verdict::Interrupted.error_after(before()), before());
    assert_eq!(failed().error_after(before()), Some(AttemptError::new("boom")));
}

#[test]
fn an_error_text_is_made_safe() {
    let hostile = format!("\u{0}\u{1b}[31mred\u{7}{}", "é".repeat(10_000));

    let error = AttemptError::new(hostile);

    assert!(error.message.starts_with("[31mredé"));
    assert!(error.message.ends_with("… [cut]"));
    assert!(error.message.len() <= ERROR_BYTES_MAX);
}

#[test]
fn a_success_goes_to_a_person_only_where_its_outcome_is_reviewed_and_something_changed() {
    let policy = RetryPolicy::default();
    let (outcome, start) = (Review::outcome(), Review::start());
    let ends = |review, verdict: &Verdict| settle(&Running { review, ..running(1, &policy) }, verdict, NOW);
    let succeeded = Verdict::Succeeded { result: None };

    let reviewed = ends(Some(&outcome), &succeeded);

    assert_eq!((reviewed.next, reviewed.outcome), (Next::InReview, Some(AttemptOutcome::Succeeded)));
    assert_eq!(
        ends(Some(&outcome), &Verdict::Unchanged { result: None }).next.reason(),
        Some(Reason::Unchanged)
    );
    assert_eq!(ends(Some(&start), &succeeded).next.reason(), Some(Reason::Done));
}

#[test]
fn what_carries_a_decision_out_ends_as_decided_and_has_a_budget_of_its_own() {
    let policy = RetryPolicy::default();
    let review = Review::outcome();
    let carries = |attempt, settles, verdict: &Verdict| {
        let job = Running { review: Some(&review), settles: Some(settles), ..running(attempt, &policy) };
        settle(&job, verdict, NOW).next
    };
    let succeeded = Verdict::Succeeded { result: None };

    let finished = |stage, reason| Next::Finished { stage, reason };
    assert_eq!(carries(1, Decision::Accept, &succeeded), finished(Stage::Completed, Reason::Accepted));
    assert_eq!(carries(1, Decision::Decline, &succeeded), finished(Stage::Cancelled, Reason::Declined));
    let run_at = NOW.after(Duration::from_secs(600));
    assert_eq!(
        carries(199, Decision::Accept, &failed()),
        Next::Waiting { reason: Some(Reason::Error), run_at }
    );
    assert_eq!(carries(200, Decision::Accept, &failed()), finished(Stage::Dead, Reason::Exhausted));
}
