//! Jobs that are changed by hand while they wait.

use std::collections::BTreeMap;

use windlass_core::{
    Args, Due, Edge, Job, JobId, JobState, Priority, Reason, Timestamp, Unique,
};
use windlass_store::{AuditEntry, AuditFilter, EnqueueOutcome, ErrorKind, JobEdit, PageRequest};

use super::review::{of_outcome, of_start};
use crate::bench::{
    Bench, LEASE, SECOND, anything, failed, field_of, ids_of, of_queues, operator, queue, refused, succeeded,
};

cases! {
    an_edit_changes_what_it_names_and_nothing_else,
    a_job_that_is_moved_is_claimed_from_its_new_queue_in_its_place,
    a_move_to_a_queue_that_nobody_has_met_makes_it_known,
    edited_args_reach_the_worker_byte_for_byte,
    a_snoozed_job_waits_until_then_and_says_so,
    a_snoozed_job_can_be_made_due_again,
    a_snoozed_failure_stays_one,
    a_snoozed_child_is_due_no_earlier_once_it_is_let_go,
    an_edited_job_keeps_its_unique_key,
    what_does_not_wait_cannot_be_edited,
    what_is_carried_out_of_a_decision_cannot_be_edited,
    what_could_not_be_enqueued_is_refused_by_field,
    args_that_a_person_decides_about_are_not_edited,
    an_edit_that_changes_nothing_leaves_no_trace,
    g21_an_edit_tells_how_it_was_and_how_it_is,
    g21_verbs_tell_how_it_was_and_how_it_is,
    g21_bounds_pauses_and_retentions_tell_how_it_was,
    g21_a_further_copy_leaves_an_entry_once,
    two_edits_at_once_both_hold,
}

fn later(bench: &Bench) -> Timestamp {
    bench.now().after(LEASE * 10)
}

pub(super) async fn edit(bench: &Bench, id: JobId, change: impl FnOnce(&mut JobEdit)) {
    let mut edit = JobEdit::default();
    change(&mut edit);
    bench.store.edit(id, edit, operator()).await.unwrap();
}

async fn entries(bench: &Bench) -> Vec<AuditEntry> {
    bench.store.audit(AuditFilter::default(), PageRequest::first(500)).await.unwrap().items
}

/// What the last change changed, as it is kept.
async fn told(bench: &Bench) -> String {
    entries(bench).await[0].change.as_ref().unwrap().to_string()
}

async fn an_edit_changes_what_it_names_and_nothing_else(bench: Bench) {
    let id = bench.enqueue_with(|job| job.options.order_key = Some("k".to_owned())).await;
    let before = bench.job(id).await;
    bench.advance(SECOND);

    let meta = BTreeMap::from([("tenant".to_owned(), 7.into())]);
    edit(&bench, id, |edit| {
        edit.queue = Some(queue("other"));
        edit.priority = Some(Priority::High);
        edit.due = Some(Due::In(LEASE));
        edit.tags = Some(vec!["new".parse().unwrap()]);
        edit.meta = Some(meta.clone());
    })
    .await;

    let mut expected = Job {
        queue: queue("other"),
        priority: Priority::High,
        run_at: bench.now().after(LEASE),
        state: JobState::Scheduled,
        reason: Some(Reason::Delay),
        revision: before.revision + 1,
        ..before
    };
    expected.options.tags = vec!["new".parse().unwrap()];
    expected.options.meta = meta;
    assert_eq!(bench.job(id).await, expected);
}

async fn a_job_that_is_moved_is_claimed_from_its_new_queue_in_its_place(bench: Bench) {
    let first = bench.enqueue_one().await;
    let there = bench.enqueue_with(|job| job.queue = queue("other")).await;
    let urgent = bench.enqueue_one().await;

    edit(&bench, first, |edit| edit.queue = Some(queue("other"))).await;
    edit(&bench, urgent, |edit| {
        edit.queue = Some(queue("other"));
        edit.priority = Some(Priority::Critical);
    })
    .await;

    assert!(bench.claim_scope(of_queues(&["default"]), 10).await.jobs.is_empty());
    let claimed = bench.claim_scope(of_queues(&["other"]), 10).await.jobs;
    assert_eq!(ids_of(&claimed), [urgent, first, there]);
}

async fn a_move_to_a_queue_that_nobody_has_met_makes_it_known(bench: Bench) {
    let id = bench.enqueue_one().await;

    bench.store.edit(id, JobEdit::moving(queue("fresh")), operator()).await.unwrap();

    let queues = bench.store.queues().await.unwrap();
    let fresh = queues.iter().find(|one| one.name == queue("fresh")).unwrap();
    assert_eq!(fresh.counts.of(JobState::Ready), 1);
}

