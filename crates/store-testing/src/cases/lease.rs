//! Leases hold as long as somebody keeps them, and a token writes only under its own.

use std::time::Duration;

use windlass_core::limits::PAGE_MAX;
use windlass_core::{AttemptOutcome, AttemptToken, Edge, JobState, Json, Progress, Verdict};
use windlass_store::{Beat, ErrorKind, Holder, LeaseSummary, LeaseTerm, LeasedJob, PageRequest, Rescued, Settlement};

use crate::bench::{
    Bench, LEASE, MICROSECOND, SECOND, anything, failed, failed_for_now, field_of, just_before, line, queue, refused, succeeded,
};

cases! {
    g06_a_worker_that_lost_its_lease_cannot_settle_the_job,
    g06_nothing_can_be_written_after_the_lease_expired_though_nobody_took_the_job,
    g06_nothing_can_be_written_after_the_rescue,
    g06_nothing_can_be_written_over_a_successor,
    g06_a_successor_of_the_same_worker_fences_too,
    g06_nothing_can_be_written_with_another_nonce,
    g06_a_token_that_was_never_given_writes_nothing,
    g06_a_token_that_settled_is_told_so_until_the_next_claim,
    a_token_of_a_job_that_does_not_exist_is_not_found,
    a_lease_of_its_own_holds_from_each_extension,
    a_lease_of_the_process_is_only_looked_at_by_an_extension,
    a_beat_extends_every_lease_of_the_process,
    a_lease_of_its_own_neither_needs_nor_heeds_the_process,
    a_worker_that_beats_in_time_is_never_lost,
    the_holder_is_known_by_its_token_alone,
    looking_at_the_holder_keeps_nothing,
    jobs_are_enqueued_as_long_as_the_lease_holds,
    an_attempt_of_a_cancelled_job_enqueues_nothing_more,
    progress_can_be_read_at_once_and_survives_the_attempt,
    a_checkpoint_reaches_the_next_attempt_byte_for_byte,
    who_holds_a_job_is_shown_it_and_what_its_parents_made_by_its_token,
    silent_leases_are_listed_by_their_silence,
    a_list_of_leases_is_never_longer_than_a_page,
}

/// Whatever a token can be used for is refused with `expected`, and changes nothing.
async fn assert_fenced(bench: &Bench, token: AttemptToken, expected: &ErrorKind) {
    let before = bench.store.job(token.job).await.ok();
    let store = &bench.store;
    let progress = Progress::new(50, None).unwrap();
    let settlement = Settlement { token, verdict: succeeded() };
    let answers = [
        ("extend", refused(store.extend(token).await)),
        ("holder", refused(store.holder(token).await)),
        ("job", refused(store.job_under(token).await)),
        ("inputs", refused(store.inputs_under(token, token.job, PageRequest::first(1)).await)),
        ("progress", refused(store.progress(token, progress).await)),
        ("checkpoint", refused(store.checkpoint(token, Json::null()).await)),
        ("log", refused(store.log(token, vec![line("late")]).await)),
        ("log nothing", refused(store.log(token, vec![]).await)),
        ("enqueue", refused(store.enqueue_under(token, vec![bench.new_job()]).await)),
        ("enqueue nothing", refused(store.enqueue_under(token, vec![]).await)),
        ("settle", refused(store.settle(vec![settlement]).await.unwrap().remove(0))),
    ];
    for (call, answer) in answers {
        assert_eq!(&answer, expected, "{call}");
    }
    assert_eq!(bench.store.job(token.job).await.ok(), before);
    if before.is_some() {
        assert_eq!(bench.log_lines(token.job).await, []);
    }
}

async fn g06_a_worker_that_lost_its_lease_cannot_settle_the_job(bench: Bench) {
    bench.enqueue_one().await;
    let stale = bench.claim_one().await;
    bench.advance(LEASE);
    bench.rescue().await;
    let current = bench.claim_one().await;

    let settled = bench.try_settle(&stale, succeeded()).await;

    assert_eq!(settled, Err(ErrorKind::LeaseLost));
    assert_eq!(bench.state_of(current.id()).await, (JobState::Running, None));
    assert!(current.token > stale.token);
    assert_eq!(bench.settle(&current, succeeded()).await.state, JobState::Completed);
}

