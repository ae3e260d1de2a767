//! Limits and rates: of keys, and of queues and kinds as a whole.

use std::time::Duration;

use windlass_core::{Bounds, JobId, Pace, Rate, Whole};
use windlass_store::{ClaimRequest, ErrorKind, LeaseTerm};

use super::gate::limit;
use crate::bench::{
    Bench, MICROSECOND, SECOND, anything, at_once, failed, field_of, ids_of, just_before, kind, of_queues,
    operator, queue, refused, succeeded,
};

cases! {
    a_keyed_limit_is_never_exceeded_and_each_job_is_held_to_its_own,
    a_limit_of_a_queue_holds_for_what_was_there_before_and_counts_what_runs,
    a_limit_of_a_queue_does_not_keep_others_from_running,
    a_limit_of_a_kind_holds_over_its_queues,
    bounds_survive_the_store_that_took_them,
    a_limit_that_is_lifted_or_raised_lets_more_run,
    bounds_that_let_nothing_through_are_refused,
    g16_a_rate_lets_no_more_start_than_it_says_and_tells_when_it_opens,
    g16_a_rate_of_a_queue_holds_over_all_its_jobs,
    g16_claimers_at_once_never_exceed_a_rate_in_any_window,
}

async fn a_keyed_limit_is_never_exceeded_and_each_job_is_held_to_its_own(bench: Bench) {
    for _ in 0..5 {
        bench.enqueue_with(|job| job.options.limits = vec![limit("stripe:acct_9", 3)]).await;
    }
    let narrow = bench.enqueue_with(|job| job.options.limits = vec![limit("stripe:acct_9", 1)]).await;

    let mut running = bench.claim(10).await;
    assert_eq!(running.len(), 3);
    assert_eq!(bench.claim(10).await, []);
    bench.settle(&running.remove(0), succeeded()).await;
    running.extend(bench.claim(10).await);
    assert_eq!(running.len(), 3);
    bench.settle(&running.remove(0), succeeded()).await;
    running.extend(bench.claim(10).await);
    assert_eq!(running.len(), 3);

    for job in running.drain(..2) {
        bench.settle(&job, succeeded()).await;
        assert_eq!(bench.claim(10).await, []);
    }
    assert_eq!(
        refused(bench.store.claim_job(bench.worker().await, narrow, LeaseTerm::Process).await),
        ErrorKind::NotReady
    );
}

async fn a_limit_of_a_queue_holds_for_what_was_there_before_and_counts_what_runs(bench: Bench) {
    bench.enqueue_many(6).await;
    let mut running = bench.claim(2).await;

    let bounds = Bounds { limit: Some(3), rate: None };
    bench.store.bound(&Whole::Queue(queue("default")), bounds, operator()).await.unwrap();

    running.extend(bench.claim(10).await);
    assert_eq!(running.len(), 3);
    assert_eq!(bench.claim(10).await, []);
    bench.settle(&running.remove(0), failed("x")).await;
    running.extend(bench.claim(10).await);
    assert_eq!(running.len(), 3);

    let bounds = Bounds { limit: Some(1), rate: None };
    bench.store.bound(&Whole::Queue(queue("default")), bounds, operator()).await.unwrap();
    for job in running.drain(..2) {
        bench.settle(&job, succeeded()).await;
        assert_eq!(bench.claim(10).await, []);
    }
    bench.settle(&running[0], succeeded()).await;
    assert_eq!(bench.claim(10).await.len(), 1);
}

async fn a_limit_of_a_queue_does_not_keep_others_from_running(bench: Bench) {
    let bounds = Bounds { limit: Some(1), rate: None };
    bench.store.bound(&Whole::Queue(queue("narrow")), bounds, operator()).await.unwrap();
    let to = |name: &'static str| bench.enqueue_with(move |job| job.queue = queue(name));
    let first = to("narrow").await;
    let second = to("narrow").await;
    let wide = [to("wide").await, to("wide").await];

    let claimed = bench.claim(10).await;
    assert_eq!(ids_of(&claimed), [first, wide[0], wide[1]]);
    bench.settle(&claimed[0], succeeded()).await;
    assert_eq!(ids_of(&bench.claim_scope(of_queues(&["narrow"]), 10).await.jobs), [second]);
}

async fn a_limit_of_a_kind_holds_over_its_queues(bench: Bench) {
    let bounds = Bounds { limit: Some(1), rate: None };
    bench.store.bound(&Whole::Kind(kind("report")), bounds, operator()).await.unwrap();
    for name in ["a", "b"] {
        bench.enqueue_with(|job| (job.queue, job.kind) = (queue(name), kind("report"))).await;
        bench.enqueue_with(|job| job.queue = queue(name)).await;
    }

    let claimed = bench.claim(10).await;

    assert_eq!(claimed.iter().filter(|job| job.kind == kind("report")).count(), 1);
    assert_eq!(claimed.len(), 3);
}

async fn bounds_survive_the_store_that_took_them(bench: Bench) {
    let bounds = Bounds { limit: Some(1), rate: Some(Pace::new(1000, Duration::from_secs(1)).with_burst(7)) };
    let of = [Whole::Queue(queue("a")), Whole::Queue(queue("b")), Whole::Kind(kind("k"))];
    for whole in &of {
        bench.store.bound(whole, bounds, operator()).await.unwrap();
    }
    bench.enqueue_with(|job| job.queue = queue("a")).await;
    bench.enqueue_with(|job| job.queue = queue("a")).await;
    let worker = bench.worker().await;
    assert_eq!(bench.claim(10).await.len(), 1);

    let store = bench.reopened().await.unwrap_or_else(|| bench.store.clone());

    assert_eq!(store.bounds().await.unwrap(), of.map(|whole| (whole, bounds)));
    assert_eq!(store.claim(ClaimRequest::new(worker, anything(), 10)).await.unwrap().jobs, []);
}

