//! Carrying a decision out in a transaction of the caller: what follows from it and the end of the job are one commit.

use std::sync::Arc;

use windlass_core::{AttemptToken, Decision, JobState, Json, Phase, Reason, Review, Verdict};
use windlass_store::{Actor, JobStore, LeaseStore, Maintenance, NewRuling, ReviewStore, Settled, Settlement};

use crate::scene::{PATIENCE, Scene, WRITE, job};

/// An attempt that is to carry out what was decided about an outcome.
async fn settling(scene: &Scene, decision: Decision) -> AttemptToken {
    let mut asked = job();
    asked.options.review = Some(Review::outcome());
    let _ = scene.store.enqueue(vec![asked.clone()]).await.unwrap();
    let token = scene.claim(PATIENCE).await.unwrap().token;
    let staged = Verdict::Succeeded { result: Some(Json::new("result", "3").unwrap()) };
    scene.store.settle(vec![Settlement { token, verdict: staged }]).await.unwrap().remove(0).unwrap();
    let digest = scene.store.review(asked.id).await.unwrap().unwrap().digest;
    let ruling = NewRuling { decision, by: Actor::new("bob"), digest, args: None };
    scene.store.decide(asked.id, ruling).await.unwrap();
    let leased = scene.claim(PATIENCE).await.unwrap();
    assert_eq!((leased.id(), leased.phase()), (asked.id, Phase::Settle));
    leased.token
}

#[tokio::test(flavor = "multi_thread")]
async fn g07_what_follows_a_decision_and_the_end_of_its_job_are_committed_together() {
    for (decision, state, reason) in [
        (Decision::Accept, JobState::Completed, Reason::Accepted),
        (Decision::Decline, JobState::Cancelled, Reason::Declined),
    ] {
        let mut scene = Scene::new().await;
        let store = Arc::clone(&scene.store);
        let token = settling(&scene, decision).await;
        let mut tx = scene.client.transaction().await.unwrap();

        tx.batch_execute(WRITE).await.unwrap();
        let settled = store.complete_in_tx(&mut tx, token, None).await.unwrap();

        assert_eq!(settled, Settled { state, reason: Some(reason) });
        assert_eq!(store.job(token.job).await.unwrap().state, JobState::Running);
        tx.commit().await.unwrap();
        let ended = store.job(token.job).await.unwrap();
        assert_eq!((ended.state, ended.reason), (state, Some(reason)));
        let kept = (decision == Decision::Accept).then(|| Json::new("result", "3").unwrap());
        assert_eq!((ended.result, scene.effects().await), (kept, 1));
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_whose_transaction_is_rolled_back_is_still_to_be_carried_out() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let token = settling(&scene, Decision::Accept).await;
    let mut tx = scene.client.transaction().await.unwrap();

    tx.batch_execute(WRITE).await.unwrap();
    store.complete_in_tx(&mut tx, token, None).await.unwrap();
    tx.rollback().await.unwrap();

    let job = store.job(token.job).await.unwrap();
    assert_eq!((job.state, job.phase, scene.effects().await), (JobState::Running, Phase::Settle, 0));
    let again = Settlement { token, verdict: Verdict::Succeeded { result: None } };
    let settled = store.settle(vec![again]).await.unwrap().remove(0).unwrap();
    assert_eq!(settled, Settled { state: JobState::Completed, reason: Some(Reason::Accepted) });
}