async fn edited_args_reach_the_worker_byte_for_byte(bench: Bench) {
    let texts = [r#"{"a":-0,"b":9007199254740993}"#, r#"{"b":1,"a":2}"#];
    for args in texts
        .map(|text| Args::Json(windlass_core::Json::new("args", text).unwrap()))
        .into_iter()
        .chain([Args::Bytes(vec![0, 255].into()), Args::default()])
    {
        let id = bench.enqueue_with(|job| job.args = Args::Bytes(vec![7].into())).await;
        edit(&bench, id, |edit| edit.args = Some(args.clone())).await;

        assert_eq!(bench.job(id).await.args, args);
        let claimed = bench.claim_one().await;
        assert_eq!((claimed.id(), &claimed.args), (id, &args));
        bench.settle(&claimed, succeeded()).await;
        assert_eq!(bench.job(id).await.args, args);
    }
}

async fn a_snoozed_job_waits_until_then_and_says_so(bench: Bench) {
    let id = bench.enqueue_one().await;

    bench.store.snooze(id, Due::In(LEASE), operator()).await.unwrap();

    assert_eq!(bench.state_of(id).await, (JobState::Scheduled, Some(Reason::Snoozed)));
    assert!(bench.claim_scope(anything(), 1).await.jobs.is_empty());
    bench.advance(LEASE);
    assert_eq!(bench.claim_one().await.id(), id);
}

async fn a_snoozed_job_can_be_made_due_again(bench: Bench) {
    let (one, other) = (bench.enqueue_one().await, bench.enqueue_one().await);
    for id in [one, other] {
        bench.store.snooze(id, Due::At(later(&bench)), operator()).await.unwrap();
    }

    bench.store.run_now(one, operator()).await.unwrap();
    bench.store.snooze(other, Due::Now, operator()).await.unwrap();

    assert_eq!(ids_of(&bench.claim(10).await), [one, other]);
}

async fn a_snoozed_failure_stays_one(bench: Bench) {
    let job = bench.start_one().await;
    bench.settle(&job, failed("x")).await;

    bench.store.snooze(job.id(), Due::At(later(&bench)), operator()).await.unwrap();

    let snoozed = bench.job(job.id()).await;
    assert_eq!((snoozed.state, snoozed.reason), (JobState::Retryable, Some(Reason::Error)));
    assert_eq!((snoozed.run_at, snoozed.attempt), (later(&bench), 1));
    bench.store.retry(job.id(), operator()).await.unwrap();
    assert_eq!(bench.job(job.id()).await.attempt, 0);
}

async fn a_snoozed_child_is_due_no_earlier_once_it_is_let_go(bench: Bench) {
    let parent = bench.start_one().await;
    let child = bench.enqueue_with(|job| job.after = vec![Edge::on_success(parent.id())]).await;

    bench.store.snooze(child, Due::At(later(&bench)), operator()).await.unwrap();
    edit(&bench, child, |edit| edit.queue = Some(queue("other"))).await;

    assert_eq!(bench.state_of(child).await, (JobState::Blocked, Some(Reason::Dependency)));
    bench.settle(&parent, succeeded()).await;
    assert_eq!(bench.state_of(child).await.0, JobState::Scheduled);
    assert!(bench.claim_scope(anything(), 1).await.jobs.is_empty());
    bench.advance(LEASE * 10);
    let claimed = bench.claim_one().await;
    assert_eq!((claimed.id(), claimed.queue), (child, queue("other")));
}

async fn an_edited_job_keeps_its_unique_key(bench: Bench) {
    let keyed = |job: &mut windlass_core::NewJob| job.options.unique = Some(Unique::by_args());
    let id = bench.enqueue_with(keyed).await;
    edit(&bench, id, |edit| edit.args = Some(Args::Bytes(vec![1].into()))).await;
    edit(&bench, id, |edit| edit.queue = Some(queue("other"))).await;

    let again = bench.store.enqueue(vec![bench.job_with(keyed)]).await.unwrap();

    assert_eq!((again[0].id, again[0].outcome), (id, EnqueueOutcome::Existing));
    bench.cancel(id).await;
    let after = bench.store.enqueue(vec![bench.job_with(keyed)]).await.unwrap();
    assert_eq!(after[0].outcome, EnqueueOutcome::Created, "its end lets go of the key it was given");
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

async fn what_does_not_wait_cannot_be_edited(bench: Bench) {
    let running = bench.start_one().await.id();
    let cancelled = bench.enqueue_one().await;
    bench.cancel(cancelled).await;
    let reviewed = bench.enqueue_with(of_start).await;
    let moved = || JobEdit::moving(queue("other"));
    let store = &bench.store;

    assert_eq!(refused(store.edit(running, moved(), operator()).await), ErrorKind::NotReady);
    assert_eq!(refused(store.edit(reviewed, moved(), operator()).await), ErrorKind::NotReady);
    assert_eq!(refused(store.edit(cancelled, moved(), operator()).await), ErrorKind::Finished);
    assert_eq!(refused(store.edit(bench.fresh_id(), moved(), operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.snooze(running, Due::Now, operator()).await), ErrorKind::NotReady);
    assert_eq!(refused(store.snooze(cancelled, Due::Now, operator()).await), ErrorKind::Finished);
    let nobody = windlass_store::Actor::new("");
    assert_eq!(field_of(store.edit(running, moved(), nobody).await), "by.name");
}

async fn what_is_carried_out_of_a_decision_cannot_be_edited(bench: Bench) {
    let job = bench.start_with(of_outcome).await;
    bench.settle(&job, succeeded()).await;
    let digest = bench.review(job.id()).await.digest;
    let ruling = windlass_store::NewRuling::accept(operator(), digest);
    bench.store.decide(job.id(), ruling).await.unwrap();

    let edited = bench.store.edit(job.id(), JobEdit::moving(queue("other")), operator()).await;

    assert_eq!(refused(edited), ErrorKind::NotReady);
}

async fn what_could_not_be_enqueued_is_refused_by_field(bench: Bench) {
    let id = bench.enqueue_one().await;
    let before = bench.job(id).await;
    let refused = async |change: fn(&mut JobEdit)| {
        let mut edit = JobEdit { priority: Some(Priority::Low), ..JobEdit::default() };
        change(&mut edit);
        field_of(bench.store.edit(id, edit, operator()).await)
    };

    assert_eq!(refused(|edit| edit.queue = Some(queue("windlass.x"))).await, "queue");
    assert_eq!(refused(|edit| edit.args = Some(Args::Bytes(vec![0; 300_000].into()))).await, "args");
    let many = |edit: &mut JobEdit| {
        edit.tags = Some((0..33).map(|tag: u8| tag.to_string().parse().unwrap()).collect());
    };
    assert_eq!(refused(many).await, "tags");
    let large =
        |edit: &mut JobEdit| edit.meta = Some(BTreeMap::from([("k".to_owned(), "x".repeat(100_000).into())]));
    assert_eq!(refused(large).await, "meta");

    assert_eq!(bench.job(id).await, before);
    assert_eq!(entries(&bench).await, []);
}

async fn args_that_a_person_decides_about_are_not_edited(bench: Bench) {
    let id = bench.enqueue_with(of_outcome).await;
    let other = || JobEdit { args: Some(Args::Bytes(vec![1].into())), ..JobEdit::default() };

    assert_eq!(field_of(bench.store.edit(id, other(), operator()).await), "args");
    edit(&bench, id, |edit| edit.priority = Some(Priority::Low)).await;

    let approved = bench.enqueue_with(of_start).await;
    let digest = bench.review(approved).await.digest;
    bench.store.decide(approved, windlass_store::NewRuling::accept(operator(), digest)).await.unwrap();
    assert_eq!(field_of(bench.store.edit(approved, other(), operator()).await), "args");
}

async fn an_edit_that_changes_nothing_leaves_no_trace(bench: Bench) {
    let id = bench.enqueue_with(|job| job.due = Due::At(later(&bench))).await;
    let before = bench.job(id).await;

    edit(&bench, id, |_| {}).await;
    edit(&bench, id, |edit| {
        edit.queue = Some(before.queue.clone());
        edit.priority = Some(before.priority);
        edit.due = Some(Due::At(before.run_at));
        edit.args = Some(before.args.clone());
        edit.tags = Some(Vec::new());
    })
    .await;

    assert_eq!(bench.job(id).await, before);
    assert_eq!(bench.store.events(id).await.unwrap(), []);
    assert_eq!(entries(&bench).await, []);
}

async fn g21_an_edit_tells_how_it_was_and_how_it_is(bench: Bench) {
    let id = bench.enqueue_with(|job| job.args = Args::Bytes(b"secret".to_vec().into())).await;

    edit(&bench, id, |edit| {
        edit.queue = Some(queue("other"));
        edit.args = Some(Args::default());
    })
    .await;

    let change = entries(&bench).await[0].change.clone().unwrap();
    assert_eq!(change.before["queue"], "default");
    assert_eq!(change.after["queue"], "other");
    assert_ne!(change.before["args"], change.after["args"]);
    assert_eq!(change.before.len() + change.after.len(), 4, "{change}");
    assert!(!told(&bench).await.contains("secret"));
    bench.store.snooze(id, Due::In(SECOND), operator()).await.unwrap();
    let events = bench.store.events(id).await.unwrap();
    let verbs: Vec<(&str, u64)> = events.iter().map(|event| (event.verb.as_str(), event.revision)).collect();
    assert_eq!(verbs, [("edit", 2), ("snooze", 3)]);
    let (now, then) = (bench.now(), bench.now().after(SECOND));
    let expected = format!(r#"{{"before":{{"run_at":"{now}"}},"after":{{"run_at":"{then}"}}}}"#);
    assert_eq!(told(&bench).await, expected);
}

async fn g21_verbs_tell_how_it_was_and_how_it_is(bench: Bench) {
    let job = bench.start_with(|job| job.attempts_max = 1).await;
    bench.settle(&job, failed("x")).await;

    bench.store.retry(job.id(), operator()).await.unwrap();
    assert_eq!(told(&bench).await, r#"{"before":{"attempt":1,"state":"dead"},"after":{"attempt":0}}"#);
    bench.cancel(job.id()).await;
    assert_eq!(told(&bench).await, r#"{"before":{"state":"ready"},"after":{"state":"cancelled"}}"#);
    bench.store.delete(job.id(), operator()).await.unwrap();
    assert_eq!(told(&bench).await, r#"{"before":{"state":"cancelled"}}"#);

    let id = bench.enqueue_with(|job| job.due = Due::At(later(&bench))).await;
    let (now, then) = (bench.now(), later(&bench));
    bench.store.run_now(id, operator()).await.unwrap();
    let expected = format!(r#"{{"before":{{"run_at":"{then}"}},"after":{{"run_at":"{now}"}}}}"#);
    assert_eq!(told(&bench).await, expected);
}

async fn g21_bounds_pauses_and_retentions_tell_how_it_was(bench: Bench) {
    use windlass_core::{Bounds, Whole};
    use windlass_store::{Keep, QueueRetention};
    let (store, mail) = (&bench.store, queue("mail"));
    let whole = Whole::Queue(mail.clone());

    store.pause(&mail, operator()).await.unwrap();
    assert_eq!(told(&bench).await, r#"{"before":{"paused":false},"after":{"paused":true}}"#);
    store.bound(&whole, Bounds { limit: Some(3), rate: None }, operator()).await.unwrap();
    assert_eq!(told(&bench).await, r#"{"after":{"limit":3}}"#);
    store.bound(&whole, Bounds { limit: Some(4), rate: None }, operator()).await.unwrap();
    assert_eq!(told(&bench).await, r#"{"before":{"limit":3},"after":{"limit":4}}"#);
    store.keep(&mail, QueueRetention::default().dead(Keep::For(SECOND)), operator()).await.unwrap();
    assert_eq!(told(&bench).await, r#"{"after":{"dead":"1s"}}"#);
    store.keep(&mail, QueueRetention::default().dead(Keep::Forever), operator()).await.unwrap();
    assert_eq!(told(&bench).await, r#"{"before":{"dead":"1s"},"after":{"dead":"forever"}}"#);
}

async fn g21_a_further_copy_leaves_an_entry_once(bench: Bench) {
    let id = bench.enqueue_one().await;
    bench.cancel(id).await;
    let copy = bench.fresh_id();

    for repeated in [false, true] {
        let made = bench.store.rerun(id, copy, operator().because("once more")).await.unwrap();
        assert_eq!((made.id, made.repeated), (copy, repeated));
    }

    let entries = entries(&bench).await;
    let verbs: Vec<&str> = entries.iter().map(|entry| entry.verb.as_str()).collect();
    assert_eq!(verbs, ["rerun", "cancel"]);
    let by = entries[0].by.clone().plain();
    assert_eq!((&entries[0].subject, by), (&id.to_string(), operator().because("once more")));
    assert_eq!(told(&bench).await, format!(r#"{{"after":{{"copy":"{copy}"}}}}"#));
    let nobody = windlass_store::Actor::new("");
    assert_eq!(field_of(bench.store.rerun(id, bench.fresh_id(), nobody).await), "by.name");
}

async fn two_edits_at_once_both_hold(bench: Bench) {
    let id = bench.enqueue_one().await;
    let (one, other) =
        (JobEdit { priority: Some(Priority::High), ..JobEdit::default() }, JobEdit::moving(queue("other")));

    let (first, second) = futures_util::future::join(
        bench.store.edit(id, one, operator()),
        bench.store.edit(id, other, operator()),
    )
    .await;

    first.unwrap();
    second.unwrap();
    let job = bench.job(id).await;
    assert_eq!((job.priority, job.queue, job.revision), (Priority::High, queue("other"), 3));
}
