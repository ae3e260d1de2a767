//! Operations: one verb on many jobs, kept and taken up again. What is done to each job is said by the verbs themselves.

use windlass_core::{BulkVerb, JobId, OperationId, OperationState};
use windlass_store::operations::{
    OPERATION_JOBS_MAX, OPERATION_KEPT, OPERATION_LEASE, OPERATIONS_OPEN_MAX,
};
use windlass_store::{
    Actor, Advance, AuditFilter, DriveToken, Driven, ErrorKind, NewOperation, Noun, Operation,
    OperationProblem, PageRequest, ids,
};

use crate::bench::{Bench, SECOND, at_once, field_of, operator, refused};

cases! {
    an_operation_is_kept_as_it_was_asked_for,
    an_operation_that_nobody_could_carry_out_is_refused,
    beginning_again_begins_no_second_one,
    an_operation_is_carried_out_by_one_at_a_time,
    one_of_many_who_ask_takes_an_operation_up,
    who_tells_of_an_operation_keeps_it,
    a_paused_operation_stands_still_until_it_may_go_on,
    an_operation_can_be_paused_while_its_jobs_are_selected,
    an_operation_that_ended_stays_as_it_is,
    there_are_so_many_operations_at_a_time_and_no_more,
    who_changes_an_operation_is_kept_for_ever,
    operations_are_listed_last_first_page_by_page,
    an_operation_that_never_was_is_not_found,
    an_operation_is_forgotten_long_after_its_end,
    an_operation_survives_a_restart_with_its_jobs,
}

pub(super) fn asked() -> NewOperation {
    NewOperation::new(ids::operation_id(), BulkVerb::Cancel, "queue:mail")
}

pub(super) async fn begun(bench: &Bench) -> OperationId {
    bench.store.begin_operation(asked(), operator()).await.unwrap().made.id
}

pub(super) async fn taken_up(bench: &Bench) -> DriveToken {
    bench.store.drive_operation().await.unwrap().expect("one waits").0
}

pub(super) async fn told(bench: &Bench, token: DriveToken, advance: Advance, limit: u32) -> Driven {
    bench.store.advance_operation(token, advance, limit).await.unwrap()
}

/// Ids of jobs that need not be there: a store keeps them, and asks nothing of them.
pub(super) fn some_jobs(count: usize) -> Vec<JobId> {
    (0..count).map(|_| ids::job_id()).collect()
}

pub(super) const fn selected(jobs: Vec<JobId>) -> Advance {
    Advance::Selected { jobs, cut: false }
}

pub(super) const fn did(from: u64, done: u64) -> Advance {
    Advance::Did { from, done, refused: Vec::new() }
}

/// One that is under way with so many jobs.
pub(super) async fn running(bench: &Bench, count: usize) -> (DriveToken, Vec<JobId>) {
    begun(bench).await;
    let (token, jobs) = (taken_up(bench).await, some_jobs(count));
    told(bench, token, selected(jobs.clone()), 1).await;
    (token, jobs)
}

pub(super) async fn read(bench: &Bench, id: OperationId) -> Operation {
    bench.store.operation(id).await.unwrap()
}

async fn an_operation_is_kept_as_it_was_asked_for(bench: Bench) {
    let by = operator().because("wrong address é");
    let made = NewOperation {
        rate: Some(20),
        dry_run: true,
        ..NewOperation::new(ids::operation_id(), BulkVerb::RunNow, "queue:mail error:\"time out\"")
    };

    let begun = bench.store.begin_operation(made.clone(), by.clone()).await.unwrap();

    let kept = read(&bench, made.id).await;
    assert_eq!((&kept.made, &kept.by), (&made, &by));
    assert_eq!((kept.state, kept.began_at), (OperationState::Selecting, bench.now()));
    assert_eq!((kept.selected_at, kept.selected, kept.cut, kept.done, kept.refused), (None, 0, false, 0, 0));
    assert!(kept.sample.is_empty() && kept.refusals.is_empty());
    assert_eq!((&kept.problem, kept.ended_at), (&None, None));
    assert_eq!(begun, kept);
}

