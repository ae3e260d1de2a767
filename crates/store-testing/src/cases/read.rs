//! Jobs are found again.

use std::time::Duration;

use windlass_core::{Due, Job, JobId, JobState, Json, Progress, Tag, Verdict};
use windlass_store::{ErrorKind, JobFilter, PageRequest, SharedStore};

use crate::bench::{Bench, LEASE, SECOND, failed, kind, line, operator, queue, refused, succeeded};

cases! {
    g01_everything_that_was_written_survives_the_store_that_wrote_it,
    an_unknown_job_is_not_found_by_any_question,
    lists_begin_with_the_job_that_was_enqueued_last,
    pages_together_show_every_job_once,
    a_job_enqueued_between_two_pages_is_in_neither,
    a_page_is_never_longer_than_asked_for,
    a_list_shows_what_reading_the_job_shows,
    a_list_can_be_narrowed_by_state,
    a_list_can_be_narrowed_by_queue_kind_tag_and_time,
    every_field_of_a_filter_must_match,
    a_narrowed_list_has_pages_too,
    every_change_raises_the_revision_by_one,
}

/// Everything that can be read of these jobs and beside them.
async fn everything(store: &SharedStore, ids: &[JobId]) -> Vec<String> {
    let mut all = vec![
        format!("{:?}", store.jobs(JobFilter::default(), PageRequest::first(100)).await.unwrap().items),
        format!("{:?}", store.queues().await.unwrap()),
        format!("{:?}", store.workers(Duration::ZERO).await.unwrap()),
        format!("{:?}", store.leases(Duration::ZERO).await.unwrap()),
    ];
    for id in ids {
        all.push(format!("{:?}", store.job(*id).await.unwrap()));
        all.push(format!("{:?}", store.attempts(*id).await.unwrap()));
        all.push(format!("{:?}", store.logs(*id, PageRequest::first(100)).await.unwrap().items));
        all.push(format!("{:?}", store.events(*id).await.unwrap()));
    }
    all
}

async fn g01_everything_that_was_written_survives_the_store_that_wrote_it(bench: Bench) {
    let job = bench.start_one().await;
    bench.store.progress(job.token, Progress::new(7, Some("x")).unwrap()).await.unwrap();
    bench.store.checkpoint(job.token, Json::null()).await.unwrap();
    bench.store.log(job.token, vec![line("x")]).await.unwrap();
    let dead = bench.start_with(|job| job.attempts_max = 1).await;
    bench.settle(&dead, failed("x")).await;
    let completed = bench.start_with_own_lease(LEASE).await;
    bench.settle(&completed, Verdict::Succeeded { result: Some(Json::null()) }).await;
    let cancelled = bench.start_with_own_lease(LEASE).await;
    bench.cancel(cancelled.id()).await;
    bench.store.retry(dead.id(), operator()).await.unwrap();
    bench.store.pause(&queue("other"), operator()).await.unwrap();
    let ids = [job.id(), dead.id(), completed.id(), cancelled.id()];
    let before = everything(&bench.store, &ids).await;

    let store = bench.reopened().await.unwrap_or_else(|| bench.store.clone());

    assert_eq!(everything(&store, &ids).await, before);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    assert!(store.holder(cancelled.token).await.unwrap().cancel_requested);
}

async fn an_unknown_job_is_not_found_by_any_question(bench: Bench) {
    let id = bench.fresh_id();
    let store = &bench.store;

    let answers = [
        refused(store.job(id).await),
        refused(store.attempts(id).await),
        refused(store.logs(id, PageRequest::first(1)).await),
        refused(store.events(id).await),
        refused(store.cancel(id, operator()).await),
        refused(store.retry(id, operator()).await),
        refused(store.run_now(id, operator()).await),
        refused(store.delete(id, operator()).await),
    ];

    for answer in answers {
        assert_eq!(answer, ErrorKind::NotFound);
    }
}

async fn ids(bench: &Bench, filter: JobFilter) -> Vec<JobId> {
    let page = bench.store.jobs(filter, PageRequest::first(500)).await.unwrap();
    page.items.iter().map(|job| job.id).collect()
}

