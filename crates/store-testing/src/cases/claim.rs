//! Who gets which jobs, and in which order.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use windlass_core::{
    Args, AttemptToken, Due, JobId, JobOptions, JobState, Priority, Verdict,
};
use windlass_store::{
    ClaimRequest, KindSupport, Kinds, LeasedJob, Queues, Scope,
};

use crate::bench::{
    Bench, LEASE, MICROSECOND, SECOND, anything, at_once, ids_of, kind, of_kind, of_queues, operator, queue,
     just_before};

cases! {
    takes_no_more_than_the_limit,
    g10_takes_by_priority_then_due_time_then_enqueue_order,
    g10_the_order_holds_across_queues,
    the_order_survives_the_store_that_took_the_jobs,
    g09_nothing_is_claimed_before_it_is_due,
    says_when_the_next_job_of_its_scope_is_due,
    tells_everything_a_handler_needs_to_know,
    leaves_default_options_out,
    marks_the_job_as_running,
    every_claim_of_a_job_has_a_larger_number_and_another_nonce,
    takes_only_from_the_queues_it_names,
    takes_from_every_queue_if_asked_to,
    takes_only_the_kinds_it_names,
    leaves_versions_newer_than_it_understands,
    jobs_of_a_foreign_queue_do_not_stand_in_the_way,
    an_empty_scope_gets_nothing,
    takes_nothing_from_a_paused_queue,
    never_takes_a_cancelled_job,
    claimers_at_once_never_share_a_job,
}

async fn takes_no_more_than_the_limit(bench: Bench) {
    bench.enqueue_many(5).await;

    assert_eq!(bench.claim(3).await.len(), 3);
    assert_eq!(bench.claim(3).await.len(), 2);
    assert_eq!(bench.claim(3).await.len(), 0);
}

/// Jobs in claim order, enqueued in another.
async fn enqueue_shuffled(bench: &Bench) -> Vec<JobId> {
    let now = bench.now();
    let at = |priority: Priority, micros: u64| {
        bench.job_with(|job| {
            job.priority = priority;
            job.due = Due::At(now.before(Duration::from_micros(micros)));
        })
    };
    let ordered = [
        at(Priority::Critical, 0),
        at(Priority::High, 2),
        at(Priority::High, 1),
        at(Priority::Normal, 9),
        at(Priority::Normal, 1),
        at(Priority::Normal, 1),
        at(Priority::Normal, 0),
        at(Priority::Low, 50),
        at(Priority::Idle, 99),
    ];
    let ids = ordered.iter().map(|job| job.id).collect();
    // The two that differ in nothing but their place (4 and 5) keep their order; all others are mixed.
    for index in [8, 2, 6, 4, 0, 7, 5, 1, 3] {
        bench.enqueue(ordered[index].clone()).await;
    }
    ids
}

async fn g10_takes_by_priority_then_due_time_then_enqueue_order(bench: Bench) {
    let ids = enqueue_shuffled(&bench).await;

    let mut claimed = bench.claim(2).await;
    claimed.extend(bench.claim(3).await);
    claimed.extend(bench.claim(10).await);

    assert_eq!(ids_of(&claimed), ids);
}

async fn g10_the_order_holds_across_queues(bench: Bench) {
    let to = |name: &'static str, priority| {
        bench.enqueue_with(move |job| (job.queue, job.priority) = (queue(name), priority))
    };
    let last = to("a", Priority::Normal).await;
    let first = to("c", Priority::High).await;
    let second = to("a", Priority::High).await;
    let third = to("b", Priority::High).await;

    assert_eq!(ids_of(&bench.claim_scope(of_queues(&["a", "b", "c"]), 2).await.jobs), [first, second]);
    assert_eq!(ids_of(&bench.claim(10).await), [third, last]);
}

async fn the_order_survives_the_store_that_took_the_jobs(bench: Bench) {
    let ids = enqueue_shuffled(&bench).await;
    let worker = bench.worker().await;

    let store = bench.reopened().await.unwrap_or_else(|| bench.store.clone());

    let claimed = store.claim(ClaimRequest::new(worker, anything(), 100)).await.unwrap();
    assert_eq!(ids_of(&claimed.jobs), ids);
}

