//! What a job that a person decides about leaves behind where it ends while nobody runs it.

use windlass_core::{
    Decision, Due, Edge, Job, JobId, JobState, Json, Lock, NewJob, Phase, Priority, Reason, cleanup,
};
use windlass_store::{JobFilter, PageRequest};

use super::review::{made, of_outcome, of_start};
use crate::bench::{Bench, LEASE, SECOND, at_once, failed, failed_for_now, operator, queue, succeeded};

cases! {
    a_job_cancelled_in_review_makes_one_that_cleans_up_behind_it,
    what_cleans_up_is_claimed_by_who_could_have_run_the_job,
    who_cleans_up_behind_a_job_is_given_what_its_parents_made,
    a_job_that_misses_its_deadline_in_review_is_cleaned_up_behind,
    a_job_cancelled_before_its_decision_is_carried_out_is_cleaned_up_behind,
    a_job_cancelled_between_two_attempts_is_cleaned_up_behind,
    each_end_of_a_job_is_cleaned_up_behind,
    a_lost_job_that_is_given_up_is_cleaned_up_behind,
    a_flow_cancelled_in_review_is_cleaned_up_behind,
    who_runs_a_job_to_its_end_cleans_up_itself,
    what_was_never_started_leaves_nothing_behind,
    a_job_that_nobody_decides_about_leaves_nothing_behind,
    of_a_cancel_and_a_decision_the_cancel_alone_is_cleaned_up_behind,
}

/// The jobs that clean up, the newest first.
async fn cleanups(bench: &Bench) -> Vec<Job> {
    let all = bench.store.jobs(JobFilter::default(), PageRequest::first(100)).await.unwrap();
    all.items.into_iter().filter(|job| job.options.cleans.is_some()).collect()
}

/// Holds that exactly one job cleans up behind `ended`, the one that its end asks for.
async fn assert_cleaned_up_behind(bench: &Bench, ended: JobId) {
    let ended = bench.job(ended).await;
    assert!(ended.state.is_final(), "{ended:?}");
    let behind: Vec<JobId> = cleanups(bench).await.iter().map(|job| job.id).collect();
    assert_eq!(behind, [cleanup::id(&ended)], "behind {ended:?}");
}

fn elsewhere(job: &mut NewJob) {
    of_outcome(job);
    job.queue = queue("imports");
    job.priority = Priority::High;
    job.options.locks = vec![Lock::exclusive("table")];
    job.options.submitted_by = Some("ada".to_owned());
    job.options.meta.insert("tenant".to_owned(), 7.into());
}

async fn a_job_cancelled_in_review_makes_one_that_cleans_up_behind_it(bench: Bench) {
    let staged = bench.staged_with(elsewhere).await;

    bench.cancel(staged.id()).await;
    bench.cancel(staged.id()).await;

    assert_cleaned_up_behind(&bench, staged.id()).await;
    let (ended, behind) = (bench.job(staged.id()).await, cleanups(&bench).await.remove(0));
    assert_eq!((ended.state, ended.reason), (JobState::Cancelled, Some(Reason::Operator)));
    assert_eq!((behind.options.cleans, behind.phase), (Some(ended.id), Phase::Cleanup));
    assert_eq!((&behind.kind, behind.version, &behind.queue), (&ended.kind, ended.version, &ended.queue));
    assert_eq!((&behind.args, behind.priority), (&ended.args, ended.priority));
    assert_eq!(behind.options.timeout, Some(cleanup::CLEANUP_MAX));
    assert_eq!(
        (&behind.options.meta, &behind.options.submitted_by),
        (&ended.options.meta, &ended.options.submitted_by)
    );
    assert_eq!((behind.options.review, behind.options.locks), (None, vec![]));
    assert_eq!((behind.state, behind.run_at), (JobState::Ready, bench.now()));
}

async fn what_cleans_up_is_claimed_by_who_could_have_run_the_job(bench: Bench) {
    let staged = bench.staged_with(elsewhere).await;
    bench.cancel(staged.id()).await;

    let job = bench.claim_one().await;

    assert_eq!((job.phase(), job.kind.clone()), (Phase::Cleanup, staged.kind.clone()));
    assert_eq!((job.settles.clone(), job.attempt), (None, 1));
    assert_eq!(bench.settle(&job, failed_for_now("busy")).await.state, JobState::Ready);
    let again = bench.claim_one().await;
    assert_eq!((again.id(), again.phase()), (job.id(), Phase::Cleanup));
    let settled = bench.settle(&again, succeeded()).await;
    assert_eq!((settled.state, settled.reason), (JobState::Completed, Some(Reason::Done)));
    assert_eq!(bench.state_of(staged.id()).await, (JobState::Cancelled, Some(Reason::Operator)));
    assert_eq!(bench.claim(10).await, []);
}

async fn who_cleans_up_behind_a_job_is_given_what_its_parents_made(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let staged = bench.enqueue_with(|job| {
        of_outcome(job);
        job.after.push(Edge::on_success(parent));
    });
    let staged = staged.await;
    bench.run_to(parent, made("7")).await;
    let job = bench.claim_one().await;
    bench.settle(&job, made("{\"rows\":3}")).await;
    bench.cancel(staged).await;

    let behind = bench.claim_one().await;

    assert_eq!((behind.id() != staged, behind.about()), (true, staged));
    let inputs = bench.store.inputs_under(behind.token, behind.about(), PageRequest::first(10)).await.unwrap();
    let given: Vec<_> = inputs.items.into_iter().map(|input| (input.parent, input.result)).collect();
    assert_eq!(given, [(parent, Some(Json::new("result", "7").unwrap()))]);
}

