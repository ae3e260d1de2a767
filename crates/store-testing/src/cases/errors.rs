//! What goes wrong is counted in groups, and the dead are brought back or copied.

use std::time::Duration;

use windlass_core::{
    AttemptError, Due, Fingerprint, JobId, JobState, Json, NewJob, Reason, Tag, Unique, Verdict,
};
use windlass_store::{Actor, ErrorFilter, ErrorGroup, ErrorKind, JobFilter, PageRequest};

use crate::bench::{
    Bench, LEASE, SECOND, failed, failed_for_now, field_of, kind, operator, queue, refused, succeeded,
};

cases! {
    failures_that_differ_in_numbers_alone_are_one_group,
    kind_and_type_of_an_error_tell_groups_apart,
    every_failure_is_counted_and_nothing_else,
    a_lost_attempt_is_an_error_too,
    a_group_outlives_its_jobs,
    groups_are_listed_by_when_they_were_seen_last,
    a_list_of_groups_can_be_narrowed,
    a_group_that_never_was_is_not_found,
    jobs_can_be_listed_by_the_group_of_an_error,
    jobs_can_be_listed_by_when_they_ended,
    errors_of_one_turn_are_all_counted,
    the_dead_that_match_are_redriven_and_keep_their_ids,
    a_redrive_goes_on_where_the_last_one_ended,
    a_job_that_cannot_be_redriven_does_not_touch_the_others,
    a_redrive_needs_somebody_who_does_it,
    a_rerun_is_a_new_job_that_says_what_it_is_a_copy_of,
    every_final_job_can_be_rerun_and_no_other,
    a_rerun_may_be_asked_for_again,
    a_rerun_respects_a_unique_key,
}

async fn groups(bench: &Bench) -> Vec<ErrorGroup> {
    bench.store.error_groups(ErrorFilter::default(), PageRequest::first(500)).await.unwrap().items
}

async fn ids(bench: &Bench, filter: JobFilter) -> Vec<JobId> {
    let page = bench.store.jobs(filter, PageRequest::first(500)).await.unwrap();
    page.items.iter().map(|job| job.id).collect()
}

/// A job that died of this.
async fn dead(bench: &Bench, message: &str) -> JobId {
    dead_with(bench, message, |_| {}).await
}

async fn dead_with(bench: &Bench, message: &str, change: impl FnOnce(&mut NewJob)) -> JobId {
    let job = bench.start_with(change).await;
    bench.settle(&job, Verdict::Fatal { error: AttemptError::new(message) }).await;
    job.id()
}

async fn failures_that_differ_in_numbers_alone_are_one_group(bench: Bench) {
    let first_at = bench.now();
    dead(&bench, "user 4711 not found in \"eu\"").await;
    bench.advance(SECOND);
    let last = dead(&bench, "user 12 not found in \"us\"").await;

    let groups = groups(&bench).await;

    let fingerprint = Fingerprint::of(&kind("mail"), &AttemptError::new("user 1 not found in 'x'"));
    let expected = ErrorGroup {
        fingerprint,
        kind: kind("mail"),
        class: None,
        message: "user <n> not found in <text>".to_owned(),
        count: 2,
        first_at,
        last_at: first_at.after(SECOND),
        example: last,
    };
    assert_eq!(groups, std::slice::from_ref(&expected));
    assert_eq!(bench.store.error_group(fingerprint).await.unwrap(), expected);
}

async fn kind_and_type_of_an_error_tell_groups_apart(bench: Bench) {
    dead(&bench, "x").await;
    dead_with(&bench, "x", |job| job.kind = kind("fish")).await;
    let job = bench.start_one().await;
    bench.settle(&job, Verdict::Fatal { error: AttemptError::new("x").with_class("Io") }).await;
    // A queue is no difference.
    dead_with(&bench, "x", |job| job.queue = queue("other")).await;

    let mut counts: Vec<_> =
        groups(&bench).await.into_iter().map(|group| (group.kind, group.class, group.count)).collect();
    counts.sort();

    let io = Some("Io".to_owned());
    assert_eq!(counts, [(kind("fish"), None, 1), (kind("mail"), None, 2), (kind("mail"), io, 1)]);
}