async fn an_operation_that_nobody_could_carry_out_is_refused(bench: Bench) {
    let store = &bench.store;
    let long = NewOperation { filter: "x".repeat(4097), ..asked() };
    assert_eq!(field_of(store.begin_operation(long, operator()).await), "filter");
    let cut = NewOperation { filter: "queue:\0".to_owned(), ..asked() };
    assert_eq!(field_of(store.begin_operation(cut, operator()).await), "filter");
    for rate in [0, 1_000_001] {
        let wrong = NewOperation { rate: Some(rate), ..asked() };
        assert_eq!(field_of(store.begin_operation(wrong, operator()).await), "rate");
    }
    assert_eq!(field_of(store.begin_operation(asked(), Actor::new("")).await), "by.name");
    assert!(store.operations(PageRequest::first(10)).await.unwrap().items.is_empty());

    let id = begun(&bench).await;
    let nobody = Actor::new("");
    assert_eq!(field_of(store.pause_operation(id, nobody.clone()).await), "by.name");
    assert_eq!(field_of(store.resume_operation(id, nobody.clone()).await), "by.name");
    assert_eq!(field_of(store.abort_operation(id, nobody).await), "by.name");
    let token = taken_up(&bench).await;
    let many = selected(vec![JobId::from_bytes([7; 16]); OPERATION_JOBS_MAX + 1]);
    assert_eq!(field_of(store.advance_operation(token, many, 1).await), "jobs");
    assert_eq!(read(&bench, id).await.state, OperationState::Selecting);
}

async fn beginning_again_begins_no_second_one(bench: Bench) {
    let made = asked();
    bench.store.begin_operation(made.clone(), operator()).await.unwrap();
    let token = taken_up(&bench).await;
    told(&bench, token, selected(some_jobs(3)), 1).await;

    let other = NewOperation { filter: "queue:other".to_owned(), ..made.clone() };
    let again = bench.store.begin_operation(other, operator()).await.unwrap();

    assert_eq!((again.made, again.selected), (made, 3));
    assert_eq!(bench.store.operations(PageRequest::first(10)).await.unwrap().items.len(), 1);
    assert!(bench.store.drive_operation().await.unwrap().is_none(), "it has its driver still");
    let of_operations = AuditFilter { noun: Some(Noun::Operation), ..AuditFilter::default() };
    assert_eq!(bench.store.audit(of_operations, PageRequest::first(10)).await.unwrap().items.len(), 1);
}

async fn an_operation_is_carried_out_by_one_at_a_time(bench: Bench) {
    assert!(bench.store.drive_operation().await.unwrap().is_none(), "there is none");
    let first = begun(&bench).await;
    bench.advance(SECOND);
    let second = begun(&bench).await;

    let (token, operation) = bench.store.drive_operation().await.unwrap().expect("it waits");
    assert_eq!((token.operation, operation.made.id), (first, first), "that which waits the longest");
    assert_eq!(taken_up(&bench).await.operation, second);
    assert!(bench.store.drive_operation().await.unwrap().is_none());

    bench.advance(OPERATION_LEASE);
    let next = taken_up(&bench).await;
    assert_eq!(next.operation, first);
    assert_ne!(next.nonce, token.nonce);
    assert_eq!(refused(bench.store.advance_operation(token, Advance::Beat, 1).await), ErrorKind::LeaseLost);
    told(&bench, next, Advance::Beat, 1).await;
}

async fn one_of_many_who_ask_takes_an_operation_up(bench: Bench) {
    begun(&bench).await;
    let store = bench.store.clone();

    let answers = at_once(8, move |_| {
        let store = store.clone();
        async move { store.drive_operation().await.unwrap().is_some() }
    });

    assert_eq!(answers.await.into_iter().filter(|taken_up| *taken_up).count(), 1);
}

