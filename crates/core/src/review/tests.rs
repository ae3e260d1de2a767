use super::*;
use crate::{Args, Json};

fn refused(review: &Review) -> String {
    review.validate().unwrap_err().field
}

#[test]
fn terms_that_make_no_sense_are_refused_by_field() {
    let second = Duration::from_secs(1);

    assert_eq!(
        refused(&Review::start().decide_within(Duration::ZERO, Decision::Accept)),
        "review.decide_within"
    );
    assert_eq!(
        refused(&Review::start().decide_within(Duration::MAX, Decision::Accept)),
        "review.decide_within"
    );
    assert_eq!(refused(&Review::start().remind_every(second)), "review.remind_every");
    let desk = || Target::Mail("desk@example.com".to_owned());
    assert_eq!(refused(&Review::start().remind(desk())), "review.remind");
    let reminded = Review::start().remind_every(second * 60);
    assert_eq!(refused(&reminded.clone().remind(desk()).remind(desk())), "review.remind[1]");
    let wrong = Target::Webhook("ftp://example.com".to_owned());
    assert_eq!(refused(&reminded.clone().remind(wrong)), "review.remind[0].webhook");
    let many = (0..9).map(|n| Target::Mail(format!("desk{n}@example.com")));
    assert_eq!(refused(&many.fold(reminded, Review::remind)), "review.remind");
    let fraction = Duration::from_millis(1_500);
    assert_eq!(refused(&Review::start().decide_within(fraction, Decision::Accept)), "review.decide_within");
    let settling = |attempts_max, retry| refused(&Review::outcome().settle_attempts(attempts_max, retry));
    assert_eq!(settling(0, RetryPolicy::Fixed(second)), "review.settle_attempts_max");
    assert_eq!(settling(1, RetryPolicy::List(vec![])), "review.settle_retry.list");
    assert_eq!(Review::outcome().decide_within(second, Decision::Accept).validate(), Ok(()));
}

#[test]
fn terms_read_back_and_defaults_are_not_written() {
    let all = Review::outcome()
        .decide_within(Duration::from_secs(7), Decision::Accept)
        .remind_every(Duration::from_secs(60))
        .submitter_may()
        .settle_attempts(3, RetryPolicy::default());

    let text = serde_json::to_string(&all).unwrap();

    assert_eq!(serde_json::from_str::<Review>(&text).unwrap(), all);
    assert_eq!(serde_json::to_string(&Review::start()).unwrap(), r#"{"of":"start"}"#);
    assert_eq!(serde_json::from_str::<Review>(r#"{"of":"outcome"}"#).unwrap(), Review::outcome());
}

#[test]
fn who_submitted_it_may_not_decide_unless_the_terms_say_so() {
    assert!(!Review::start().admits("ada", Some("ada")));
    assert!(Review::start().admits("bob", Some("ada")));
    assert!(Review::start().admits("ada", None));
    assert!(Review::start().submitter_may().admits("ada", Some("ada")));
}

#[test]
fn a_digest_differs_by_whatever_was_seen() {
    let args = |text: &'static str| Args::json(text).unwrap();
    let result = |text: &'static str| Json::from_stored(text);
    let all = [
        Digest::of(Subject::Start, &args("1"), None),
        Digest::of(Subject::Start, &args("2"), None),
        Digest::of(Subject::Start, &Args::Bytes("1".into()), None),
        Digest::of(Subject::Outcome, &args("1"), None),
        Digest::of(Subject::Outcome, &args("1"), Some(&result("null"))),
        Digest::of(Subject::Outcome, &args("1"), Some(&result("1"))),
        Digest::of(Subject::Outcome, &args("11"), Some(&result(""))),
    ];

    for (index, digest) in all.iter().enumerate() {
        assert!(!all[..index].contains(digest), "{index}");
        assert_eq!(digest.to_string().parse(), Ok(*digest));
    }
    assert_eq!("12".parse::<Digest>().unwrap_err().field, "digest");
}

#[test]
fn a_retry_never_goes_round_an_approval_nor_drops_a_decision() {
    let (start, outcome) = (Review::start(), Review::outcome());
    let (accept, decline) = (Some(Decision::Accept), Some(Decision::Decline));

    assert_eq!(start.resumption(None, Phase::Run, Some(Reason::Operator)), Resumption::Asks);
    assert_eq!(start.resumption(decline, Phase::Run, Some(Reason::Declined)), Resumption::Asks);
    assert_eq!(start.resumption(accept, Phase::Run, Some(Reason::Exhausted)), Resumption::Runs);
    assert_eq!(outcome.resumption(accept, Phase::Settle, Some(Reason::Exhausted)), Resumption::Settles);
    assert_eq!(outcome.resumption(decline, Phase::Settle, Some(Reason::Operator)), Resumption::Settles);
    assert_eq!(outcome.resumption(decline, Phase::Settle, Some(Reason::Declined)), Resumption::Runs);
    assert_eq!(outcome.resumption(decline, Phase::Run, Some(Reason::Error)), Resumption::Runs);
}

#[test]
fn only_a_job_that_asks_for_it_is_reviewed_before_it_starts() {
    assert!(!needs_approval(None, None));
    assert!(!needs_approval(Some(&Review::outcome()), None));
    assert!(needs_approval(Some(&Review::start()), None));
    assert!(needs_approval(Some(&Review::start()), Some(Decision::Decline)));
    assert!(!needs_approval(Some(&Review::start()), Some(Decision::Accept)));
}
