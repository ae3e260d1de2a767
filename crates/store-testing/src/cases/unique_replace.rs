//! Unique keys: what takes the place of a job, what waits for its end, and what is put off.

use std::sync::Arc;

use windlass_core::{Args, AttemptError, Due, JobId, JobState, NewJob, Priority, Reason, Verdict};
use windlass_store::{EnqueueOutcome, ErrorKind, Obstacle};

use super::unique::{DAY, ask, asking, assert_sound, enqueue, jobs, k, outcome};
use crate::bench::{
    Bench, LEASE, MICROSECOND, SECOND, at_once, failed_for_now, just_before, operator, queue, refused,
    succeeded,
};

cases! {
    a_replaced_job_keeps_its_id_and_is_given_all_that_was_asked,
    a_replaced_job_runs_once_with_what_was_asked_last,
    what_is_to_replace_a_job_that_is_not_there_is_made,
    what_would_replace_a_started_job_waits_for_its_end,
    what_waits_in_line_is_let_go_however_the_first_ends,
    what_waits_in_line_is_replaced_and_may_be_cancelled,
    a_lost_job_keeps_who_waits_for_it_waiting,
    what_would_replace_a_job_that_has_ended_is_due_when_its_key_is_free,
    a_debounced_job_is_due_a_while_after_the_last_enqueue,
    a_debounced_job_is_not_put_off_for_ever,
    many_at_once_replace_one_job,
    a_key_is_freed_once_for_those_who_wait_for_it_at_once,
}

async fn a_replaced_job_keeps_its_id_and_is_given_all_that_was_asked(bench: Bench) {
    let mut first = asking(&bench, k(), "1");
    first.due = Due::In(DAY);
    first.deadline = Some(Due::In(DAY * 2));
    first.options.timeout = Some(SECOND);
    bench.enqueue(first.clone()).await;
    let later = bench.enqueue_one().await;
    bench.advance(SECOND);
    let mut second = asking(&bench, k().replace(), "2");
    (second.queue, second.version, second.priority) = (queue("other"), 2, Priority::High);
    (second.attempts_max, second.losses_max) = (3, 1);
    second.options.timeout = Some(SECOND * 2);

    let replaced = enqueue(&bench, second.clone()).await;

    assert_eq!(
        (replaced.id, replaced.outcome, replaced.repeated),
        (first.id, EnqueueOutcome::Replaced, false)
    );
    let job = bench.job(first.id).await;
    assert_eq!((job.state, job.reason), (JobState::Ready, None));
    assert_eq!((&job.args, &job.queue, job.version), (&second.args, &second.queue, 2));
    assert_eq!((job.priority, job.run_at, job.deadline), (Priority::High, bench.now(), None));
    assert_eq!((job.attempts_max, job.losses_max, &job.options), (3, 1, &second.options));
    assert_eq!((job.revision, job.created_at), (2, bench.now().before(SECOND)));
    assert_eq!(refused(bench.store.job(second.id).await), ErrorKind::NotFound);
    let claimed = bench.claim(10).await;
    assert_eq!((claimed[0].id(), &claimed[0].args), (first.id, &second.args));
    assert_eq!(claimed[1].id(), later);
    assert_sound(&bench).await;
}

async fn a_replaced_job_runs_once_with_what_was_asked_last(bench: Bench) {
    for round in 0..4 {
        let mut job = asking(&bench, k().replace(), &round.to_string());
        job.due = Due::In(DAY);
        bench.enqueue(job).await;
        assert_eq!(bench.claim(10).await, []);
    }

    let last = enqueue(&bench, asking(&bench, k().replace(), "4")).await;

    assert_eq!(last.outcome, EnqueueOutcome::Replaced);
    let claimed = bench.claim(10).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].args, Args::json("4").unwrap());
    bench.settle(&claimed[0], succeeded()).await;
    bench.advance(DAY * 2);
    assert_eq!(bench.claim(10).await, []);
}

async fn what_is_to_replace_a_job_that_is_not_there_is_made(bench: Bench) {
    let made = ask(&bench, k().replace()).await;

    assert_eq!(made.outcome, EnqueueOutcome::Created);
    assert_eq!(bench.claim_one().await.id(), made.id);
}

