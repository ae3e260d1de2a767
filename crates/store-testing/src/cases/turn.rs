//! What one commit does: settle, then claim, for a worker that lives.

use futures_util::FutureExt;
use windlass_core::gate::Lock;
use windlass_core::{Due, JobId, JobState, Reason, Verdict};
use windlass_store::rules::LATE_PER_CLAIM_MAX;
use windlass_store::{ClaimRequest, ErrorKind, LeaseTerm, LeasedJob, Settlement, Turn};

use crate::bench::{Bench, LEASE, SECOND, anything, field_of, ids_of, refused, succeeded, just_before};

cases! {
    an_unknown_worker_gets_nothing,
    an_expired_worker_gets_nothing,
    a_turn_of_an_expired_worker_stores_nothing,
    a_turn_of_an_expired_worker_stores_no_end_of_a_job_with_a_lock,
    a_stale_end_gives_back_nothing_that_the_job_holds_by_now,
    a_turn_with_an_invalid_claim_stores_nothing,
    a_turn_settles_before_it_claims,
    a_job_past_its_deadline_dies_instead_of_being_claimed,
    a_claim_that_has_enough_does_not_look_further,
    a_claim_that_meets_too_many_late_jobs_asks_to_be_asked_again,
    a_deadline_that_is_still_to_come_does_not_matter,
    a_claim_that_was_dropped_leaves_every_job_to_be_had,
}

async fn an_unknown_worker_gets_nothing(bench: Bench) {
    bench.enqueue_one().await;
    let stranger = bench.new_worker().id;

    let answer = bench.store.claim(ClaimRequest::new(stranger, anything(), 1)).await;

    assert_eq!(refused(answer), ErrorKind::NotFound);
    assert_eq!(bench.claim(1).await.len(), 1);
}

async fn an_expired_worker_gets_nothing(bench: Bench) {
    bench.enqueue_one().await;
    let worker = bench.register().await;

    bench.advance(LEASE);

    let answer = bench.store.claim(ClaimRequest::new(worker, anything(), 1)).await;
    assert_eq!(refused(answer), ErrorKind::NotFound);
}

async fn a_turn_of_an_expired_worker_stores_nothing(bench: Bench) {
    let job = bench.start_with_own_lease(LEASE * 10).await;
    let worker = bench.register().await;
    bench.advance(LEASE);

    let settlements = vec![Settlement { token: job.token, verdict: succeeded() }];
    let claim = Some(ClaimRequest::new(worker, anything(), 1));
    let answer = bench.store.turn(Turn { settlements, claim }).await;

    assert_eq!(refused(answer), ErrorKind::NotFound);
    assert_eq!(bench.state_of(job.id()).await, (JobState::Running, None));
}

impl Bench {
    async fn enqueue_alone(&self, with: &str) -> JobId {
        self.enqueue_with(|job| job.options.locks.push(Lock::exclusive(with))).await
    }

    /// A running job that has a resource alone.
    async fn start_alone(&self, with: &str, lease: LeaseTerm) -> LeasedJob {
        self.enqueue_alone(with).await;
        let claim = ClaimRequest::new(self.worker().await, anything(), 1).with_lease(lease);
        self.store.claim(claim).await.unwrap().jobs.remove(0)
    }
}

fn well(job: &LeasedJob) -> Settlement {
    Settlement { token: job.token, verdict: succeeded() }
}

async fn a_turn_of_an_expired_worker_stores_no_end_of_a_job_with_a_lock(bench: Bench) {
    let worker = bench.worker().await;
    let job = bench.start_alone("a", LeaseTerm::Own(LEASE * 10)).await;
    bench.advance(LEASE);

    let claim = Some(ClaimRequest::new(worker, anything(), 1));
    let answer = bench.store.turn(Turn { settlements: vec![well(&job)], claim }).await;

    assert_eq!(refused(answer), ErrorKind::NotFound);
    assert_eq!(bench.state_of(job.id()).await, (JobState::Running, None));
}

