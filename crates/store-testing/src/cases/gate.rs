//! Locks, limits, rates and order keys: who may start beside whom, and that nothing of it outlives an attempt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use windlass_core::{
    AttemptError, Bounds, Due, JobId, JobOptions, JobState, KeyedLimit, Lock, NewJob, Priority, Verdict,
    Whole,
};
use windlass_store::{ClaimRequest, ErrorKind, Kinds, LeaseTerm, LeasedJob, Queues, Scope, Settlement};

use crate::bench::{
    Bench, LEASE, SECOND, anything, at_once, failed, field_of, ids_of, kind, operator, queue, refused,
    succeeded,
};

cases! {
    who_is_turned_away_leaves_its_place_to_the_next_of_its_queue,
    g12_jobs_that_need_a_resource_alone_never_overlap,
    g12_jobs_that_share_a_resource_overlap_each_other_and_never_one_that_has_it_alone,
    who_waits_for_a_resource_alone_is_not_passed_by_those_who_keep_sharing_it,
    what_an_attempt_held_is_given_back_however_it_ends,
    g12_a_job_gets_all_its_locks_or_none,
    g12_every_exclusive_grant_has_a_larger_number_than_any_before,
    a_job_that_is_turned_away_reads_as_ready_and_keeps_its_place,
    a_job_that_leaves_the_line_lets_the_next_one_go,
    jobs_of_one_order_key_run_one_at_a_time_in_the_order_of_their_enqueue,
    a_job_that_waits_for_its_retry_keeps_its_turn,
    a_job_of_an_order_key_waits_for_the_attempt_of_one_that_was_cancelled,
    a_job_is_claimed_by_its_id_only_if_its_gates_let_it_in,
    many_jobs_behind_one_lock_do_not_stand_in_the_way_of_others,
    many_jobs_behind_one_lock_come_all_to_run_in_order,
    a_job_that_is_called_and_turned_away_elsewhere_lets_the_next_one_go,
    a_claim_that_lets_one_in_calls_nobody_back_for_those_who_still_wait,
    gates_of_gated_and_plain_jobs_keep_the_order_of_the_claim,
    g12_claimers_at_once_never_break_a_gate,
    what_is_wrong_with_a_gate_is_refused_by_field,
}

fn needs(options: &mut JobOptions, locks: &[Lock]) {
    options.locks = locks.to_vec();
}

pub(super) fn limit(key: &str, max: u32) -> KeyedLimit {
    KeyedLimit { key: key.to_owned(), max }
}

impl Bench {
    pub(super) async fn enqueue_locking(&self, of: &str, lock: Lock) -> JobId {
        self.enqueue_with(|job| {
            job.kind = kind(of);
            needs(&mut job.options, &[lock]);
        })
        .await
    }

    async fn enqueue_ordered(&self, key: &str) -> JobId {
        self.enqueue_with(|job| job.options.order_key = Some(key.to_owned())).await
    }

    pub(super) async fn claim_ids(&self, limit: u32) -> Vec<JobId> {
        ids_of(&self.claim(limit).await)
    }
}

async fn g12_jobs_that_need_a_resource_alone_never_overlap(bench: Bench) {
    let first = bench.enqueue_locking("k1", Lock::exclusive("r")).await;
    let second = bench.enqueue_locking("k2", Lock::exclusive("r")).await;
    let beside = bench.enqueue_locking("k3", Lock::exclusive("other")).await;
    let plain = bench.enqueue_one().await;

    let claimed = bench.claim(10).await;
    assert_eq!(ids_of(&claimed), [first, beside, plain]);
    assert_eq!(bench.claim(10).await, []);

    bench.settle(&claimed[0], succeeded()).await;
    assert_eq!(bench.claim_ids(10).await, [second]);
}

async fn g12_jobs_that_share_a_resource_overlap_each_other_and_never_one_that_has_it_alone(bench: Bench) {
    let fourth = bench.enqueue_locking("k4", Lock::shared("r")).await;
    let fifth = bench.enqueue_locking("k5", Lock::shared("r")).await;
    let alone = bench.enqueue_locking("k1", Lock::exclusive("r")).await;

    let sharing = bench.claim(10).await;
    assert_eq!(ids_of(&sharing), [fourth, fifth]);

    bench.settle(&sharing[0], succeeded()).await;
    assert_eq!(bench.claim(10).await, []);

    bench.settle(&sharing[1], succeeded()).await;
    let claimed = bench.claim_one().await;
    assert_eq!(claimed.id(), alone);
    bench.enqueue_locking("k4", Lock::shared("r")).await;
    assert_eq!(bench.claim(10).await, []);
}

