//! In transactions of `diesel-async`. What all drivers share is tested in `transaction`.

#[path = "transaction/scene.rs"]
mod scene;

use std::time::Duration;

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use windlass_core::{Args, AttemptError, Due, JobState, Json, Timestamp, Unique, Verdict};
use windlass_store::{Actor, EnqueueOutcome, ErrorKind, JobStore, LeaseStore, Settlement, StoreError};

use scene::{Scene, WRITE, field, forged, job, refused};

async fn connection(scene: &Scene) -> AsyncPgConnection {
    AsyncPgConnection::establish(scene.database.url()).await.expect("the server answers")
}

/// Why a transaction of a test was rolled back.
#[derive(Debug)]
enum Undone {
    OnPurpose,
    Store(StoreError),
    #[expect(dead_code, reason = "it is there to be shown")]
    Diesel(diesel::result::Error),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<diesel::result::Error> for Undone {
    fn from(error: diesel::result::Error) -> Self {
        Self::Diesel(error)
    }
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
    let jobs = vec![new.clone(), plain.clone()];

    let enqueued = connection
        .transaction(async |tx| -> Result<_, Undone> {
            let enqueued = scene.store.enqueue_in_tx(tx, jobs).await?;
            assert!(!scene.exists(new.id).await);
            Ok(enqueued)
        })
        .await
        .unwrap();

    assert!(enqueued.iter().all(|answer| !answer.repeated));
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

    let outer = connection
        .transaction(async |tx| -> Result<(), Undone> {
            let _ = scene.store.enqueue_in_tx(tx, vec![kept.clone()]).await?;
            let inner = tx
                .transaction(async |tx| -> Result<(), Undone> {
                    let _ = scene.store.enqueue_in_tx(tx, vec![gone.clone()]).await?;
                    Err(Undone::OnPurpose)
                })
                .await;
            assert!(matches!(inner, Err(Undone::OnPurpose)));
            Ok(())
        })
        .await;
    let again = connection
        .transaction(async |tx| -> Result<(), Undone> {
            let again = scene.store.enqueue_in_tx(tx, vec![kept.clone(), gone.clone()]).await?;
            assert_eq!(again.iter().map(|answer| answer.repeated).collect::<Vec<_>>(), [true, false]);
            Err(Undone::OnPurpose)
        })
        .await;

    assert!(outer.is_ok() && matches!(again, Err(Undone::OnPurpose)));
    assert!(scene.exists(kept.id).await);
    assert!(!scene.exists(gone.id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_taken_once_the_transaction_has_committed() {
    let scene = Scene::new().await;
    let mut connection = connection(&scene).await;
    let keyed = |unique: Unique| {
        let mut new = job();
        new.options.unique = Some(unique);
        new
    };
    let (gone, first, mut replacing) = (keyed(Unique::key("k")), keyed(Unique::key("k")), job());
    replacing.options.unique = Some(Unique::key("k").replace());
    replacing.args = Args::json("2").unwrap();

    let undone = connection
        .transaction(async |tx| -> Result<(), Undone> {
            let _ = scene.store.enqueue_in_tx(tx, vec![gone.clone()]).await?;
            Err(Undone::OnPurpose)
        })
        .await;
    let answers = connection
        .transaction(async |tx| -> Result<_, Undone> {
            let batch = vec![first.clone(), keyed(Unique::key("k")), job()];
            let mut answers = scene.store.enqueue_in_tx(tx, batch).await?;
            answers.extend(scene.store.enqueue_in_tx(tx, vec![replacing.clone()]).await?);
            Ok(answers)
        })
        .await
        .unwrap();
    let refusal = connection
        .transaction(async |tx| -> Result<(), Undone> {
            scene.store.enqueue_in_tx(tx, vec![keyed(Unique::key("k").reject())]).await?;
            Ok(())
        })
        .await;

    assert!(matches!(undone, Err(Undone::OnPurpose)));
    assert!(!scene.exists(gone.id).await);
    let outcomes: Vec<_> = answers.iter().map(|answer| (answer.id == first.id, answer.outcome)).collect();
    assert_eq!(
        outcomes,
        [
            (true, EnqueueOutcome::Created),
            (true, EnqueueOutcome::Existing),
            (false, EnqueueOutcome::Created),
            (true, EnqueueOutcome::Replaced)
        ]
    );
    assert_eq!(scene.store.job(first.id).await.unwrap().args, replacing.args);
    let Err(Undone::Store(error)) = refusal else { panic!("{refusal:?}") };
    assert_eq!(*error.kind(), ErrorKind::Duplicate(first.id));
    let met = scene.store.enqueue(vec![keyed(Unique::key("k"))]).await.unwrap()[0];
    assert_eq!((met.id, met.outcome), (first.id, EnqueueOutcome::Existing));
}

#[tokio::test(flavor = "multi_thread")]
async fn g07_effects_and_completion_are_committed_together() {
    for commits in [true, false] {
        let scene = Scene::new().await;
        let mut connection = connection(&scene).await;
        let token = scene.running_job().await.token;
        let seven = Some(Json::new("result", "7").unwrap());

        let ended = connection
            .transaction(async |tx| -> Result<(), Undone> {
                tx.batch_execute(WRITE).await?;
                scene.store.complete_in_tx(tx, token, seven.clone()).await?;
                scene.store.notify_in_tx(tx).await?;
                if commits { Ok(()) } else { Err(Undone::OnPurpose) }
            })
            .await;

        assert_eq!(ended.is_ok(), commits, "{ended:?}");
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
    let store = &scene.store;

    let ended = connection
        .transaction(async |tx| -> Result<(), Undone> {
            let stranger = store.complete_in_tx(tx, forged(token), None).await;
            assert_eq!(refused(stranger), Some(ErrorKind::LeaseLost));
            assert_eq!(refused(store.complete_in_tx(tx, cancelled, None).await), Some(ErrorKind::Cancelled));
            assert_eq!(
                field(store.settle_in_tx(tx, Settlement { token, verdict: failed.clone() }).await),
                "verdict"
            );
            store.complete_in_tx(tx, token, None).await?;
            assert_eq!(refused(store.complete_in_tx(tx, token, None).await), Some(ErrorKind::Conflict));
            Ok(())
        })
        .await;

    assert!(ended.is_ok(), "{ended:?}");
    let again = Settlement { token, verdict: Verdict::Succeeded { result: None } };
    assert_eq!(refused(store.settle(vec![again]).await.unwrap().remove(0)), Some(ErrorKind::NotRunning));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_server_is_one_of_the_store() {
    let scene = Scene::new().await;
    let (mut one, mut other) = (connection(&scene).await, connection(&scene).await);
    let new = job();
    one.begin_test_transaction().await.unwrap();
    let _ = scene.store.enqueue_in_tx(&mut one, vec![new.clone()]).await.unwrap();

    let answer = other
        .transaction(async |tx| -> Result<(), Undone> {
            tx.batch_execute("SET LOCAL lock_timeout = '10ms'").await?;
            let _ = scene.store.enqueue_in_tx(tx, vec![new.clone()]).await?;
            Ok(())
        })
        .await;

    let Err(Undone::Store(error)) = answer else { panic!("{answer:?}") };
    assert_eq!(*error.kind(), ErrorKind::Unavailable);
}
