//! What is free, and kept for those who stand in line.

use windlass_core::Lock;
use windlass_core::limits::LINE_GRACE;
use windlass_store::{ClaimRequest, Settlement, Turn};

use crate::bench::{Bench, MICROSECOND, SECOND, ids_of, just_before, kind, of_kind, succeeded};

cases! {
    a_free_resource_is_kept_for_those_in_line_though_other_workers_ask_first,
    a_resource_is_not_kept_for_ever_for_one_who_does_not_come,
    what_was_free_before_anybody_stood_in_line_is_not_kept,
}

async fn a_free_resource_is_kept_for_those_in_line_though_other_workers_ask_first(bench: Bench) {
    let (alone, sharing) = (of_kind("k1", 1), of_kind("k4", 1));
    bench.enqueue_locking("k4", Lock::shared("r")).await;
    let first = bench.claim_scope(sharing.clone(), 10).await.jobs;
    let waits = bench.enqueue_locking("k1", Lock::exclusive("r")).await;
    assert_eq!(bench.claim_scope(alone.clone(), 10).await.jobs, []);
    bench.enqueue_locking("k4", Lock::shared("r")).await;

    // The worker that shares settles and asks for more in the same breath.
    let worker = bench.worker().await;
    let settlements = vec![Settlement { token: first[0].token, verdict: succeeded() }];
    let claim = Some(ClaimRequest::new(worker, sharing.clone(), 10));
    let turned = bench.store.turn(Turn { settlements, claim }).await.unwrap();

    assert_eq!(turned.claimed.jobs, []);
    assert_eq!(ids_of(&bench.claim_scope(alone, 10).await.jobs), [waits]);
}

async fn a_resource_is_not_kept_for_ever_for_one_who_does_not_come(bench: Bench) {
    let (alone, sharing) = (of_kind("k1", 1), of_kind("k4", 1));
    bench.enqueue_locking("k4", Lock::shared("r")).await;
    let first = bench.claim_scope(sharing.clone(), 10).await.jobs.remove(0);
    bench.enqueue_locking("k1", Lock::exclusive("r")).await;
    assert_eq!(bench.claim_scope(alone, 10).await.jobs, []);
    let late = bench.enqueue_locking("k4", Lock::shared("r")).await;
    bench.settle(&first, succeeded()).await;

    bench.advance(just_before(LINE_GRACE));
    let asked = bench.claim_scope(sharing.clone(), 10).await;
    assert_eq!(asked.jobs, []);
    let opens_at = bench.now().after(MICROSECOND);
    assert!(asked.next_due.is_none_or(|due| due == opens_at), "{:?}", asked.next_due);
    bench.advance(MICROSECOND);
    assert_eq!(ids_of(&bench.claim_scope(sharing.clone(), 10).await.jobs), [late]);

    // Who did not come is not waited for once more.
    let next = bench.enqueue_locking("k4", Lock::shared("r")).await;
    assert_eq!(ids_of(&bench.claim_scope(sharing, 10).await.jobs), [next]);
}

async fn what_was_free_before_anybody_stood_in_line_is_not_kept(bench: Bench) {
    bench.enqueue_locking("k1", Lock::exclusive("free")).await;
    let before = bench.claim(10).await;
    bench.settle(&before[0], succeeded()).await;
    bench.enqueue_locking("k1", Lock::exclusive("held")).await;
    assert_eq!(bench.claim(10).await.len(), 1);
    bench.advance(SECOND);
    let both = bench.enqueue_with(|job| {
        job.kind = kind("k1");
        job.options.locks = vec![Lock::exclusive("held"), Lock::exclusive("free")];
    });
    both.await;
    assert_eq!(bench.claim(10).await, []);

    let next = bench.enqueue_locking("k1", Lock::exclusive("free")).await;

    assert_eq!(bench.claim_ids(10).await, [next]);
}