async fn all_pages(bench: &Bench, filter: JobFilter, limit: u32) -> Vec<Vec<Job>> {
    let mut pages = Vec::new();
    let mut request = PageRequest::first(limit);
    loop {
        let page = bench.store.jobs(filter.clone(), request).await.unwrap();
        pages.push(page.items);
        assert!(pages.len() <= 100, "the pages never end");
        match page.next {
            Some(next) => request = request.after(Some(next)),
            None => return pages,
        }
    }
}

async fn lists_begin_with_the_job_that_was_enqueued_last(bench: Bench) {
    let mut expected = bench.enqueue_many(3).await;
    bench.advance(SECOND);
    expected.extend(bench.enqueue_many(2).await);
    expected.reverse();

    assert_eq!(ids(&bench, JobFilter::default()).await, expected);
}

async fn pages_together_show_every_job_once(bench: Bench) {
    let mut expected = bench.enqueue_many(7).await;
    expected.reverse();

    for limit in [1, 3, 7, 100] {
        let pages = all_pages(&bench, JobFilter::default(), limit).await;
        let seen: Vec<JobId> = pages.iter().flatten().map(|job| job.id).collect();
        assert_eq!(seen, expected);
        assert!(pages.len() <= 8, "{} pages of {limit}", pages.len());
    }
}

async fn a_job_enqueued_between_two_pages_is_in_neither(bench: Bench) {
    let ids = bench.enqueue_many(4).await;
    let request = PageRequest::first(2);

    let first = bench.store.jobs(JobFilter::default(), request).await.unwrap();
    bench.enqueue_one().await;
    let second = bench.store.jobs(JobFilter::default(), request.after(first.next)).await.unwrap();

    let seen: Vec<JobId> = first.items.iter().chain(&second.items).map(|job| job.id).collect();
    assert_eq!(seen, [ids[3], ids[2], ids[1], ids[0]]);
}

async fn a_page_is_never_longer_than_asked_for(bench: Bench) {
    bench.enqueue_many(510).await;

    for (limit, expected) in [(0, 1), (1, 1), (500, 500), (u32::MAX, 500)] {
        let page = bench.store.jobs(JobFilter::default(), PageRequest::first(limit)).await.unwrap();
        assert_eq!(page.items.len(), expected);
        assert!(page.next.is_some());
    }
}

async fn a_list_shows_what_reading_the_job_shows(bench: Bench) {
    bench.enqueue_with(|job| job.due = Due::In(SECOND)).await;
    let completed = bench.start_one().await;
    bench.settle(&completed, succeeded()).await;
    bench.start_one().await;

    let listed = bench.store.jobs(JobFilter::default(), PageRequest::first(10)).await.unwrap().items;

    assert_eq!(listed.len(), 3);
    for job in listed {
        assert_eq!(job, bench.job(job.id).await);
    }
}

async fn a_list_can_be_narrowed_by_state(bench: Bench) {
    let scheduled = bench.enqueue_with(|job| job.due = Due::In(SECOND)).await;
    let retryable = bench.start_one().await;
    bench.settle(&retryable, failed("x")).await;
    let completed = bench.start_one().await;
    bench.settle(&completed, succeeded()).await;
    let cancelled = bench.enqueue_one().await;
    bench.cancel(cancelled).await;
    let dead = bench.start_with(|job| job.attempts_max = 1).await;
    bench.settle(&dead, failed("x")).await;
    let running = bench.start_one().await;
    let ready = bench.enqueue_one().await;

    let of = |states: &[JobState]| ids(&bench, JobFilter { states: states.to_vec(), ..JobFilter::default() });

    assert_eq!(of(&[JobState::Scheduled]).await, [scheduled]);
    assert_eq!(of(&[JobState::Retryable]).await, [retryable.id()]);
    assert_eq!(of(&[JobState::Completed]).await, [completed.id()]);
    assert_eq!(of(&[JobState::Cancelled]).await, [cancelled]);
    assert_eq!(of(&[JobState::Dead]).await, [dead.id()]);
    assert_eq!(of(&[JobState::Running]).await, [running.id()]);
    assert_eq!(of(&[JobState::Ready]).await, [ready]);
    assert_eq!(of(&[JobState::Blocked, JobState::InReview]).await, []);
    assert_eq!(of(&[JobState::Ready, JobState::Dead]).await, [ready, dead.id()]);
    bench.advance(SECOND * 10);
    assert_eq!(of(&[JobState::Ready]).await, [ready, retryable.id(), scheduled], "time alone makes ready");
}

