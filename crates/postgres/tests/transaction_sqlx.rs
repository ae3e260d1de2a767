//! In transactions of `sqlx`. What all drivers share is tested in `transaction`.

#[path = "transaction/scene.rs"]
mod scene;

use std::time::Duration;

use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_postgres::PgConnection;
use tokio::task::JoinSet;
use windlass_core::{AttemptError, Due, Edge, JobState, Json, Timestamp, Unique, Verdict};
use windlass_store::{Actor, EnqueueOutcome, ErrorKind, JobStore, LeaseStore, Maintenance, Settlement};

use scene::{Scene, WRITE, field, forged, job, refused, somebody_waits};

async fn connection(scene: &Scene) -> PgConnection {
    PgConnection::connect(scene.database.url()).await.expect("the server answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_exists_once_the_transaction_has_committed_and_not_before() {
    let scene = Scene::new().await;
    let mut connection = connection(&scene).await;
    let (mut new, mut plain) = (job(), job());
    // Something in every column that may be empty.
    new.due = Due::In(Duration::from_secs(3_600));
    new.deadline = Some(Due::At(Timestamp::from_micros(4_000_000_000_000_000)));
    new.options.submitted_by = Some("ada".into());
    plain.due = Due::At(Timestamp::from_micros(3_000_000_000_000_000));
    let mut tx = connection.begin().await.unwrap();

    let enqueued = scene.store.enqueue_in_tx(&mut tx, vec![new.clone(), plain.clone()]).await.unwrap();

    assert!(enqueued.iter().all(|answer| !answer.repeated));
    assert!(!scene.exists(new.id).await);
    tx.commit().await.unwrap();
    let found = scene.store.job(new.id).await.unwrap();
    assert_eq!((found.args, found.options), (new.args, new.options));
    assert_eq!(found.run_at.since(found.created_at), Duration::from_secs(3_600));
    assert_eq!(found.deadline, Some(Timestamp::from_micros(4_000_000_000_000_000)));
    assert_eq!(scene.store.job(plain.id).await.unwrap().deadline, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_with_the_transaction_or_the_savepoint_that_is_rolled_back() {
    let scene = Scene::new().await;
    let mut connection = connection(&scene).await;
    let (kept, gone) = (job(), job());

    let mut tx = connection.begin().await.unwrap();
    let _ = scene.store.enqueue_in_tx(&mut tx, vec![kept.clone()]).await.unwrap();
    let mut inner = tx.begin().await.unwrap();
    let _ = scene.store.enqueue_in_tx(&mut inner, vec![gone.clone()]).await.unwrap();
    inner.rollback().await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = connection.begin().await.unwrap();
    let again = scene.store.enqueue_in_tx(&mut tx, vec![kept.clone(), gone.clone()]).await.unwrap();
    drop(tx);

    assert_eq!(again.iter().map(|answer| answer.repeated).collect::<Vec<_>>(), [true, false]);
    assert!(scene.exists(kept.id).await);
    assert!(!scene.exists(gone.id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_may_wait_for_one_of_its_transaction_and_for_one_that_runs() {
    let scene = Scene::new().await;
    let mut connection = connection(&scene).await;
    let running = scene.running_job().await.token;
    let (parent, mut child) = (job(), job());
    child.after = vec![Edge::on_success(parent.id), Edge::on_finish(running.job)];
    let mut tx = connection.begin().await.unwrap();

    let _ = scene.store.enqueue_in_tx(&mut tx, vec![parent.clone()]).await.unwrap();
    let _ = scene.store.enqueue_in_tx(&mut tx, vec![child.clone()]).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(scene.store.job(child.id).await.unwrap().state, JobState::Blocked);
    let ended = Settlement { token: running, verdict: Verdict::Fatal { error: AttemptError::new("x") } };
    scene.store.settle(vec![ended]).await.unwrap().remove(0).unwrap();
    assert_eq!(scene.store.job(child.id).await.unwrap().state, JobState::Blocked);
    let token = scene.claim(Duration::from_secs(300)).await.unwrap().token;
    // Others wait for it, which is more than this driver can see to.
    let mut tx = connection.begin().await.unwrap();
    assert_eq!(field(scene.store.complete_in_tx(&mut tx, token, None).await), "verdict");
    tx.rollback().await.unwrap();
    let done = Settlement { token, verdict: Verdict::Succeeded { result: None } };
    scene.store.settle(vec![done]).await.unwrap().remove(0).unwrap();
    assert_eq!(scene.store.job(child.id).await.unwrap().state, JobState::Ready);
    assert_eq!(scene.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_leaves_the_transaction_as_it_was() {
    let scene = Scene::new().await;
    let mut connection = connection(&scene).await;
    let mut bad = job();
    bad.attempts_max = 0;
    let mut tx = connection.begin().await.unwrap();

    let answer = scene.store.enqueue_in_tx(&mut tx, vec![bad]).await;

    assert_eq!(field(answer), "attempts_max");
    query(WRITE).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(scene.effects().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_not_had_in_time_is_unavailable() {
    let scene = Scene::new().await;
    let (mut one, mut other) = (connection(&scene).await, connection(&scene).await);
    let new = job();
    let mut first = one.begin().await.unwrap();
    let _ = scene.store.enqueue_in_tx(&mut first, vec![new.clone()]).await.unwrap();
    let mut tx = other.begin().await.unwrap();
    query("SET LOCAL lock_timeout = '10ms'").execute(&mut *tx).await.unwrap();

    let answer = scene.store.enqueue_in_tx(&mut tx, vec![new]).await;

    assert_eq!(refused(answer), Some(ErrorKind::Unavailable));
}

#[tokio::test(flavor = "multi_thread")]
async fn g07_effects_and_completion_are_committed_together() {
    for commits in [true, false] {
        let scene = Scene::new().await;
        let mut connection = connection(&scene).await;
        let token = scene.running_job().await.token;
        let seven = Some(Json::new("result", "7").unwrap());
        let mut tx = connection.begin().await.unwrap();
        query(WRITE).execute(&mut *tx).await.unwrap();

        scene.store.complete_in_tx(&mut tx, token, seven.clone()).await.unwrap();
        if commits {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
        }

        let job = scene.store.job(token.job).await.unwrap();
        let expected = if commits { (JobState::Completed, seven, 1) } else { (JobState::Running, None, 0) };
        assert_eq!((job.state, job.result, scene.effects().await), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_settled_says_why_and_changes_nothing() {
    let scene = Scene::new().await;
    let mut connection = connection(&scene).await;
    let token = scene.running_job().await.token;
    let cancelled = scene.running_job().await.token;
    let _ = scene.store.cancel(cancelled.job, Actor::new("ada")).await.unwrap();
    let failed = Verdict::Failed { error: AttemptError::new("no route"), retry_after: None };
    let large = Json::new("result", format!("\"{}\"", "x".repeat(300_000))).unwrap();
    let store = &scene.store;
    let mut tx = connection.begin().await.unwrap();

    assert_eq!(refused(store.complete_in_tx(&mut tx, forged(token), None).await), Some(ErrorKind::LeaseLost));
    assert_eq!(refused(store.complete_in_tx(&mut tx, cancelled, None).await), Some(ErrorKind::Cancelled));
    let failed = store.settle_in_tx(&mut tx, Settlement { token, verdict: failed }).await;
    assert_eq!(field(failed), "verdict");
    assert_eq!(field(store.complete_in_tx(&mut tx, token, Some(large)).await), "result");
    store.complete_in_tx(&mut tx, token, None).await.unwrap();
    assert_eq!(refused(store.complete_in_tx(&mut tx, token, None).await), Some(ErrorKind::Conflict));
    tx.commit().await.unwrap();

    assert_eq!(
        refused(store.complete_in_tx(&mut connection, token, None).await),
        Some(ErrorKind::NotRunning)
    );
    let again = Settlement { token, verdict: Verdict::Succeeded { result: None } };
    assert_eq!(refused(store.settle(vec![again]).await.unwrap().remove(0)), Some(ErrorKind::NotRunning));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_enqueues_the_same_id_meanwhile_waits() {
    let scene = Scene::new().await;
    let mut connection = connection(&scene).await;
    let new = job();
    let mut others = JoinSet::new();
    let mut tx = connection.begin().await.unwrap();
    let _ = scene.store.enqueue_in_tx(&mut tx, vec![new.clone()]).await.unwrap();
    let store = scene.store.clone();
    others.spawn(async move { store.enqueue(vec![new]).await.unwrap()[0].repeated });
    somebody_waits(scene.database.url()).await;

    scene.store.notify_in_tx(&mut tx).await.unwrap();
    tx.commit().await.unwrap();

    assert!(others.join_next().await.unwrap().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unique_key_is_asked_for_in_the_transaction() {
    let scene = Scene::new().await;
    let mut connection = connection(&scene).await;
    let keyed = |unique: Unique| {
        let mut job = job();
        job.options.unique = Some(unique);
        job
    };
    let first = scene.store.enqueue(vec![keyed(Unique::key("k"))]).await.unwrap()[0].id;
    let mut tx = connection.begin().await.unwrap();

    let batch = vec![keyed(Unique::key("k")), keyed(Unique::key("l")), keyed(Unique::key("k").replace())];
    let answers = scene.store.enqueue_in_tx(&mut tx, batch).await.unwrap();
    tx.commit().await.unwrap();

    let outcomes: Vec<_> = answers.iter().map(|answer| answer.outcome).collect();
    assert_eq!(outcomes, [EnqueueOutcome::Existing, EnqueueOutcome::Created, EnqueueOutcome::Replaced]);
    assert_eq!((answers[0].id, answers[2].id), (first, first));
    let mut tx = connection.begin().await.unwrap();
    let refusal = scene.store.enqueue_in_tx(&mut tx, vec![keyed(Unique::key("l").reject())]).await;
    assert_eq!(refused(refusal), Some(ErrorKind::Duplicate(answers[1].id)));
}