async fn a_stale_end_gives_back_nothing_that_the_job_holds_by_now(bench: Bench) {
    let stale = bench.start_alone("a", LeaseTerm::Process).await;
    bench.advance(LEASE);
    bench.rescue().await;
    bench.forget_worker();
    let current = bench.claim_one().await;
    let other = bench.start_alone("b", LeaseTerm::Process).await;
    let (behind_current, behind_other) = (bench.enqueue_alone("a").await, bench.enqueue_alone("b").await);

    let claim = Some(ClaimRequest::new(bench.worker().await, anything(), 9));
    let turned = bench.store.turn(Turn { settlements: vec![well(&stale), well(&other)], claim }).await;

    let turned = turned.unwrap();
    assert!(matches!(&turned.settled[0], Err(error) if *error.kind() == ErrorKind::LeaseLost));
    assert!(matches!(&turned.settled[1], Ok(settled) if settled.state == JobState::Completed));
    assert_eq!(ids_of(&turned.claimed.jobs), [behind_other]);
    bench.settle(&current, succeeded()).await;
    assert_eq!(ids_of(&bench.claim(9).await), [behind_current]);
}

async fn a_turn_with_an_invalid_claim_stores_nothing(bench: Bench) {
    let job = bench.start_one().await;

    let settlements = vec![Settlement { token: job.token, verdict: succeeded() }];
    let claim = Some(ClaimRequest::new(bench.worker().await, anything(), 0));
    let answer = bench.store.turn(Turn { settlements, claim }).await;

    assert_eq!(field_of(answer), "limit");
    assert_eq!(bench.state_of(job.id()).await, (JobState::Running, None));
}

async fn a_turn_settles_before_it_claims(bench: Bench) {
    let job = bench.start_one().await;

    let settlements = vec![Settlement { token: job.token, verdict: Verdict::Interrupted }];
    let claim = Some(ClaimRequest::new(bench.worker().await, anything(), 1));
    let turned = bench.store.turn(Turn { settlements, claim }).await.unwrap();

    assert_eq!(turned.settled.len(), 1);
    assert_eq!(turned.settled[0].as_ref().unwrap().state, JobState::Ready);
    assert_eq!(ids_of(&turned.claimed.jobs), [job.id()]);
    assert!(turned.claimed.jobs[0].token > job.token);
}

async fn a_job_past_its_deadline_dies_instead_of_being_claimed(bench: Bench) {
    let late = bench.enqueue_with(|job| job.deadline = Some(Due::In(SECOND))).await;
    let other = bench.enqueue_one().await;
    bench.advance(SECOND);

    let claimed = bench.claim(1).await;

    assert_eq!(ids_of(&claimed), [other], "the dead one takes no place in the claim");
    let job = bench.job(late).await;
    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Deadline)));
    assert_eq!((job.finished_at, job.attempt), (Some(bench.now()), 0));
    assert!(job.error.unwrap().message.starts_with("it was not started by its deadline"));
    assert_eq!(bench.attempts(late).await, []);
    bench.advance(LEASE);
    assert_eq!(bench.claim(1).await, [], "it stays dead");
}

async fn a_claim_that_has_enough_does_not_look_further(bench: Bench) {
    let first = bench.enqueue_one().await;
    let late = bench.enqueue_with(|job| job.deadline = Some(Due::Now)).await;

    assert_eq!(ids_of(&bench.claim(1).await), [first]);

    assert_eq!(bench.state_of(late).await, (JobState::Ready, None));
    assert_eq!(bench.claim(1).await, []);
    assert_eq!(bench.state_of(late).await, (JobState::Dead, Some(Reason::Deadline)));
}

async fn a_claim_that_meets_too_many_late_jobs_asks_to_be_asked_again(bench: Bench) {
    let late = || bench.job_with(|job| job.deadline = Some(Due::Now));
    let _ = bench.store.enqueue((0..=LATE_PER_CLAIM_MAX).map(|_| late()).collect()).await.unwrap();
    let behind = bench.enqueue_one().await;

    let first = bench.claim_scope(anything(), 1).await;
    let second = bench.claim_scope(anything(), 1).await;

    assert_eq!((first.jobs.len(), first.next_due), (0, Some(bench.now())));
    assert_eq!(ids_of(&second.jobs), [behind]);
}

async fn a_deadline_that_is_still_to_come_does_not_matter(bench: Bench) {
    let id = bench.enqueue_with(|job| job.deadline = Some(Due::In(SECOND))).await;
    bench.advance(just_before(SECOND));

    assert_eq!(bench.claim_one().await.id(), id);
}

async fn a_claim_that_was_dropped_leaves_every_job_to_be_had(bench: Bench) {
    let ids = bench.enqueue_many(3).await;
    let worker = bench.register().await;

    // Polled once and dropped: the jobs may be leased to a worker that knows nothing of it.
    drop(bench.store.claim(ClaimRequest::new(worker, anything(), 3)).now_or_never());
    bench.advance(LEASE);
    bench.rescue().await;

    assert_eq!(ids_of(&bench.claim(10).await), ids);
}
