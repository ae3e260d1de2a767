//! Every way for a job to end that is not of its handler's doing is told too.

use std::collections::BTreeSet;

use windlass_core::{AttemptError, Decision, Due, Edge, JobId, JobState, NewJob, Reason, Verdict};

use super::notice::{mail, notices, telling, told_of};
use super::review::{of_outcome, of_start};
use crate::bench::{Bench, LEASE, SECOND, anything, at_once, ids_of, succeeded};

cases! {
    a_cancel_before_the_start_is_told,
    a_cancel_of_a_running_job_is_told_once_whatever_follows,
    a_deadline_that_a_claim_finds_missed_is_told,
    a_deadline_that_a_rescue_finds_missed_is_told,
    a_poisoned_job_is_told_of,
    a_job_poisoned_by_the_return_of_its_worker_is_told_of,
    rescuers_at_once_tell_of_each_job_once,
    a_child_that_is_closed_with_its_parents_is_told_of,
    a_start_that_is_declined_is_told,
    an_outcome_is_told_once_it_is_carried_out,
    a_cancel_of_a_job_in_review_is_told,
}

/// Tells one target of every end, and asks a person about the outcome.
fn telling_of_outcome(job: &mut NewJob) {
    telling(job);
    of_outcome(job);
}

async fn a_cancel_before_the_start_is_told(bench: Bench) {
    let id = bench.enqueue_with(telling).await;

    bench.cancel(id).await;
    bench.cancel(id).await;

    let (_, notice) = notices(&bench).await.remove(0);
    assert_eq!((notice.job.started_at, notice.job.attempt), (None, 0));
    assert_eq!(told_of(&bench, id).await, [(JobState::Cancelled, Some(Reason::Operator))]);
}

async fn a_cancel_of_a_running_job_is_told_once_whatever_follows(bench: Bench) {
    let late = bench.start_with(telling).await;
    let silent = bench.start_with(telling).await;

    bench.cancel(late.id()).await;
    bench.cancel(silent.id()).await;

    let once = [(JobState::Cancelled, Some(Reason::Operator))];
    assert_eq!(told_of(&bench, late.id()).await, once);
    bench.try_settle(&late, succeeded()).await.unwrap_err();
    bench.advance(LEASE);
    bench.rescue().await;
    assert_eq!(told_of(&bench, late.id()).await, once);
    assert_eq!(told_of(&bench, silent.id()).await, once);
}

async fn a_deadline_that_a_claim_finds_missed_is_told(bench: Bench) {
    let late = |job: &mut NewJob| {
        telling(job);
        job.deadline = Some(Due::In(SECOND));
    };
    let ids = [bench.enqueue_with(late).await, bench.enqueue_with(late).await];
    bench.advance(SECOND);

    assert_eq!(bench.claim(5).await, []);

    for id in ids {
        assert_eq!(told_of(&bench, id).await, [(JobState::Dead, Some(Reason::Deadline))]);
    }
}

async fn a_deadline_that_a_rescue_finds_missed_is_told(bench: Bench) {
    let late = |job: &mut NewJob| {
        telling(job);
        job.deadline = Some(Due::In(SECOND));
    };
    let waiting = bench.enqueue_with(late).await;
    let running = bench.start_with(late).await;
    bench.advance(SECOND);

    bench.rescue().await;
    bench.settle(&running, Verdict::TimedOut { error: AttemptError::new("slow") }).await;
    bench.rescue().await;

    for id in [waiting, running.id()] {
        assert_eq!(told_of(&bench, id).await, [(JobState::Dead, Some(Reason::Deadline))]);
    }
}

async fn a_poisoned_job_is_told_of(bench: Bench) {
    let job = bench
        .start_with(|job| {
            telling(job);
            job.losses_max = 0;
        })
        .await;
    bench.advance(LEASE);

    bench.rescue().await;
    bench.rescue().await;

    assert_eq!(told_of(&bench, job.id()).await, [(JobState::Dead, Some(Reason::Poison))]);
}

async fn a_job_poisoned_by_the_return_of_its_worker_is_told_of(bench: Bench) {
    let worker = bench.new_worker();
    bench.store.register(worker.clone()).await.unwrap();
    let id = bench
        .enqueue_with(|job| {
            telling(job);
            job.losses_max = 0;
        })
        .await;
    assert_eq!(ids_of(&bench.claim_as(worker.id, anything(), 1).await.jobs), [id]);
    bench.advance(LEASE);

    bench.store.register(worker).await.unwrap();

    assert_eq!(told_of(&bench, id).await, [(JobState::Dead, Some(Reason::Poison))]);
}

async fn rescuers_at_once_tell_of_each_job_once(bench: Bench) {
    let ask = |job: &mut NewJob| {
        telling(job);
        job.losses_max = 0;
    };
    let jobs: Vec<NewJob> = (0..20).map(|_| bench.job_with(ask)).collect();
    let ids: BTreeSet<JobId> = jobs.iter().map(|job| job.id).collect();
    let _made = bench.store.enqueue(jobs).await.unwrap();
    assert_eq!(bench.claim(20).await.len(), 20);
    bench.advance(LEASE);
    let store = bench.store.clone();

    at_once(3, move |_| {
        let store = store.clone();
        async move { store.rescue().await.unwrap() }
    })
    .await;

    let told = notices(&bench).await;
    assert_eq!(told.len(), 20);
    assert_eq!(told.iter().map(|(_, notice)| notice.job.id).collect::<BTreeSet<_>>(), ids);
}

async fn a_child_that_is_closed_with_its_parents_is_told_of(bench: Bench) {
    let parent = bench.enqueue_with(telling).await;
    let after = |id: JobId| {
        move |job: &mut NewJob| (job.after, job.options.notify) = (vec![Edge::on_success(id)], vec![mail()])
    };
    let child = bench.enqueue_with(after(parent)).await;
    let grandchild = bench.enqueue_with(after(child)).await;
    let running = bench.claim_one().await;

    bench.settle(&running, Verdict::Fatal { error: AttemptError::new("no") }).await;

    assert_eq!(told_of(&bench, parent).await, [(JobState::Dead, Some(Reason::Fatal))]);
    for id in [child, grandchild] {
        assert_eq!(told_of(&bench, id).await, [(JobState::Cancelled, Some(Reason::DependencyFailed))]);
    }
}

async fn a_start_that_is_declined_is_told(bench: Bench) {
    let id = bench
        .enqueue_with(|job| {
            telling(job);
            of_start(job);
        })
        .await;
    assert_eq!(notices(&bench).await, []);

    bench.decide(id, Decision::Decline).await;

    assert_eq!(told_of(&bench, id).await, [(JobState::Cancelled, Some(Reason::Declined))]);
}

async fn an_outcome_is_told_once_it_is_carried_out(bench: Bench) {
    for (decision, state, reason) in [
        (Decision::Accept, JobState::Completed, Reason::Accepted),
        (Decision::Decline, JobState::Cancelled, Reason::Declined),
    ] {
        let staged = bench.staged_with(telling_of_outcome).await;
        bench.decide(staged.id(), decision).await;
        assert_eq!(told_of(&bench, staged.id()).await, []);
        let settling = bench.claim_one().await;

        bench.settle(&settling, succeeded()).await;

        assert_eq!(told_of(&bench, staged.id()).await, [(state, Some(reason))]);
    }
}

async fn a_cancel_of_a_job_in_review_is_told(bench: Bench) {
    let staged = bench.staged_with(telling_of_outcome).await;

    bench.cancel(staged.id()).await;

    assert_eq!(told_of(&bench, staged.id()).await, [(JobState::Cancelled, Some(Reason::Operator))]);
}
