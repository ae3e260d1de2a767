//! Unique keys: at most one job for each, whoever asks and however many at once.

use std::sync::Arc;
use std::time::Duration;

use windlass_core::{Args, AttemptError, Due, Edge, Job, JobId, JobState, NewJob, Unique, Verdict};
use windlass_store::{EnqueueOutcome, Enqueued, ErrorKind, JobFilter, PageRequest, Retention};

use crate::bench::{
    Bench, LEASE, MICROSECOND, SECOND, at_once, failed, failed_for_now, field_of, just_before, kind,
    operator, queue, refused, succeeded,
};

cases! {
    g14_the_second_of_two_finds_the_first_and_changes_nothing,
    who_asks_to_be_refused_is_told_which_job_has_the_key,
    a_refused_job_refuses_its_batch_and_names_its_place,
    a_key_is_its_kinds_or_its_queues_or_everybodys,
    equal_keys_collide_whatever_the_args,
    the_fingerprint_is_of_kind_and_args_whatever_the_order_of_their_keys,
    g14_a_job_that_waits_for_its_retry_keeps_its_key,
    every_end_of_a_job_frees_its_key,
    a_key_held_while_waiting_is_free_once_the_job_is_started,
    a_key_for_a_span_is_kept_when_its_job_has_ended,
    a_key_for_a_span_is_kept_beyond_it_while_its_job_is_not_final,
    a_key_for_a_span_outlives_a_pruned_job_but_not_a_deleted_one,
    a_repeated_enqueue_answers_what_happened_the_first_time,
    what_was_answered_is_forgotten_after_a_day,
    the_jobs_of_a_batch_meet_one_another_in_order,
    a_batch_may_mix_unique_jobs_with_others,
    a_job_may_wait_for_one_of_its_batch_that_was_not_made,
    a_retried_job_takes_its_key_back_or_is_refused,
    a_job_that_is_brought_back_stands_in_the_way_again,
    g14_many_at_once_make_one_job_of_a_key,
    keys_survive_the_store,
    what_is_asked_of_a_key_reads_back,
    what_makes_no_sense_is_refused_by_field,
    tidying_keeps_the_keys_that_are_taken,
}

pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A job with this unique key and these args.
pub(super) fn asking(bench: &Bench, unique: Unique, args: &str) -> NewJob {
    bench.job_with(|job| {
        job.args = Args::json(args.to_owned()).unwrap();
        job.options.unique = Some(unique);
    })
}

fn named(bench: &Bench, unique: Unique) -> NewJob {
    asking(bench, unique, "null")
}

pub(super) fn k() -> Unique {
    Unique::key("k")
}

pub(super) async fn enqueue(bench: &Bench, job: NewJob) -> Enqueued {
    bench.store.enqueue(vec![job]).await.unwrap()[0]
}

/// What became of one more job with the key.
pub(super) async fn ask(bench: &Bench, unique: Unique) -> Enqueued {
    enqueue(bench, named(bench, unique)).await
}

pub(super) async fn outcome(bench: &Bench, unique: Unique) -> EnqueueOutcome {
    ask(bench, unique).await.outcome
}

pub(super) async fn jobs(bench: &Bench) -> Vec<Job> {
    bench.store.jobs(JobFilter::default(), PageRequest::first(500)).await.unwrap().items
}

async fn unfinished(bench: &Bench) -> usize {
    jobs(bench).await.iter().filter(|job| !job.state.is_final()).count()
}

