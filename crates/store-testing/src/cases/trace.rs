//! The trace that a job was enqueued in.

use windlass_core::{NewJob, Notify, Trace};
use windlass_store::{ErrorKind, LeasedJob};

use super::schedule_scene::{HOUR, after, hourly, jobs, put};
use crate::bench::{Bench, LEASE, SECOND, failed_for_now, field_of, operator, succeeded};

cases! {
    the_trace_of_a_job_reaches_every_attempt,
    a_copy_goes_on_in_the_trace_of_the_first,
    the_jobs_of_a_schedule_go_on_in_its_trace,
    a_notice_goes_on_in_the_trace_of_the_job,
    what_is_no_trace_is_kept_and_means_none,
    a_job_without_a_trace_has_nothing_more,
    a_trace_survives_a_restart,
    a_trace_that_makes_meta_too_large_is_refused_with_it,
}

fn trace() -> Trace {
    let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    Trace::parse(text, Some("vendor=x, other=y z")).unwrap()
}

fn traced(job: &mut NewJob) {
    trace().travel(&mut job.options.meta);
}

async fn the_trace_of_a_job_reaches_every_attempt(bench: Bench) {
    let first = bench.start_with(traced).await;
    bench.settle(&first, failed_for_now("x")).await;
    let second = bench.claim_one().await;
    bench.advance(LEASE + SECOND);
    bench.rescue().await;
    bench.forget_worker();
    let third = bench.claim_one().await;

    for lease in [&first, &second, &third] {
        assert_eq!(lease.trace(), Some(trace()));
    }
    bench.settle(&third, succeeded()).await;
    assert_eq!(bench.job(first.id()).await.options.trace(), Some(trace()));
}

async fn a_copy_goes_on_in_the_trace_of_the_first(bench: Bench) {
    let first = bench.start_with(traced).await;
    bench.settle(&first, succeeded()).await;

    let copy = bench.fresh_id();
    assert_eq!(bench.store.rerun(first.id(), copy, operator()).await.unwrap().id, copy);

    assert_eq!(bench.claim_one().await.trace(), Some(trace()));
}

async fn the_jobs_of_a_schedule_go_on_in_its_trace(bench: Bench) {
    let mut schedule = hourly("report");
    trace().travel(&mut schedule.job.options.meta);
    put(&bench, schedule).await;

    assert_eq!(after(&bench, HOUR).await, 1);

    let made = jobs(&bench).await;
    assert_eq!(made[0].options.trace(), Some(trace()));
    assert_eq!(bench.claim_one().await.trace(), Some(trace()));
}

async fn a_notice_goes_on_in_the_trace_of_the_job(bench: Bench) {
    let lease = bench
        .start_with(|job| {
            traced(job);
            job.options.notify = vec![Notify::mail("ada@example.com").on_completed()];
        })
        .await;

    bench.settle(&lease, succeeded()).await;

    let notices = crate::bench::of_queues(&["windlass.notices"]);
    let claimed = bench.claim_scope(notices, 1).await.jobs;
    assert_eq!(claimed.first().and_then(LeasedJob::trace), Some(trace()));
}

async fn what_is_no_trace_is_kept_and_means_none(bench: Bench) {
    for odd in [serde_json::json!("00-junk"), serde_json::json!(7), serde_json::Value::Null] {
        let lease =
            bench.start_with(|job| job.options.meta = [("traceparent".to_owned(), odd.clone())].into()).await;

        assert_eq!(lease.trace(), None);
        assert_eq!(bench.job(lease.id()).await.options.meta["traceparent"], odd);
        bench.settle(&lease, succeeded()).await;
    }
}

async fn a_job_without_a_trace_has_nothing_more(bench: Bench) {
    let lease = bench.start_one().await;

    assert_eq!((lease.options.as_ref(), lease.trace()), (None, None));
}

async fn a_trace_survives_a_restart(bench: Bench) {
    let id = bench.enqueue_with(traced).await;

    let Some(reopened) = bench.reopened().await else { return };

    assert_eq!(reopened.job(id).await.unwrap().options.trace(), Some(trace()));
}

async fn a_trace_that_makes_meta_too_large_is_refused_with_it(bench: Bench) {
    let job = bench.job_with(|job| {
        let large = "x".repeat(windlass_core::limits::META_BYTES_MAX);
        job.options.meta = [("traceparent".to_owned(), large.into())].into();
    });
    let id = job.id;

    assert_eq!(field_of(bench.store.enqueue(vec![job]).await), "meta");
    assert_eq!(bench.store.job(id).await.unwrap_err().kind(), &ErrorKind::NotFound);
    assert_eq!(bench.claim(1).await.len(), 0);
}