async fn a_job_that_misses_its_deadline_in_review_is_cleaned_up_behind(bench: Bench) {
    let soon = |job: &mut NewJob| {
        of_outcome(job);
        job.deadline = Some(Due::In(SECOND));
    };
    let staged = bench.staged_with(soon).await;
    bench.advance(SECOND);

    assert_eq!(bench.rescue().await.expired, 1);

    assert_eq!(bench.state_of(staged.id()).await, (JobState::Dead, Some(Reason::Deadline)));
    assert_cleaned_up_behind(&bench, staged.id()).await;
}

async fn a_job_cancelled_before_its_decision_is_carried_out_is_cleaned_up_behind(bench: Bench) {
    let staged = bench.staged_with(of_outcome).await;
    bench.decide(staged.id(), Decision::Accept).await;

    bench.cancel(staged.id()).await;

    assert_cleaned_up_behind(&bench, staged.id()).await;
    assert_eq!(bench.claim_one().await.phase(), Phase::Cleanup);
}

async fn a_job_cancelled_between_two_attempts_is_cleaned_up_behind(bench: Bench) {
    let job = bench.start_with(of_outcome).await;
    bench.settle(&job, failed("later")).await;

    bench.cancel(job.id()).await;

    assert_cleaned_up_behind(&bench, job.id()).await;
}

async fn each_end_of_a_job_is_cleaned_up_behind(bench: Bench) {
    let id = bench.enqueue_with(of_start).await;
    bench.decide(id, Decision::Accept).await;
    let job = bench.claim_one().await;
    bench.settle(&job, failed("later")).await;
    bench.cancel(id).await;
    assert_cleaned_up_behind(&bench, id).await;
    bench.store.retry(id, operator()).await.unwrap();

    bench.cancel(id).await;

    assert_eq!(cleanups(&bench).await.len(), 2, "it has ended twice");
}

async fn a_lost_job_that_is_given_up_is_cleaned_up_behind(bench: Bench) {
    let job = bench
        .start_with(|job| {
            of_outcome(job);
            job.losses_max = 0;
        })
        .await;
    bench.advance(LEASE);

    assert_eq!(bench.rescue().await.poisoned, 1);

    assert_cleaned_up_behind(&bench, job.id()).await;
}

async fn a_flow_cancelled_in_review_is_cleaned_up_behind(bench: Bench) {
    let staged = bench.staged_with(of_outcome).await;
    let child =
        bench.enqueue_with(|job| job.after = vec![windlass_core::Edge::on_success(staged.id())]).await;

    let cancelled = bench.store.cancel_flow(child, operator()).await.unwrap();

    assert_eq!(cancelled, [staged.id(), child]);
    assert_cleaned_up_behind(&bench, staged.id()).await;
}

async fn who_runs_a_job_to_its_end_cleans_up_itself(bench: Bench) {
    for decision in [Decision::Accept, Decision::Decline] {
        let id = bench.staged_with(of_outcome).await.id();
        bench.decide(id, decision).await;
        let job = bench.claim_one().await;
        bench.settle(&job, succeeded()).await;
    }
    let stopped = bench.start_with(of_outcome).await;
    bench.cancel(stopped.id()).await;
    bench.try_settle(&stopped, made("1")).await.unwrap_err();
    let failing = bench
        .start_with(|job| {
            of_outcome(job);
            job.attempts_max = 1;
        })
        .await;

    bench.settle(&failing, failed("boom")).await;

    assert_eq!(cleanups(&bench).await, []);
}

async fn what_was_never_started_leaves_nothing_behind(bench: Bench) {
    let declined = bench.enqueue_with(of_start).await;
    let cancelled = bench.enqueue_with(of_outcome).await;

    bench.decide(declined, Decision::Decline).await;
    bench.cancel(cancelled).await;

    assert_eq!(cleanups(&bench).await, []);
}

async fn a_job_that_nobody_decides_about_leaves_nothing_behind(bench: Bench) {
    let job = bench.start_one().await;
    bench.settle(&job, failed("later")).await;

    bench.cancel(job.id()).await;

    assert_eq!(cleanups(&bench).await, []);
}

async fn of_a_cancel_and_a_decision_the_cancel_alone_is_cleaned_up_behind(bench: Bench) {
    let staged = bench.staged_with(of_outcome).await;
    let digest = bench.review(staged.id()).await.digest;
    let (store, id) = (bench.store.clone(), staged.id());

    at_once(4, move |index| {
        let store = store.clone();
        async move {
            if index % 2 == 0 {
                store.cancel(id, operator()).await.map(drop)
            } else {
                let ruling = windlass_store::NewRuling::decline(super::review::reviewer(), digest);
                store.decide(id, ruling).await.map(drop)
            }
        }
    })
    .await;

    assert_eq!(bench.state_of(id).await, (JobState::Cancelled, Some(Reason::Operator)));
    assert_cleaned_up_behind(&bench, id).await;
}
