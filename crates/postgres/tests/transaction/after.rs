//! Jobs that wait for others, enqueued in transactions of the caller.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::timeout;
use windlass_core::{AttemptError, Edge, JobId, JobState, NewJob, Verdict};
use windlass_store::{Actor, ErrorKind, FlowStore, JobStore, LeaseStore, Maintenance, Settlement};

use crate::scene::{PATIENCE, Scene, job, refused, somebody_waits};

fn after(parents: &[JobId]) -> NewJob {
    let mut child = job();
    child.after = parents.iter().map(|id| Edge::on_success(*id)).collect();
    child
}

async fn state(scene: &Scene, id: JobId) -> JobState {
    scene.store.job(id).await.unwrap().state
}

#[tokio::test(flavor = "multi_thread")]
async fn g07_a_job_waits_for_those_before_it_once_the_transaction_has_committed() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let running = scene.running_job().await.token;
    let (first, gone) = (job(), after(&[running.job]));
    let child = after(&[first.id, running.job]);
    let mut tx = scene.client.transaction().await.unwrap();

    // One behind the other in one batch, with a parent outside of it.
    let _ = store.enqueue_in_tx(&mut tx, vec![child.clone(), first.clone()]).await.unwrap();
    let savepoint = {
        let mut savepoint = tx.transaction().await.unwrap();
        let _ = store.enqueue_in_tx(&mut savepoint, vec![gone.clone()]).await.unwrap();
        savepoint.rollback().await
    };
    savepoint.unwrap();
    assert_eq!(refused(store.job(child.id).await), Some(ErrorKind::NotFound));
    tx.commit().await.unwrap();

    assert_eq!(
        (state(&scene, child.id).await, state(&scene, first.id).await),
        (JobState::Blocked, JobState::Ready)
    );
    assert!(!scene.exists(gone.id).await);
    let done = |token| Settlement { token, verdict: Verdict::Succeeded { result: None } };
    store.settle(vec![done(running)]).await.unwrap().remove(0).unwrap();
    assert_eq!(state(&scene, child.id).await, JobState::Blocked);
    let leased = scene.claim(PATIENCE).await.unwrap();
    store.settle(vec![done(leased.token)]).await.unwrap().remove(0).unwrap();
    assert_eq!((leased.id(), state(&scene, child.id).await), (first.id, JobState::Ready));
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

/// A parent that ends while the transaction is open waits for its end, so that no child is left behind.
#[tokio::test(flavor = "multi_thread")]
async fn g13_a_parent_that_ends_meanwhile_waits_and_lets_the_child_go() {
    for commits in [true, false] {
        let mut scene = Scene::new().await;
        let store = Arc::clone(&scene.store);
        let parent = scene.running_job().await.token;
        let child = after(&[parent.job]);
        let mut tx = scene.client.transaction().await.unwrap();
        let _ = store.enqueue_in_tx(&mut tx, vec![child.clone()]).await.unwrap();
        let mut settling = JoinSet::new();
        let settler = Arc::clone(&store);
        settling.spawn(async move {
            let settlement = Settlement { token: parent, verdict: Verdict::Succeeded { result: None } };
            settler.settle(vec![settlement]).await.unwrap().remove(0).unwrap().state
        });

        somebody_waits(scene.database.url()).await;
        if commits {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
        }
        let settled = timeout(PATIENCE, settling.join_next()).await.unwrap().unwrap().unwrap();

        assert_eq!(settled, JobState::Completed);
        assert_eq!(scene.exists(child.id).await, commits);
        if commits {
            assert_eq!(state(&scene, child.id).await, JobState::Ready);
        }
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_that_has_ended_counts_and_one_that_failed_or_is_nowhere_is_refused() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let done = scene.running_job().await.token;
    let dead = scene.running_job().await.token;
    let fatal = Verdict::Fatal { error: AttemptError::new("x") };
    let ends = vec![
        Settlement { token: done, verdict: Verdict::Succeeded { result: None } },
        Settlement { token: dead, verdict: fatal },
    ];
    assert!(store.settle(ends).await.unwrap().iter().all(Result::is_ok));
    let child = after(&[done.job]);
    let mut tx = scene.client.transaction().await.unwrap();

    let _ = store.enqueue_in_tx(&mut tx, vec![child.clone()]).await.unwrap();
    let failed = store.enqueue_in_tx(&mut tx, vec![after(&[dead.job])]).await;
    let nowhere = store.enqueue_in_tx(&mut tx, vec![after(&[job().id])]).await;
    tx.commit().await.unwrap();

    assert_eq!(refused(failed), Some(ErrorKind::NotReady));
    assert_eq!(refused(nowhere), Some(ErrorKind::NotFound));
    assert_eq!(state(&scene, child.id).await, JobState::Ready);
    assert_eq!(store.parents(child.id, windlass_store::PageRequest::first(9)).await.unwrap().items.len(), 1);
    store.cancel(child.id, Actor::new("ada")).await.map(drop).unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}
