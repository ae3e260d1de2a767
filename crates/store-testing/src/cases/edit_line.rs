//! Jobs that are edited by hand while they wait at gates.

use windlass_core::limits::LINE_GRACE;
use windlass_core::{Lock, NewJob, Priority};

use super::edit::edit;
use crate::bench::{Bench, anything, ids_of, of_queues, queue, succeeded};

cases! {
    an_edited_job_leaves_the_line_of_a_lock_and_comes_back_to_it,
    an_edit_that_moves_nothing_leaves_a_job_in_its_line,
    an_edit_that_moves_nothing_leaves_a_job_out_of_the_line_that_it_was_passed_in,
}

async fn an_edited_job_leaves_the_line_of_a_lock_and_comes_back_to_it(bench: Bench) {
    let locked = |job: &mut NewJob| job.options.locks = vec![Lock::exclusive("r")];
    let holder = bench.start_with(locked).await;
    let edited = bench.enqueue_with(locked).await;
    let behind = bench.enqueue_with(locked).await;
    assert!(bench.claim_scope(anything(), 10).await.jobs.is_empty(), "both are turned away");

    edit(&bench, edited, |edit| edit.priority = Some(Priority::Low)).await;
    edit(&bench, behind, |edit| edit.queue = Some(queue("other"))).await;
    assert!(bench.claim_scope(anything(), 10).await.jobs.is_empty());

    bench.settle(&holder, succeeded()).await;
    let next = bench.claim_one().await;
    assert_eq!(next.id(), behind, "the other one is less urgent by now");
    bench.settle(&next, succeeded()).await;
    assert_eq!(bench.claim_one().await.id(), edited);
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

async fn an_edit_that_moves_nothing_leaves_a_job_in_its_line(bench: Bench) {
    let (writers, readers) = (of_queues(&["writers"]), of_queues(&["readers"]));
    let reader = |job: &mut NewJob| {
        job.queue = queue("readers");
        job.options.locks = vec![Lock::shared("r")];
    };
    let held = bench.start_with(reader).await;
    let waits = bench
        .enqueue_with(|job| {
            job.queue = queue("writers");
            job.options.locks = vec![Lock::exclusive("r")];
        })
        .await;
    assert_eq!(bench.claim_scope(writers.clone(), 1).await.jobs, []);

    edit(&bench, waits, |edit| edit.tags = Some(vec!["new".parse().unwrap()])).await;

    let behind = bench.enqueue_with(reader).await;
    assert_eq!(bench.claim_scope(readers.clone(), 1).await.jobs, [], "it passed the one in line");
    bench.settle(&held, succeeded()).await;
    assert_eq!(bench.claim_scope(readers.clone(), 1).await.jobs, [], "it passed the one in line");
    let alone = bench.claim_scope(writers, 1).await.jobs;
    assert_eq!(ids_of(&alone), [waits]);
    bench.settle(&alone[0], succeeded()).await;
    assert_eq!(ids_of(&bench.claim_scope(readers, 1).await.jobs), [behind]);
}

async fn an_edit_that_moves_nothing_leaves_a_job_out_of_the_line_that_it_was_passed_in(bench: Bench) {
    let (writers, readers) = (of_queues(&["writers"]), of_queues(&["readers"]));
    let reader = |job: &mut NewJob| {
        job.queue = queue("readers");
        job.options.locks = vec![Lock::shared("r")];
    };
    bench.start_with(|job| job.options.locks = vec![Lock::exclusive("s")]).await;
    let waits = bench
        .enqueue_with(|job| {
            job.queue = queue("writers");
            job.options.locks = vec![Lock::exclusive("r"), Lock::exclusive("s")];
        })
        .await;
    assert_eq!(bench.claim_scope(writers.clone(), 1).await.jobs, []);
    bench.advance(LINE_GRACE);
    let first = bench.enqueue_with(reader).await;
    assert_eq!(ids_of(&bench.claim_scope(readers.clone(), 1).await.jobs), [first], "it is not waited for for ever");

    edit(&bench, waits, |edit| edit.tags = Some(vec!["new".parse().unwrap()])).await;

    assert_eq!(bench.claim_scope(writers, 1).await.jobs, []);
    let second = bench.enqueue_with(reader).await;
    assert_eq!(ids_of(&bench.claim_scope(readers, 1).await.jobs), [second], "it is in line anew");
}