async fn who_waits_for_a_resource_alone_is_not_passed_by_those_who_keep_sharing_it(bench: Bench) {
    bench.enqueue_locking("k4", Lock::shared("r")).await;
    let mut sharing = bench.claim(10).await;
    let alone = bench.enqueue_locking("k1", Lock::exclusive("r")).await;
    assert_eq!(bench.claim(10).await, []);

    for _ in 0..5 {
        bench.enqueue_locking("k5", Lock::shared("r")).await;
        assert_eq!(bench.claim(10).await, [], "who came later passed the one in line");
    }
    bench.settle(&sharing.remove(0), succeeded()).await;

    let claimed = bench.claim(10).await;
    assert_eq!(ids_of(&claimed), [alone]);
    bench.settle(&claimed[0], succeeded()).await;
    assert_eq!(bench.claim(10).await.len(), 5);
}

/// Every way for an attempt to end that its worker has a say in.
fn verdicts() -> Vec<Verdict> {
    let error = || AttemptError::new("x");
    vec![
        succeeded(),
        Verdict::Unchanged { result: None },
        failed("x"),
        Verdict::Fatal { error: error() },
        Verdict::Undecodable { error: error() },
        Verdict::TimedOut { error: error() },
        Verdict::Snoozed { delay: Duration::from_secs(3600) },
        Verdict::Cancelled { error: error() },
        Verdict::Interrupted,
        Verdict::Released,
    ]
}

fn everything(options: &mut JobOptions) {
    options.locks = vec![Lock::exclusive("r"), Lock::exclusive("s")];
    options.limits = vec![limit("k", 1)];
}

/// Asserts that nothing is held any more, by a job that comes before all others.
async fn assert_free(bench: &Bench, after: &str) {
    let id = bench
        .enqueue_with(|job| {
            job.priority = Priority::Critical;
            everything(&mut job.options);
        })
        .await;
    let claimed = bench.claim(1).await;
    assert_eq!(ids_of(&claimed), [id], "something is still held after {after}");
    bench.settle(&claimed[0], succeeded()).await;
}

