//! Who asked for it is told when a job has ended: once, and of nothing else.

use std::collections::BTreeSet;

use windlass_core::notice::{About, EndedJob, KIND, Notice, QUEUE, Target};
use windlass_core::{AttemptError, Job, JobId, JobState, Json, NewJob, Notify, Reason, Tag, Verdict, notice};
use windlass_store::{JobFilter, LeasedJob, PageRequest, Settlement};

use crate::bench::{
    Bench, LEASE, SECOND, failed, failed_for_now, kind, of_queues, operator, queue, succeeded,
};

cases! {
    everyone_who_asked_is_told_what_has_ended,
    the_end_of_a_job_and_its_notices_survive_the_store_together,
    who_asked_for_another_end_is_not_told,
    nobody_is_told_of_a_job_that_did_not_ask,
    an_attempt_that_is_followed_by_another_tells_nobody,
    every_verdict_that_ends_a_job_is_told_once,
    the_last_failure_is_told_and_none_before,
    every_job_that_ends_with_a_turn_is_told_of,
    a_job_that_ends_again_after_a_retry_is_told_of_again,
    the_end_of_a_deleted_job_stays_told,
}

pub(super) fn mail() -> Notify {
    Notify::mail("ops@example.com")
}

pub(super) fn webhook() -> Notify {
    Notify::webhook("https://hooks.example.com/windlass?of=jobs")
}

/// Tells one target of every end.
pub(super) fn telling(job: &mut NewJob) {
    job.options.notify = vec![mail()];
}

/// What a notice tells, and whom.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    pub(super) to: Target,
    pub(super) job: EndedJob,
}

/// Notices of ends, and there are no others: the job that each is, and what it tells.
pub(super) async fn notices(bench: &Bench) -> Vec<(Job, Told)> {
    let filter = JobFilter { queues: vec![QUEUE.clone()], ..JobFilter::default() };
    let page = bench.store.jobs(filter, PageRequest::first(500)).await.unwrap();
    let told = |job: &Job| match job.args.decode::<Notice>().unwrap() {
        Notice { to, about: About::Job(job) } => Told { to, job },
        other => panic!("{other:?}"),
    };
    page.items.into_iter().map(|job| (job.clone(), told(&job))).collect()
}

/// What has been told of a job, in no particular order.
pub(super) async fn told_of(bench: &Bench, id: JobId) -> Vec<(JobState, Option<Reason>)> {
    let all = notices(bench).await.into_iter();
    all.filter(|(_, notice)| notice.job.id == id)
        .map(|(_, notice)| (notice.job.state, notice.job.reason))
        .collect()
}

async fn everyone_who_asked_is_told_what_has_ended(bench: Bench) {
    let running = bench
        .start_with(|job| {
            job.options.notify = vec![mail(), webhook()];
            job.options.tags = vec![Tag::new("nightly").unwrap()];
            job.options.submitted_by = Some("ada".to_owned());
            job.queue = queue("reports");
        })
        .await;
    bench.advance(SECOND);
    let result = Some(Json::new("result", "[1, 2]").unwrap());

    bench.settle(&running, Verdict::Succeeded { result }).await;

    let job = bench.job(running.id()).await;
    let ended = EndedJob {
        id: job.id,
        kind: kind("mail"),
        queue: queue("reports"),
        state: JobState::Completed,
        reason: Some(Reason::Done),
        attempt: 1,
        created_at: bench.now().before(SECOND),
        started_at: Some(bench.now().before(SECOND)),
        finished_at: bench.now(),
        error: None,
        result_bytes: Some(6),
        tags: vec![Tag::new("nightly").unwrap()],
        submitted_by: Some("ada".to_owned()),
    };
    for (index, asked) in [mail(), webhook()].into_iter().enumerate() {
        let made = bench.job(notice::id(&job, index)).await;
        assert_eq!(
            made.args.decode::<Notice>().unwrap(),
            Notice { to: asked.target, about: About::Job(ended.clone()) }
        );
        assert_eq!((&made.kind, &made.queue, made.state), (&*KIND, &*QUEUE, JobState::Ready));
        assert_eq!((made.run_at, made.created_at, made.revision), (bench.now(), bench.now(), 1));
    }
    assert_eq!(notices(&bench).await.len(), 2);
}

async fn the_end_of_a_job_and_its_notices_survive_the_store_together(bench: Bench) {
    let running = bench.start_with(telling).await;

    bench.settle(&running, Verdict::Fatal { error: AttemptError::new("no") }).await;

    let store = bench.reopened().await.unwrap_or_else(|| bench.store.clone());
    let job = store.job(running.id()).await.unwrap();
    let made = store.job(notice::id(&job, 0)).await.unwrap();
    assert_eq!((job.state, made.state), (JobState::Dead, JobState::Ready));
}

async fn who_asked_for_another_end_is_not_told(bench: Bench) {
    let ask = |job: &mut NewJob| {
        job.options.notify = vec![mail().on_dead().on_cancelled(), webhook().on_completed()];
    };
    let (good, bad) = (bench.start_with(ask).await, bench.start_with(ask).await);

    bench.settle(&good, succeeded()).await;
    bench.settle(&bad, Verdict::Fatal { error: AttemptError::new("no") }).await;

    let told = notices(&bench).await.into_iter().map(|(_, notice)| (notice.job.id, notice.to));
    let told: Vec<(JobId, Target)> = told.collect();
    assert_eq!(told, [(bad.id(), mail().target), (good.id(), webhook().target)]);
}