async fn a_limit_that_is_lifted_or_raised_lets_more_run(bench: Bench) {
    let whole = Whole::Queue(queue("default"));
    let bound =
        async |limit| bench.store.bound(&whole, Bounds { limit, rate: None }, operator()).await.unwrap();
    bench.enqueue_many(6).await;
    bound(Some(1)).await;
    assert_eq!(bench.claim(10).await.len(), 1);

    bound(Some(3)).await;
    assert_eq!(bench.claim(10).await.len(), 2);
    bound(None).await;

    assert_eq!(bench.claim(10).await.len(), 3);
    assert_eq!(bench.store.bounds().await.unwrap(), []);
}

async fn bounds_that_let_nothing_through_are_refused(bench: Bench) {
    let of = Whole::Queue(queue("default"));
    let try_bound = |bounds| bench.store.bound(&of, bounds, operator());

    assert_eq!(field_of(try_bound(Bounds { limit: Some(0), rate: None }).await), "limit");
    let rate = Some(Pace::new(0, SECOND));
    assert_eq!(field_of(try_bound(Bounds { limit: None, rate }).await), "rate.starts");
    assert_eq!(bench.store.bounds().await.unwrap(), []);
}

async fn g16_a_rate_lets_no_more_start_than_it_says_and_tells_when_it_opens(bench: Bench) {
    let pace = Pace::new(1, Duration::from_secs(10)).with_burst(2);
    let mut ids = Vec::new();
    for _ in 0..4 {
        let rate = Rate { key: "api".to_owned(), pace };
        ids.push(bench.enqueue_with(|job| job.options.rates = vec![rate]).await);
    }

    let claimed = bench.claim_scope(anything(), 10).await;
    assert_eq!(ids_of(&claimed.jobs), ids[..2]);
    let opens_at = bench.now().after(Duration::from_secs(10));
    assert!(claimed.next_due.is_none_or(|due| due == opens_at), "{:?}", claimed.next_due);
    // What has started counts, also once it has ended.
    bench.settle(&claimed.jobs[0], succeeded()).await;
    assert_eq!(bench.claim(10).await, []);

    bench.advance(just_before(Duration::from_secs(10)));
    assert_eq!(bench.claim(10).await, []);
    bench.advance(MICROSECOND);
    assert_eq!(bench.claim_ids(10).await, ids[2..3]);
    assert_eq!(bench.claim(10).await, []);
    bench.advance(Duration::from_secs(10));
    assert_eq!(bench.claim_ids(10).await, ids[3..]);
}

async fn g16_a_rate_of_a_queue_holds_over_all_its_jobs(bench: Bench) {
    let rate = Some(Pace::new(2, Duration::from_secs(1)));
    bench
        .store
        .bound(&Whole::Queue(queue("default")), Bounds { limit: None, rate }, operator())
        .await
        .unwrap();
    bench.enqueue_many(3).await;
    let other = bench.enqueue_with(|job| job.queue = queue("other")).await;

    let claimed = bench.claim_scope(anything(), 10).await;

    assert_eq!(claimed.jobs.len(), 2);
    assert!(ids_of(&claimed.jobs).contains(&other));
    let opens_at = bench.now().after(Duration::from_millis(500));
    assert!(claimed.next_due.is_none_or(|due| due == opens_at), "{:?}", claimed.next_due);
    bench.advance(Duration::from_millis(500));
    assert_eq!(bench.claim(10).await.len(), 1);
    assert_eq!(bench.claim(10).await, []);
}

/// Each claimer as another process would be, where there can be others; judged by when the store says that each job started.
async fn g16_claimers_at_once_never_exceed_a_rate_in_any_window(bench: Bench) {
    const CLAIMERS: usize = 4;
    let pace = Pace::new(3, SECOND).with_burst(2);
    for _ in 0..60 {
        let rate = Rate { key: "api".to_owned(), pace };
        bench.enqueue_with(|job| job.options.rates = vec![rate]).await;
    }
    let (mut stores, mut workers) = (Vec::new(), Vec::new());
    for _ in 0..CLAIMERS {
        stores.push(bench.reopened().await.unwrap_or_else(|| bench.store.clone()));
        workers.push(bench.register().await);
    }

    let mut starts: Vec<u64> = Vec::new();
    for step in [0, 100, 150, 334, 1, 90, 2_000, 333, 334, 500, 17, 650, 1_000] {
        bench.advance(Duration::from_millis(step));
        let (stores, workers) = (stores.clone(), workers.clone());
        let claims = at_once(CLAIMERS, move |index| {
            let (store, request) = (stores[index].clone(), ClaimRequest::new(workers[index], anything(), 5));
            async move { store.claim(request).await.unwrap().jobs }
        })
        .await;
        let ids: Vec<JobId> = claims.iter().flat_map(|jobs| ids_of(jobs)).collect();
        for id in ids {
            let started_at = bench.job(id).await.started_at.unwrap();
            starts.push(started_at.as_micros().unsigned_abs());
        }
    }

    starts.sort_unstable();
    for (index, first) in starts.iter().enumerate() {
        for (count, last) in (1_u64..).zip(&starts[index..]) {
            let most = 3 * (last - first) / 1_000_000 + 2;
            assert!(count <= most, "{count} starts within {} µs, where {most} may be", last - first);
        }
    }
    assert!(starts.len() >= 12, "only {} of the starts that the rate allows were had", starts.len());
}
