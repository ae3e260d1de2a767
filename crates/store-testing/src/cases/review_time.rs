//! What time brings about where nobody decides: reminders, and a default.

use std::time::Duration;

use windlass_core::notice::{About, Notice, ReviewedJob, Target};
use windlass_core::review::Subject;
use windlass_core::{Decision, JobState, Phase, Reason, Review};
use windlass_store::reviews::REVIEWER;
use windlass_store::{ErrorKind, NewRuling};

use super::review::reviewer;
use crate::bench::{Bench, SECOND, at_once, ids_of, just_before, of_queues, refused, succeeded};

cases! {
    a_default_is_taken_once_the_time_to_decide_is_over,
    a_default_that_accepts_lets_a_job_start,
    a_default_about_an_outcome_is_carried_out,
    of_a_person_and_the_time_one_decides,
    a_decision_ends_the_time_to_decide,
    reviewers_are_reminded_until_somebody_decides,
    a_reminder_makes_a_notice_for_each_who_is_to_be_told_and_no_other,
    a_cancelled_job_reminds_nobody,
}

const HOUR: Duration = Duration::from_secs(3_600);

fn within(review: Review, otherwise: Decision) -> impl FnOnce(&mut windlass_core::NewJob) {
    let review = review.decide_within(HOUR, otherwise);
    move |job| job.options.review = Some(review)
}

async fn a_default_is_taken_once_the_time_to_decide_is_over(bench: Bench) {
    let id = bench.enqueue_with(within(Review::start(), Decision::Decline)).await;
    assert_eq!(bench.review(id).await.decide_by, Some(bench.now().after(HOUR)));
    bench.advance(just_before(HOUR));
    assert_eq!(bench.rescue().await.decided, 0);
    bench.advance(HOUR.saturating_sub(just_before(HOUR)));

    let rescued = bench.rescue().await;

    assert_eq!((rescued.decided, rescued.reminded, rescued.more), (1, 0, false));
    assert_eq!(bench.state_of(id).await, (JobState::Cancelled, Some(Reason::Declined)));
    let ruling = bench.review(id).await.ruling.unwrap();
    assert_eq!((ruling.decision, ruling.by, ruling.at), (Decision::Decline, None, bench.now()));
    let event = bench.store.events(id).await.unwrap().remove(0);
    assert_eq!((event.verb.as_str(), event.by.name.as_str()), ("decline", REVIEWER));
    assert_eq!(bench.rescue().await.decided, 0);
}

async fn a_default_that_accepts_lets_a_job_start(bench: Bench) {
    let id = bench.enqueue_with(within(Review::start(), Decision::Accept)).await;
    bench.advance(HOUR);

    bench.rescue().await;

    assert_eq!(ids_of(&bench.claim(10).await), [id]);
}

async fn a_default_about_an_outcome_is_carried_out(bench: Bench) {
    let job = bench.staged_with(within(Review::outcome(), Decision::Accept)).await;
    bench.advance(HOUR);

    bench.rescue().await;

    let settling = bench.claim_one().await;
    assert_eq!((settling.id(), settling.phase()), (job.id(), Phase::Settle));
    assert_eq!(settling.settles.as_ref().unwrap().ruling.by, None);
    assert_eq!(bench.settle(&settling, succeeded()).await.reason, Some(Reason::Accepted));
}

async fn of_a_person_and_the_time_one_decides(bench: Bench) {
    let id = bench.enqueue_with(within(Review::start(), Decision::Decline)).await;
    let digest = bench.review(id).await.digest;
    bench.advance(HOUR);
    let store = bench.store.clone();

    let won = at_once(6, move |index| {
        let store = store.clone();
        async move {
            if index < 3 {
                return u64::from(store.decide(id, NewRuling::accept(reviewer(), digest)).await.is_ok());
            }
            store.rescue().await.unwrap().decided
        }
    })
    .await;

    assert_eq!(won.iter().sum::<u64>(), 1, "{won:?}");
    let (decided_by_person, ruling) = (won[..3].contains(&1), bench.review(id).await.ruling.unwrap());
    assert_eq!(ruling.by.is_some(), decided_by_person);
    let expected = if decided_by_person { JobState::Ready } else { JobState::Cancelled };
    assert_eq!(bench.state_of(id).await.0, expected);
    assert_eq!(bench.store.events(id).await.unwrap().len(), 1);
}

