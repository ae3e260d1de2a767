//! Operations as they go on, step by step.

use windlass_core::{Invalid, JobId, OperationState};
use windlass_store::operations::{OPERATION_LEASE, OPERATION_SHOWN_MAX};
use windlass_store::{Advance, ErrorKind, NewOperation, OperationProblem, OperationRefusal};

use super::operation::{asked, begun, did, read, running, selected, some_jobs, taken_up, told};
use crate::bench::{Bench, SECOND, field_of, operator, refused};

cases! {
    an_operation_is_taken_up_again_behind_the_last_job_that_was_told_of,
    the_jobs_of_an_operation_come_in_order_each_once,
    telling_a_step_again_counts_it_once,
    a_step_that_is_not_the_next_is_refused,
    refusals_are_counted_and_the_first_are_shown,
    a_dry_run_selects_and_does_nothing,
    an_operation_on_nothing_is_done,
    an_aborted_operation_tells_how_far_it_came,
    an_operation_that_cannot_go_on_says_why,
}

fn refusal(job: JobId, detail: &str) -> OperationRefusal {
    let problem = OperationProblem { code: "not_ready".to_owned(), detail: detail.to_owned() };
    OperationRefusal { job, problem }
}

async fn an_operation_is_taken_up_again_behind_the_last_job_that_was_told_of(bench: Bench) {
    let (token, jobs) = running(&bench, 10).await;
    told(&bench, token, did(0, 4), 2).await;
    bench.advance(OPERATION_LEASE);

    let next = taken_up(&bench).await;
    let driven = told(&bench, next, Advance::Beat, 100).await;

    assert_eq!(driven.next, jobs[4..]);
    assert_eq!(refused(bench.store.advance_operation(token, did(4, 2), 1).await), ErrorKind::LeaseLost);
    assert_eq!(read(&bench, token.operation).await.done, 4, "a late word changes nothing");
    let done = told(&bench, next, did(4, 6), 1).await;
    assert_eq!((done.operation.state, done.operation.done), (OperationState::Done, 10));
}

async fn the_jobs_of_an_operation_come_in_order_each_once(bench: Bench) {
    let jobs = some_jobs(2_345);
    begun(&bench).await;
    let token = taken_up(&bench).await;

    let mut driven = told(&bench, token, selected(jobs.clone()), 400).await;
    let mut seen = Vec::new();
    while !driven.next.is_empty() {
        assert!(driven.next.len() <= 400);
        let (from, done) = (seen.len() as u64, driven.next.len() as u64);
        seen.extend(driven.next);
        driven = told(&bench, token, did(from, done), 400).await;
    }

    assert!(seen == jobs, "{} of {}", seen.len(), jobs.len());
    let ended = read(&bench, token.operation).await;
    assert_eq!((ended.state, ended.done, ended.ended_at), (OperationState::Done, 2_345, Some(bench.now())));
    assert_eq!((ended.selected, ended.selected_at), (2_345, Some(bench.now())));
    assert_eq!(ended.sample, jobs[..OPERATION_SHOWN_MAX]);
}

async fn telling_a_step_again_counts_it_once(bench: Bench) {
    let (token, jobs) = running(&bench, 5).await;
    told(&bench, token, selected(some_jobs(3)), 1).await;
    told(&bench, token, did(0, 2), 1).await;

    let again = told(&bench, token, did(0, 2), 2).await;

    assert_eq!((again.operation.done, again.operation.selected), (2, 5));
    assert_eq!(again.next, jobs[2..4]);
}

async fn a_step_that_is_not_the_next_is_refused(bench: Bench) {
    let (token, _) = running(&bench, 5).await;
    let store = &bench.store;

    assert_eq!(field_of(store.advance_operation(token, did(1, 1), 1).await), "from");
    assert_eq!(field_of(store.advance_operation(token, did(0, 6), 1).await), "done");
    assert_eq!(field_of(store.advance_operation(token, did(0, u64::MAX), 1).await), "done");
    assert_eq!(read(&bench, token.operation).await.done, 0);
}

async fn refusals_are_counted_and_the_first_are_shown(bench: Bench) {
    let (token, jobs) = running(&bench, 30).await;
    let refused: Vec<_> = jobs[..12].iter().map(|job| refusal(*job, "é is not ready")).collect();

    told(&bench, token, Advance::Did { from: 0, done: 3, refused: refused.clone() }, 1).await;
    let last = refusal(jobs[29], "nor this");
    told(&bench, token, Advance::Did { from: 15, done: 14, refused: vec![last] }, 1).await;

    let ended = read(&bench, token.operation).await;
    assert_eq!((ended.done, ended.refused, ended.state), (17, 13, OperationState::Done));
    assert_eq!(ended.refusals, refused[..OPERATION_SHOWN_MAX]);
}

async fn a_dry_run_selects_and_does_nothing(bench: Bench) {
    let made = NewOperation { dry_run: true, ..asked() };
    bench.store.begin_operation(made, operator()).await.unwrap();
    let (token, jobs) = (taken_up(&bench).await, some_jobs(12));

    let driven = told(&bench, token, Advance::Selected { jobs: jobs.clone(), cut: true }, 10).await;

    assert!(driven.next.is_empty());
    let ended = read(&bench, token.operation).await;
    assert_eq!((ended.state, ended.selected, ended.done, ended.cut), (OperationState::Done, 12, 0, true));
    assert_eq!((ended.sample.as_slice(), ended.ended_at), (&jobs[..10], Some(bench.now())));
    assert_eq!(driven.operation, ended);
}

async fn an_operation_on_nothing_is_done(bench: Bench) {
    begun(&bench).await;
    let token = taken_up(&bench).await;

    let driven = told(&bench, token, selected(Vec::new()), 10).await;

    assert_eq!((driven.operation.state, driven.next), (OperationState::Done, Vec::new()));
}

async fn an_aborted_operation_tells_how_far_it_came(bench: Bench) {
    let (token, _) = running(&bench, 9).await;
    told(&bench, token, did(0, 2), 3).await;

    let aborted = bench.store.abort_operation(token.operation, operator()).await.unwrap();
    assert_eq!((aborted.state, aborted.ended_at), (OperationState::Aborted, Some(bench.now())));
    bench.advance(SECOND);
    let driven = told(&bench, token, did(2, 3), 3).await;
    assert_eq!(driven.next, Vec::new());

    let ended = read(&bench, token.operation).await;
    assert_eq!((ended.state, ended.done, ended.selected), (OperationState::Aborted, 5, 9));
    assert_eq!(ended.ended_at, aborted.ended_at);
    assert_eq!(bench.store.abort_operation(token.operation, operator()).await.unwrap(), ended);
}

async fn an_operation_that_cannot_go_on_says_why(bench: Bench) {
    let id = begun(&bench).await;
    let token = taken_up(&bench).await;
    let problem = OperationProblem::from(&Invalid::new("filter", "is not one"));

    told(&bench, token, Advance::Failed(problem.clone()), 1).await;

    let ended = read(&bench, id).await;
    assert_eq!((ended.state, ended.problem), (OperationState::Failed, Some(problem)));
    assert_eq!(ended.ended_at, Some(bench.now()));
}