async fn a_list_can_be_narrowed_by_queue_kind_tag_and_time(bench: Bench) {
    let tag = Tag::new("a'b\"%_").unwrap();
    let tagged = bench.enqueue_with(|job| job.options.tags = vec![Tag::new("z").unwrap(), tag.clone()]).await;
    // A look at other jobs' tags survives whatever text stands beside them.
    let odd = serde_json::Value::String("a\u{0}b".to_owned());
    bench.enqueue_with(|job| job.options.meta = [("odd".to_owned(), odd)].into()).await;
    let queued = bench.enqueue_with(|job| job.queue = queue("a/b:c")).await;
    bench.advance(SECOND);
    let since = bench.now();
    let fish = bench.enqueue_with(|job| job.kind = kind("fish")).await;

    let by_queue = JobFilter { queues: vec![queue("a/b:c"), queue("none")], ..JobFilter::default() };
    assert_eq!(ids(&bench, by_queue).await, [queued]);
    let by_kind = JobFilter { kinds: vec![kind("fish")], ..JobFilter::default() };
    assert_eq!(ids(&bench, by_kind).await, [fish]);
    let by_tag = JobFilter { tag: Some(tag), ..JobFilter::default() };
    assert_eq!(ids(&bench, by_tag).await, [tagged]);
    let prefix = JobFilter { tag: Some(Tag::new("a'b").unwrap()), ..JobFilter::default() };
    assert_eq!(ids(&bench, prefix).await, []);
    let by_time = JobFilter { created_since: Some(since), ..JobFilter::default() };
    assert_eq!(ids(&bench, by_time).await, [fish]);
}

async fn every_field_of_a_filter_must_match(bench: Bench) {
    bench.enqueue_with(|job| job.queue = queue("a")).await;
    bench.enqueue_with(|job| job.kind = kind("fish")).await;
    let both = bench.enqueue_with(|job| (job.queue, job.kind) = (queue("a"), kind("fish"))).await;

    let filter = JobFilter {
        queues: vec![queue("a")],
        kinds: vec![kind("fish")],
        states: vec![JobState::Ready],
        ..JobFilter::default()
    };

    assert_eq!(ids(&bench, filter).await, [both]);
}

async fn a_narrowed_list_has_pages_too(bench: Bench) {
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.insert(0, bench.enqueue_with(|job| job.queue = queue("a")).await);
        bench.enqueue_one().await;
    }

    let filter = JobFilter { queues: vec![queue("a")], ..JobFilter::default() };
    let pages = all_pages(&bench, filter, 2).await;

    let seen: Vec<JobId> = pages.iter().flatten().map(|job| job.id).collect();
    assert_eq!(seen, expected);
}

async fn every_change_raises_the_revision_by_one(bench: Bench) {
    let id = bench.enqueue_with(|job| job.due = Due::In(SECOND)).await;
    let store = &bench.store;
    let mut expected = 1;
    let mut raised = async |what: &str| {
        expected += 1;
        assert_eq!(bench.job(id).await.revision, expected, "{what}");
    };

    store.run_now(id, operator()).await.unwrap();
    raised("run_now").await;
    let job = bench.claim_one().await;
    raised("claim").await;
    store.progress(job.token, Progress::new(1, None).unwrap()).await.unwrap();
    raised("progress").await;
    store.checkpoint(job.token, Json::null()).await.unwrap();
    raised("checkpoint").await;
    bench.settle(&job, Verdict::Snoozed { delay: Duration::ZERO }).await;
    raised("settle").await;
    bench.claim_one().await;
    raised("second claim").await;
    bench.advance(LEASE);
    bench.rescue().await;
    raised("rescue").await;
    store.cancel(id, operator()).await.unwrap();
    raised("cancel").await;
    store.retry(id, operator()).await.unwrap();
    raised("retry").await;
}