async fn a_decision_ends_the_time_to_decide(bench: Bench) {
    let id = bench.enqueue_with(within(Review::start().remind_every(HOUR / 2), Decision::Decline)).await;
    bench.decide(id, Decision::Accept).await;
    bench.advance(HOUR);

    let rescued = bench.rescue().await;

    assert_eq!((rescued.decided, rescued.reminded), (0, 0));
    assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
    assert_eq!(bench.review(id).await.remind_at, None);
}

async fn reviewers_are_reminded_until_somebody_decides(bench: Bench) {
    let id = bench.enqueue_with(|job| job.options.review = Some(Review::start().remind_every(HOUR))).await;
    let revision = bench.job(id).await.revision;
    for reminders in 1..=2 {
        bench.advance(HOUR);

        assert_eq!(bench.rescue().await.reminded, 1);

        let review = bench.review(id).await;
        assert_eq!((review.reminders, review.open), (reminders, true));
        assert_eq!(review.remind_at, Some(bench.now().after(HOUR)));
        assert_eq!(bench.rescue().await.reminded, 0);
    }
    let events = bench.store.events(id).await.unwrap();
    assert!(events.iter().all(|event| event.verb == "remind" && event.by.name == REVIEWER), "{events:?}");
    assert_eq!(bench.job(id).await.revision, revision + 2);
    bench.decide(id, Decision::Accept).await;
    bench.advance(HOUR + SECOND);
    assert_eq!(bench.rescue().await.reminded, 0);
}

async fn a_reminder_makes_a_notice_for_each_who_is_to_be_told_and_no_other(bench: Bench) {
    let targets =
        [Target::Mail("desk@example.com".to_owned()), Target::Webhook("https://example.com/x".to_owned())];
    let id = bench
        .enqueue_with(|job| {
            let terms = Review::outcome().decide_within(HOUR * 3, Decision::Accept).remind_every(HOUR);
            job.options.review = Some(targets.iter().cloned().fold(terms, Review::remind));
            job.options.submitted_by = Some("ada".to_owned());
        })
        .await;
    let leased = bench.claim_one().await;
    bench.settle(&leased, succeeded()).await;
    let asked_at = bench.now();
    let notices = || async { bench.claim_scope(of_queues(&["windlass.notices"]), 10).await.jobs };
    assert_eq!(notices().await, [], "nobody is told before the time has come");

    for reminder in 1..=2 {
        bench.advance(HOUR);
        assert_eq!((bench.rescue().await.reminded, bench.rescue().await.reminded), (1, 0));

        let made = notices().await;
        for job in &made {
            bench.settle(job, succeeded()).await;
        }
        let mut told: Vec<Notice> = made.iter().map(|job| job.args.decode().unwrap()).collect();
        told.sort_by_key(|notice| targets.iter().position(|target| *target == notice.to));
        let about = About::Review(ReviewedJob {
            id,
            kind: leased.kind.clone(),
            queue: leased.queue.clone(),
            of: Subject::Outcome,
            round: 1,
            asked_at,
            reminder,
            reminded_at: bench.now(),
            decide_by: Some(asked_at.after(HOUR * 3)),
            otherwise: Some(Decision::Accept),
            submitted_by: Some("ada".to_owned()),
        });
        let expected = targets.iter().map(|to| Notice { to: to.clone(), about: about.clone() });
        assert_eq!(told, expected.collect::<Vec<_>>());
    }
    bench.decide(id, Decision::Accept).await;
    bench.advance(HOUR);
    assert_eq!((bench.rescue().await.reminded, notices().await), (0, vec![]));
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

async fn a_cancelled_job_reminds_nobody(bench: Bench) {
    let id = bench.enqueue_with(within(Review::start().remind_every(HOUR / 2), Decision::Accept)).await;
    bench.cancel(id).await;
    bench.advance(HOUR);

    let rescued = bench.rescue().await;

    assert_eq!((rescued.decided, rescued.reminded), (0, 0));
    assert_eq!(bench.state_of(id).await, (JobState::Cancelled, Some(Reason::Operator)));
    let answer = bench.store.decide(id, NewRuling::accept(reviewer(), bench.review(id).await.digest)).await;
    assert_eq!(refused(answer), ErrorKind::NotReady);
}
