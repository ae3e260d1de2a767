//! The audit: who did what by hand, for ever.

use std::time::Duration;

use windlass_core::{Bounds, Edge, JobId, Whole};
use windlass_store::{
    Actor, AuditEntry, AuditFilter, JobFilter, NewRuling, NewToken, Noun, PageRequest, QueueRetention,
    Retention, Role, Secret, TokenId, Via, ids,
};

use super::review::{of_outcome, of_start};
use super::schedule_scene::{HOUR, hourly, named, put};
use crate::bench::{Bench, SECOND, failed, field_of, kind, operator, queue, succeeded};

cases! {
    g21_every_change_of_a_job_leaves_an_entry,
    g21_every_change_of_a_queue_leaves_an_entry,
    g21_every_change_of_a_schedule_leaves_an_entry,
    g21_every_change_of_a_token_leaves_an_entry,
    g21_a_flow_leaves_an_entry_for_each_of_its_jobs,
    g21_a_decision_leaves_an_entry_by_whoever_took_it,
    what_changes_nothing_leaves_no_entry,
    what_nobody_does_leaves_no_entry,
    an_entry_tells_how_somebody_came_and_the_thing_itself_does_not,
    an_entry_outlives_what_it_is_about,
    the_audit_is_listed_newest_first_page_by_page,
    the_audit_can_be_narrowed,
    a_request_that_is_no_word_is_refused,
}

async fn entries(bench: &Bench) -> Vec<AuditEntry> {
    bench.store.audit(AuditFilter::default(), PageRequest::first(500)).await.unwrap().items
}

/// What was done, oldest first, as in `cancel job 7`.
async fn told(bench: &Bench) -> Vec<String> {
    let entries = entries(bench).await;
    let told = |entry: &AuditEntry| format!("{} {} {}", entry.verb, entry.noun.as_str(), entry.subject);
    entries.iter().rev().map(told).collect()
}

fn through_a_door() -> Actor {
    let via = Via {
        token: Some(TokenId::from_number(7)),
        address: Some("10.0.0.1".parse().unwrap()),
        request: Some("r-1".to_owned()),
    };
    operator().because("it must").via(via)
}

/// Whether an entry tells of `asked`: how they came as they said, or, behind a door, as the door saw them.
fn tells_of(bench: &Bench, entry: &AuditEntry, asked: &Actor) -> bool {
    if !bench.has_door() {
        return entry.by == *asked;
    }
    let (said, saw) = (asked.via.clone().unwrap_or_default(), entry.by.via.clone().unwrap_or_default());
    let is_believed = saw.token.is_some() && saw.token == said.token || saw.address == said.address;
    let is_same_request = saw.request.is_some() && (said.request.is_none() || saw.request == said.request);
    entry.by.clone().plain() == asked.clone().plain() && !is_believed && is_same_request
}

async fn g21_every_change_of_a_job_leaves_an_entry(bench: Bench) {
    let (store, at) = (&bench.store, bench.now());
    let id = bench.enqueue_with(|job| job.due = windlass_core::Due::In(HOUR)).await;
    store.run_now(id, operator()).await.unwrap();
    store.cancel(id, operator().because("no more")).await.unwrap();
    store.retry(id, operator()).await.unwrap();
    store.delete(id, operator()).await.unwrap();

    let verbs = ["run_now", "cancel", "retry", "delete"];
    assert_eq!(told(&bench).await, verbs.map(|verb| format!("{verb} job {id}")));
    let entries = entries(&bench).await;
    assert!(entries.iter().all(|entry| entry.at == at && entry.by.name == "ada"));
    assert!(tells_of(&bench, &entries[2], &operator().because("no more")), "{entries:?}");
    assert!(entries.windows(2).all(|two| two[0].number > two[1].number), "{entries:?}");
}

async fn g21_every_change_of_a_queue_leaves_an_entry(bench: Bench) {
    let (store, mail) = (&bench.store, queue("mail"));
    store.pause(&mail, operator()).await.unwrap();
    store.resume(&mail, operator()).await.unwrap();
    store.keep(&mail, QueueRetention::default(), operator()).await.unwrap();
    let bounds = Bounds { limit: Some(1), rate: None };
    store.bound(&Whole::Queue(mail.clone()), bounds, operator()).await.unwrap();
    store.bound(&Whole::Kind(kind("report")), bounds, operator()).await.unwrap();

    assert_eq!(
        told(&bench).await,
        ["pause queue mail", "resume queue mail", "keep queue mail", "bound queue mail", "bound kind report"]
    );
}

