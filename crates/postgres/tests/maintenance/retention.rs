//! Days of completed jobs: made ahead, and dropped whole when their time is over.

use std::time::Duration;

use windlass_core::{Due, Edge, JobId, JobState, Verdict};
use windlass_store::{
    Actor, ErrorKind, FlowStore as _, JobStore as _, Maintenance as _, PageRequest, Pruned, Retention, ids,
};

use crate::town::{DAY, HOUR, Town};

/// Completed jobs are kept for a week, the others for ever.
const WEEK: Retention = Retention { completed: Some(DAY.saturating_mul(7)), cancelled: None, dead: None };

/// The last instant of which `span` is not over.
const fn just_before(span: Duration) -> Duration {
    span.saturating_sub(Duration::from_micros(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_has_the_days_ahead_when_it_is_opened_and_makes_more_as_time_goes_by() {
    let town = Town::new().await;
    assert_eq!(town.days().await, ["20260328", "20260329", "20260330", "20260331"]);

    town.clock.advance(DAY);
    town.store.tidy().await.unwrap();
    town.store.tidy().await.unwrap();

    assert_eq!(town.days().await, ["20260328", "20260329", "20260330", "20260331", "20260401"]);
    assert_eq!(town.bounds("completed_20260329").await, "2026-03-29 00:00:00+00 2026-03-30 00:00:00+00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_job_lies_in_its_day_and_goes_with_it_a_day_late_at_most() {
    let town = Town::new().await;
    let early = town.complete().await;
    town.clock.advance(3 * HOUR);
    let late = town.complete().await;
    assert_eq!(
        (town.place_of(early).await, town.place_of(late).await),
        ("completed_20260328".into(), "completed_20260329".into())
    );

    town.clock.advance(6 * DAY + 21 * HOUR);
    assert_eq!(town.prune(WEEK).await, 0, "its time is over, and its day is not");
    town.clock.advance(just_before(2 * HOUR));
    assert_eq!(town.prune(WEEK).await, 0);
    town.clock.advance(Duration::from_micros(1));
    assert_eq!(town.prune(WEEK).await, 1);

    assert_eq!(town.ids().await, [late]);
    assert!(!town.days().await.contains(&"20260328".to_owned()));
    assert_eq!(town.store.job(early).await.unwrap_err().kind(), &ErrorKind::NotFound);
    town.clock.advance(DAY);
    assert_eq!(town.prune(WEEK).await, 1);
    assert_eq!(town.ids().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_goes_with_all_that_was_kept_beside_its_jobs() {
    let town = Town::new().await;
    let plain = town.complete().await;
    let logged = town.complete_with(&["one", "two"]).await;
    let failed = town.fail_once().await;
    let touched = town.touch().await;
    let other = town.enqueue(|_| {}).await;
    town.store.cancel(other, Actor::new("ada")).await.unwrap();
    assert_eq!(town.beside().await, (1, 2, 2));

    town.clock.advance(9 * DAY);
    assert_eq!(town.prune(WEEK).await, 4);

    assert_eq!(town.beside().await, (0, 0, 1), "what was done to the cancelled job is still told");
    assert_eq!(town.ids().await, [other]);
    for id in [plain, logged, failed, touched] {
        assert_eq!(town.store.events(id).await.unwrap_err().kind(), &ErrorKind::NotFound);
    }
    assert_eq!(town.store.check().await.unwrap(), Vec::<String>::new());
}

/// What an unfinished job depends on is moved out of the way of its day, and goes when nobody needs it any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_dropped_leaves_what_unfinished_jobs_depend_on() {
    let town = Town::new().await;
    let (logged, plain) = (town.complete_with(&["one"]).await, town.complete().await);
    let other = town.enqueue(|job| job.due = Due::In(12 * DAY)).await;
    let after = |parents: &[JobId]| parents.iter().map(|id| Edge::on_success(*id)).collect::<Vec<_>>();
    let child = town.enqueue(|job| job.after = after(&[logged, other])).await;
    // A child that has ended needs its parents no more.
    let ended = town.enqueue(|job| job.after = after(&[plain])).await;
    town.settle(ended, Verdict::Succeeded { result: None }).await;
    assert_eq!(town.place_of(logged).await, "completed_20260328");

    town.clock.advance(9 * DAY);
    assert_eq!(town.prune(WEEK).await, 2);

    assert!(!town.days().await.contains(&"20260328".to_owned()));
    assert_eq!(town.ids().await, [child, other, logged]);
    assert_eq!(town.store.job(child).await.unwrap().state, JobState::Blocked);
    let line = town.store.logs(logged, PageRequest::first(9)).await.unwrap().items;
    assert_eq!((line.len(), town.beside().await), (1, (0, 1, 0)));
    assert_eq!(town.store.check().await.unwrap(), Vec::<String>::new());

    town.clock.advance(4 * DAY);
    town.store.tidy().await.unwrap();
    town.settle(other, Verdict::Succeeded { result: None }).await;
    let inputs = town.store.inputs(child, PageRequest::first(9)).await.unwrap().items;
    assert_eq!(inputs.iter().map(|input| input.parent).collect::<Vec<_>>(), [logged, other]);
    assert_eq!(town.prune(WEEK).await, 0);
    town.settle(child, Verdict::Succeeded { result: None }).await;
    assert_eq!(town.prune(WEEK).await, 1, "nobody depends on it, and its time was over long ago");
    town.clock.advance(9 * DAY);
    assert_eq!(town.prune(WEEK).await, 2);
    assert_eq!((town.ids().await, town.beside().await), (vec![], (0, 0, 0)));
    assert_eq!(town.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_of_a_day_stops_at_its_bound_and_goes_on_where_it_was() {
    let town = Town::new().await;
    town.fill("completed", 25_000, "number = 2").await;
    town.sql(
        "INSERT INTO windlass.attempt (job, number, started_at, ended_at, outcome)
              SELECT id, 1, finished_at, finished_at, 2 FROM windlass.completed",
    )
    .await;
    town.clock.advance(7 * DAY + 3 * HOUR);

    let first = town.store.prune(WEEK).await.unwrap();

    assert_eq!(first, Pruned { removed: 0, more: true });
    let (attempts, ..) = town.beside().await;
    assert!((1..25_000).contains(&attempts), "{attempts}");
    assert_eq!(town.prune(WEEK).await, 25_000);
    assert_eq!(town.beside().await, (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retention_below_two_days_is_kept_to_the_moment() {
    let town = Town::new().await;
    let retention = Retention { completed: Some(36 * HOUR), ..WEEK };
    let job = town.complete().await;
    town.clock.advance(just_before(36 * HOUR));
    assert_eq!(town.prune(retention).await, 0);

    town.clock.advance(Duration::from_micros(1));
    assert_eq!(town.prune(retention).await, 1);

    assert_eq!(town.store.job(job).await.unwrap_err().kind(), &ErrorKind::NotFound);
    town.clock.advance(DAY);
    assert_eq!(town.prune(retention).await, 0);
    assert!(!town.days().await.contains(&"20260328".to_owned()), "an empty day goes too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_has_jobs_in_the_rest_already_gets_no_partition_and_its_jobs_go_one_by_one() {
    let town = Town::new().await;
    town.clock.advance(5 * DAY);
    let job = town.complete().await;
    assert_eq!(town.place_of(job).await, "completed_rest");

    town.store.tidy().await.unwrap();

    assert_eq!(town.days().await.last().unwrap(), "20260405");
    assert!(!town.days().await.contains(&"20260402".to_owned()));
    let next = town.complete().await;
    assert_eq!(town.place_of(next).await, "completed_rest");
    town.clock.advance(just_before(7 * DAY));
    assert_eq!(town.prune(WEEK).await, 0);
    town.clock.advance(Duration::from_micros(1));
    assert_eq!(town.prune(WEEK).await, 2, "without a day to wait for, it is exact");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_have_not_ended_and_those_that_failed_outlive_every_day() {
    let town = Town::new().await;
    let waiting = town.enqueue(|job| job.due = Due::In(1_000 * DAY)).await;
    let dead = town.enqueue(|job| job.attempts_max = 1).await;
    town.settle(dead, Verdict::Failed { error: windlass_core::AttemptError::new("x"), retry_after: None })
        .await;
    let restored = town.enqueue(|job| job.attempts_max = 1).await;
    town.settle(
        restored,
        Verdict::Failed { error: windlass_core::AttemptError::new("x"), retry_after: None },
    )
    .await;
    town.store.retry(restored, Actor::new("ada")).await.unwrap();
    town.clock.advance(100 * DAY);

    assert_eq!(town.prune(WEEK).await, 0);

    assert_eq!(town.ids().await, [restored, dead, waiting]);
    assert_eq!(town.store.job(restored).await.unwrap().state, JobState::Ready);
    assert_eq!(town.prune(Retention { dead: Some(90 * DAY), ..WEEK }).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_holds_up_nobody_and_its_day_goes_when_it_is_done() {
    let town = Town::new().await;
    town.complete().await;
    town.clock.advance(7 * DAY + 3 * HOUR);
    town.sql("BEGIN; SELECT FROM windlass.history").await;

    assert_eq!(town.store.prune(WEEK).await.unwrap(), Pruned { removed: 0, more: false });
    town.store.tidy().await.unwrap();
    town.complete().await;

    town.sql("COMMIT").await;
    assert_eq!(town.prune(WEEK).await, 1);
    town.store.tidy().await.unwrap();
    assert_eq!(town.days().await.last().unwrap(), "20260408");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_own_the_tables_removes_their_jobs_one_by_one() {
    let town = Town::new().await;
    let role = format!("worker_{}", ids::job_id().as_uuid().simple());
    town.sql(&format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA windlass TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA windlass TO {role};
         GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA windlass TO {role}"
    ))
    .await;
    town.complete().await;
    let store = town.open_as(&role).await;
    town.clock.advance(8 * DAY);

    store.tidy().await.unwrap();
    let removed = store.prune(WEEK).await.unwrap();

    assert_eq!(removed, Pruned { removed: 1, more: false });
    assert_eq!(town.days().await.len(), 4);
    drop(store);
    town.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_at_once_make_and_drop_days_without_a_fault() {
    let town = Town::new().await;
    town.complete().await;
    town.clock.advance(7 * DAY + 3 * HOUR);
    let mut stores = Vec::new();
    for _ in 0..8 {
        stores.push(town.open().await);
    }

    let all = stores.iter().map(|store| async {
        store.tidy().await?;
        store.prune(WEEK).await
    });
    let removed = futures_util::future::join_all(all).await;

    let removed: Vec<u64> = removed.into_iter().map(|pruned| pruned.unwrap().removed).collect();
    assert_eq!(removed.iter().sum::<u64>() + town.prune(WEEK).await, 1);
    town.store.tidy().await.unwrap();
    assert_eq!(
        town.days().await,
        ["20260329", "20260330", "20260331", "20260405", "20260406", "20260407", "20260408"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_never_more_days_than_a_lookup_can_bear() {
    let town = Town::new().await;
    for _ in 0..60 {
        town.clock.advance(DAY);
        town.store.tidy().await.unwrap();
    }
    assert!(town.days().await.len() <= 44, "{:?}", town.days().await);

    let job = town.complete().await;
    assert_eq!(town.place_of(job).await, "completed_rest");
    town.clock.advance(7 * DAY);

    assert_eq!(town.prune(WEEK).await, 1);
    town.store.tidy().await.unwrap();
    assert!(town.days().await.contains(&"20260603".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_rows_are_swept_up() {
    let town = Town::new().await;
    town.fill("job", 60_000, "true").await;
    town.sql_apart("DELETE FROM windlass.job").await;
    town.until_counted("n_dead_tup >= 60000").await;
    assert_eq!(town.vacuums().await, 0);

    town.store.tidy().await.unwrap();
    town.until_counted("vacuum_count > 0").await;
    town.store.tidy().await.unwrap();

    assert_eq!(town.vacuums().await, 1);
}
