//! Jobs that wait for other jobs.

use std::sync::Arc;

use windlass_core::{AttemptError, Due, Edge, EdgePolicy, JobId, JobState, Json, NewJob, Reason, Verdict};
use windlass_store::{
    ClaimRequest, ErrorKind, LeaseTerm, LeasedJob, PageRequest, Relative, Retention, Settlement, Turn,
};

use crate::bench::{
    Bench, LEASE, SECOND, anything, at_once, failed, field_of, ids_of, operator, refused, succeeded,
};

cases! {
    g13_a_job_waits_until_all_its_parents_have_completed,
    a_parent_that_has_completed_counts_at_once,
    a_blocked_job_is_not_to_be_had,
    a_blocked_job_waits_for_its_own_time_too,
    a_parent_may_stand_behind_its_child_in_the_batch,
    a_parent_that_is_nowhere_is_named_and_nothing_is_written,
    a_job_cannot_wait_for_itself,
    g13_a_circle_inside_a_batch_is_refused_and_named,
    too_many_parents_are_refused,
    a_parent_that_is_named_twice_counts_once,
    a_failed_parent_closes_its_child,
    a_failure_closes_a_whole_chain_in_one_commit,
    a_job_with_a_failed_parent_is_closed_as_it_is_enqueued,
    the_first_failed_parent_in_the_order_of_the_edges_is_to_blame,
    on_finish_any_end_lets_a_job_go,
    a_parent_that_is_closed_lets_those_go_that_waited_for_any_end,
    a_parent_that_will_be_tried_again_still_holds,
    a_lost_parent_still_holds_and_a_poisoned_one_closes,
    a_parent_that_missed_its_deadline_closes_its_child,
    a_parent_that_is_cancelled_closes_its_child_while_its_attempt_is_open,
    a_blocked_job_can_be_cancelled,
    a_blocked_job_has_a_deadline,
    run_now_is_refused_for_a_blocked_job,
    a_released_job_keeps_its_place_and_its_revision_tells,
    a_retried_child_waits_as_its_parents_are_now,
    a_retried_child_is_let_go_once_its_parent_is_retried_as_well,
    a_retried_parent_does_not_hold_again_whom_it_let_go,
    a_retried_parent_holds_a_job_that_is_still_blocked,
    a_child_is_made_under_the_token_of_its_parent,
    enqueueing_a_child_again_changes_nothing,
    waiting_claimers_hear_of_a_job_that_is_let_go,
    the_turn_that_lets_a_job_go_may_claim_it,
    g13_two_parents_that_end_at_once_let_a_job_go_once,
    g13_a_parent_that_ends_while_children_come_misses_none,
    pruning_spares_what_an_unfinished_job_depends_on,
}

impl Bench {
    /// Enqueues a job that waits for the success of these.
    pub(super) async fn enqueue_after(&self, parents: &[JobId]) -> JobId {
        self.enqueue_with(|job| job.after = parents.iter().copied().map(Edge::on_success).collect()).await
    }

    /// Enqueues a job that waits for the end of these.
    pub(super) async fn enqueue_after_end_of(&self, parents: &[JobId]) -> JobId {
        self.enqueue_with(|job| job.after = parents.iter().copied().map(Edge::on_finish).collect()).await
    }

    /// Claims this very job.
    pub(super) async fn claim_this(&self, id: JobId) -> LeasedJob {
        let worker = self.worker().await;
        self.store.claim_job(worker, id, LeaseTerm::Process).await.expect("the job is ready")
    }

    /// Runs this very job to this end.
    pub(super) async fn run_to(&self, id: JobId, verdict: Verdict) {
        let job = self.claim_this(id).await;
        self.settle(&job, verdict).await;
    }

    pub(super) async fn complete(&self, id: JobId) {
        self.run_to(id, succeeded()).await;
    }

    pub(super) async fn kill(&self, id: JobId) {
        self.run_to(id, fatal("it broke")).await;
    }

