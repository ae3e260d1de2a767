use windlass_core::limits::ATTEMPTS_UNLIMITED;
use windlass_core::{Edge, Limits};

use super::*;

fn refused(text: &str) -> (String, String) {
    let Invalid { field, problem } = JobRequest::from_json(text).unwrap_err();
    (field, problem)
}

const FULL: &str = concat!(
    r#"{"id":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11","kind":"mail","version":2,"#,
    r#""args":{"n":9007199254740993},"queue":"out","priority":"high","run_at":"2026-11-21T08:00:00Z","#,
    r#""deadline":"48h","timeout":"30s","attempts_max":"unlimited","losses_max":0,"#,
    r#""retry":{"fixed":"5s"},"tags":["a","b"],"meta":{"tenant":7},"#,
    r#""notify":[{"mail":"ops@example.com","on":["dead"]},{"webhook":"https://hooks.example.com/x"}]}"#
);

#[test]
fn a_request_says_everything_a_job_can_be_asked_for() {
    let request = JobRequest::from_json(FULL).unwrap();

    assert_eq!(serde_json::to_string(&request).unwrap(), FULL);
    let job = request.into_new_job(JobId::from_bytes([9; 16]));
    assert_eq!(job.id.to_string(), "0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11");
    assert_eq!(job.args.as_bytes(), br#"{"n":9007199254740993}"#);
    assert_eq!(job.attempts_max, ATTEMPTS_UNLIMITED);
    assert_eq!(job.deadline, Some(Due::In(Duration::from_secs(48 * 60 * 60))));
    assert_eq!(job.validate(&Limits::default()), Ok(()));
}

#[test]
fn what_is_left_out_is_the_default() {
    let id = JobId::from_bytes([9; 16]);

    let job = JobRequest::from_json(r#"{"kind":"mail","queue":null}"#).unwrap().into_new_job(id);

    assert_eq!(job, NewJob::new(id, KindName::new("mail").unwrap(), Args::default()));
}

#[test]
fn an_unknown_field_is_refused_with_the_nearest_name() {
    assert_eq!(
        refused(r#"{"kind":"mail","que":"out"}"#),
        ("que".into(), "is not a field of a job: did you mean `queue`?".into())
    );
    assert!(refused(r#"{"knd":"mail"}"#).1.ends_with("did you mean `kind`?"));
    assert!(refused(r#"{"kind":"mail","colour":1}"#).1.contains("the fields are id, kind,"));
}

#[test]
fn a_review_is_asked_for_in_one_word_or_in_many() {
    let asked = |review: &str| {
        JobRequest::from_json(&format!(r#"{{"kind":"mail","review":{review},"submitted_by":"ada"}}"#))
            .unwrap()
    };

    assert_eq!(asked(r#""start""#).review, Some(Review::start()));
    assert_eq!(asked(r#"{"of":"outcome"}"#).review, Some(Review::outcome()));
    let job = asked(r#""outcome""#).into_new_job(JobId::from_bytes([9; 16]));
    assert_eq!(
        (job.options.review, job.options.submitted_by.as_deref()),
        (Some(Review::outcome()), Some("ada"))
    );
    for wrong in [r#""end""#, r#"{"of":"start","within":"1h"}"#, "true"] {
        assert_eq!(refused(&format!(r#"{{"kind":"mail","review":{wrong}}}"#)).0, "review");
    }
}

#[test]
fn a_job_waits_for_others_by_id_or_by_name() {
    let id = JobId::from_bytes([7; 16]);
    let text = format!(
        r#"{{"kind":"mail","ref":"me","after":["first",{{"ref":"second","on":"on_finish"}},{{"job":"{id}"}}]}}"#
    );
    let mut request = JobRequest::from_json(&text).unwrap();
    let named =
        |name: &str| (name != "nobody").then(|| JobId::from_bytes([name.len().try_into().unwrap(); 16]));

    assert_eq!(request.name.as_deref(), Some("me"));
    assert_eq!(request.clone().resolve(|_| None).unwrap_err().field, "after[0]");
    request.resolve(named).unwrap();
    let after = request.into_new_job(id).after;
    let expected = [
        Edge::on_success(JobId::from_bytes([5; 16])),
        Edge::on_finish(JobId::from_bytes([6; 16])),
        Edge::on_success(id),
    ];
    assert_eq!(after, expected);
    for bad in ["7", "[7]", "[{}]", r#"[{"ref":"a","job":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11"}]"#] {
        assert!(refused(&format!(r#"{{"kind":"m","after":{bad}}}"#)).0.starts_with("after"), "{bad}");
    }
    assert_eq!(refused(r#"{"kind":"m","ref":""}"#).0, "ref");
}

#[test]
fn a_unique_key_is_asked_for_in_one_word_or_in_many() {
    let asked = |unique: &str| {
        JobRequest::from_json(&format!(r#"{{"kind":"mail","unique":{unique}}}"#)).unwrap().unique
    };

    assert_eq!(asked("true"), Some(Unique::by_args()));
    assert_eq!(asked("false"), None);
    assert_eq!(asked(r#""k""#), Some(Unique::key("k")));
    let day = Duration::from_secs(24 * 60 * 60);
    let many = r#"{"key":"k","within":"queue","scope":{"for":"24h"},"on_conflict":"replace"}"#;
    assert_eq!(asked(many), Some(Unique::key("k").within_queue().for_span(day).replace()));
    assert_eq!(refused(r#"{"kind":"mail","unique":{"ky":"k"}}"#).0, "unique");
    assert_eq!(refused(r#"{"kind":"mail","unique":7}"#).0, "unique");
}

#[test]
fn a_bad_value_is_refused_by_field() {
    for (text, field) in [
        ("[]", "job"),
        ("{\"kind\"", "job"),
        ("{}", "kind"),
        (r#"{"kind":null}"#, "kind"),
        (r#"{"kind":7}"#, "kind"),
        (r#"{"kind":"a b"}"#, "kind"),
        (r#"{"kind":"m","kind":"n"}"#, "kind"),
        (r#"{"kind":"m","id":"42"}"#, "id"),
        (r#"{"kind":"m","queue":""}"#, "queue"),
        (r#"{"kind":"m","priority":3}"#, "priority"),
        (r#"{"kind":"m","priority":"urgent"}"#, "priority"),
        (r#"{"kind":"m","run_at":"tomorrow"}"#, "run_at"),
        (r#"{"kind":"m","run_at":"2026-11-21T08:00:00Z","delay":"1s"}"#, "delay"),
        (r#"{"kind":"m","delay":5}"#, "delay"),
        (r#"{"kind":"m","delay":"-5s"}"#, "delay"),
        (r#"{"kind":"m","deadline":"soon"}"#, "deadline"),
        (r#"{"kind":"m","timeout":"5"}"#, "timeout"),
        (r#"{"kind":"m","attempts_max":"many"}"#, "attempts_max"),
        (r#"{"kind":"m","attempts_max":4294967295}"#, "attempts_max"),
        (r#"{"kind":"m","losses_max":-1}"#, "losses_max"),
        (r#"{"kind":"m","retry":{"fixd":"5s"}}"#, "retry"),
        (r#"{"kind":"m","tags":["a",1]}"#, "tags"),
        (r#"{"kind":"m","tags":[""]}"#, "tags"),
        (r#"{"kind":"m","meta":[]}"#, "meta"),
        (r#"{"kind":"m","notify":"ops@example.com"}"#, "notify"),
        (r#"{"kind":"m","notify":[{}]}"#, "notify[0]"),
        (r#"{"kind":"m","notify":[{"mail":"a@b","webhook":"https://b"}]}"#, "notify[0]"),
        (r#"{"kind":"m","notify":[{"mail":"a@b","on":[]}]}"#, "notify[0].on"),
        (r#"{"kind":"m","notify":[{"mail":"a@b","on":["ready"]}]}"#, "notify[0].on"),
        (r#"{"kind":"m","notify":[{"mail":"a@b"},{"webhook":"b"}]}"#, "notify[1].webhook"),
        (r#"{"kind":"m","notify":[{"mial":"a@b"}]}"#, "notify[0]"),
    ] {
        assert_eq!(refused(text).0, field, "{text}");
    }
}

#[test]
fn a_refusal_does_not_speak_of_lines() {
    assert_eq!(refused(r#"{"kind":7}"#).1, "invalid type: integer `7`, expected a string");
}

#[test]
fn deep_args_are_refused_and_not_recursed_into() {
    let deep = format!(r#"{{"kind":"m","args":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));

    assert!(JobRequest::from_json(&deep).is_err());
}
