//! Enqueueing in a transaction of `tokio-postgres`.

use std::sync::Arc;

use tokio::task::JoinSet;
use windlass_core::{Due, JobState, KindName, Timestamp, Verdict};
use windlass_store::{
    EnqueueOutcome, Enqueued, ErrorKind, JobStore, LeaseStore, Maintenance, QueueStore, Settlement,
};

use crate::scene::{PATIENCE, Scene, WRITE, field, job, refused, somebody_waits};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_exists_once_the_transaction_has_committed_and_not_before() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let new = job();
    let mut tx = scene.client.transaction().await.unwrap();

    let enqueued = store.enqueue_in_tx(&mut tx, vec![new.clone()]).await.unwrap();

    assert_eq!(enqueued, [Enqueued { id: new.id, outcome: EnqueueOutcome::Created, repeated: false }]);
    assert_eq!(refused(store.job(new.id).await), Some(ErrorKind::NotFound));
    tx.commit().await.unwrap();
    let found = store.job(new.id).await.unwrap();
    assert_eq!((found.args, found.kind, found.state), (new.args, new.kind, JobState::Ready));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_transaction_that_is_rolled_back_never_was() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let new = job();
    let mut tx = scene.client.transaction().await.unwrap();
    tx.batch_execute(WRITE).await.unwrap();

    let _ = store.enqueue_in_tx(&mut tx, vec![new.clone()]).await.unwrap();
    tx.rollback().await.unwrap();

    assert!(!scene.exists(new.id).await);
    assert_eq!(scene.effects().await, 0);
    assert!(!store.enqueue(vec![new]).await.unwrap()[0].repeated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_with_the_savepoint_it_was_enqueued_in() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let (kept, gone) = (job(), job());
    let mut tx = scene.client.transaction().await.unwrap();

    let _ = store.enqueue_in_tx(&mut tx, vec![kept.clone()]).await.unwrap();
    let mut inner = tx.transaction().await.unwrap();
    let _ = store.enqueue_in_tx(&mut inner, vec![gone.clone()]).await.unwrap();
    inner.rollback().await.unwrap();
    tx.commit().await.unwrap();

    assert!(scene.exists(kept.id).await);
    assert!(!scene.exists(gone.id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_by_field_and_leaves_the_transaction_as_it_was() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let (good, mut bad) = (job(), job());
    bad.version = 0;
    let mut tx = scene.client.transaction().await.unwrap();
    tx.batch_execute(WRITE).await.unwrap();

    let answer = store.enqueue_in_tx(&mut tx, vec![good.clone(), bad]).await;

    assert_eq!(field(answer), "jobs[1].version");
    tx.commit().await.unwrap();
    assert!(!scene.exists(good.id).await);
    assert_eq!(scene.effects().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_was_enqueued_before_answers_what_happened_then() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let ended = scene.running_job().await.token;
    let verdict = Verdict::Succeeded { result: None };
    store.settle(vec![Settlement { token: ended, verdict }]).await.unwrap()[0].as_ref().unwrap();
    let (waiting, fresh) = (job(), job());
    let _ = store.enqueue(vec![waiting.clone()]).await.unwrap();
    let mut again = job();
    again.id = ended.job;
    // A repeated job makes no lane, and the others do.
    again.kind = KindName::new("never_seen").unwrap();
    let jobs = vec![waiting, again, fresh.clone()];
    let mut tx = scene.client.transaction().await.unwrap();

    let first = store.enqueue_in_tx(&mut tx, jobs.clone()).await.unwrap();
    let second = store.enqueue_in_tx(&mut tx, jobs).await.unwrap();
    tx.commit().await.unwrap();

    let repeated = |answers: &[Enqueued]| answers.iter().map(|it| it.repeated).collect::<Vec<_>>();
    assert_eq!(repeated(&first), [true, true, false]);
    assert_eq!(repeated(&second), [true, true, true]);
    assert_eq!(store.job(ended.job).await.unwrap().state, JobState::Completed);
    let lanes = "SELECT count(*) FROM windlass.lane WHERE kind = 'never_seen'";
    assert_eq!(scene.client.query_one(lanes, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_asks_for_is_kept_as_it_is_by_a_plain_enqueue() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let mut asked = job();
    asked.due = Due::At(Timestamp::from_micros(4_000_000_000_000_000));
    asked.deadline = Some(Due::At(Timestamp::from_micros(5_000_000_000_000_000)));
    asked.attempts_max = 3;
    asked.options.submitted_by = Some("ada".into());
    let mut plain = asked.clone();
    plain.id = job().id;

    let mut tx = scene.client.transaction().await.unwrap();
    let _ = store.enqueue_in_tx(&mut tx, vec![asked.clone()]).await.unwrap();
    tx.commit().await.unwrap();
    let _ = store.enqueue(vec![plain.clone()]).await.unwrap();

    let mut found = store.job(asked.id).await.unwrap();
    let expected = store.job(plain.id).await.unwrap();
    (found.id, found.created_at) = (expected.id, expected.created_at);
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_enqueues_the_same_id_meanwhile_waits_for_the_transaction_to_end() {
    for commits in [true, false] {
        let mut scene = Scene::new().await;
        let store = Arc::clone(&scene.store);
        let new = job();
        let mut others = JoinSet::new();
        let mut tx = scene.client.transaction().await.unwrap();
        let _ = store.enqueue_in_tx(&mut tx, vec![new.clone()]).await.unwrap();
        let (another, same) = (Arc::clone(&store), vec![new.clone()]);
        others.spawn(async move { another.enqueue(same).await.unwrap()[0].repeated });
        somebody_waits(scene.database.url()).await;

        if commits {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
        }

        assert_eq!(others.join_next().await.unwrap().unwrap(), commits);
        assert!(scene.exists(new.id).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_would_rather_not_wait_sets_the_time_it_waits_for_a_lock() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let new = job();
    let mut other = scene.another_client().await;
    let mut first = other.transaction().await.unwrap();
    let _ = store.enqueue_in_tx(&mut first, vec![new.clone()]).await.unwrap();
    let mut tx = scene.client.transaction().await.unwrap();
    tx.batch_execute("SET LOCAL lock_timeout = '10ms'").await.unwrap();

    let answer = store.enqueue_in_tx(&mut tx, vec![new]).await;

    assert_eq!(refused(answer), Some(ErrorKind::Unavailable));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_job_of_a_kind_keeps_nobody_waiting() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let mut tx = scene.client.transaction().await.unwrap();

    let _ = store.enqueue_in_tx(&mut tx, vec![job()]).await.unwrap();
    let others = tokio::time::timeout(PATIENCE, store.enqueue(vec![job()])).await;

    assert!(!others.expect("it does not wait").unwrap()[0].repeated);
    tx.rollback().await.unwrap();
}

/// The lane is made in a transaction of its own, so that nobody waits for the caller's. What is left of it is an empty queue.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_job_that_is_rolled_back_leaves_a_known_queue_and_no_harm() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let mut new = job();
    new.queue = "never".parse().unwrap();
    let mut tx = scene.client.transaction().await.unwrap();

    let _ = store.enqueue_in_tx(&mut tx, vec![new.clone()]).await.unwrap();
    tx.rollback().await.unwrap();

    let queues = store.queues().await.unwrap();
    assert_eq!((queues.len(), queues[0].name.as_str(), queues[0].counts.total()), (1, "never", 0));
    assert!(scene.claim(PATIENCE).await.is_none());
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    // The next one finds the lane, and is as any other.
    assert!(!store.enqueue(vec![new.clone()]).await.unwrap()[0].repeated);
    assert_eq!(scene.claim(PATIENCE).await.unwrap().id(), new.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn above_read_committed_a_job_may_be_enqueued_too() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let new = job();
    let tx = scene.client.build_transaction().isolation_level(tokio_postgres::IsolationLevel::Serializable);
    let mut tx = tx.start().await.unwrap();
    // Its snapshot is older than the lane that is made for the job.
    tx.batch_execute(WRITE).await.unwrap();

    let _ = store.enqueue_in_tx(&mut tx, vec![new.clone()]).await.unwrap();
    tx.commit().await.unwrap();

    assert!(scene.exists(new.id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_transactions_of_deadpool_do_as_well() {
    let scene = Scene::new().await;
    let manager =
        deadpool_postgres::Manager::new(scene.database.url().parse().unwrap(), tokio_postgres::NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(1).build().unwrap();
    let (kept, gone) = (job(), job());
    let mut client = pool.get().await.unwrap();

    let mut tx = client.transaction().await.unwrap();
    let _ = scene.store.enqueue_in_tx(&mut tx, vec![kept.clone()]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = client.transaction().await.unwrap();
    let _ = scene.store.enqueue_in_tx(&mut tx, vec![gone.clone()]).await.unwrap();
    drop(tx);

    assert!(scene.exists(kept.id).await);
    assert!(!scene.exists(gone.id).await);
}
