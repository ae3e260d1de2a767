//! Settling in a transaction of `tokio-postgres`.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_postgres::IsolationLevel;
use windlass_core::{AttemptError, AttemptOutcome, AttemptToken, JobState, Json, Reason, Timestamp, Verdict};
use windlass_store::{
    Actor, ErrorKind, JobStore, LeaseStore, LeasedJob, Maintenance, ManualClock, Settled, Settlement,
};

use crate::scene::{Scene, WRITE, forged, refused, somebody_waits};

#[tokio::test(flavor = "multi_thread")]
async fn g07_effects_and_completion_are_committed_together() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job().await.token;
    let mut tx = scene.client.transaction().await.unwrap();

    tx.batch_execute(WRITE).await.unwrap();
    let seven = Some(Json::new("result", "7").unwrap());
    let settled = store.complete_in_tx(&mut tx, token, seven.clone()).await.unwrap();

    assert_eq!(settled, Settled { state: JobState::Completed, reason: Some(Reason::Done) });
    assert_eq!(store.job(token.job).await.unwrap().state, JobState::Running);
    tx.commit().await.unwrap();
    let job = store.job(token.job).await.unwrap();
    assert_eq!((job.state, job.result), (JobState::Completed, seven));
    assert_eq!(scene.effects().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rolled_back_leaves_neither_effects_nor_completion() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job().await.token;
    let mut tx = scene.client.transaction().await.unwrap();

    tx.batch_execute(WRITE).await.unwrap();
    store.complete_in_tx(&mut tx, token, None).await.unwrap();
    tx.rollback().await.unwrap();

    assert_eq!(scene.effects().await, 0);
    assert_eq!(store.job(token.job).await.unwrap().state, JobState::Running);
    assert_eq!(settle(&scene, token).await, Ok(JobState::Completed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_killed_before_the_commit_leaves_neither() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job().await.token;
    let killer = scene.another_client().await;
    let mut tx = scene.client.transaction().await.unwrap();
    let pid: i32 = tx.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    tx.batch_execute(WRITE).await.unwrap();
    store.complete_in_tx(&mut tx, token, None).await.unwrap();

    // Waits until it is gone.
    killer.query_one("SELECT pg_terminate_backend($1, 60000)", &[&pid]).await.unwrap();

    assert!(tx.commit().await.is_err());
    assert_eq!(scene.effects().await, 0);
    assert_eq!(store.job(token.job).await.unwrap().state, JobState::Running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_wrote_in_a_savepoint_completes_what_it_keeps() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job().await.token;
    let mut tx = scene.client.transaction().await.unwrap();

    let mut tried = tx.transaction().await.unwrap();
    tried.batch_execute(WRITE).await.unwrap();
    store.complete_in_tx(&mut tried, token, None).await.unwrap();
    tried.rollback().await.unwrap();
    tx.batch_execute(WRITE).await.unwrap();
    store.complete_in_tx(&mut tx, token, None).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(store.job(token.job).await.unwrap().state, JobState::Completed);
    assert_eq!(scene.effects().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_was_taken_back_settles_nothing() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_800_000_000_000_000)));
    let mut scene = Scene::with(|options| options.clock(clock.clone())).await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job_for(Duration::from_secs(30)).await.token;
    clock.advance(Duration::from_secs(31));
    assert_eq!(store.rescue().await.unwrap().returned, 1);
    let successor = scene.claim(Duration::from_secs(30)).await.unwrap().token;
    let mut tx = scene.client.transaction().await.unwrap();
    tx.batch_execute(WRITE).await.unwrap();

    let answer = store.complete_in_tx(&mut tx, token, None).await;
    let failed = store.settle_in_tx(&mut tx, Settlement { token, verdict: failure() }).await;

    assert_eq!(refused(answer), Some(ErrorKind::LeaseLost));
    assert_eq!(refused(failed), Some(ErrorKind::LeaseLost));
    tx.rollback().await.unwrap();
    assert_eq!(scene.effects().await, 0);
    assert_eq!(settle(&scene, successor).await, Ok(JobState::Completed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_judged_when_the_attempt_is_settled_and_not_when_the_transaction_began() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let _ = store.enqueue(vec![crate::scene::job()]).await.unwrap();
    let LeasedJob { token, lease_until, .. } = claim_for_a_moment(&scene).await;
    let mut tx = scene.client.transaction().await.unwrap();
    // What the handler does takes longer than its lease.
    let is_over = "SELECT clock_timestamp() > to_timestamp($1::bigint / 1e6)";
    while !tx.query_one(is_over, &[&lease_until.as_micros()]).await.unwrap().get::<_, bool>(0) {}

    let answer = store.complete_in_tx(&mut tx, token, None).await;

    assert_eq!(refused(answer), Some(ErrorKind::LeaseLost));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_never_given_settles_nothing() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job().await.token;
    let nobody = AttemptToken { job: crate::scene::job().id, ..token };
    let mut tx = scene.client.transaction().await.unwrap();

    let stranger = store.complete_in_tx(&mut tx, forged(token), None).await;
    let unknown = store.complete_in_tx(&mut tx, nobody, None).await;
    tx.commit().await.unwrap();

    assert_eq!(refused(stranger), Some(ErrorKind::LeaseLost));
    assert_eq!(refused(unknown), Some(ErrorKind::NotFound));
    assert_eq!(store.job(token.job).await.unwrap().state, JobState::Running);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_would_take_the_job_back_waits_and_finds_it_settled() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_800_000_000_000_000)));
    let mut scene = Scene::with(|options| options.clock(clock.clone())).await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job_for(Duration::from_secs(30)).await.token;
    let mut others = JoinSet::new();
    let mut tx = scene.client.transaction().await.unwrap();
    store.complete_in_tx(&mut tx, token, None).await.unwrap();
    clock.advance(Duration::from_secs(31));
    let rescuer = Arc::clone(&store);
    others.spawn(async move { rescuer.rescue().await.unwrap().returned });
    somebody_waits(scene.database.url()).await;

    tx.commit().await.unwrap();

    assert_eq!(others.join_next().await.unwrap().unwrap(), 0);
    assert_eq!(store.job(token.job).await.unwrap().state, JobState::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verdict_means_in_the_transaction_what_it_means_elsewhere() {
    let error = || AttemptError::new("no route");
    let verdicts = [
        (failure(), JobState::Retryable, Some(AttemptOutcome::Failed)),
        (Verdict::Fatal { error: error() }, JobState::Dead, Some(AttemptOutcome::Failed)),
        (
            Verdict::Snoozed { delay: Duration::from_secs(60) },
            JobState::Scheduled,
            Some(AttemptOutcome::Snoozed),
        ),
        (Verdict::Unchanged { result: None }, JobState::Completed, None),
    ];
    for (verdict, state, outcome) in verdicts {
        let mut scene = Scene::new().await;
        let store = Arc::clone(&scene.store);
        let token = scene.running_job().await.token;
        let mut tx = scene.client.transaction().await.unwrap();

        let settlement = Settlement { token, verdict: verdict.clone() };
        let settled = store.settle_in_tx(&mut tx, settlement).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!(settled.state, state, "{verdict:?}");
        let job = store.job(token.job).await.unwrap();
        assert_eq!((job.state, job.error.as_ref()), (state, verdict.error()), "{verdict:?}");
        let attempts = store.attempts(token.job).await.unwrap();
        let expected = outcome.unwrap_or(AttemptOutcome::Succeeded);
        assert_eq!(attempts.last().unwrap().outcome, Some(expected), "{verdict:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_too_large_ends_the_attempt_as_failed() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job().await.token;
    let large = Json::new("result", format!("\"{}\"", "x".repeat(300_000))).unwrap();
    let mut tx = scene.client.transaction().await.unwrap();

    let settled = store.complete_in_tx(&mut tx, token, Some(large)).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(settled.state, JobState::Retryable);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_settles_again_is_told_that_the_attempt_has_ended() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job().await.token;
    let mut tx = scene.client.transaction().await.unwrap();
    store.complete_in_tx(&mut tx, token, None).await.unwrap();

    let within = store.complete_in_tx(&mut tx, token, None).await;
    tx.commit().await.unwrap();

    assert_eq!(refused(within), Some(ErrorKind::NotRunning));
    assert_eq!(settle(&scene, token).await, Err(ErrorKind::NotRunning));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_cancelled_is_not_completed_and_stays_open_for_its_worker() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job().await.token;
    let _ = store.cancel(token.job, Actor::new("ada")).await.unwrap();
    let mut tx = scene.client.transaction().await.unwrap();

    let answer = store.complete_in_tx(&mut tx, token, None).await;
    tx.rollback().await.unwrap();

    assert_eq!(refused(answer), Some(ErrorKind::Cancelled));
    assert_eq!(settle(&scene, token).await, Err(ErrorKind::Cancelled));
    assert_eq!(store.job(token.job).await.unwrap().state, JobState::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn above_read_committed_what_changed_meanwhile_is_a_conflict() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job().await.token;
    let tx = scene.client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    let mut tx = tx.start().await.unwrap();
    tx.batch_execute(WRITE).await.unwrap();
    let _ = store.cancel(token.job, Actor::new("ada")).await.unwrap();

    let answer = store.complete_in_tx(&mut tx, token, None).await;

    assert_eq!(refused(answer), Some(ErrorKind::Conflict));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_and_the_one_that_follows_it_are_one_commit() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let token = scene.running_job().await.token;
    let next = crate::scene::job();
    let mut tx = scene.client.transaction().await.unwrap();

    let _ = store.enqueue_in_tx(&mut tx, vec![next.clone()]).await.unwrap();
    store.complete_in_tx(&mut tx, token, None).await.unwrap();
    tx.commit().await.unwrap();

    assert!(scene.exists(next.id).await);
    assert_eq!(store.job(token.job).await.unwrap().state, JobState::Completed);
}

fn failure() -> Verdict {
    Verdict::Failed { error: AttemptError::new("no route"), retry_after: None }
}

/// Claims a job under a lease of a second. A busy machine may take longer than that from the registration to the claim, and
/// then another worker tries.
async fn claim_for_a_moment(scene: &Scene) -> LeasedJob {
    loop {
        match scene.try_claim(Duration::from_secs(1)).await {
            Ok(claimed) => return claimed.expect("there is a job"),
            Err(error) => assert_eq!(*error.kind(), ErrorKind::NotFound, "{error}"),
        }
    }
}

/// Settles as a worker does whose handler returned.
async fn settle(scene: &Scene, token: AttemptToken) -> Result<JobState, ErrorKind> {
    let verdict = Verdict::Succeeded { result: None };
    let mut answers =
        scene.store.settle(vec![Settlement { token, verdict }]).await.expect("the store answers");
    answers.remove(0).map(|settled| settled.state).map_err(|error| error.kind().clone())
}