async fn g06_nothing_can_be_written_after_the_lease_expired_though_nobody_took_the_job(bench: Bench) {
    let of_process = bench.start_one().await;
    let own = bench.start_with_own_lease(LEASE).await;

    bench.advance(LEASE);

    assert_fenced(&bench, of_process.token, &ErrorKind::LeaseLost).await;
    assert_fenced(&bench, own.token, &ErrorKind::LeaseLost).await;
}

async fn g06_nothing_can_be_written_after_the_rescue(bench: Bench) {
    let job = bench.start_one().await;
    bench.advance(LEASE);

    bench.rescue().await;

    assert_fenced(&bench, job.token, &ErrorKind::LeaseLost).await;
}

async fn g06_nothing_can_be_written_over_a_successor(bench: Bench) {
    let stale = bench.start_one().await;
    bench.settle(&stale, failed_for_now("x")).await;
    let current = bench.claim_one().await;

    assert_fenced(&bench, stale.token, &ErrorKind::LeaseLost).await;
    assert_eq!(bench.settle(&current, succeeded()).await.state, JobState::Completed);
}

async fn g06_a_successor_of_the_same_worker_fences_too(bench: Bench) {
    let worker = bench.register().await;
    bench.enqueue_one().await;
    let claim = || async { bench.claim_as(worker, anything(), 1).await.jobs.remove(0) };
    let stale = claim().await;
    bench.settle(&stale, Verdict::Interrupted).await;

    let current = claim().await;

    assert_fenced(&bench, stale.token, &ErrorKind::LeaseLost).await;
    assert_eq!(bench.store.holder(current.token).await.unwrap().job, current.id());
}

async fn g06_nothing_can_be_written_with_another_nonce(bench: Bench) {
    let job = bench.start_one().await;

    for nonce in [0, 1, job.token.nonce ^ 2, u64::MAX] {
        assert_fenced(&bench, AttemptToken { nonce, ..job.token }, &ErrorKind::LeaseLost).await;
    }
    for number in [0, 2, u64::MAX] {
        assert_fenced(&bench, AttemptToken { number, ..job.token }, &ErrorKind::LeaseLost).await;
    }
    assert_eq!(bench.settle(&job, succeeded()).await.state, JobState::Completed);
}

async fn g06_a_token_that_was_never_given_writes_nothing(bench: Bench) {
    let job = bench.enqueue_one().await;

    for (number, nonce) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        assert_fenced(&bench, AttemptToken { job, number, nonce }, &ErrorKind::LeaseLost).await;
    }
}

async fn g06_a_token_that_settled_is_told_so_until_the_next_claim(bench: Bench) {
    let completed = bench.start_one().await;
    bench.settle(&completed, succeeded()).await;
    assert_fenced(&bench, completed.token, &ErrorKind::NotRunning).await;

    let waiting = bench.start_one().await;
    bench.settle(&waiting, failed("x")).await;
    assert_fenced(&bench, waiting.token, &ErrorKind::NotRunning).await;

    let released = bench.start_one().await;
    bench.settle(&released, Verdict::Released).await;
    assert_fenced(&bench, released.token, &ErrorKind::NotRunning).await;

    bench.claim_one().await;
    assert_fenced(&bench, released.token, &ErrorKind::LeaseLost).await;
    let forged = AttemptToken { nonce: completed.token.nonce ^ 2, ..completed.token };
    assert_fenced(&bench, forged, &ErrorKind::LeaseLost).await;
}

async fn a_token_of_a_job_that_does_not_exist_is_not_found(bench: Bench) {
    let token = AttemptToken { job: bench.fresh_id(), number: 1, nonce: 1 };

    assert_fenced(&bench, token, &ErrorKind::NotFound).await;
}

async fn a_lease_of_its_own_holds_from_each_extension(bench: Bench) {
    let job = bench.start_with_own_lease(SECOND).await;
    assert_eq!(job.lease_until, bench.now().after(SECOND));

    for _ in 0..3 {
        bench.advance(just_before(SECOND));
        let holder = bench.store.extend(job.token).await.unwrap();
        assert_eq!(holder.lease_until, bench.now().after(SECOND));
    }

    bench.advance(SECOND);
    assert_eq!(refused(bench.store.extend(job.token).await), ErrorKind::LeaseLost);
}

async fn a_lease_of_the_process_is_only_looked_at_by_an_extension(bench: Bench) {
    let job = bench.start_one().await;
    let until = job.lease_until;
    bench.advance(SECOND);

    let holder = bench.store.extend(job.token).await.unwrap();

    assert_eq!(holder, Holder { job: job.id(), lease_until: until, cancel_requested: false });
}