pub(super) async fn assert_sound(bench: &Bench) {
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

async fn g14_the_second_of_two_finds_the_first_and_changes_nothing(bench: Bench) {
    let first = asking(&bench, k(), "1");
    let created = enqueue(&bench, first.clone()).await;
    let before = bench.job(first.id).await;
    bench.advance(SECOND);

    let second = enqueue(&bench, asking(&bench, k(), "2")).await;

    assert_eq!((created.id, created.outcome, created.repeated), (first.id, EnqueueOutcome::Created, false));
    assert_eq!((second.id, second.outcome, second.repeated), (first.id, EnqueueOutcome::Existing, false));
    assert_eq!(jobs(&bench).await, [before]);
    assert_sound(&bench).await;
}

async fn who_asks_to_be_refused_is_told_which_job_has_the_key(bench: Bench) {
    let first = ask(&bench, k()).await.id;

    let answer = bench.store.enqueue(vec![named(&bench, k().reject())]).await;

    assert_eq!(refused(answer), ErrorKind::Duplicate(first));
    assert_eq!(jobs(&bench).await.len(), 1);
}

async fn a_refused_job_refuses_its_batch_and_names_its_place(bench: Bench) {
    let first = ask(&bench, k()).await.id;
    let plain = bench.new_job();
    let other = named(&bench, Unique::key("other"));

    let batch = vec![plain.clone(), other.clone(), named(&bench, k().reject())];
    let error = bench.store.enqueue(batch).await.unwrap_err();

    assert_eq!(*error.kind(), ErrorKind::Duplicate(first));
    assert!(error.to_string().contains("jobs[2].unique"), "{error}");
    assert_eq!(refused(bench.store.job(plain.id).await), ErrorKind::NotFound);
    assert_eq!(outcome(&bench, Unique::key("other")).await, EnqueueOutcome::Created);
}

async fn a_key_is_its_kinds_or_its_queues_or_everybodys(bench: Bench) {
    let mut found = Vec::new();
    for unique in [k(), k().within_queue(), k().globally()] {
        bench.enqueue(named(&bench, unique.clone())).await;
        for (kind_name, queue_name) in [("mail", "other"), ("post", "default"), ("post", "other")] {
            let mut job = named(&bench, unique.clone());
            (job.kind, job.queue) = (kind(kind_name), queue(queue_name));
            let answer = enqueue(&bench, job).await;
            found.push(answer.outcome == EnqueueOutcome::Existing);
            if answer.outcome == EnqueueOutcome::Created {
                bench.cancel(answer.id).await;
            }
        }
    }

    assert_eq!(found, [true, false, false, false, true, false, true, true, true]);
}

async fn equal_keys_collide_whatever_the_args(bench: Bench) {
    bench.enqueue(asking(&bench, k(), "1")).await;

    assert_eq!(enqueue(&bench, asking(&bench, k(), "2")).await.outcome, EnqueueOutcome::Existing);
    let other = asking(&bench, Unique::key("l"), "1");
    assert_eq!(enqueue(&bench, other).await.outcome, EnqueueOutcome::Created);
    let by_args = asking(&bench, Unique::by_args(), "1");
    assert_eq!(enqueue(&bench, by_args).await.outcome, EnqueueOutcome::Created, "it has a key of its own");
}

async fn the_fingerprint_is_of_kind_and_args_whatever_the_order_of_their_keys(bench: Bench) {
    let by_args = |args: &str| asking(&bench, Unique::by_args(), args);
    bench.enqueue(by_args(r#"{"to":"ada","n":[1,{"a":1,"b":2}]}"#)).await;

    let same = enqueue(&bench, by_args(r#" {"n": [1, {"b":2, "a":1}], "to":"ada"} "#)).await;
    let different = enqueue(&bench, by_args(r#"{"to":"ada","n":[{"a":1,"b":2},1]}"#)).await;
    let mut elsewhere = by_args(r#"{"to":"ada","n":[1,{"a":1,"b":2}]}"#);
    elsewhere.queue = queue("other");
    let elsewhere = enqueue(&bench, elsewhere).await;

    assert_eq!(same.outcome, EnqueueOutcome::Existing);
    assert_eq!(different.outcome, EnqueueOutcome::Created);
    assert_eq!(elsewhere.outcome, EnqueueOutcome::Existing);
    let bytes = |bytes: &[u8]| {
        let mut job = by_args("null");
        job.args = Args::Bytes(bytes.to_vec().into());
        job
    };
    assert_eq!(enqueue(&bench, bytes(b"\xff1")).await.outcome, EnqueueOutcome::Created);
    assert_eq!(enqueue(&bench, bytes(b"\xff1")).await.outcome, EnqueueOutcome::Existing);
    assert_eq!(enqueue(&bench, bytes(b"\xff2")).await.outcome, EnqueueOutcome::Created);
}

async fn g14_a_job_that_waits_for_its_retry_keeps_its_key(bench: Bench) {
    let first = bench.start_with(|job| job.options.unique = Some(k())).await;
    bench.settle(&first, failed("x")).await;
    assert_eq!(bench.state_of(first.id()).await.0, JobState::Retryable);

    assert_eq!(
        refused(bench.store.enqueue(vec![named(&bench, k().reject())]).await),
        ErrorKind::Duplicate(first.id())
    );
    bench.advance(DAY);
    let again = bench.claim_one().await;
    assert_eq!(again.id(), first.id());
    bench.settle(&again, succeeded()).await;
    assert_eq!(outcome(&bench, k().reject()).await, EnqueueOutcome::Created);
}

/// The ways in which a job can end, each done to a fresh one with the key.
async fn end_in_every_way(bench: &Bench, way: usize, change: impl Fn(&mut NewJob)) -> Option<JobId> {
    let fatal = Verdict::Fatal { error: AttemptError::new("x") };
    let verdicts = [
        succeeded(),
        Verdict::Unchanged { result: None },
        fatal,
        Verdict::Undecodable { error: AttemptError::new("x") },
        Verdict::Cancelled { error: AttemptError::new("x") },
        failed("x"),
    ];
    if let Some(verdict) = verdicts.get(way) {
        let job = bench
            .start_with(|job| {
                change(job);
                job.attempts_max = 1;
            })
            .await;
        bench.settle(&job, verdict.clone()).await;
        return Some(job.id());
    }
    match way - verdicts.len() {
        0 => {
            let id = bench.enqueue_with(&change).await;
            bench.cancel(id).await;
            Some(id)
        }
        1 => {
            let job = bench.start_with(&change).await;
            bench.cancel(job.id()).await;
            Some(job.id())
        }
        2 => {
            let job = bench
                .start_with(|job| {
                    change(job);
                    job.losses_max = 0;
                })
                .await;
            bench.advance(LEASE);
            bench.rescue().await;
            Some(job.id())
        }
        way @ (3 | 4) => {
            let id = bench
                .enqueue_with(|job| {
                    change(job);
                    job.deadline = Some(Due::In(SECOND));
                })
                .await;
            bench.advance(SECOND);
            if way == 3 {
                assert_eq!(bench.claim(10).await, []);
            } else {
                bench.rescue().await;
            }
            Some(id)
        }
        5 => {
            let id = bench.enqueue_with(&change).await;
            bench.store.delete(id, operator()).await.unwrap();
            Some(id)
        }
        _ => None,
    }
}

async fn every_end_of_a_job_frees_its_key(bench: Bench) {
    for way in 0.. {
        let change = |job: &mut NewJob| job.options.unique = Some(k().reject());
        let Some(_) = end_in_every_way(&bench, way, change).await else {
            assert!(way > 10);
            break;
        };

        assert_eq!(unfinished(&bench).await, 0, "way {way}");
        assert_eq!(outcome(&bench, Unique::key("k").reject()).await, EnqueueOutcome::Created, "way {way}");
        let last = jobs(&bench).await[0].id;
        bench.store.delete(last, operator()).await.unwrap();
    }
    assert_sound(&bench).await;
}

async fn a_key_held_while_waiting_is_free_once_the_job_is_started(bench: Bench) {
    let waiting = || k().while_waiting();
    let first = ask(&bench, waiting()).await.id;
    assert_eq!(outcome(&bench, waiting()).await, EnqueueOutcome::Existing);

    let started = bench.claim_one().await;
    assert_eq!(started.id(), first);

    let second = ask(&bench, waiting()).await;
    assert_eq!(second.outcome, EnqueueOutcome::Created);
    // It waits again, and does not take the key back.
    bench.settle(&started, failed_for_now("x")).await;
    let third = ask(&bench, waiting()).await;
    assert_eq!((third.id, third.outcome), (second.id, EnqueueOutcome::Existing));
    let started = bench.claim(10).await;
    assert_eq!(started.len(), 2);
    for job in &started {
        bench.settle(job, Verdict::Released).await;
    }
    assert_eq!(outcome(&bench, waiting()).await, EnqueueOutcome::Created);
    assert_sound(&bench).await;
}

async fn a_key_for_a_span_is_kept_when_its_job_has_ended(bench: Bench) {
    let unique = || k().for_span(DAY);
    let job = bench.start_with(|job| job.options.unique = Some(unique())).await;
    bench.settle(&job, succeeded()).await;

    bench.advance(just_before(DAY));
    let met = ask(&bench, unique()).await;
    assert_eq!((met.id, met.outcome), (job.id(), EnqueueOutcome::Existing));
    let answer = bench.store.enqueue(vec![named(&bench, unique().reject())]).await;
    assert_eq!(refused(answer), ErrorKind::Duplicate(job.id()));

    bench.advance(MICROSECOND);
    assert_eq!(outcome(&bench, unique()).await, EnqueueOutcome::Created);
    assert_sound(&bench).await;
}

async fn a_key_for_a_span_is_kept_beyond_it_while_its_job_is_not_final(bench: Bench) {
    let unique = || k().for_span(SECOND);
    let id = ask(&bench, unique()).await.id;
    bench.advance(SECOND * 5);
    assert_eq!(outcome(&bench, unique()).await, EnqueueOutcome::Existing);

    bench.cancel(id).await;

    assert_eq!(outcome(&bench, unique()).await, EnqueueOutcome::Created);
}

async fn a_key_for_a_span_outlives_a_pruned_job_but_not_a_deleted_one(bench: Bench) {
    let unique = || k().for_span(DAY);
    let now = Some(Duration::ZERO);
    let at_once = Retention { completed: now, cancelled: now, dead: now };
    let first = ask(&bench, unique()).await.id;
    bench.cancel(first).await;
    assert_eq!(bench.store.prune(at_once).await.unwrap().removed, 1);

    let met = ask(&bench, unique()).await;
    assert_eq!((met.id, met.outcome), (first, EnqueueOutcome::Existing));
    assert_sound(&bench).await;

    bench.advance(DAY);
    let second = ask(&bench, unique()).await.id;
    bench.cancel(second).await;
    bench.store.delete(second, operator()).await.unwrap();
    assert_eq!(outcome(&bench, unique()).await, EnqueueOutcome::Created);
}

async fn a_repeated_enqueue_answers_what_happened_the_first_time(bench: Bench) {
    let (first, second, third) =
        (asking(&bench, k(), "1"), asking(&bench, k(), "2"), asking(&bench, k().replace(), "3"));
    for job in [&first, &second, &third] {
        bench.enqueue(job.clone()).await;
    }
    let other = enqueue(&bench, asking(&bench, k().replace(), "4")).await;
    assert_eq!(other.outcome, EnqueueOutcome::Replaced);
    bench.cancel(first.id).await;

    for (job, outcome) in [
        (first.clone(), EnqueueOutcome::Created),
        (second, EnqueueOutcome::Existing),
        (third, EnqueueOutcome::Replaced),
    ] {
        let again = enqueue(&bench, job).await;
        assert_eq!(again, Enqueued { id: first.id, outcome, repeated: true });
    }
    assert_eq!(bench.job(first.id).await.args, Args::json("4").unwrap());
    assert_eq!(jobs(&bench).await.len(), 1);
}

async fn what_was_answered_is_forgotten_after_a_day(bench: Bench) {
    let first = ask(&bench, k()).await.id;
    let second = named(&bench, k());
    bench.enqueue(second.clone()).await;
    bench.cancel(first).await;

    bench.advance(just_before(DAY));
    bench.store.tidy().await.unwrap();
    let again = enqueue(&bench, second.clone()).await;
    assert_eq!(again, Enqueued { id: first, outcome: EnqueueOutcome::Existing, repeated: true });

    bench.advance(MICROSECOND);
    let anew = enqueue(&bench, second.clone()).await;
    assert_eq!(anew, Enqueued { id: second.id, outcome: EnqueueOutcome::Created, repeated: false });
}

async fn the_jobs_of_a_batch_meet_one_another_in_order(bench: Bench) {
    let batch = vec![
        asking(&bench, k(), "1"),
        asking(&bench, k(), "2"),
        asking(&bench, k().replace(), "3"),
        asking(&bench, Unique::key("l"), "4"),
        asking(&bench, k().replace(), "5"),
    ];
    let first = batch[0].id;

    let answers = bench.store.enqueue(batch.clone()).await.unwrap();

    let outcomes: Vec<_> = answers.iter().map(|answer| (answer.id, answer.outcome)).collect();
    let (created, existing, replaced) =
        (EnqueueOutcome::Created, EnqueueOutcome::Existing, EnqueueOutcome::Replaced);
    assert_eq!(
        outcomes,
        [(first, created), (first, existing), (first, replaced), (batch[3].id, created), (first, replaced)]
    );
    let job = bench.job(first).await;
    assert_eq!((&job.args, job.revision), (&batch[4].args, 3));
    assert_eq!(jobs(&bench).await.len(), 2);
    let answer =
        bench.store.enqueue(vec![named(&bench, Unique::key("m")), named(&bench, Unique::key("m").reject())]);
    assert!(matches!(refused(answer.await), ErrorKind::Duplicate(_)));
    assert_eq!(jobs(&bench).await.len(), 2);
}

async fn a_batch_may_mix_unique_jobs_with_others(bench: Bench) {
    let mut batch: Vec<NewJob> = (0..40).map(|_| bench.new_job()).collect();
    batch[7].options.unique = Some(k());
    batch[31].options.unique = Some(k());
    let known = batch[3].clone();
    bench.enqueue(known).await;

    let answers = bench.store.enqueue(batch.clone()).await.unwrap();

    for (place, (job, answer)) in batch.iter().zip(&answers).enumerate() {
        let (stands, outcome) = match place {
            31 => (batch[7].id, EnqueueOutcome::Existing),
            _ => (job.id, EnqueueOutcome::Created),
        };
        assert_eq!(*answer, Enqueued { id: stands, outcome, repeated: place == 3 });
    }
    assert_eq!(bench.claim(100).await.len(), 39);
}

async fn a_job_may_wait_for_one_of_its_batch_that_was_not_made(bench: Bench) {
    let running = bench.start_with(|job| job.options.unique = Some(k())).await;
    let parent = named(&bench, k());
    let child = bench.job_with(|job| job.after = vec![Edge::on_success(parent.id)]);

    let answers = bench.store.enqueue(vec![child.clone(), parent.clone()]).await.unwrap();

    assert_eq!((answers[1].id, answers[1].outcome), (running.id(), EnqueueOutcome::Existing));
    assert_eq!(bench.state_of(child.id).await.0, JobState::Blocked);
    bench.settle(&running, succeeded()).await;
    assert_eq!(bench.state_of(child.id).await.0, JobState::Ready);
    assert_sound(&bench).await;
}

async fn a_retried_job_takes_its_key_back_or_is_refused(bench: Bench) {
    let dead = bench
        .start_with(|job| {
            job.options.unique = Some(k());
            job.attempts_max = 1;
        })
        .await;
    bench.settle(&dead, failed("x")).await;
    let other = ask(&bench, k()).await.id;
    let before = bench.job(dead.id()).await;

    assert_eq!(refused(bench.store.retry(dead.id(), operator()).await), ErrorKind::Duplicate(other));
    assert_eq!(bench.job(dead.id()).await, before);

    bench.cancel(other).await;
    bench.store.retry(dead.id(), operator()).await.unwrap();
    let met = ask(&bench, k()).await;
    assert_eq!((met.id, met.outcome), (dead.id(), EnqueueOutcome::Existing));
    assert_sound(&bench).await;
}

async fn a_job_that_is_brought_back_stands_in_the_way_again(bench: Bench) {
    // Within the span of its own key.
    let spanned = ask(&bench, Unique::key("s").for_span(DAY)).await.id;
    bench.cancel(spanned).await;
    bench.store.retry(spanned, operator()).await.unwrap();
    bench.advance(DAY * 2);
    assert_eq!(ask(&bench, Unique::key("s")).await.id, spanned);
    // A key that was needed only until the start is needed no more.
    let started = bench.start_with(|job| job.options.unique = Some(k().while_waiting())).await;
    bench.settle(&started, Verdict::Fatal { error: AttemptError::new("x") }).await;
    let other = ask(&bench, k().while_waiting()).await;
    assert_eq!(other.outcome, EnqueueOutcome::Created);
    bench.store.retry(started.id(), operator()).await.unwrap();
    assert_eq!(ask(&bench, k().while_waiting()).await.id, other.id);
    assert_sound(&bench).await;
}

async fn g14_many_at_once_make_one_job_of_a_key(bench: Bench) {
    let actions =
        [k(), k().reject(), k().replace(), k().debounce(SECOND, SECOND * 2), k().while_waiting().replace()];
    for (round, action) in actions.into_iter().enumerate() {
        let mut unique = action;
        unique.key = Some(format!("round {round}"));
        let batches: Vec<Vec<NewJob>> = (0..16)
            .map(|_| vec![named(&bench, unique.clone()), named(&bench, Unique::key(format!("also {round}")))])
            .collect();
        let (store, batches) = (Arc::clone(&bench.store), Arc::new(batches));

        let answers = at_once(16, move |index| {
            let (store, batch) = (Arc::clone(&store), batches[index].clone());
            // In both orders, so that whoever waits in the middle of a batch would wait for one that waits for it.
            let batch = if index % 2 == 0 { batch } else { batch.into_iter().rev().collect() };
            async move { store.enqueue(batch).await.map_err(|error| error.kind().clone()) }
        })
        .await;

        let created = answers.iter().flatten().flatten().filter(|one| one.outcome == EnqueueOutcome::Created);
        assert_eq!(created.count(), 2, "{unique:?}: {answers:?}");
        for answer in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert!(matches!(answer, ErrorKind::Duplicate(_)), "{unique:?}: {answer:?}");
        }
        assert_eq!(unfinished(&bench).await, 2 * (round + 1));
    }
    assert_sound(&bench).await;
}

async fn keys_survive_the_store(bench: Bench) {
    let first = ask(&bench, k()).await.id;
    let Some(reopened) = bench.reopened().await else {
        assert_eq!(bench.store.status().await.unwrap().durability, windlass_store::Durability::Volatile);
        return;
    };

    let answers = reopened.enqueue(vec![named(&bench, k())]).await.unwrap();

    assert_eq!((answers[0].id, answers[0].outcome), (first, EnqueueOutcome::Existing));
}

async fn what_is_asked_of_a_key_reads_back(bench: Bench) {
    let unique = Unique::key("Größe \u{0} 12").within_queue().for_span(DAY).debounce(SECOND, DAY);

    let id = ask(&bench, unique.clone()).await.id;

    assert_eq!(bench.job(id).await.options.unique, Some(unique));
}

async fn what_makes_no_sense_is_refused_by_field(bench: Bench) {
    let debounce = |delay, max_wait| k().debounce(delay, max_wait);
    for (unique, field) in [
        (Unique::key(""), "unique.key"),
        (Unique::key("x".repeat(513)), "unique.key"),
        (k().for_span(Duration::ZERO), "unique.for"),
        (debounce(Duration::ZERO, SECOND), "unique.debounce.delay"),
        (debounce(SECOND * 2, SECOND), "unique.debounce.max_wait"),
    ] {
        let answer = bench.store.enqueue(vec![named(&bench, unique.clone())]).await;
        assert_eq!(field_of(answer), field, "{unique:?}");
    }
    let parent = bench.enqueue_one().await;
    let mut waiting = named(&bench, k().replace());
    waiting.after = vec![Edge::on_success(parent)];
    assert_eq!(field_of(bench.store.enqueue(vec![waiting]).await), "unique.on_conflict");
    let mut later = named(&bench, debounce(SECOND, SECOND));
    later.due = Due::In(SECOND);
    let batch = vec![bench.new_job(), later];
    assert_eq!(field_of(bench.store.enqueue(batch).await), "jobs[1].unique.on_conflict");
    assert_eq!(jobs(&bench).await.len(), 1);
}

async fn tidying_keeps_the_keys_that_are_taken(bench: Bench) {
    let taken = ask(&bench, k()).await.id;
    let spanned = ask(&bench, Unique::key("s").for_span(DAY)).await.id;
    bench.cancel(spanned).await;
    bench.advance(SECOND);

    bench.store.tidy().await.unwrap();
    assert_eq!(ask(&bench, k()).await.id, taken);
    assert_eq!(ask(&bench, Unique::key("s")).await.id, spanned);

    bench.advance(DAY);
    bench.store.tidy().await.unwrap();
    assert_eq!(outcome(&bench, Unique::key("s").reject()).await, EnqueueOutcome::Created);
    assert_sound(&bench).await;
}