    pub(super) async fn parents_of(&self, id: JobId) -> Vec<Relative> {
        self.store.parents(id, PageRequest::first(500)).await.expect("the job exists").items
    }

    pub(super) async fn children_of(&self, id: JobId) -> Vec<JobId> {
        let children = self.store.children(id, PageRequest::first(500)).await.expect("the job exists");
        children.items.into_iter().map(|child| child.id).collect()
    }

    async fn assert_state(&self, id: JobId, state: JobState, reason: impl Into<Option<Reason>>) {
        assert_eq!(self.state_of(id).await, (state, reason.into()));
    }
}

pub(super) fn fatal(message: &str) -> Verdict {
    Verdict::Fatal { error: AttemptError::new(message) }
}

const BLOCKED: (JobState, Option<Reason>) = (JobState::Blocked, Some(Reason::Dependency));
const CLOSED: (JobState, Option<Reason>) = (JobState::Cancelled, Some(Reason::DependencyFailed));
const READY: (JobState, Option<Reason>) = (JobState::Ready, None);

// 47, 48
async fn g13_a_job_waits_until_all_its_parents_have_completed(bench: Bench) {
    let [one, two] = [bench.enqueue_one().await, bench.enqueue_one().await];
    let child = bench.enqueue_after(&[one, two]).await;
    assert_eq!(bench.state_of(child).await, BLOCKED);
    assert_eq!(ids_of(&bench.claim(10).await), [one, two]);

    bench.advance(LEASE);
    bench.rescue().await;
    bench.complete(one).await;
    assert_eq!(bench.state_of(child).await, BLOCKED);
    bench.complete(two).await;

    assert_eq!(bench.state_of(child).await, READY);
    assert_eq!(ids_of(&bench.claim(10).await), [child]);
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

// 46
async fn a_parent_that_has_completed_counts_at_once(bench: Bench) {
    let [one, two] = [bench.enqueue_one().await, bench.enqueue_one().await];
    bench.complete(one).await;
    bench.complete(two).await;

    let child = bench.enqueue_after(&[one, two]).await;

    let job = bench.job(child).await;
    assert_eq!((job.state, job.started_at, job.attempt), (JobState::Ready, None, 0));
    let parents = bench.parents_of(child).await;
    assert_eq!(parents.iter().map(|parent| parent.id).collect::<Vec<_>>(), [one, two]);
    assert!(parents.iter().all(|parent| parent.state == JobState::Completed));
    assert_eq!(bench.children_of(one).await, [child]);
    let result = Json::new("result", "7").unwrap();
    let claimed = bench.claim_one().await;
    assert_eq!(claimed.id(), child);
    bench.settle(&claimed, Verdict::Succeeded { result: Some(result.clone()) }).await;
    let job = bench.job(child).await;
    assert!(job.started_at.is_some() && job.finished_at.is_some());
    assert_eq!(job.result, Some(result));
}

async fn a_blocked_job_is_not_to_be_had(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after(&[parent]).await;
    let worker = bench.worker().await;

    assert_eq!(refused(bench.store.claim_job(worker, child, LeaseTerm::Process).await), ErrorKind::NotReady);
    assert_eq!(ids_of(&bench.claim(10).await), [parent]);
    assert_eq!(bench.claim(10).await, []);
}

async fn a_blocked_job_waits_for_its_own_time_too(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_with(|job| {
        job.after = vec![Edge::on_success(parent)];
        job.due = Due::In(SECOND);
    });
    let child = child.await;

    bench.complete(parent).await;

    bench.assert_state(child, JobState::Scheduled, Reason::Delay).await;
    bench.advance(SECOND);
    assert_eq!(bench.claim_one().await.id(), child);
}

async fn a_parent_may_stand_behind_its_child_in_the_batch(bench: Bench) {
    let parent = bench.new_job();
    let child = bench.job_with(|job| job.after = vec![Edge::on_success(parent.id)]);
    let (parent_id, child_id) = (parent.id, child.id);

    bench.store.enqueue(vec![child, parent]).await.unwrap();

    assert_eq!(bench.state_of(child_id).await, BLOCKED);
    bench.complete(parent_id).await;
    assert_eq!(bench.state_of(child_id).await, READY);
}

// 2, 3
async fn a_parent_that_is_nowhere_is_named_and_nothing_is_written(bench: Bench) {
    let existing = bench.enqueue_one().await;
    let (missing, first) = (bench.fresh_id(), bench.new_job());
    let child = bench.job_with(|job| job.after = vec![Edge::on_success(existing), Edge::on_finish(missing)]);
    let ids = [first.id, child.id];

    let error = bench.store.enqueue(vec![first, child]).await.unwrap_err();

    assert_eq!(error.kind(), &ErrorKind::NotFound);
    assert!(error.to_string().contains(&missing.to_string()), "{error}");
    for id in ids {
        assert_eq!(refused(bench.store.job(id).await), ErrorKind::NotFound);
    }
    assert_eq!(bench.children_of(existing).await, []);
    assert_eq!(bench.job(existing).await.revision, 1);
    bench.store.delete(existing, operator()).await.unwrap();
}

async fn a_job_cannot_wait_for_itself(bench: Bench) {
    let mut job = bench.new_job();
    job.after = vec![Edge::on_finish(bench.fresh_id()), Edge::on_success(job.id)];

    assert_eq!(field_of(bench.store.enqueue(vec![job]).await), "after[1]");
}

async fn g13_a_circle_inside_a_batch_is_refused_and_named(bench: Bench) {
    let mut jobs: Vec<NewJob> = (0..5).map(|_| bench.new_job()).collect();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    jobs[1].after = vec![Edge::on_success(ids[0]), Edge::on_success(ids[4])];
    jobs[4].after = vec![Edge::on_finish(ids[1])];

    let error = bench.store.enqueue(jobs).await.unwrap_err();

    assert!(error.to_string().contains("jobs[1] → jobs[4] → jobs[1]"), "{error}");
    assert_eq!(field_of::<()>(Err(error)), "jobs[1].after[1]");
    assert_eq!(refused(bench.store.job(ids[0]).await), ErrorKind::NotFound);
}

async fn too_many_parents_are_refused(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let job = bench.job_with(|job| job.after = vec![Edge::on_success(parent); 10_001]);
    assert_eq!(field_of(bench.store.enqueue(vec![job]).await), "after");

    let many = (0..11).map(|_| bench.job_with(|job| job.after = vec![Edge::on_success(parent); 10_000]));
    assert_eq!(field_of(bench.store.enqueue(many.collect()).await), "jobs");
}

// 53, 54
async fn a_parent_that_is_named_twice_counts_once(bench: Bench) {
    let [one, two] = [bench.enqueue_one().await, bench.enqueue_one().await];
    let twice = [Edge::on_finish(one), Edge::on_success(two), Edge::on_success(one), Edge::on_success(two)];
    let child = bench.enqueue_with(|job| job.after = twice.to_vec()).await;

    let parents: Vec<_> = bench.parents_of(child).await.into_iter().map(|it| (it.id, it.policy)).collect();
    assert_eq!(parents, [(one, EdgePolicy::OnSuccess), (two, EdgePolicy::OnSuccess)]);
    assert_eq!(bench.children_of(one).await, [child]);

    bench.complete(one).await;
    assert_eq!(bench.state_of(child).await, BLOCKED);
    bench.complete(two).await;
    assert_eq!(ids_of(&bench.claim(10).await), [child]);
    assert_eq!(bench.claim(10).await, []);
}

// 51
async fn a_failed_parent_closes_its_child(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after(&[parent]).await;
    bench.advance(SECOND);

    bench.kill(parent).await;

    let job = bench.job(child).await;
    assert_eq!((job.state, job.reason), CLOSED);
    assert_eq!((job.finished_at, job.started_at, job.revision), (Some(bench.now()), None, 2));
    let error = job.error.unwrap();
    assert!(error.by_parent && error.message.contains(&parent.to_string()), "{error:?}");
    assert_eq!(bench.attempts(child).await, []);
}

// 52
async fn a_failure_closes_a_whole_chain_in_one_commit(bench: Bench) {
    let first = bench.enqueue_one().await;
    let second = bench.enqueue_after(&[first]).await;
    let third = bench.enqueue_after(&[second]).await;
    let fourth = bench.enqueue_after(&[third, first]).await;
    let other = bench.enqueue_one().await;
    let fifth = bench.enqueue_after(&[fourth, other]).await;

    bench.kill(first).await;

    for id in [second, third, fourth, fifth] {
        assert_eq!(bench.state_of(id).await, CLOSED);
    }
    assert!(bench.job(third).await.error.unwrap().message.contains(&second.to_string()));
    assert!(bench.job(fourth).await.error.unwrap().message.contains(&third.to_string()));
    bench.complete(other).await;
    assert_eq!(bench.state_of(fifth).await, CLOSED);
}

async fn a_job_with_a_failed_parent_is_closed_as_it_is_enqueued(bench: Bench) {
    let parent = bench.enqueue_one().await;
    bench.kill(parent).await;
    let child = bench.job_with(|job| job.after = vec![Edge::on_success(parent)]);
    let grandchild = bench.job_with(|job| job.after = vec![Edge::on_success(child.id)]);
    let after_end = bench.job_with(|job| job.after = vec![Edge::on_finish(grandchild.id)]);
    let [child_id, grandchild_id, after_end_id] = [child.id, grandchild.id, after_end.id];

    let enqueued = bench.store.enqueue(vec![after_end, grandchild, child]).await.unwrap();

    assert!(enqueued.iter().all(|one| !one.repeated));
    assert_eq!(bench.state_of(child_id).await, CLOSED);
    assert_eq!(bench.state_of(grandchild_id).await, CLOSED);
    assert_eq!(bench.state_of(after_end_id).await, READY);
    assert!(bench.job(child_id).await.error.unwrap().message.contains(&parent.to_string()));
}

async fn the_first_failed_parent_in_the_order_of_the_edges_is_to_blame(bench: Bench) {
    let [one, two, three] = [bench.enqueue_one().await, bench.enqueue_one().await, bench.enqueue_one().await];
    let child = bench.enqueue_after(&[three, two, one]).await;
    let running = [bench.claim_this(one).await, bench.claim_this(two).await, bench.claim_this(three).await];
    let settlements = running.iter().map(|job| Settlement {
        token: job.token,
        verdict: if job.id() == three { succeeded() } else { fatal("x") },
    });

    bench.store.settle(settlements.collect()).await.unwrap();

    assert!(bench.job(child).await.error.unwrap().message.contains(&two.to_string()));
}

// 49
async fn on_finish_any_end_lets_a_job_go(bench: Bench) {
    let ends = [succeeded(), fatal("x"), Verdict::Cancelled { error: AttemptError::new("no") }];
    for end in ends {
        let parent = bench.enqueue_one().await;
        let child = bench.enqueue_after_end_of(&[parent]).await;
        bench.run_to(parent, end).await;
        assert_eq!(bench.state_of(child).await, READY);
        bench.complete(child).await;
    }
    let cancelled = bench.enqueue_one().await;
    let child = bench.enqueue_after_end_of(&[cancelled]).await;
    bench.cancel(cancelled).await;
    assert_eq!(bench.state_of(child).await, READY);
    let later = bench.enqueue_after_end_of(&[cancelled]).await;
    assert_eq!(bench.state_of(later).await, READY);
}

async fn a_parent_that_is_closed_lets_those_go_that_waited_for_any_end(bench: Bench) {
    let first = bench.enqueue_one().await;
    let second = bench.enqueue_after(&[first]).await;
    let last = bench.enqueue_after_end_of(&[second, first]).await;

    bench.kill(first).await;

    assert_eq!(bench.state_of(second).await, CLOSED);
    assert_eq!(bench.state_of(last).await, READY);
}

async fn a_parent_that_will_be_tried_again_still_holds(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after(&[parent]).await;
    let any_end = bench.enqueue_after_end_of(&[parent]).await;

    bench.run_to(parent, failed("x")).await;

    assert_eq!(bench.state_of(child).await, BLOCKED);
    assert_eq!(bench.state_of(any_end).await, BLOCKED);
}

// 59
async fn a_lost_parent_still_holds_and_a_poisoned_one_closes(bench: Bench) {
    let parent = bench.enqueue_with(|job| job.losses_max = 1).await;
    let child = bench.enqueue_after(&[parent]).await;
    bench.claim_this(parent).await;
    bench.advance(LEASE);
    bench.rescue().await;
    assert_eq!(bench.state_of(child).await, BLOCKED);

    bench.claim_this(parent).await;
    bench.advance(LEASE);
    bench.rescue().await;

    bench.assert_state(parent, JobState::Dead, Reason::Poison).await;
    assert_eq!(bench.state_of(child).await, CLOSED);
}

// 98
async fn a_parent_that_missed_its_deadline_closes_its_child(bench: Bench) {
    let rescued = bench.enqueue_with(|job| job.deadline = Some(Due::In(SECOND))).await;
    let child = bench.enqueue_after(&[rescued]).await;
    let released = bench.enqueue_after_end_of(&[rescued]).await;
    bench.advance(SECOND);
    bench.rescue().await;
    assert_eq!(bench.state_of(child).await, CLOSED);
    assert_eq!(bench.state_of(released).await, READY);
    bench.complete(released).await;

    let met = bench.enqueue_with(|job| job.deadline = Some(Due::In(SECOND))).await;
    let child = bench.enqueue_after(&[met]).await;
    bench.advance(SECOND);
    assert_eq!(bench.claim(10).await, []);
    assert_eq!(bench.state_of(child).await, CLOSED);
}

async fn a_parent_that_is_cancelled_closes_its_child_while_its_attempt_is_open(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after(&[parent]).await;
    let running = bench.claim_this(parent).await;

    bench.cancel(parent).await;

    assert_eq!(bench.state_of(child).await, CLOSED);
    let revision = bench.job(child).await.revision;
    assert_eq!(bench.try_settle(&running, succeeded()).await, Err(ErrorKind::Cancelled));
    assert_eq!(bench.job(child).await.revision, revision, "it is told once");
}

async fn a_blocked_job_can_be_cancelled(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after(&[parent]).await;
    let grandchild = bench.enqueue_after(&[child]).await;

    bench.cancel(child).await;

    bench.assert_state(child, JobState::Cancelled, Reason::Operator).await;
    assert_eq!(bench.state_of(grandchild).await, CLOSED);
    bench.complete(parent).await;
    bench.assert_state(child, JobState::Cancelled, Reason::Operator).await;
}

async fn a_blocked_job_has_a_deadline(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_with(|job| {
        job.after = vec![Edge::on_success(parent)];
        job.deadline = Some(Due::In(SECOND));
    });
    let child = child.await;
    bench.advance(SECOND);

    assert_eq!(bench.rescue().await.expired, 1);

    bench.assert_state(child, JobState::Dead, Reason::Deadline).await;
    assert_eq!(bench.state_of(parent).await, READY);
}

async fn run_now_is_refused_for_a_blocked_job(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after(&[parent]).await;

    assert_eq!(refused(bench.store.run_now(child, operator()).await), ErrorKind::NotReady);
    assert_eq!(refused(bench.store.retry(child, operator()).await), ErrorKind::NotReady);
}

async fn a_released_job_keeps_its_place_and_its_revision_tells(bench: Bench) {
    let [one, two] = [bench.enqueue_one().await, bench.enqueue_one().await];
    let early = bench.enqueue_after(&[one, two]).await;
    let late = bench.enqueue_one().await;

    bench.complete(one).await;
    assert_eq!(bench.job(early).await.revision, 1, "nothing of it can be seen to have changed");
    bench.complete(two).await;

    assert_eq!(bench.job(early).await.revision, 2);
    assert_eq!(ids_of(&bench.claim(10).await), [early, late], "the order is that of the enqueue");
}

async fn a_retried_child_waits_as_its_parents_are_now(bench: Bench) {
    let [one, two] = [bench.enqueue_one().await, bench.enqueue_one().await];
    let child = bench.enqueue_after(&[one, two]).await;
    bench.kill(one).await;
    bench.complete(two).await;

    bench.store.retry(child, operator()).await.unwrap();

    assert_eq!(bench.state_of(child).await, BLOCKED);
    let job = bench.job(child).await;
    assert_eq!((job.finished_at, job.run_at, job.revision), (None, bench.now(), 3));
    bench.cancel(child).await;
    bench.store.retry(one, operator()).await.unwrap();
    bench.complete(one).await;
    bench.store.retry(child, operator()).await.unwrap();
    assert_eq!(bench.state_of(child).await, READY);
}

// 183
async fn a_retried_child_is_let_go_once_its_parent_is_retried_as_well(bench: Bench) {
    let first = bench.enqueue_one().await;
    let second = bench.enqueue_after(&[first]).await;
    let third = bench.enqueue_after(&[second]).await;
    bench.kill(first).await;

    for id in [third, second, first] {
        bench.store.retry(id, operator()).await.unwrap();
    }

    assert_eq!(bench.state_of(first).await, READY);
    assert_eq!(bench.state_of(second).await, BLOCKED);
    assert_eq!(bench.state_of(third).await, BLOCKED);
    for id in [first, second, third] {
        bench.complete(id).await;
    }
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

async fn a_retried_parent_does_not_hold_again_whom_it_let_go(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after_end_of(&[parent]).await;
    bench.kill(parent).await;

    bench.store.retry(parent, operator()).await.unwrap();

    assert_eq!(bench.state_of(child).await, READY);
    bench.complete(parent).await;
    assert_eq!(ids_of(&bench.claim(10).await), [child]);
}

async fn a_retried_parent_holds_a_job_that_is_still_blocked(bench: Bench) {
    let [one, two] = [bench.enqueue_one().await, bench.enqueue_one().await];
    let child = bench.enqueue_after_end_of(&[one, two]).await;
    bench.kill(one).await;

    bench.store.retry(one, operator()).await.unwrap();
    bench.complete(one).await;

    assert_eq!(bench.state_of(child).await, BLOCKED, "the other has not ended");
    bench.complete(two).await;
    assert_eq!(bench.state_of(child).await, READY);
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

async fn a_child_is_made_under_the_token_of_its_parent(bench: Bench) {
    let parent = bench.start_one().await;

    let child = bench.enqueue_after(&[parent.id()]).await;

    assert_eq!(bench.state_of(child).await, BLOCKED);
    bench.settle(&parent, succeeded()).await;
    assert_eq!(bench.state_of(child).await, READY);
}

async fn enqueueing_a_child_again_changes_nothing(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let other = bench.enqueue_one().await;
    let child = bench.job_with(|job| job.after = vec![Edge::on_success(parent)]);
    bench.enqueue(child.clone()).await;
    bench.complete(parent).await;
    let before = bench.job(child.id).await;
    let mut again = child.clone();
    again.after = vec![Edge::on_success(other), Edge::on_success(bench.fresh_id())];

    let enqueued = bench.store.enqueue(vec![again]).await.unwrap();

    assert!(enqueued[0].repeated);
    assert_eq!(bench.job(child.id).await, before);
    assert_eq!(bench.children_of(other).await, []);
    assert_eq!(bench.parents_of(child.id).await.len(), 1);
}

async fn waiting_claimers_hear_of_a_job_that_is_let_go(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after(&[parent]).await;
    let running = bench.claim_this(parent).await;
    let mut work = bench.store.signals().work();

    bench.settle(&running, succeeded()).await;

    work.next().await;
    assert_eq!(bench.state_of(child).await, READY);
}

async fn the_turn_that_lets_a_job_go_may_claim_it(bench: Bench) {
    let [one, other] = [bench.enqueue_one().await, bench.enqueue_one().await];
    let child = bench.enqueue_after(&[one]).await;
    let running = bench.claim_this(one).await;
    let request = ClaimRequest::new(bench.worker().await, anything(), 10);
    let settlements = vec![Settlement { token: running.token, verdict: succeeded() }];

    let turned = bench.store.turn(Turn { settlements, claim: Some(request) }).await.unwrap();

    assert_eq!(ids_of(&turned.claimed.jobs), [other, child]);
}

async fn g13_two_parents_that_end_at_once_let_a_job_go_once(bench: Bench) {
    for _ in 0..10 {
        let [one, two] = [bench.enqueue_one().await, bench.enqueue_one().await];
        let child = bench.enqueue_after(&[one, two]).await;
        let last = bench.enqueue_after(&[child, one]).await;
        let tokens = [bench.claim_this(one).await.token, bench.claim_this(two).await.token];
        let store = bench.store.clone();

        let settled = at_once(2, move |index| {
            let (store, token) = (store.clone(), tokens[index]);
            async move { store.settle(vec![Settlement { token, verdict: succeeded() }]).await }
        });

        for answer in settled.await {
            assert_eq!(answer.unwrap()[0].as_ref().unwrap().state, JobState::Completed);
        }
        assert_eq!(bench.state_of(child).await, READY);
        assert_eq!(bench.state_of(last).await, BLOCKED);
        bench.complete(child).await;
        bench.complete(last).await;
    }
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

async fn g13_a_parent_that_ends_while_children_come_misses_none(bench: Bench) {
    const CALLERS: usize = 4;
    for _ in 0..5 {
        let parent = bench.start_one().await;
        let held = bench.enqueue_one().await;
        let children: Vec<NewJob> = (0..CALLERS)
            .map(|_| {
                bench.job_with(|job| job.after = vec![Edge::on_success(held), Edge::on_success(parent.id())])
            })
            .collect();
        let ids: Vec<JobId> = children.iter().map(|child| child.id).collect();
        let (store, token, children) = (bench.store.clone(), parent.token, Arc::new(children));

        let all = at_once(CALLERS + 1, move |index| {
            let (store, child) = (store.clone(), children.get(index).cloned());
            async move {
                if let Some(child) = child {
                    store.enqueue(vec![child]).await.map(|_| ())
                } else {
                    let settlement = Settlement { token, verdict: succeeded() };
                    store.settle(vec![settlement]).await.map(|_| ())
                }
            }
        });

        for answer in all.await {
            answer.unwrap();
        }
        bench.complete(held).await;
        for id in ids {
            assert_eq!(bench.state_of(id).await, READY);
            bench.complete(id).await;
        }
    }
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

async fn pruning_spares_what_an_unfinished_job_depends_on(bench: Bench) {
    let completed = bench.enqueue_one().await;
    let dead = bench.enqueue_one().await;
    let other = bench.enqueue_one().await;
    bench.complete(completed).await;
    bench.kill(dead).await;
    bench.complete(other).await;
    let child = bench.enqueue_with(|job| {
        job.after = vec![Edge::on_success(completed), Edge::on_finish(dead)];
    });
    let child = child.await;
    let nothing = Some(std::time::Duration::ZERO);
    let at_once = Retention { completed: nothing, cancelled: nothing, dead: nothing };
    bench.advance(SECOND);

    assert_eq!(bench.store.prune(at_once).await.unwrap().removed, 1);

    assert_eq!(refused(bench.store.job(other).await), ErrorKind::NotFound);
    assert_eq!(bench.parents_of(child).await.len(), 2);
    bench.complete(child).await;
    bench.advance(SECOND);
    assert_eq!(bench.store.prune(at_once).await.unwrap().removed, 3);
    assert_eq!(refused(bench.store.job(completed).await), ErrorKind::NotFound);
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}