async fn g09_nothing_is_claimed_before_it_is_due(bench: Bench) {
    let id = bench.enqueue_with(|job| job.due = Due::In(SECOND)).await;

    bench.advance(just_before(SECOND));
    assert_eq!(bench.claim(1).await, []);

    bench.advance(MICROSECOND);
    assert_eq!(bench.claim_one().await.id(), id);
}

async fn says_when_the_next_job_of_its_scope_is_due(bench: Bench) {
    let now = bench.now();
    let later = |secs| move |job: &mut windlass_core::NewJob| job.due = Due::In(Duration::from_secs(secs));
    bench.enqueue_with(later(20)).await;
    bench.enqueue_with(later(10)).await;
    bench.enqueue_with(|job| (job.queue, job.due) = (queue("other"), Due::In(SECOND))).await;

    let claimed = bench.claim_scope(of_queues(&["default"]), 1).await;

    // A store need not know, but it must not promise less than there is.
    let first = now.after(Duration::from_secs(10));
    assert!(claimed.next_due.is_none_or(|due| due == first), "{:?}", claimed.next_due);
    let nothing = bench.claim_scope(of_queues(&["empty"]), 1).await;
    assert_eq!(nothing.next_due, None);
}

async fn tells_everything_a_handler_needs_to_know(bench: Bench) {
    let asked = bench.job_with(|job| {
        job.version = 3;
        job.queue = queue("mail");
        job.args = Args::json("[1]").unwrap();
        job.priority = Priority::High;
        job.deadline = Some(Due::In(LEASE));
        job.attempts_max = 5;
        job.options.timeout = Some(SECOND);
    });
    bench.enqueue(asked.clone()).await;
    let created_at = bench.now();
    bench.advance(SECOND);

    let job = bench.claim_one().await;

    let expected = LeasedJob {
        token: AttemptToken { job: asked.id, number: 1, nonce: job.token.nonce },
        lease_until: bench.now().after(LEASE),
        kind: asked.kind,
        version: 3,
        queue: asked.queue,
        args: asked.args,
        priority: Priority::High,
        attempt: 1,
        attempts_max: 5,
        losses: 0,
        run_at: created_at,
        deadline: Some(created_at.after(LEASE)),
        created_at,
        started_at: bench.now(),
        checkpoint: None,
        options: Some(Box::new(asked.options)),
        fences: Vec::new(),
        settles: None,
    };
    assert_eq!(job, expected);
    assert_ne!(job.token.nonce, 0);
}

async fn leaves_default_options_out(bench: Bench) {
    bench.enqueue_one().await;

    let job = bench.claim_one().await;

    assert_eq!(job.options, None);
    assert_eq!(bench.job(job.id()).await.options, JobOptions::default());
}

async fn marks_the_job_as_running(bench: Bench) {
    let id = bench.enqueue_one().await;

    bench.claim_one().await;

    let job = bench.job(id).await;
    assert_eq!((job.state, job.reason), (JobState::Running, None));
    assert_eq!((job.attempt, job.losses), (1, 0));
    assert_eq!((job.started_at, job.finished_at), (Some(bench.now()), None));
    assert_eq!(job.worker.as_deref(), Some("worker"));
    assert_eq!(job.revision, 2);
    let attempts = bench.attempts(id).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].number, attempts[0].worker.as_str()), (1, "worker"));
    assert_eq!((attempts[0].started_at, attempts[0].ended_at), (bench.now(), None));
    assert_eq!((attempts[0].outcome, &attempts[0].error), (None, &None));
}

async fn every_claim_of_a_job_has_a_larger_number_and_another_nonce(bench: Bench) {
    bench.enqueue_one().await;

    let mut tokens = Vec::new();
    for _ in 0..4 {
        let job = bench.claim_one().await;
        tokens.push(job.token);
        bench.settle(&job, Verdict::Interrupted).await;
    }

    let numbers: Vec<u64> = tokens.iter().map(|token| token.number).collect();
    let nonces: HashSet<u64> = tokens.iter().map(|token| token.nonce).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(nonces.len(), 4);
}

async fn takes_only_from_the_queues_it_names(bench: Bench) {
    let [a, b, _] = enqueue_to_three(&bench).await;

    assert_eq!(ids_of(&bench.claim_scope(of_queues(&["b"]), 10).await.jobs), [b]);
    assert_eq!(ids_of(&bench.claim_scope(of_queues(&["b", "a"]), 10).await.jobs), [a]);
    assert_eq!(bench.claim_scope(of_queues(&["A", "nowhere"]), 10).await.jobs, []);
}