async fn a_beat_extends_every_lease_of_the_process(bench: Bench) {
    let jobs: [LeasedJob; 2] = [bench.start_one().await, bench.start_one().await];
    let worker = bench.worker().await;
    bench.advance(just_before(LEASE));

    let beat = bench.store.beat(worker).await.unwrap();

    let lease_until = bench.now().after(LEASE);
    assert_eq!(beat, Beat { lease_until, cancelled: vec![] });
    for job in jobs {
        assert_eq!(bench.store.holder(job.token).await.unwrap().lease_until, lease_until);
    }
}

async fn a_lease_of_its_own_neither_needs_nor_heeds_the_process(bench: Bench) {
    let short = bench.start_with_own_lease(SECOND).await;
    let long = bench.start_with_own_lease(LEASE * 2).await;
    let worker = bench.worker().await;

    bench.advance(SECOND);
    bench.store.beat(worker).await.unwrap();
    assert_eq!(refused(bench.store.extend(short.token).await), ErrorKind::LeaseLost);

    bench.advance(LEASE);
    let rescued = bench.rescue().await;
    assert_eq!((rescued.returned, rescued.workers), (1, 1));
    let lease_until = bench.now().after(LEASE * 2);
    assert_eq!(bench.store.extend(long.token).await.unwrap().lease_until, lease_until);
    assert_eq!(bench.settle(&long, succeeded()).await.state, JobState::Completed);
    assert_eq!(bench.outcomes(long.id()).await, [Some(AttemptOutcome::Succeeded)]);
}

async fn a_worker_that_beats_in_time_is_never_lost(bench: Bench) {
    let job = bench.start_one().await;
    let worker = bench.worker().await;

    for _ in 0..10 {
        bench.advance(LEASE / 2);
        bench.store.beat(worker).await.unwrap();
        assert_eq!(bench.rescue().await, Rescued::default());
    }

    assert_eq!(bench.settle(&job, succeeded()).await.state, JobState::Completed);
}

async fn the_holder_is_known_by_its_token_alone(bench: Bench) {
    let job = bench.start_one().await;
    let token: AttemptToken = job.token.to_string().parse().unwrap();

    let holder = bench.store.holder(token).await.unwrap();

    assert_eq!(holder, Holder { job: job.id(), lease_until: job.lease_until, cancel_requested: false });
}

async fn looking_at_the_holder_keeps_nothing(bench: Bench) {
    let job = bench.start_with_own_lease(SECOND).await;
    bench.advance(just_before(SECOND));

    assert_eq!(bench.store.holder(job.token).await.unwrap().lease_until, job.lease_until);

    bench.advance(MICROSECOND);
    assert_eq!(refused(bench.store.holder(job.token).await), ErrorKind::LeaseLost);
}

async fn jobs_are_enqueued_as_long_as_the_lease_holds(bench: Bench) {
    let (store, job) = (&bench.store, bench.start_one().await);
    let first = bench.new_job();
    let mut second = bench.new_job();
    second.after = vec![Edge::on_success(first.id)];
    second.queue = queue("elsewhere");
    let jobs = vec![first, second];
    let fault = bench.job_with(|job| job.version = 0);

    let made = store.enqueue_under(job.token, jobs.clone()).await.unwrap();
    let again = store.enqueue_under(job.token, jobs.clone()).await.unwrap();

    assert!(made.iter().all(|one| !one.repeated) && again.iter().all(|one| one.repeated));
    assert_eq!(made.iter().map(|one| one.id).collect::<Vec<_>>(), [jobs[0].id, jobs[1].id]);
    assert_eq!(bench.job(jobs[1].id).await.state, JobState::Blocked);
    assert_eq!(field_of(store.enqueue_under(job.token, vec![fault]).await), "version");
    bench.settle(&job, failed("they stay")).await;
    assert_eq!(bench.job(jobs[0].id).await.state, JobState::Ready);
    assert_eq!(refused(store.enqueue_under(job.token, jobs).await), ErrorKind::NotRunning);
}

async fn an_attempt_of_a_cancelled_job_enqueues_nothing_more(bench: Bench) {
    let job = bench.start_one().await;
    let child = bench.new_job();
    bench.cancel(job.id()).await;

    let answer = bench.store.enqueue_under(job.token, vec![child.clone()]).await;

    assert_eq!(refused(answer), ErrorKind::Cancelled);
    assert_eq!(refused(bench.store.job(child.id).await), ErrorKind::NotFound);
}