async fn what_would_replace_a_started_job_waits_for_its_end(bench: Bench) {
    let running = bench.start_with(|job| job.options.unique = Some(k())).await;
    let before = bench.job(running.id()).await;

    let next = enqueue(&bench, asking(&bench, k().replace(), "2")).await;

    assert_eq!(next.outcome, EnqueueOutcome::Created);
    assert_eq!(bench.job(running.id()).await, before);
    assert_eq!(bench.state_of(next.id).await, (JobState::Blocked, Some(Reason::Dependency)));
    assert_eq!(bench.claim(10).await, []);
    assert_eq!(refused(bench.store.run_now(next.id, operator()).await), ErrorKind::NotReady);
    assert_eq!(outcome(&bench, k()).await, EnqueueOutcome::Existing);
    let explained = bench.store.explain(next.id).await.unwrap();
    let waits = Obstacle::Dependencies { jobs: vec![running.id()], count: 1 };
    assert_eq!(explained.obstacles.first(), Some(&waits));
    assert_sound(&bench).await;

    bench.settle(&running, failed_for_now("x")).await;
    assert_eq!(bench.state_of(next.id).await.0, JobState::Blocked, "a retry is no end");
    let again = bench.claim_one().await;
    bench.settle(&again, succeeded()).await;

    let follower = bench.claim_one().await;
    assert_eq!((follower.id(), &follower.args), (next.id, &Args::json("2").unwrap()));
    let met = ask(&bench, k()).await;
    assert_eq!((met.id, met.outcome), (next.id, EnqueueOutcome::Existing), "it has the key now");
    bench.settle(&follower, succeeded()).await;
    assert_eq!(outcome(&bench, k()).await, EnqueueOutcome::Created);
    assert_sound(&bench).await;
}

async fn what_waits_in_line_is_let_go_however_the_first_ends(bench: Bench) {
    let ends: [fn(&AttemptError) -> Verdict; 4] = [
        |_| succeeded(),
        |error| Verdict::Fatal { error: error.clone() },
        |error| Verdict::Cancelled { error: error.clone() },
        |error| Verdict::Failed { error: error.clone(), retry_after: None },
    ];
    let error = AttemptError::new("x");
    #[expect(clippy::needless_range_loop, reason = "the later ends have no verdict")]
    for end in 0..7 {
        let running = bench
            .start_with(|job| {
                job.options.unique = Some(k());
                (job.attempts_max, job.losses_max) = (1, 0);
            })
            .await;
        let next = ask(&bench, k().replace()).await.id;
        match end {
            0..4 => drop(bench.settle(&running, ends[end](&error)).await),
            4 => drop(bench.cancel(running.id()).await),
            5 => {
                bench.advance(LEASE);
                bench.rescue().await;
            }
            _ => {
                let worker = bench.worker().await;
                bench.store.deregister(worker).await.unwrap_err();
                bench.settle(&running, succeeded()).await;
            }
        }

        assert_eq!(bench.state_of(next).await, (JobState::Ready, None), "end {end}");
        let follower = bench.claim_one().await;
        assert_eq!(follower.id(), next);
        bench.settle(&follower, succeeded()).await;
    }
    assert_sound(&bench).await;
}

async fn what_waits_in_line_is_replaced_and_may_be_cancelled(bench: Bench) {
    let running = bench.start_with(|job| job.options.unique = Some(k())).await;
    let next = enqueue(&bench, asking(&bench, k().replace(), "2")).await.id;

    let replaced = enqueue(&bench, asking(&bench, k().replace(), "3")).await;
    assert_eq!((replaced.id, replaced.outcome), (next, EnqueueOutcome::Replaced));
    assert_eq!(bench.job(next).await.args, Args::json("3").unwrap());
    assert_eq!(bench.state_of(next).await, (JobState::Blocked, Some(Reason::Dependency)));

    bench.cancel(next).await;
    assert_sound(&bench).await;
    let other = enqueue(&bench, asking(&bench, k().replace(), "4")).await;
    assert_eq!(other.outcome, EnqueueOutcome::Created);
    bench.store.delete(other.id, operator()).await.unwrap();
    assert_sound(&bench).await;
    let last = enqueue(&bench, asking(&bench, k().replace(), "5")).await;
    assert_eq!(last.outcome, EnqueueOutcome::Created);

    bench.settle(&running, succeeded()).await;
    assert_eq!(bench.claim_one().await.id(), last.id);
}

async fn a_lost_job_keeps_who_waits_for_it_waiting(bench: Bench) {
    let running = bench.start_with(|job| job.options.unique = Some(k())).await;
    let next = ask(&bench, k().replace()).await.id;

    bench.advance(LEASE);
    bench.rescue().await;

    assert_eq!(bench.state_of(next).await.0, JobState::Blocked);
    let again = bench.claim(10).await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].id(), running.id());
}