async fn takes_from_every_queue_if_asked_to(bench: Bench) {
    let ids = enqueue_to_three(&bench).await;

    assert_eq!(ids_of(&bench.claim(10).await), ids);
}

async fn enqueue_to_three(bench: &Bench) -> [JobId; 3] {
    let to = |name: &'static str| bench.enqueue_with(move |job| job.queue = queue(name));
    [to("a").await, to("b").await, to("c").await]
}

async fn takes_only_the_kinds_it_names(bench: Bench) {
    let octopus = bench.enqueue_with(|job| job.kind = kind("octopus")).await;
    let clownfish = bench.enqueue_with(|job| job.kind = kind("clownfish")).await;

    assert_eq!(bench.claim_scope(of_kind("starfish", 9), 1).await.jobs, []);
    assert_eq!(ids_of(&bench.claim_scope(of_kind("clownfish", 1), 1).await.jobs), [clownfish]);
    assert_eq!(ids_of(&bench.claim_scope(of_kind("octopus", 1), 1).await.jobs), [octopus]);
}

async fn leaves_versions_newer_than_it_understands(bench: Bench) {
    let new = bench.enqueue_with(|job| job.version = 3).await;
    let old = bench.enqueue_with(|job| job.version = 2).await;

    assert_eq!(ids_of(&bench.claim_scope(of_kind("mail", 2), 10).await.jobs), [old]);
    assert_eq!(bench.state_of(new).await, (JobState::Ready, None));
    assert_eq!(ids_of(&bench.claim_scope(of_kind("mail", 3), 10).await.jobs), [new]);
}

async fn jobs_of_a_foreign_queue_do_not_stand_in_the_way(bench: Bench) {
    let foreign = (0..200).map(|_| bench.job_with(|job| job.queue = queue("foreign"))).collect();
    bench.store.enqueue(foreign).await.unwrap();
    let own = bench.enqueue_one().await;

    assert_eq!(ids_of(&bench.claim_scope(of_queues(&["default"]), 1).await.jobs), [own]);
}

async fn an_empty_scope_gets_nothing(bench: Bench) {
    bench.enqueue_one().await;
    let no_kind = Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Only(vec![]) });

    assert_eq!(bench.claim_scope(of_queues(&[]), 1).await.jobs, []);
    assert_eq!(bench.claim_scope(no_kind, 1).await.jobs, []);
}

async fn takes_nothing_from_a_paused_queue(bench: Bench) {
    bench.enqueue_with(|job| job.queue = queue("a")).await;
    let open = bench.enqueue_with(|job| job.queue = queue("b")).await;
    bench.store.pause(&queue("a"), operator()).await.unwrap();

    assert_eq!(ids_of(&bench.claim(10).await), [open]);
    assert_eq!(bench.claim_scope(of_queues(&["a"]), 10).await.jobs, []);
}

async fn never_takes_a_cancelled_job(bench: Bench) {
    let cancelled = bench.enqueue_one().await;
    let newer = bench.enqueue_one().await;
    bench.cancel(cancelled).await;

    assert_eq!(ids_of(&bench.claim(10).await), [newer]);
}

async fn claimers_at_once_never_share_a_job(bench: Bench) {
    const CLAIMERS: usize = 8;
    let mut expected = bench.enqueue_many(300).await;
    let mut workers = Vec::new();
    for _ in 0..CLAIMERS {
        workers.push(bench.register().await);
    }

    let store = bench.store.clone();
    let scope = Arc::new(Scope {
        queues: Queues::Only(vec![queue("default")]),
        kinds: Kinds::Only(vec![KindSupport { kind: kind("mail"), version_max: 1 }]),
    });
    let shares = at_once(CLAIMERS, move |index| {
        let (store, scope, worker) = (store.clone(), scope.clone(), workers[index]);
        async move {
            let mut share = Vec::new();
            loop {
                let claimed = store.claim(ClaimRequest::new(worker, scope.clone(), 7)).await.unwrap();
                if claimed.jobs.is_empty() {
                    return share;
                }
                share.extend(claimed.jobs);
            }
        }
    })
    .await;

    let mut claimed = ids_of(&shares.concat());
    claimed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(claimed, expected);
}