async fn progress_can_be_read_at_once_and_survives_the_attempt(bench: Bench) {
    let job = bench.start_one().await;

    for percent in [10, 100, 30] {
        let progress = Progress::new(percent, Some("é\u{1b}[0m")).unwrap();
        bench.store.progress(job.token, progress.clone()).await.unwrap();
        assert_eq!(bench.job(job.id()).await.progress, Some(progress));
    }

    bench.settle(&job, failed_for_now("x")).await;
    let again = bench.claim_one().await;
    let progress = Progress { percent: 30, message: Some("é[0m".to_owned()) };
    assert_eq!(bench.job(job.id()).await.progress, Some(progress));
    let silent = Progress::new(0, None).unwrap();
    bench.store.progress(again.token, silent.clone()).await.unwrap();
    assert_eq!(bench.job(job.id()).await.progress, Some(silent));
}

async fn a_checkpoint_reaches_the_next_attempt_byte_for_byte(bench: Bench) {
    let job = bench.start_one().await;
    let text = r#" {"a\u0000":9007199254740993, "a":-0} "#;
    let checkpoint = Json::new("checkpoint", text).unwrap();
    bench.store.checkpoint(job.token, Json::null()).await.unwrap();

    bench.store.checkpoint(job.token, checkpoint.clone()).await.unwrap();
    let checkpoint = bench.kept(&checkpoint);

    assert_eq!(bench.job(job.id()).await.checkpoint, Some(checkpoint.clone()));
    bench.advance(LEASE);
    bench.rescue().await;
    assert_eq!(bench.state_of(job.id()).await, (JobState::Ready, None));
    let again = bench.claim_one().await;
    assert_eq!(again.checkpoint, Some(checkpoint));
}

async fn who_holds_a_job_is_shown_it_and_what_its_parents_made_by_its_token(bench: Bench) {
    let (one, two) = (bench.enqueue(bench.new_job()).await, bench.enqueue(bench.new_job()).await);
    let child = bench.enqueue_after(&[two, one]).await;
    let made = Some(Json::new("result", "1").unwrap());
    bench.run_to(one, Verdict::Succeeded { result: made.clone() }).await;
    bench.complete(two).await;
    let worker = bench.worker().await;
    let token = bench.store.claim_job(worker, child, LeaseTerm::Process).await.unwrap().token;

    assert_eq!(bench.store.job_under(token).await.unwrap(), bench.job(child).await);
    let first = bench.store.inputs_under(token, child, PageRequest::first(1)).await.unwrap();
    let rest = bench.store.inputs_under(token, child, PageRequest::first(1).after(first.next)).await.unwrap();
    let given: Vec<_> = first.items.into_iter().chain(rest.items).map(|one| (one.parent, one.result)).collect();
    assert_eq!(given, [(two, None), (one, made)]);
}

async fn silent_leases_are_listed_by_their_silence(bench: Bench) {
    const PAUSE: Duration = Duration::from_secs(5);
    let of_process = bench.start_one().await;
    let early = bench.start_with_own_lease(LEASE).await;
    bench.advance(PAUSE);
    let late = bench.start_with_own_lease(LEASE).await;
    bench.store.extend(early.token).await.unwrap();
    bench.advance(PAUSE);

    let all = bench.store.leases(Duration::ZERO).await.unwrap();
    let silent = bench.store.leases(PAUSE + MICROSECOND).await.unwrap();
    let longer = bench.store.leases(PAUSE * 2 + MICROSECOND).await.unwrap();

    let of = |job: &LeasedJob, worker, silent_for| {
        let seen_at = bench.now().before(silent_for);
        LeaseSummary { token: job.token, worker, seen_at, lease_until: seen_at.after(LEASE) }
    };
    let worker = bench.worker().await;
    let silent_longest = of(&of_process, worker, PAUSE * 2);
    assert_eq!(all, [silent_longest.clone(), of(&early, worker, PAUSE), of(&late, worker, PAUSE)]);
    assert_eq!(silent, [silent_longest]);
    assert_eq!(longer, []);
}

async fn a_list_of_leases_is_never_longer_than_a_page(bench: Bench) {
    bench.enqueue_many(501).await;
    bench.claim(501).await;

    let leases = bench.store.leases(Duration::ZERO).await.unwrap();

    assert_eq!(leases.len(), usize::try_from(PAGE_MAX).unwrap());
    assert!(leases.is_sorted_by_key(|lease| lease.token.job));
}