async fn nobody_is_told_of_a_job_that_did_not_ask(bench: Bench) {
    let jobs = [bench.start_one().await, bench.start_one().await];
    let waiting = bench.enqueue_one().await;

    bench.settle(&jobs[0], succeeded()).await;
    bench.settle(&jobs[1], Verdict::Fatal { error: AttemptError::new("no") }).await;
    bench.cancel(waiting).await;

    assert_eq!(notices(&bench).await, []);
}

async fn an_attempt_that_is_followed_by_another_tells_nobody(bench: Bench) {
    let again = [
        failed("not yet"),
        Verdict::TimedOut { error: AttemptError::new("slow") },
        Verdict::Snoozed { delay: SECOND },
        Verdict::Interrupted,
        Verdict::Released,
    ];
    for verdict in again {
        let job = bench.start_with(telling).await;
        assert!(!bench.settle(&job, verdict).await.state.is_final());
    }
    let lost = bench.start_with(telling).await;
    bench.advance(LEASE);
    bench.rescue().await;

    assert_eq!(bench.job(lost.id()).await.losses, 1);
    assert_eq!(notices(&bench).await, []);
}

async fn every_verdict_that_ends_a_job_is_told_once(bench: Bench) {
    let error = || AttemptError::new("no");
    let ends = [
        (succeeded(), JobState::Completed, Reason::Done),
        (Verdict::Succeeded { result: Some(Json::null()) }, JobState::Completed, Reason::Done),
        (Verdict::Unchanged { result: None }, JobState::Completed, Reason::Unchanged),
        (Verdict::Fatal { error: error() }, JobState::Dead, Reason::Fatal),
        (Verdict::Undecodable { error: error() }, JobState::Dead, Reason::Undecodable),
        (Verdict::Cancelled { error: error() }, JobState::Cancelled, Reason::Handler),
    ];
    for (verdict, state, reason) in ends {
        let job = bench.start_with(telling).await;

        bench.settle(&job, verdict).await;

        assert_eq!(told_of(&bench, job.id()).await, [(state, Some(reason))]);
    }
}

async fn the_last_failure_is_told_and_none_before(bench: Bench) {
    let first = bench
        .start_with(|job| {
            telling(job);
            job.attempts_max = 2;
        })
        .await;
    bench.settle(&first, failed_for_now("first")).await;
    assert_eq!(notices(&bench).await, []);
    let second = bench.claim_one().await;

    bench.settle(&second, failed("second")).await;

    let (_, notice) = notices(&bench).await.remove(0);
    assert_eq!((notice.job.state, notice.job.reason), (JobState::Dead, Some(Reason::Exhausted)));
    assert_eq!((notice.job.attempt, notice.job.error), (2, Some("second".to_owned())));
    assert_eq!(told_of(&bench, first.id()).await.len(), 1);
}

async fn every_job_that_ends_with_a_turn_is_told_of(bench: Bench) {
    let ask = |index: usize| {
        move |job: &mut NewJob| job.options.notify = [mail(), webhook()].into_iter().take(index % 3).collect()
    };
    let jobs = (0..60).map(|index| bench.job_with(ask(index))).collect();
    let _made = bench.store.enqueue(jobs).await.unwrap();
    let claimed = bench.claim(60).await;
    let verdict = |index: usize| if index.is_multiple_of(2) { succeeded() } else { failed("not yet") };
    let settle = |(index, job): (usize, &LeasedJob)| Settlement { token: job.token, verdict: verdict(index) };

    let settled = bench.store.settle(claimed.iter().enumerate().map(settle).collect()).await.unwrap();

    assert!(settled.iter().all(Result::is_ok));
    for (index, job) in claimed.iter().enumerate() {
        let expected = if index.is_multiple_of(2) { index % 3 } else { 0 };
        assert_eq!(told_of(&bench, job.id()).await.len(), expected, "of job {index}");
    }
}

async fn a_job_that_ends_again_after_a_retry_is_told_of_again(bench: Bench) {
    let job = bench.start_with(telling).await;
    bench.settle(&job, Verdict::Fatal { error: AttemptError::new("no") }).await;
    bench.store.retry(job.id(), operator()).await.unwrap();
    assert_eq!(told_of(&bench, job.id()).await.len(), 1);
    let again = bench.claim_one().await;

    bench.settle(&again, succeeded()).await;

    let told: BTreeSet<_> = told_of(&bench, job.id()).await.into_iter().collect();
    let expected = [(JobState::Completed, Some(Reason::Done)), (JobState::Dead, Some(Reason::Fatal))];
    assert_eq!(told, expected.into());
}

async fn the_end_of_a_deleted_job_stays_told(bench: Bench) {
    let job = bench.start_with(telling).await;
    bench.settle(&job, succeeded()).await;

    bench.store.delete(job.id(), operator()).await.unwrap();

    assert_eq!(told_of(&bench, job.id()).await, [(JobState::Completed, Some(Reason::Done))]);
    assert_eq!(bench.claim_scope(of_queues(&[QUEUE.as_str()]), 5).await.jobs.len(), 1);
}
