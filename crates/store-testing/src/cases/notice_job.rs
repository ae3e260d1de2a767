//! A notice is a job like any other, but for its name and who may do it.

use std::sync::Arc;

use windlass_core::notice::{KIND, QUEUE};
use windlass_core::{AttemptError, JobState, Notify, Verdict};
use windlass_store::Scope;

use super::notice::{mail, notices, telling, webhook};
use crate::bench::{Bench, anything, field_of, of_kind, of_queues, queue, succeeded};

cases! {
    an_end_that_is_told_hints_at_work,
    a_notice_is_claimed_only_by_who_names_its_queue,
    a_failing_notice_touches_neither_its_job_nor_anybody_else,
    whom_to_tell_reads_back,
    whom_to_tell_is_refused_by_field,
    names_of_its_own_are_nobody_elses_to_enqueue,
}

async fn an_end_that_is_told_hints_at_work(bench: Bench) {
    let job = bench.start_with(telling).await;
    let waiting = bench.enqueue_with(telling).await;
    let mut work = bench.store.signals().work();

    bench.settle(&job, succeeded()).await;
    work.next().await;

    let mut work = bench.store.signals().work();
    bench.cancel(waiting).await;
    work.next().await;
}

async fn a_notice_is_claimed_only_by_who_names_its_queue(bench: Bench) {
    let job = bench.start_with(telling).await;
    bench.settle(&job, succeeded()).await;
    let by_kind = Scope { kinds: of_kind(KIND.as_str(), 1).kinds.clone(), ..(*anything()).clone() };

    assert_eq!(bench.claim(5).await, []);
    assert_eq!(bench.claim_scope(Arc::new(by_kind), 5).await.jobs, []);

    let claimed = bench.claim_scope(of_queues(&[QUEUE.as_str(), "default"]), 5).await.jobs;
    assert_eq!(claimed.iter().map(|job| &job.kind).collect::<Vec<_>>(), [&*KIND]);
}

async fn a_failing_notice_touches_neither_its_job_nor_anybody_else(bench: Bench) {
    let job = bench.start_with(telling).await;
    bench.settle(&job, succeeded()).await;
    let before = bench.job(job.id()).await;
    let notice = bench.claim_scope(of_queues(&[QUEUE.as_str()]), 5).await.jobs.remove(0);

    bench.settle(&notice, Verdict::Fatal { error: AttemptError::new("the mailer is away") }).await;

    assert_eq!(bench.job(job.id()).await, before);
    let (left, _) = notices(&bench).await.remove(0);
    assert_eq!((left.id, left.state), (notice.id(), JobState::Dead));
    assert_eq!(notices(&bench).await.len(), 1);
}

async fn whom_to_tell_reads_back(bench: Bench) {
    let asked = vec![mail().on_dead(), webhook()];
    let id = bench.enqueue_with(|job| job.options.notify.clone_from(&asked)).await;

    assert_eq!(bench.job(id).await.options.notify, asked);
    assert_eq!(bench.claim_one().await.options.unwrap().notify, asked);
}

async fn whom_to_tell_is_refused_by_field(bench: Bench) {
    let many = (0..9).map(|n| Notify::mail(format!("ops{n}@example.com"))).collect();
    let not_an_end = Notify { on: [JobState::Ready].into(), ..mail() };
    for (notify, field) in [
        (vec![Notify::mail("nobody")], "notify[0].mail"),
        (vec![mail(), Notify::webhook("https://ada:secret@example.com")], "notify[1].webhook"),
        (vec![not_an_end], "notify[0].on"),
        (vec![mail(), mail().on_dead()], "notify[1]"),
        (many, "notify"),
    ] {
        let job = bench.job_with(|job| job.options.notify = notify);
        let id = job.id;

        assert_eq!(field_of(bench.store.enqueue(vec![job]).await), field);
        bench.store.job(id).await.unwrap_err();
    }
}

async fn names_of_its_own_are_nobody_elses_to_enqueue(bench: Bench) {
    let by_kind = bench.job_with(|job| job.kind = KIND.clone());
    let by_queue = bench.job_with(|job| job.queue = queue("windlass.mine"));

    assert_eq!(field_of(bench.store.enqueue(vec![by_kind]).await), "kind");
    assert_eq!(field_of(bench.store.enqueue(vec![bench.new_job(), by_queue]).await), "jobs[1].queue");
}