async fn what_would_replace_a_job_that_has_ended_is_due_when_its_key_is_free(bench: Bench) {
    let unique = || k().for_span(DAY).replace();
    let first = bench.start_with(|job| job.options.unique = Some(unique())).await;
    let until = bench.now().after(DAY);
    bench.settle(&first, succeeded()).await;
    bench.advance(SECOND);

    let second = ask(&bench, unique()).await;
    assert_eq!(second.outcome, EnqueueOutcome::Created);
    let third = ask(&bench, unique()).await;
    assert_eq!((third.id, third.outcome), (second.id, EnqueueOutcome::Replaced));

    assert_eq!(bench.job(second.id).await.run_at, until);
    assert_eq!(bench.claim(1).await, []);
    bench.advance(DAY);
    assert_eq!(bench.claim_one().await.id(), second.id);
    assert_sound(&bench).await;
}

async fn a_debounced_job_is_due_a_while_after_the_last_enqueue(bench: Bench) {
    let debounced = || k().debounce(SECOND * 5, DAY);
    let first = enqueue(&bench, asking(&bench, debounced(), "1")).await;
    assert_eq!(first.outcome, EnqueueOutcome::Created);
    assert_eq!(bench.state_of(first.id).await, (JobState::Scheduled, Some(Reason::Debounce)));

    bench.advance(SECOND * 4);
    let second = enqueue(&bench, asking(&bench, debounced(), "2")).await;
    assert_eq!((second.id, second.outcome), (first.id, EnqueueOutcome::Replaced));
    assert_eq!(bench.state_of(first.id).await, (JobState::Scheduled, Some(Reason::Debounce)));

    bench.advance(just_before(SECOND * 5));
    assert_eq!(bench.claim(1).await, []);
    bench.advance(MICROSECOND);
    let started = bench.claim_one().await;
    assert_eq!((started.id(), &started.args), (first.id, &Args::json("2").unwrap()));
    // What comes while it runs is for the next run, and put off like any other.
    let next = enqueue(&bench, asking(&bench, debounced(), "3")).await;
    assert_eq!(next.outcome, EnqueueOutcome::Created);
    bench.settle(&started, succeeded()).await;
    assert_eq!(bench.state_of(next.id).await, (JobState::Scheduled, Some(Reason::Debounce)));
    bench.advance(SECOND * 5);
    assert_eq!(bench.claim_one().await.id(), next.id);
}

async fn a_debounced_job_is_not_put_off_for_ever(bench: Bench) {
    let debounced = || k().debounce(SECOND * 5, SECOND * 12);
    let first = ask(&bench, debounced()).await.id;
    let latest = bench.now().after(SECOND * 12);

    for _ in 0..3 {
        bench.advance(SECOND * 4);
        assert_eq!(outcome(&bench, debounced()).await, EnqueueOutcome::Replaced);
    }

    assert_eq!(bench.job(first).await.run_at, latest);
    assert_eq!(bench.claim_one().await.id(), first);
}

async fn many_at_once_replace_one_job(bench: Bench) {
    let first = ask(&bench, k()).await.id;
    let batches: Vec<NewJob> =
        (0..16).map(|index| asking(&bench, k().replace(), &index.to_string())).collect();
    let (store, batches) = (Arc::clone(&bench.store), Arc::new(batches));

    let answers = at_once(16, move |index| {
        let (store, job) = (Arc::clone(&store), batches[index].clone());
        async move { store.enqueue(vec![job]).await.map(|answers| answers[0]) }
    })
    .await;

    for answer in answers {
        let answer = answer.unwrap();
        assert_eq!((answer.id, answer.outcome), (first, EnqueueOutcome::Replaced));
    }
    assert_eq!(bench.job(first).await.revision, 17);
    assert_eq!(jobs(&bench).await.len(), 1);
}

async fn a_key_is_freed_once_for_those_who_wait_for_it_at_once(bench: Bench) {
    let running = bench.start_with(|job| job.options.unique = Some(k())).await;
    let batches: Vec<NewJob> =
        (0..8).map(|index| asking(&bench, k().replace(), &index.to_string())).collect();
    let (store, batches, token) = (Arc::clone(&bench.store), Arc::new(batches), running.token);

    let answers = at_once(9, move |index| {
        let (store, job) = (Arc::clone(&store), batches.get(index).cloned());
        async move {
            if let Some(job) = job {
                store.enqueue(vec![job]).await.map(|answers| Some(answers[0].id))
            } else {
                let verdict = succeeded();
                let settled = store.settle(vec![windlass_store::Settlement { token, verdict }]).await?;
                settled.into_iter().next().transpose().map(|_| None)
            }
        }
    })
    .await;

    let mut ids: Vec<JobId> = answers.into_iter().filter_map(|answer| answer.unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1, "one follows");
    assert_eq!(bench.claim(10).await.len(), 1);
    assert_sound(&bench).await;
}
