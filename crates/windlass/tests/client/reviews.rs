//! Reviews as a program asks for them: what is to be decided, a decision, and what has come of it.

use windlass::model::{Json, RetryPolicy, Review, Verdict};
use windlass::reviews::Conclusion;
use windlass::store::ReviewFilter;
use windlass::{Actor, ErrorKind, JobId, JobState, Windlass};

use crate::hand::{Hand, email};

fn made() -> Verdict {
    Verdict::Succeeded { result: Some(Json::of("result", &3_u64).unwrap()) }
}

fn failed() -> Verdict {
    Verdict::Failed { error: windlass::model::AttemptError::new("the site is away"), retry_after: None }
}

async fn staged(windlass: &Windlass, hand: &Hand, terms: Review) -> JobId {
    let job = windlass.enqueue(email()).review(terms).submitted_by("ada").await.unwrap();
    hand.settle(&hand.claim().await, made()).await;
    job.id()
}

#[tokio::test]
async fn a_decision_waits_for_what_follows_from_it() {
    let windlass = Windlass::in_memory().acting_as(Actor::new("bob"));
    let hand = Hand::on(&windlass).await;
    let id = staged(&windlass, &hand, Review::outcome()).await;
    let open = windlass.reviews().open(ReviewFilter::default()).await.unwrap();
    assert_eq!(open.iter().map(|review| review.job).collect::<Vec<_>>(), [id]);

    let decided = open[0].accept().comment("as always").await.unwrap();
    let (conclusion, ()) =
        tokio::join!(decided.conclusion(), async { hand.settle(&hand.claim().await, succeeded()).await });

    assert_eq!(conclusion.unwrap(), Conclusion::Accepted);
    assert_eq!(windlass.handle::<crate::hand::SendEmail>(id).result().await.unwrap(), 3);
    let ruling = windlass.reviews().get(id).await.unwrap().unwrap().ruling.clone().unwrap();
    assert_eq!((ruling.by.as_deref(), ruling.comment.as_deref()), (Some("bob"), Some("as always")));
}

const fn succeeded() -> Verdict {
    Verdict::Succeeded { result: None }
}

#[tokio::test]
async fn a_decision_is_told_that_it_is_tried_again() {
    let windlass = Windlass::in_memory();
    let hand = Hand::on(&windlass).await;
    let id = staged(&windlass, &hand, Review::outcome()).await;
    let review = windlass.reviews().wait_for(id).await.unwrap();

    let decided = review.accept().by("bob").await.unwrap();
    assert_eq!(decided.settled().state, JobState::Ready);
    hand.settle(&hand.claim().await, failed()).await;

    let Conclusion::Retrying { error, run_at } = decided.conclusion().await.unwrap() else { panic!("done") };
    assert_eq!(error.message, "the site is away");
    assert!(run_at > windlass::Timestamp::MIN);
}

#[tokio::test]
async fn a_decision_is_told_the_last_failure_and_stands() {
    let windlass = Windlass::in_memory();
    let hand = Hand::on(&windlass).await;
    let terms = Review::outcome().settle_attempts(1, RetryPolicy::default());
    let id = staged(&windlass, &hand, terms).await;
    let review = windlass.reviews().wait_for(id).await.unwrap();

    let decided = review.decline().by("bob").await.unwrap();
    hand.settle(&hand.claim().await, failed()).await;

    let conclusion = decided.conclusion().await.unwrap();
    assert!(
        matches!(conclusion, Conclusion::Failed { reason: windlass::Reason::Exhausted, .. }),
        "{conclusion:?}"
    );
    windlass.retry(id).await.unwrap();
    hand.settle(&hand.claim().await, succeeded()).await;
    assert_eq!(decided.conclusion().await.unwrap(), Conclusion::Declined);
}

#[tokio::test]
async fn who_goes_away_before_the_outcome_holds_nobody_up() {
    let windlass = Windlass::in_memory();
    let hand = Hand::on(&windlass).await;
    let id = staged(&windlass, &hand, Review::outcome()).await;
    let decided = windlass.reviews().wait_for(id).await.unwrap().accept().by("bob").await.unwrap();

    let gave_up = tokio::time::timeout(std::time::Duration::from_millis(5), decided.conclusion()).await;

    assert!(gave_up.is_err());
    drop(decided);
    hand.settle(&hand.claim().await, succeeded()).await;
    assert_eq!(windlass.handle::<()>(id).state().await.unwrap(), JobState::Completed);
}

#[tokio::test]
async fn a_decision_by_what_was_read_before_is_refused() {
    let windlass = Windlass::in_memory();
    let hand = Hand::on(&windlass).await;
    let id = staged(&windlass, &hand, Review::outcome()).await;
    let seen = windlass.reviews().wait_for(id).await.unwrap();
    windlass.reviews().wait_for(id).await.unwrap().decline().by("bob").await.unwrap();

    let second = seen.accept().by("carol").await.unwrap_err();

    assert_eq!(*second.kind(), ErrorKind::NotReady);
    assert!(second.to_string().ends_with(&format!("job {id} is not in review")), "{second}");
}

#[tokio::test]
async fn an_approval_may_change_the_args_and_the_submitter_may_not_give_it() {
    let windlass = Windlass::in_memory();
    let hand = Hand::on(&windlass).await;
    let job = windlass.enqueue(email()).review(Review::start()).submitted_by("ada").await.unwrap();
    let review = windlass.reviews().wait_for(job.id()).await.unwrap();

    let own = review.accept().by("ada").await.unwrap_err();
    let other = crate::hand::SendEmail { to: "grace@example.com".to_owned() };
    let decided = review.accept().by("bob").with_args(&other).await.unwrap();

    assert!(matches!(own.kind(), ErrorKind::Invalid(invalid) if invalid.field == "by.name"), "{own}");
    assert_eq!(decided.conclusion().await.unwrap(), Conclusion::Starts);
    assert_eq!(hand.claim().await.args, crate::hand::args(&other));
}
