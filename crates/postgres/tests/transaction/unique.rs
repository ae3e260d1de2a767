//! Unique keys in transactions of the caller, in the function for triggers, and under many who ask at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::timeout;
use windlass_core::{Args, NewJob, Unique, Verdict};
use windlass_store::{
    EnqueueOutcome, ErrorKind, JobFilter, JobStore, LeaseStore, Maintenance, PageRequest, Settlement,
};

use crate::scene::{PATIENCE, Scene, job, refused, somebody_waits};

fn keyed(unique: Unique) -> NewJob {
    let mut job = job();
    job.options.unique = Some(unique);
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_taken_once_the_transaction_has_committed_and_not_before() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let first = keyed(Unique::key("k"));
    let mut tx = scene.client.transaction().await.unwrap();
    let _ = store.enqueue_in_tx(&mut tx, vec![first.clone()]).await.unwrap();
    let mut waiting = JoinSet::new();
    let asked = Arc::clone(&store);
    waiting.spawn(async move { asked.enqueue(vec![keyed(Unique::key("k"))]).await.unwrap()[0] });

    somebody_waits(scene.database.url()).await;
    tx.rollback().await.unwrap();
    let second = timeout(PATIENCE, waiting.join_next()).await.unwrap().unwrap().unwrap();

    assert_eq!(second.outcome, EnqueueOutcome::Created);
    assert!(!scene.exists(first.id).await);
    let met = store.enqueue(vec![keyed(Unique::key("k"))]).await.unwrap()[0];
    assert_eq!((met.id, met.outcome), (second.id, EnqueueOutcome::Existing));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_works_in_a_transaction_of_the_caller() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let first = store.enqueue(vec![keyed(Unique::key("k"))]).await.unwrap()[0].id;
    let mut replacing = keyed(Unique::key("k").replace());
    replacing.args = Args::json("2").unwrap();
    let mut tx = scene.client.transaction().await.unwrap();

    let existing = store.enqueue_in_tx(&mut tx, vec![keyed(Unique::key("k"))]).await.unwrap()[0];
    let replaced = store.enqueue_in_tx(&mut tx, vec![replacing.clone()]).await.unwrap()[0];
    let batch = vec![keyed(Unique::key("l")), keyed(Unique::key("l")), job()];
    let mixed = store.enqueue_in_tx(&mut tx, batch).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!((existing.id, existing.outcome), (first, EnqueueOutcome::Existing));
    assert_eq!((replaced.id, replaced.outcome), (first, EnqueueOutcome::Replaced));
    assert_eq!(store.job(first).await.unwrap().args, replacing.args);
    assert_eq!((mixed[1].id, mixed[1].outcome), (mixed[0].id, EnqueueOutcome::Existing));
    let mut tx = scene.client.transaction().await.unwrap();
    let refusal = store.enqueue_in_tx(&mut tx, vec![keyed(Unique::key("k").reject())]).await;
    assert_eq!(refused(refusal), Some(ErrorKind::Duplicate(first)));
    tx.rollback().await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_function_and_the_library_mean_the_same_key() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let call = "SELECT windlass.enqueue_unique('k ü', 'send_email', '1')";
    let made: uuid::Uuid = scene.client.query_one(call, &[]).await.unwrap().get(0);

    let met = store.enqueue(vec![keyed(Unique::key("k ü"))]).await.unwrap()[0];
    let again: uuid::Uuid = scene.client.query_one(call, &[]).await.unwrap().get(0);

    assert_eq!((met.id.as_uuid(), met.outcome), (made, EnqueueOutcome::Existing));
    assert_eq!(again, made);
    assert_eq!(store.job(met.id).await.unwrap().options.unique, Some(Unique::key("k ü")));
    let reject = "SELECT windlass.enqueue_unique('k ü', 'send_email', on_conflict => 'reject')";
    let error = scene.client.query_one(reject, &[]).await.unwrap_err();
    assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("23505"));
    let wrong = "SELECT windlass.enqueue_unique('k', 'send_email', on_conflict => 'replace')";
    let error = scene.client.query_one(wrong, &[]).await.unwrap_err();
    assert!(error.as_db_error().unwrap().message().contains("on_conflict must be existing or reject"));
    // Its end frees it, like that of any other.
    let running = scene.claim(PATIENCE).await.unwrap();
    let settlement = Settlement { token: running.token, verdict: Verdict::Succeeded { result: None } };
    store.settle(vec![settlement]).await.unwrap().remove(0).unwrap();
    let other: uuid::Uuid = scene.client.query_one(call, &[]).await.unwrap().get(0);
    assert_ne!(other, made);
    let spanned =
        "SELECT windlass.enqueue_unique('s', 'send_email', unique_within => 'global', unique_for => '1 day')";
    scene.client.query_one(spanned, &[]).await.unwrap();
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let met = store.enqueue(vec![keyed(Unique::key("s").globally().for_span(day))]).await.unwrap()[0];
    assert_eq!(met.outcome, EnqueueOutcome::Existing);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_at_once_make_one_job_of_a_key_whatever_they_ask_for() {
    let scene = Scene::new().await;
    let second = std::time::Duration::from_secs(1);
    for (round, action) in [
        Unique::default(),
        Unique::default().reject(),
        Unique::default().replace(),
        Unique::default().debounce(second, second),
    ]
    .into_iter()
    .enumerate()
    {
        let mut callers = JoinSet::new();
        for caller in 0..64 {
            let (store, mut unique) = (Arc::clone(&scene.store), action.clone());
            callers.spawn(async move {
                // Two keys a batch, in both orders.
                let keys = if caller % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
                let batch = keys.map(|key| {
                    unique.key = Some(format!("{round} {key}"));
                    keyed(unique.clone())
                });
                store.enqueue(batch.to_vec()).await
            });
        }
        let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
        while let Some(answer) = timeout(PATIENCE, callers.join_next()).await.unwrap() {
            let told = match answer.unwrap() {
                Ok(answers) => answers.iter().map(|answer| format!("{:?}", answer.outcome)).collect(),
                Err(error) => vec![error.kind().code().to_owned()],
            };
            for one in told {
                *outcomes.entry(one).or_default() += 1;
            }
        }

        assert_eq!(outcomes.remove("Created"), Some(2), "{action:?}: {outcomes:?}");
        let others = outcomes.keys().all(|one| ["Existing", "Replaced", "duplicate"].contains(&one.as_str()));
        assert!(others, "{action:?}: {outcomes:?}");
        let jobs = scene.store.jobs(JobFilter::default(), PageRequest::first(500)).await.unwrap().items;
        assert_eq!(jobs.len(), 2 * (round + 1));
    }
    assert_eq!(scene.store.check().await.unwrap(), Vec::<String>::new());
}