async fn every_failure_is_counted_and_nothing_else(bench: Bench) {
    let job = bench.start_with(|job| job.attempts_max = 3).await;
    bench.settle(&job, failed_for_now("x")).await;
    let again = bench.claim_one().await;
    bench.settle(&again, Verdict::TimedOut { error: AttemptError::new("x") }).await;
    let error = || AttemptError::new("x");
    for verdict in [
        succeeded(),
        Verdict::Unchanged { result: None },
        Verdict::Cancelled { error: error() },
        Verdict::Snoozed { delay: SECOND },
        Verdict::Interrupted,
        Verdict::Released,
    ] {
        let job = bench.start_one().await;
        bench.settle(&job, verdict).await;
    }
    let cancelled = bench.start_one().await;
    bench.cancel(cancelled.id()).await;
    bench.try_settle(&cancelled, failed("x")).await.unwrap_err();
    bench.enqueue_with(|job| job.deadline = Some(Due::At(bench.now()))).await;
    bench.rescue().await;

    assert_eq!(groups(&bench).await.iter().map(|group| group.count).collect::<Vec<_>>(), [2]);

    let released = bench.start_one().await;
    bench.settle(&released, failed_for_now("x")).await;
    let released = bench.claim(1).await;
    bench.settle(&released[0], Verdict::Released).await;
    assert_eq!(groups(&bench).await[0].count, 3, "what was given back unstarted failed once");
}

async fn a_lost_attempt_is_an_error_too(bench: Bench) {
    let job = bench.start_one().await;
    bench.advance(LEASE);
    bench.rescue().await;

    let groups = groups(&bench).await;

    assert_eq!((groups.len(), groups[0].count, groups[0].example), (1, 1, job.id()));
    assert!(groups[0].message.contains("lease expired"), "{groups:?}");
}

async fn a_group_outlives_its_jobs(bench: Bench) {
    let id = dead(&bench, "x").await;
    bench.store.delete(id, operator()).await.unwrap();

    assert_eq!(groups(&bench).await[0].example, id);
}

async fn groups_are_listed_by_when_they_were_seen_last(bench: Bench) {
    for message in ["a", "b", "c", "a"] {
        dead(&bench, message).await;
        bench.advance(SECOND);
    }

    let (mut messages, mut page) = (Vec::new(), PageRequest::first(2));
    loop {
        let found = bench.store.error_groups(ErrorFilter::default(), page).await.unwrap();
        assert!(found.items.len() <= 2);
        messages.extend(found.items.into_iter().map(|group| group.message));
        if found.next.is_none() {
            break;
        }
        page = page.after(found.next);
    }

    assert_eq!(messages, ["a", "c", "b"]);
}

async fn a_list_of_groups_can_be_narrowed(bench: Bench) {
    dead(&bench, "old").await;
    bench.advance(SECOND);
    let since = bench.now();
    dead(&bench, "new").await;
    dead_with(&bench, "new", |job| job.kind = kind("fish")).await;

    let count =
        async |filter| bench.store.error_groups(filter, PageRequest::first(10)).await.unwrap().items.len();

    assert_eq!(count(ErrorFilter { kinds: vec![kind("fish")], ..ErrorFilter::default() }).await, 1);
    assert_eq!(count(ErrorFilter { seen_since: Some(since), ..ErrorFilter::default() }).await, 2);
    let both = ErrorFilter { kinds: vec![kind("mail")], seen_since: Some(since) };
    assert_eq!(count(both).await, 1);
}

async fn a_group_that_never_was_is_not_found(bench: Bench) {
    let fingerprint = Fingerprint::from_number(7);

    assert_eq!(refused(bench.store.error_group(fingerprint).await), ErrorKind::NotFound);
}