async fn who_tells_of_an_operation_keeps_it(bench: Bench) {
    let (token, _) = running(&bench, 3).await;
    for told_of in [Advance::Beat, did(0, 1), Advance::Beat] {
        bench.advance(OPERATION_LEASE / 2);
        told(&bench, token, told_of, 1).await;
        assert!(bench.store.drive_operation().await.unwrap().is_none());
    }

    // Nobody took it up: it is still the same driver's.
    bench.advance(OPERATION_LEASE * 2);
    told(&bench, token, did(1, 1), 1).await;
    assert!(bench.store.drive_operation().await.unwrap().is_none());
}

async fn a_paused_operation_stands_still_until_it_may_go_on(bench: Bench) {
    let (token, jobs) = running(&bench, 4).await;

    let paused = bench.store.pause_operation(token.operation, operator()).await.unwrap();
    assert_eq!(paused.state, OperationState::Paused);
    assert_eq!(bench.store.pause_operation(token.operation, operator()).await.unwrap(), paused);
    let driven = told(&bench, token, did(0, 2), 10).await;
    assert_eq!((driven.operation.done, driven.operation.state), (2, OperationState::Paused));
    assert!(driven.next.is_empty(), "what was under way is told of, and nothing comes after it");
    bench.advance(OPERATION_LEASE);
    assert!(bench.store.drive_operation().await.unwrap().is_none());

    let resumed = bench.store.resume_operation(token.operation, operator()).await.unwrap();
    assert_eq!((resumed.state, resumed.done), (OperationState::Running, 2));
    assert_eq!(bench.store.resume_operation(token.operation, operator()).await.unwrap(), resumed);
    let next = taken_up(&bench).await;
    assert_eq!(told(&bench, next, Advance::Beat, 10).await.next, jobs[2..]);
    bench.store.pause_operation(token.operation, operator()).await.unwrap();
    told(&bench, next, did(2, 2), 10).await;
    bench.store.resume_operation(token.operation, operator()).await.unwrap();
    let last = taken_up(&bench).await;
    assert_eq!(told(&bench, last, Advance::Beat, 10).await.operation.state, OperationState::Done);
}

async fn an_operation_can_be_paused_while_its_jobs_are_selected(bench: Bench) {
    let id = begun(&bench).await;
    let token = taken_up(&bench).await;
    bench.store.pause_operation(id, operator()).await.unwrap();

    let driven = told(&bench, token, selected(some_jobs(2)), 10).await;

    assert_eq!((driven.operation.state, driven.operation.selected), (OperationState::Paused, 2));
    let resumed = bench.store.resume_operation(id, operator()).await.unwrap();
    assert_eq!(resumed.state, OperationState::Running);
    bench.store.abort_operation(id, operator()).await.unwrap();
    let waiting = begun(&bench).await;
    bench.store.pause_operation(waiting, operator()).await.unwrap();
    let resumed = bench.store.resume_operation(waiting, operator()).await.unwrap();
    assert_eq!(resumed.state, OperationState::Selecting);
}

async fn an_operation_that_ended_stays_as_it_is(bench: Bench) {
    let (token, _) = running(&bench, 1).await;
    told(&bench, token, did(0, 1), 1).await;
    let ended = read(&bench, token.operation).await;
    bench.advance(OPERATION_LEASE);

    let (store, id) = (&bench.store, token.operation);
    assert_eq!(refused(store.pause_operation(id, operator()).await), ErrorKind::Finished);
    assert_eq!(refused(store.resume_operation(id, operator()).await), ErrorKind::Finished);
    assert_eq!(refused(store.abort_operation(id, operator()).await), ErrorKind::Finished);
    let late = Advance::Failed(OperationProblem { code: "unavailable".to_owned(), detail: String::new() });
    told(&bench, token, late, 1).await;
    told(&bench, token, selected(some_jobs(3)), 1).await;

    assert_eq!(read(&bench, id).await, ended);
    assert!(store.drive_operation().await.unwrap().is_none());
}

