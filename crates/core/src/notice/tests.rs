use super::*;
use crate::{AttemptError, JobOptions, Limits, Priority};

fn ended(state: JobState, notify: Vec<Notify>) -> Job {
    let at = Timestamp::from_micros;
    Job {
        phase: crate::Phase::Run,
        id: JobId::from_bytes([7; 16]),
        kind: KindName::new("mail.send").unwrap(),
        version: 1,
        queue: QueueName::default(),
        state,
        reason: Some(Reason::Exhausted),
        priority: Priority::default(),
        args: Args::json(r#"{"password":"hunter2"}"#).unwrap(),
        attempt: 8,
        attempts_max: 8,
        losses: 0,
        losses_max: 2,
        run_at: at(1),
        deadline: None,
        options: JobOptions { notify, ..JobOptions::default() },
        progress: None,
        checkpoint: None,
        result: Some(Json::of("result", &[1, 2, 3]).unwrap()),
        error: Some(AttemptError::new("the server said no").with_trace("at line 7")),
        worker: None,
        created_at: at(1),
        started_at: Some(at(2)),
        finished_at: Some(at(1_700_000_000_123_456)),
        revision: 17,
    }
}

fn both() -> Vec<Notify> {
    vec![Notify::mail("ops@example.com").on_dead(), Notify::webhook("https://hooks.example.com")]
}

fn targets(state: JobState) -> Vec<Target> {
    let made = notices(&ended(state, both()));
    made.iter().map(|job| job.args.decode::<Notice>().unwrap().to).collect()
}

#[test]
fn who_is_told_depends_on_how_the_job_ended() {
    let [mail, webhook] = [both()[0].target.clone(), both()[1].target.clone()];

    assert_eq!(targets(JobState::Dead), [mail, webhook.clone()]);
    assert_eq!(targets(JobState::Completed), std::slice::from_ref(&webhook));
    assert_eq!(targets(JobState::Cancelled), [webhook]);
    assert_eq!(notices(&ended(JobState::Dead, Vec::new())), []);
}

#[test]
#[should_panic(expected = "has not ended")]
fn a_job_that_goes_on_makes_no_notice() {
    let _notices = notices(&ended(JobState::Retryable, both()));
}

#[test]
fn a_notice_tells_what_ended_and_keeps_the_secrets() {
    let made = notices(&ended(JobState::Dead, both()));
    let text = String::from_utf8(made[1].args.as_bytes().to_vec()).unwrap();

    assert_eq!(
        text,
        r#"{"to":{"webhook":"https://hooks.example.com"},"job":{"id":"07070707-0707-0707-0707-070707070707","#
            .to_owned()
            + r#""kind":"mail.send","queue":"default","state":"dead","reason":"exhausted","attempt":8,"#
            + r#""created_at":"1970-01-01T00:00:00.000001Z","started_at":"1970-01-01T00:00:00.000002Z","#
            + r#""finished_at":"2023-11-14T22:13:20.123456Z","error":"the server said no","result_bytes":7}}"#
    );
    assert_eq!((&made[1].kind, &made[1].queue), (&*KIND, &*QUEUE));
    assert_eq!(made[1].attempts_max, NOTICE_ATTEMPTS_MAX);
}

#[test]
fn every_end_of_a_job_makes_notices_of_its_own() {
    let first = ended(JobState::Dead, both());
    let again = Job { revision: 20, ..first.clone() };
    let later = Job { finished_at: Some(Timestamp::MAX), ..first.clone() };

    let ids = [id(&first, 0), id(&first, 1), id(&again, 0), id(&later, 0)];

    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(id(&first, 0), id(&first.clone(), 0));
}

#[test]
fn the_id_of_a_notice_says_when_it_was_made() {
    let uuid = id(&ended(JobState::Dead, both()), 0).as_uuid();

    assert_eq!(uuid.get_version(), Some(uuid::Version::SortRand));
    assert_eq!(uuid.get_timestamp().map(|stamp| stamp.to_unix()), Some((1_700_000_000, 123_000_000)));
}

#[test]
fn a_notice_makes_no_further_notice() {
    assert!(notices(&ended(JobState::Dead, both())).iter().all(|job| job.options.notify.is_empty()));
}

fn refused(notify: Vec<Notify>) -> String {
    let mut job = NewJob::new(JobId::from_bytes([1; 16]), KindName::new("mail").unwrap(), Args::default());
    job.options.notify = notify;
    job.validate(&Limits::default()).unwrap_err().field
}

#[test]
fn what_is_wrong_is_refused_by_field() {
    let good = Notify::mail("ops@example.com");
    let many = (0..=NOTIFY_MAX).map(|n| Notify::mail(format!("ops{n}@example.com"))).collect();

    assert_eq!(refused(vec![good.clone(), Notify::mail("ops")]), "notify[1].mail");
    assert_eq!(refused(vec![Notify::webhook("ftp://example.com")]), "notify[0].webhook");
    assert_eq!(refused(vec![good.clone().on(JobState::Retryable)]), "notify[0].on");
    assert_eq!(refused(vec![good.clone(), good.on_dead()]), "notify[1]");
    assert_eq!(refused(many), "notify");
}

#[test]
fn whom_to_tell_reads_back_from_its_json() {
    for text in [
        r#"{"mail":"ops@example.com"}"#,
        r#"{"webhook":"https://hooks.example.com/x","on":["cancelled","dead"]}"#,
    ] {
        let notify: Notify = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&notify).unwrap(), text);
    }
}

#[test]
fn the_waits_of_a_notice_span_a_night() {
    let policy = retry();
    policy.validate().unwrap();

    let failures = 1..NOTICE_ATTEMPTS_MAX;
    let span: Duration = failures.map(|n| policy.delay_after(n, crate::retry::Jitter::NONE)).sum();

    assert!((Duration::from_secs(12 * 3600)..Duration::from_secs(24 * 3600)).contains(&span), "{span:?}");
}