async fn jobs_can_be_listed_by_the_group_of_an_error(bench: Bench) {
    let one = dead(&bench, "user 1 not found").await;
    let two = dead(&bench, "user 2 not found").await;
    dead(&bench, "gone").await;
    let mended = bench.start_one().await;
    bench.settle(&mended, failed_for_now("user 3 not found")).await;
    let again = bench.claim_one().await;
    bench.settle(&again, succeeded()).await;

    let fingerprint = Fingerprint::of(&kind("mail"), &AttemptError::new("user 0 not found"));
    let of_group = JobFilter { fingerprint: Some(fingerprint), ..JobFilter::default() };

    assert_eq!(ids(&bench, of_group.clone()).await, [mended.id(), two, one]);
    let dead = JobFilter { states: vec![JobState::Dead], ..of_group };
    assert_eq!(ids(&bench, dead).await, [two, one]);
}

async fn jobs_can_be_listed_by_when_they_ended(bench: Bench) {
    dead(&bench, "x").await;
    let (late, unfinished) = (bench.enqueue_one().await, bench.enqueue_one().await);
    bench.advance(SECOND);
    let since = JobFilter { finished_since: Some(bench.now()), ..JobFilter::default() };
    let running = bench.start_one().await;
    bench.cancel(running.id()).await;
    bench.cancel(late).await;

    let found = ids(&bench, since).await;

    assert_eq!(found, [running.id(), late]);
    assert!(!found.contains(&unfinished));
}

async fn errors_of_one_turn_are_all_counted(bench: Bench) {
    bench.enqueue_many(7).await;
    let jobs = bench.claim(7).await;
    let settlements = jobs.iter().enumerate().map(|(index, job)| windlass_store::Settlement {
        token: job.token,
        verdict: failed(if index % 2 == 0 { "a" } else { "b" }),
    });

    for settled in bench.store.settle(settlements.collect()).await.unwrap() {
        settled.unwrap();
    }

    let mut counts: Vec<_> =
        groups(&bench).await.into_iter().map(|group| (group.message, group.count)).collect();
    counts.sort();
    assert_eq!(counts, [("a".to_owned(), 4), ("b".to_owned(), 3)]);
}

async fn the_dead_that_match_are_redriven_and_keep_their_ids(bench: Bench) {
    let one = dead(&bench, "user 1 not found").await;
    let two = dead(&bench, "user 2 not found").await;
    let other = dead(&bench, "gone").await;
    let waiting = bench.enqueue_one().await;
    let fingerprint = Fingerprint::of(&kind("mail"), &AttemptError::new("user 0 not found"));
    let filter = JobFilter { fingerprint: Some(fingerprint), ..JobFilter::default() };

    let redriven = bench.store.redrive(filter, PageRequest::first(10), operator()).await.unwrap();

    assert_eq!((redriven.jobs, redriven.refused.len(), redriven.next), (vec![two, one], 0, None));
    for id in [one, two, waiting] {
        assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
    }
    assert_eq!(bench.state_of(other).await, (JobState::Dead, Some(Reason::Fatal)));
    let events = bench.store.events(one).await.unwrap();
    assert_eq!((events[0].verb.as_str(), &events[0].by), ("retry", &operator()));
}

async fn a_redrive_goes_on_where_the_last_one_ended(bench: Bench) {
    for _ in 0..5 {
        dead(&bench, "x").await;
    }

    let (mut page, mut jobs, mut calls) = (PageRequest::first(2), Vec::new(), 0);
    loop {
        let one = bench.store.redrive(JobFilter::default(), page, operator()).await.unwrap();
        assert!(one.jobs.len() <= 2);
        jobs.extend(one.jobs);
        calls += 1;
        if one.next.is_none() {
            break;
        }
        page = page.after(one.next);
    }

    assert_eq!((jobs.len(), calls >= 3), (5, true));
    assert_eq!(bench.claim(10).await.len(), 5);
}