async fn g21_every_change_of_a_schedule_leaves_an_entry(bench: Bench) {
    let (store, name) = (&bench.store, named("h"));
    put(&bench, hourly("h")).await;
    store.pause_schedule(&name, operator()).await.unwrap();
    store.resume_schedule(&name, operator()).await.unwrap();
    store.run_schedule(&name, ids::job_id(), operator()).await.unwrap();
    store.backfill(&name, (bench.now().before(HOUR), bench.now()), operator()).await.unwrap();
    store.delete_schedule(&name, operator()).await.unwrap();

    let verbs = ["put", "pause", "resume", "run", "backfill", "delete"];
    assert_eq!(told(&bench).await, verbs.map(|verb| format!("{verb} schedule h")));
}

async fn g21_every_change_of_a_token_leaves_an_entry(bench: Bench) {
    let token = NewToken::new(&Secret::draw(), "ci", [Role::Worker]);
    let id = token.id;
    bench.store.create_token(token, operator()).await.unwrap();
    bench.store.use_token(id).await.unwrap();
    bench.store.revoke_token(id, operator()).await.unwrap();

    assert_eq!(told(&bench).await, [format!("create token {id}"), format!("revoke token {id}")]);
}

async fn g21_a_flow_leaves_an_entry_for_each_of_its_jobs(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_with(|job| job.after = vec![Edge::on_success(parent)]).await;
    bench.store.cancel_flow(parent, operator()).await.unwrap();
    bench.store.retry_flow(parent, operator()).await.unwrap();
    bench.store.cancel_flow(parent, operator()).await.unwrap();
    bench.store.delete_flow(child, operator()).await.unwrap();

    let mut expected: Vec<String> = Vec::new();
    for verb in ["cancel", "retry", "cancel", "delete"] {
        expected.extend([parent, child].map(|id| format!("{verb} job {id}")));
    }
    let mut found = told(&bench).await;
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

async fn g21_a_decision_leaves_an_entry_by_whoever_took_it(bench: Bench) {
    let job = bench.enqueue_with(of_start).await;
    let digest = bench.review(job).await.digest;
    bench.store.decide(job, NewRuling::accept(through_a_door(), digest)).await.unwrap();
    let late = bench.enqueue_with(|job| {
        of_start(job);
        job.options.review.as_mut().unwrap().decide_within = Some(SECOND);
    });
    let late = late.await;
    bench.advance(SECOND);
    bench.rescue().await;

    assert_eq!(told(&bench).await, [format!("accept job {job}"), format!("decline job {late}")]);
    let entries = entries(&bench).await;
    assert!(tells_of(&bench, &entries[1], &through_a_door()), "{entries:?}");
    assert_eq!(entries[0].by.name, windlass_store::reviews::REVIEWER);
}

async fn what_changes_nothing_leaves_no_entry(bench: Bench) {
    let store = &bench.store;
    let id = bench.enqueue_one().await;
    bench.cancel(id).await;
    bench.cancel(id).await;
    store.pause(&queue("mail"), operator()).await.unwrap();
    store.pause(&queue("mail"), operator()).await.unwrap();
    store.resume(&queue("mail"), operator()).await.unwrap();
    store.resume(&queue("mail"), operator()).await.unwrap();
    put(&bench, hourly("h")).await;
    put(&bench, hourly("h")).await;
    let nowhere = ids::job_id();
    store.cancel(nowhere, operator()).await.unwrap_err();
    store.delete(nowhere, operator()).await.unwrap_err();
    store.run_now(id, operator()).await.unwrap_err();

    let expected = [format!("cancel job {id}"), "pause queue mail".to_owned()];
    let expected = expected.into_iter().chain(["resume queue mail", "put schedule h"].map(str::to_owned));
    assert_eq!(told(&bench).await, expected.collect::<Vec<_>>());
}

async fn what_nobody_does_leaves_no_entry(bench: Bench) {
    let reminded = bench.start_with(|job| {
        of_outcome(job);
        let review = job.options.review.as_mut().unwrap();
        review.decide_within = Some(HOUR * 24);
        review.remind_every = Some(HOUR);
        review.remind = vec![windlass_core::notice::Target::Mail("ada@example.org".to_owned())];
    });
    bench.settle(&reminded.await, succeeded()).await;
    bench.advance(HOUR);
    bench.rescue().await;
    let job = bench.start_one().await;
    bench.settle(&job, failed("x")).await;
    bench.store.prune(Retention::default()).await.unwrap();

    assert_eq!(told(&bench).await, [""; 0]);
}

async fn an_entry_tells_how_somebody_came_and_the_thing_itself_does_not(bench: Bench) {
    let (store, id) = (&bench.store, bench.enqueue_one().await);
    store.cancel(id, through_a_door()).await.unwrap();
    store.pause(&queue("default"), through_a_door()).await.unwrap();
    store.put_schedule(hourly("h"), through_a_door()).await.unwrap();
    store.pause_schedule(&named("h"), through_a_door()).await.unwrap();

    let entries = entries(&bench).await;
    assert!(entries.iter().all(|entry| tells_of(&bench, entry, &through_a_door())), "{entries:?}");
    assert_eq!(store.events(id).await.unwrap()[0].by, through_a_door().plain());
    assert_eq!(store.queues().await.unwrap()[0].pause.clone().unwrap().by, through_a_door().plain());
    let events = store.schedule_events(&named("h")).await.unwrap();
    assert!(events.iter().all(|event| event.by == through_a_door().plain()));
    let paused = store.schedule(&named("h")).await.unwrap().pause.unwrap();
    assert_eq!(paused.by, through_a_door().plain());
}

async fn an_entry_outlives_what_it_is_about(bench: Bench) {
    let id: JobId = bench.enqueue_one().await;
    bench.cancel(id).await;
    bench.advance(Duration::from_secs(60 * 60 * 24 * 400));
    let none = Some(Duration::ZERO);
    let forget = Retention { completed: none, cancelled: none, dead: none };
    while bench.store.prune(forget).await.unwrap().more {}

    let left = bench.store.jobs(JobFilter::default(), PageRequest::first(10)).await.unwrap();
    assert!(left.items.is_empty());
    assert_eq!(told(&bench).await, [format!("cancel job {id}")]);
}

async fn the_audit_is_listed_newest_first_page_by_page(bench: Bench) {
    let names = ["a", "b", "c", "d"];
    for name in names {
        bench.store.pause(&queue(name), operator()).await.unwrap();
    }

    let (mut subjects, mut page) = (Vec::new(), PageRequest::first(3));
    loop {
        let found = bench.store.audit(AuditFilter::default(), page).await.unwrap();
        assert!(found.items.len() <= 3);
        subjects.extend(found.items.into_iter().map(|entry| entry.subject));
        if found.next.is_none() {
            break;
        }
        page = page.after(found.next);
    }

    assert_eq!(subjects, ["d", "c", "b", "a"]);
}

async fn the_audit_can_be_narrowed(bench: Bench) {
    let store = &bench.store;
    store.pause(&queue("a"), operator()).await.unwrap();
    bench.advance(SECOND);
    let since = Some(bench.now());
    store.pause(&queue("b"), Actor::new("bob")).await.unwrap();
    store.resume(&queue("a"), operator()).await.unwrap();
    put(&bench, hourly("a")).await;

    let count = async |filter| store.audit(filter, PageRequest::first(10)).await.unwrap().items.len();
    let all = AuditFilter::default;
    assert_eq!(count(all()).await, 4);
    assert_eq!(count(AuditFilter { actor: Some("bob".to_owned()), ..all() }).await, 1);
    assert_eq!(count(AuditFilter { verb: Some("pause".to_owned()), ..all() }).await, 2);
    assert_eq!(count(AuditFilter { noun: Some(Noun::Schedule), ..all() }).await, 1);
    assert_eq!(count(AuditFilter { subject: Some("a".to_owned()), ..all() }).await, 3);
    assert_eq!(count(AuditFilter { since, ..all() }).await, 3);
    let both = AuditFilter { subject: Some("a".to_owned()), noun: Some(Noun::Queue), since, ..all() };
    assert_eq!(count(both).await, 1);
}

async fn a_request_that_is_no_word_is_refused(bench: Bench) {
    let by = operator().via(Via { request: Some("a b".to_owned()), ..Via::default() });

    assert_eq!(field_of(bench.store.pause(&queue("mail"), by).await), "by.via.request");
    assert_eq!(told(&bench).await, [""; 0]);
}