async fn there_are_so_many_operations_at_a_time_and_no_more(bench: Bench) {
    let store = bench.store.clone();
    let answers = at_once(OPERATIONS_OPEN_MAX + 4, move |_| {
        let store = store.clone();
        async move { store.begin_operation(asked(), operator()).await }
    });
    let (begun, refused): (Vec<_>, Vec<_>) = answers.await.into_iter().partition(Result::is_ok);
    assert_eq!((begun.len(), refused.len()), (OPERATIONS_OPEN_MAX, 4));
    assert!(refused.into_iter().all(|answer| field_of(answer) == "operation"));

    let first = begun.into_iter().next().unwrap().unwrap();
    bench.store.abort_operation(first.made.id, operator()).await.unwrap();

    bench.store.begin_operation(asked(), operator()).await.unwrap();
}

async fn who_changes_an_operation_is_kept_for_ever(bench: Bench) {
    let id = begun(&bench).await;
    for _ in 0..2 {
        bench.store.pause_operation(id, Actor::new("bob").because("too fast")).await.unwrap();
    }
    bench.store.resume_operation(id, operator()).await.unwrap();
    bench.store.abort_operation(id, operator()).await.unwrap();

    let of_it = AuditFilter {
        noun: Some(Noun::Operation),
        subject: Some(id.to_string()),
        ..AuditFilter::default()
    };
    let audit = bench.store.audit(of_it, PageRequest::first(10)).await.unwrap().items;
    let verbs: Vec<&str> = audit.iter().rev().map(|entry| entry.verb.as_str()).collect();
    assert_eq!(verbs, ["begin", "pause", "resume", "abort"]);
    assert_eq!((audit[2].by.name.as_str(), audit[2].by.why.as_deref()), ("bob", Some("too fast")));
}

async fn operations_are_listed_last_first_page_by_page(bench: Bench) {
    let mut begun_in_order = Vec::new();
    for _ in 0..5 {
        begun_in_order.push(begun(&bench).await);
    }

    let (mut seen, mut page) = (Vec::new(), PageRequest::first(2));
    loop {
        let found = bench.store.operations(page).await.unwrap();
        assert!(found.items.len() <= 2);
        seen.extend(found.items.into_iter().map(|operation| operation.made.id));
        if found.next.is_none() {
            break;
        }
        page = page.after(found.next);
    }

    begun_in_order.reverse();
    assert_eq!(seen, begun_in_order);
}

async fn an_operation_that_never_was_is_not_found(bench: Bench) {
    let (store, id) = (&bench.store, ids::operation_id());

    assert_eq!(refused(store.operation(id).await), ErrorKind::NotFound);
    assert_eq!(refused(store.pause_operation(id, operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.resume_operation(id, operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.abort_operation(id, operator()).await), ErrorKind::NotFound);
    let token = DriveToken { operation: id, nonce: 7 };
    assert_eq!(refused(store.advance_operation(token, Advance::Beat, 1).await), ErrorKind::NotFound);
}

async fn an_operation_is_forgotten_long_after_its_end(bench: Bench) {
    let ended = begun(&bench).await;
    bench.store.abort_operation(ended, operator()).await.unwrap();
    let open = begun(&bench).await;

    bench.advance(OPERATION_KEPT / 2);
    bench.store.tidy().await.unwrap();
    read(&bench, ended).await;
    bench.advance(OPERATION_KEPT / 2);
    bench.store.tidy().await.unwrap();

    assert_eq!(refused(bench.store.operation(ended).await), ErrorKind::NotFound);
    assert_eq!(read(&bench, open).await.state, OperationState::Selecting);
}

async fn an_operation_survives_a_restart_with_its_jobs(bench: Bench) {
    let (token, jobs) = running(&bench, 1_500).await;
    told(&bench, token, did(0, 999), 1).await;

    let Some(again) = bench.reopened().await else { return };

    let driven = again.advance_operation(token, Advance::Beat, 3).await.unwrap();
    assert_eq!(driven.next, jobs[999..1_000], "as far as the piece goes");
    let driven = again.advance_operation(token, did(999, 1), 3).await.unwrap();
    assert_eq!(driven.next, jobs[1_000..1_003]);
}