async fn a_job_that_cannot_be_redriven_does_not_touch_the_others(bench: Bench) {
    let keyed = dead_with(&bench, "x", |job| job.options.unique = Some(Unique::key("k"))).await;
    let plain = dead(&bench, "x").await;
    let holder = bench.enqueue_with(|job| job.options.unique = Some(Unique::key("k"))).await;

    let all = bench.store.redrive(JobFilter::default(), PageRequest::first(10), operator()).await.unwrap();

    assert_eq!(all.jobs, [plain]);
    let refused: Vec<_> = all.refused.iter().map(|(id, error)| (*id, error.kind().clone())).collect();
    assert_eq!(refused, [(keyed, ErrorKind::Duplicate(holder))]);
}

async fn a_redrive_needs_somebody_who_does_it(bench: Bench) {
    let id = dead(&bench, "x").await;

    let answer = bench.store.redrive(JobFilter::default(), PageRequest::first(10), Actor::new("")).await;

    assert_eq!(field_of(answer), "by.name");
    assert_eq!(bench.state_of(id).await.0, JobState::Dead);
}

async fn a_rerun_is_a_new_job_that_says_what_it_is_a_copy_of(bench: Bench) {
    let job = bench
        .start_with(|job| {
            job.queue = queue("other");
            job.version = 3;
            (job.attempts_max, job.losses_max) = (2, 1);
            job.deadline = Some(Due::In(Duration::from_secs(60)));
            job.options.tags = vec![Tag::new("t").unwrap()];
        })
        .await;
    bench.settle(&job, Verdict::Succeeded { result: Some(Json::null()) }).await;
    let before = bench.job(job.id()).await;
    bench.advance(SECOND * 120);
    let copy = bench.fresh_id();

    let rerun = bench.store.rerun(job.id(), copy, operator()).await.unwrap();

    assert_eq!((rerun.id, rerun.repeated), (copy, false));
    assert_eq!(bench.job(job.id()).await, before);
    let made = bench.job(copy).await;
    assert_eq!((made.state, made.attempt, made.losses), (JobState::Ready, 0, 0));
    assert_eq!((&made.queue, made.version, &made.args), (&before.queue, 3, &before.args));
    assert_eq!((made.attempts_max, made.losses_max, made.deadline), (2, 1, None));
    assert_eq!((made.run_at, made.result), (bench.now(), None));
    assert_eq!(made.options.rerun_of, Some(job.id()));
    assert_eq!(made.options.tags, before.options.tags);
    assert_eq!(bench.claim_one().await.id(), copy);
}

async fn every_final_job_can_be_rerun_and_no_other(bench: Bench) {
    let died = dead(&bench, "x").await;
    let cancelled = bench.enqueue_one().await;
    bench.cancel(cancelled).await;
    for id in [died, cancelled] {
        let _copy = bench.store.rerun(id, bench.fresh_id(), operator()).await.unwrap();
    }

    let waiting = bench.enqueue_one().await;
    let running = bench.start_one().await;
    for id in [waiting, running.id()] {
        assert_eq!(refused(bench.store.rerun(id, bench.fresh_id(), operator()).await), ErrorKind::NotReady);
    }
    let nobody = bench.store.rerun(bench.fresh_id(), bench.fresh_id(), operator()).await;
    assert_eq!(refused(nobody), ErrorKind::NotFound);
}

async fn a_rerun_may_be_asked_for_again(bench: Bench) {
    let id = dead(&bench, "x").await;
    let copy = bench.fresh_id();

    let _copy = bench.store.rerun(id, copy, operator()).await.unwrap();
    let again = bench.store.rerun(id, copy, operator()).await.unwrap();

    assert_eq!((again.id, again.repeated), (copy, true));
    assert_eq!(ids(&bench, JobFilter::default()).await, [copy, id]);
}

async fn a_rerun_respects_a_unique_key(bench: Bench) {
    let died = dead_with(&bench, "x", |job| job.options.unique = Some(Unique::key("k"))).await;
    let first = bench.fresh_id();
    let _copy = bench.store.rerun(died, first, operator()).await.unwrap();

    let second = bench.store.rerun(died, bench.fresh_id(), operator()).await;

    assert_eq!(refused(second), ErrorKind::Duplicate(first));
}