async fn what_an_attempt_held_is_given_back_however_it_ends(bench: Bench) {
    bench
        .store
        .bound(&Whole::Queue(queue("default")), Bounds { limit: Some(1), rate: None }, operator())
        .await
        .unwrap();
    let start = async || bench.start_with(|job| everything(&mut job.options)).await;
    for verdict in verdicts() {
        let job = start().await;
        bench.settle(&job, verdict.clone()).await;
        assert_free(&bench, &format!("{verdict:?}")).await;
        bench.cancel_if_waiting(job.id()).await;
    }

    let cancelled = start().await;
    bench.cancel(cancelled.id()).await;
    assert_eq!(bench.try_settle(&cancelled, succeeded()).await, Err(ErrorKind::Cancelled));
    assert_free(&bench, "a cancel").await;

    let cancelled = start().await;
    bench.cancel(cancelled.id()).await;
    bench.store.deregister(bench.worker().await).await.unwrap();
    bench.forget_worker();
    assert_free(&bench, "the worker's departure").await;

    let lost = start().await;
    bench.advance(LEASE);
    bench.rescue().await;
    bench.cancel(lost.id()).await;
    assert_free(&bench, "a loss").await;

    let lost =
        bench.start_with(|job| (job.losses_max, job.options.locks) = (0, vec![Lock::exclusive("r")])).await;
    bench.advance(LEASE);
    bench.rescue().await;
    assert_eq!(bench.job(lost.id()).await.state, JobState::Dead);
    assert_free(&bench, "a loss that was one too many").await;
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

impl Bench {
    async fn cancel_if_waiting(&self, id: JobId) {
        if !self.job(id).await.state.is_final() {
            self.cancel(id).await;
        }
    }
}

async fn g12_a_job_gets_all_its_locks_or_none(bench: Bench) {
    let first = bench.enqueue_locking("mail", Lock::exclusive("a")).await;
    let both = bench
        .enqueue_with(|job| needs(&mut job.options, &[Lock::exclusive("a"), Lock::exclusive("b")]))
        .await;
    let mut claimed = bench.claim(10).await;
    assert_eq!(ids_of(&claimed), [first]);

    // It does not hold what it cannot use: only those who come later stand behind it.
    let before = bench
        .enqueue_with(|job| {
            job.priority = Priority::High;
            needs(&mut job.options, &[Lock::exclusive("b")]);
        })
        .await;
    let other = bench.claim(10).await;
    assert_eq!(ids_of(&other), [before]);

    bench.settle(&claimed.remove(0), succeeded()).await;
    assert_eq!(bench.claim(10).await, []);
    bench.settle(&other[0], succeeded()).await;
    assert_eq!(bench.claim_ids(10).await, [both]);
}

async fn g12_every_exclusive_grant_has_a_larger_number_than_any_before(bench: Bench) {
    let (mut last, mut names) = (0, BTreeSet::new());
    for round in 0..6 {
        let mut locks = vec![Lock::exclusive("r"), Lock::shared("s")];
        if round % 2 == 0 {
            locks.push(Lock::exclusive("t"));
        }
        let job = bench.start_with(|job| needs(&mut job.options, &locks)).await;
        names.extend(job.fences.iter().map(|fence| fence.resource.clone()));
        let number = job.fences.iter().find(|fence| fence.resource == "r").unwrap().number;
        assert!(number > last, "{number} after {last}");
        last = number;
        bench.settle(&job, if round == 3 { failed("x") } else { succeeded() }).await;
        bench.cancel_if_waiting(job.id()).await;
    }

    assert_eq!(names, BTreeSet::from(["r".to_owned(), "t".to_owned()]));
    assert_eq!(bench.start_one().await.fences, []);
}

async fn a_job_that_is_turned_away_reads_as_ready_and_keeps_its_place(bench: Bench) {
    let held = bench.start_with(|job| needs(&mut job.options, &[Lock::exclusive("r")])).await;
    let low = bench
        .enqueue_with(|job| {
            job.priority = Priority::Low;
            needs(&mut job.options, &[Lock::exclusive("r")]);
        })
        .await;
    let normal = bench.enqueue_locking("mail", Lock::exclusive("r")).await;
    assert_eq!(bench.claim(10).await, []);
    let last = bench.enqueue_locking("mail", Lock::exclusive("r")).await;
    assert_eq!(bench.claim(10).await, []);

    for id in [low, normal, last] {
        let job = bench.job(id).await;
        assert_eq!((job.state, job.reason, job.revision), (JobState::Ready, None, 1));
    }
    let queues = bench.store.queues().await.unwrap();
    assert_eq!(queues[0].counts.of(JobState::Ready), 3);

    let mut order = Vec::new();
    let mut running = held;
    for _ in 0..3 {
        bench.settle(&running, succeeded()).await;
        running = bench.claim_one().await;
        order.push(running.id());
        assert_eq!(bench.claim(10).await, []);
    }
    assert_eq!(order, [normal, last, low]);
}

async fn a_job_that_leaves_the_line_lets_the_next_one_go(bench: Bench) {
    let held = bench.start_with(|job| needs(&mut job.options, &[Lock::shared("r")])).await;
    let mut last = None;
    for round in 0..3 {
        let alone = bench
            .enqueue_with(|job| {
                needs(&mut job.options, &[Lock::exclusive("r")]);
                job.deadline = (round == 1).then_some(Due::In(SECOND));
            })
            .await;
        assert_eq!(bench.claim(10).await, []);
        let behind = bench.enqueue_locking("mail", Lock::shared("r")).await;
        assert_eq!(bench.claim(10).await, [], "it passed the one in line");

        match round {
            0 => drop(bench.cancel(alone).await),
            1 => {
                bench.advance(SECOND);
                bench.rescue().await;
            }
            _ => bench.store.delete(alone, operator()).await.unwrap(),
        }

        assert_eq!(bench.claim_ids(10).await, [behind], "round {round}");
        last = Some(behind);
    }
    assert!(last.is_some());
    bench.settle(&held, succeeded()).await;
}

async fn jobs_of_one_order_key_run_one_at_a_time_in_the_order_of_their_enqueue(bench: Bench) {
    let first = bench.enqueue_ordered("order 7").await;
    let second = bench.enqueue_ordered("order 7").await;
    let urgent = bench
        .enqueue_with(|job| {
            job.options.order_key = Some("order 7".to_owned());
            job.priority = Priority::Critical;
        })
        .await;
    let other = bench.enqueue_ordered("order 8").await;

    let claimed = bench.claim(10).await;
    assert_eq!(ids_of(&claimed), [first, other]);
    bench.settle(&claimed[0], succeeded()).await;
    let next = bench.claim(10).await;
    assert_eq!(ids_of(&next), [second]);
    bench.settle(&next[0], Verdict::Fatal { error: AttemptError::new("x") }).await;
    assert_eq!(bench.claim_ids(10).await, [urgent]);
}

async fn a_job_that_waits_for_its_retry_keeps_its_turn(bench: Bench) {
    let first = bench.enqueue_ordered("k").await;
    let second = bench.enqueue_ordered("k").await;
    let retried = bench.claim_one().await;
    let wait = Some(Duration::from_secs(60));
    bench.settle(&retried, Verdict::Failed { error: AttemptError::new("x"), retry_after: wait }).await;

    assert_eq!(bench.claim(10).await, []);
    bench.advance(Duration::from_secs(60));
    let worker = bench.worker().await;
    let again = bench.claim_as(worker, anything(), 10).await.jobs;
    assert_eq!(ids_of(&again), [first]);

    bench.settle(&again[0], succeeded()).await;
    assert_eq!(bench.claim_ids(10).await, [second]);
}

async fn a_job_of_an_order_key_waits_for_the_attempt_of_one_that_was_cancelled(bench: Bench) {
    bench.enqueue_ordered("k").await;
    let second = bench.enqueue_ordered("k").await;
    let third = bench.enqueue_ordered("k").await;
    let running = bench.claim_one().await;
    assert_eq!(bench.claim(10).await, []);

    bench.cancel(running.id()).await;
    assert_eq!(bench.claim(10).await, []);
    assert_eq!(bench.try_settle(&running, succeeded()).await, Err(ErrorKind::Cancelled));
    bench.cancel(second).await;

    assert_eq!(bench.claim_ids(10).await, [third]);
}

async fn a_job_is_claimed_by_its_id_only_if_its_gates_let_it_in(bench: Bench) {
    let worker = bench.worker().await;
    let held = bench.start_with(|job| needs(&mut job.options, &[Lock::exclusive("r")])).await;
    let id = bench.enqueue_locking("mail", Lock::exclusive("r")).await;
    let by_id = async || bench.store.claim_job(worker, id, LeaseTerm::Process).await;

    assert_eq!(refused(by_id().await), ErrorKind::NotReady);
    assert_eq!(bench.claim(1).await, []);
    assert_eq!(refused(by_id().await), ErrorKind::NotReady);
    bench.settle(&held, succeeded()).await;

    assert_eq!(by_id().await.unwrap().fences.len(), 1);
}

async fn enqueue_locking_many(bench: &Bench, count: usize) -> Vec<JobId> {
    let locking = || bench.job_with(|job| needs(&mut job.options, &[Lock::exclusive("r")]));
    let jobs: Vec<_> = (0..count).map(|_| locking()).collect();
    let ids = jobs.iter().map(|job| job.id).collect();
    let _made = bench.store.enqueue(jobs).await.unwrap();
    ids
}

async fn many_jobs_behind_one_lock_do_not_stand_in_the_way_of_others(bench: Bench) {
    let behind = enqueue_locking_many(&bench, 2_500).await;
    let plain = bench.enqueue_one().await;

    let mut claimed = Vec::new();
    for _ in 0..5 {
        claimed.extend(bench.claim(3).await);
    }

    assert_eq!(ids_of(&claimed), [behind[0], plain]);
    let late = bench.enqueue_one().await;
    assert_eq!(bench.claim_ids(1).await, [late]);
}

async fn many_jobs_behind_one_lock_come_all_to_run_in_order(bench: Bench) {
    let ids = enqueue_locking_many(&bench, 100).await;

    let mut order = Vec::new();
    while let Some(job) = bench.claim(10).await.pop() {
        order.push(job.id());
        bench.settle(&job, succeeded()).await;
    }

    assert_eq!(order, ids);
}

async fn a_job_that_is_called_and_turned_away_elsewhere_lets_the_next_one_go(bench: Bench) {
    let holds_key = bench.start_with(|job| job.options.limits = vec![limit("k", 1)]).await;
    let holds_lock = bench.start_with(|job| needs(&mut job.options, &[Lock::exclusive("r")])).await;
    let both = bench
        .enqueue_with(|job| {
            needs(&mut job.options, &[Lock::exclusive("r")]);
            job.options.limits = vec![limit("k", 1)];
        })
        .await;
    let next = bench.enqueue_locking("mail", Lock::exclusive("r")).await;
    assert_eq!(bench.claim(10).await, []);

    bench.settle(&holds_lock, succeeded()).await;

    let claimed = bench.claim(10).await;
    assert_eq!(ids_of(&claimed), [next]);
    bench.settle(&claimed[0], succeeded()).await;
    assert_eq!(bench.claim(10).await, []);
    bench.settle(&holds_key, succeeded()).await;
    assert_eq!(bench.claim_ids(10).await, [both]);
}

async fn gates_of_gated_and_plain_jobs_keep_the_order_of_the_claim(bench: Bench) {
    let mut expected = Vec::new();
    for (index, priority) in
        [Priority::Low, Priority::High, Priority::Normal, Priority::High].into_iter().enumerate()
    {
        for gated in [index % 2 == 0, index % 2 == 1] {
            let id = bench
                .enqueue_with(|job| {
                    job.priority = priority;
                    if gated {
                        job.options.limits = vec![limit("k", 100)];
                    }
                })
                .await;
            expected.push((priority, id));
        }
    }
    expected.sort_by_key(|(priority, _)| *priority);

    let mut claimed = bench.claim(3).await;
    claimed.extend(bench.claim(2).await);
    claimed.extend(bench.claim(10).await);

    assert_eq!(ids_of(&claimed), expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
}

/// Runs claimers on threads of their own, and judges what they held at the same time from their grants.
async fn g12_claimers_at_once_never_break_a_gate(bench: Bench) {
    const JOBS: usize = 120;
    const CLAIMERS: usize = 4;
    let jobs: Vec<_> = (0..JOBS)
        .map(|index| {
            bench.job_with(|job| match index % 4 {
                0 => needs(&mut job.options, &[Lock::exclusive(format!("r{}", index % 3))]),
                1 => needs(&mut job.options, &[Lock::shared(format!("r{}", index % 3))]),
                2 => job.options.limits = vec![limit("k", 2)],
                _ => job.options.order_key = Some(format!("o{}", index % 5)),
            })
        })
        .collect();
    let options: BTreeMap<JobId, JobOptions> = jobs.iter().map(|job| (job.id, job.options.clone())).collect();
    let order: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let _made = bench.store.enqueue(jobs).await.unwrap();
    let mut workers = Vec::new();
    for _ in 0..CLAIMERS {
        workers.push(bench.register().await);
    }

    let (mut done, mut held): (Vec<JobId>, Vec<LeasedJob>) = (Vec::new(), Vec::new());
    let mut stores = Vec::new();
    for _ in 0..CLAIMERS {
        // Each as another process would have it, where there can be others.
        stores.push(bench.reopened().await.unwrap_or_else(|| bench.store.clone()));
    }
    for round in 0.. {
        assert!(round < 20 * JOBS, "{} of {JOBS} jobs are done, and nothing goes on", done.len());
        let (stores, workers) = (stores.clone(), workers.clone());
        let claims = at_once(CLAIMERS, move |index| {
            let request = ClaimRequest::new(workers[index], anything(), 5);
            let store = stores[index].clone();
            async move { store.claim(request).await.unwrap().jobs }
        })
        .await;
        held.extend(claims.into_iter().flatten());
        assert_compatible(&held, &options);
        assert_in_order(&held, &done, &options, &order);
        let ended: Vec<LeasedJob> = held.drain(..held.len().div_ceil(2)).collect();
        done.extend(ended.iter().map(LeasedJob::id));
        let settled = ended.into_iter().map(|job| Settlement { token: job.token, verdict: succeeded() });
        let answers = bench.store.settle(settled.collect()).await.unwrap();
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        if done.len() == JOBS {
            break;
        }
    }
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

fn assert_compatible(held: &[LeasedJob], options: &BTreeMap<JobId, JobOptions>) {
    let (mut locks, mut keys): (BTreeMap<&str, Vec<&Lock>>, usize) = (BTreeMap::new(), 0);
    for job in held {
        let options = &options[&job.id()];
        options.locks.iter().for_each(|lock| locks.entry(&lock.resource).or_default().push(lock));
        keys += options.limits.len();
    }
    assert!(keys <= 2, "{keys} run where two may");
    for (resource, holders) in locks {
        let alone = holders.iter().any(|lock| lock.mode == windlass_core::LockMode::Exclusive);
        assert!(holders.len() == 1 || !alone, "{resource} has {holders:?}");
    }
}

fn assert_in_order(
    held: &[LeasedJob],
    done: &[JobId],
    options: &BTreeMap<JobId, JobOptions>,
    order: &[JobId],
) {
    let started = |id: &JobId| done.contains(id) || held.iter().any(|job| job.id() == *id);
    for job in held {
        let Some(key) = &options[&job.id()].order_key else { continue };
        let same = |id: &&JobId| options[*id].order_key.as_ref() == Some(key);
        let before = order.iter().filter(same).take_while(|id| **id != job.id());
        assert!(before.clone().all(|id| done.contains(id)), "{key}: one runs before an earlier one is done");
        assert!(before.into_iter().all(started));
    }
}

async fn what_is_wrong_with_a_gate_is_refused_by_field(bench: Bench) {
    let try_with = async |change: fn(&mut JobOptions)| {
        let job = bench.job_with(|job| change(&mut job.options));
        field_of(bench.store.enqueue(vec![job]).await)
    };

    assert_eq!(
        try_with(|options| options.locks = vec![Lock::shared("r"), Lock::exclusive("r")]).await,
        "locks[1].mode"
    );
    assert_eq!(try_with(|options| options.locks = vec![Lock::shared("")]).await, "locks[0].resource");
    assert_eq!(try_with(|options| options.limits = vec![limit("k", 0)]).await, "limits[0].max");
    assert_eq!(try_with(|options| options.order_key = Some("\u{7}".to_owned())).await, "order_key");
    assert_eq!(bench.store.queues().await.unwrap(), []);
}

async fn who_is_turned_away_leaves_its_place_to_the_next_of_its_queue(bench: Bench) {
    let holder = bench.start_with(|job| job.options.locks = vec![Lock::exclusive("r")]).await;
    bench.enqueue_with(|job| job.options.locks = vec![Lock::exclusive("r")]).await;
    let next = bench.enqueue_one().await;
    bench.advance(SECOND);
    bench.enqueue_with(|job| job.queue = queue("other")).await;

    assert_eq!(bench.claim_one().await.id(), next);
    bench.settle(&holder, succeeded()).await;
}

async fn a_claim_that_lets_one_in_calls_nobody_back_for_those_who_still_wait(bench: Bench) {
    let holder = bench.start_with(|job| job.options.locks = vec![Lock::exclusive("r")]).await;
    let shared = |job: &mut NewJob| {
        job.kind = kind("reader");
        job.options.locks = vec![Lock::shared("r")];
    };
    let shared = bench.enqueue_with(shared).await;
    bench.enqueue_with(|job| job.options.locks = vec![Lock::exclusive("r")]).await;
    assert_eq!(bench.claim_ids(2).await, [], "both are turned away");
    bench.settle(&holder, succeeded()).await;
    // Whoever comes next opens the gate, if for others.
    let elsewhere = Scope { queues: Queues::Only(vec![queue("elsewhere")]), kinds: Kinds::Any };
    bench.claim_scope(Arc::new(elsewhere), 1).await;

    let claimed = bench.claim_scope(anything(), 100).await;

    assert_eq!(ids_of(&claimed.jobs), [shared]);
    assert_eq!(claimed.next_due, None, "the other waits for its end, and for no time");
}
