//! Transactions as the role of whoever asked for the job.

use std::sync::Arc;

use windlass_core::JobState;
use windlass_postgres::{begin_as, resume_own_role};
use windlass_store::JobStore;

use crate::scene::{Scene, WRITE, field};

/// A role that exists in the cluster until it is dropped, as it belongs to no database.
async fn role(scene: &Scene) -> String {
    let name = format!("Ada's \"{}\"", scene.database.name());
    scene.client.batch_execute(&format!("CREATE ROLE {}", quoted(&name))).await.expect("a role can be made");
    name
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn forget(scene: &Scene, name: &str) {
    let name = quoted(name);
    let drop = format!("DROP OWNED BY {name}; DROP ROLE {name}");
    scene.client.batch_execute(&drop).await.expect("a role can be dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_those_of_the_submitter_until_the_role_is_taken_off() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let ada = role(&scene).await;
    let grant = format!("GRANT INSERT ON public.effect TO {}", quoted(&ada));
    scene.client.batch_execute(&grant).await.unwrap();
    let token = scene.running_job().await.token;

    let mut tx = begin_as(&mut scene.client, &ada).await.unwrap();
    let who: String = tx.query_one("SELECT current_user::text", &[]).await.unwrap().get(0);
    tx.batch_execute(WRITE).await.unwrap();
    resume_own_role(&tx).await.unwrap();
    store.complete_in_tx(&mut tx, token, None).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(who, ada);
    assert_eq!(scene.effects().await, 1);
    assert_eq!(store.job(token.job).await.unwrap().state, JobState::Completed);
    forget(&scene, &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_submitter_may_not_do_is_refused_by_the_server() {
    let mut scene = Scene::new().await;
    let ada = role(&scene).await;

    let tx = begin_as(&mut scene.client, &ada).await.unwrap();
    let answer = tx.batch_execute(WRITE).await;
    drop(tx);

    assert_eq!(answer.unwrap_err().code().unwrap().code(), "42501");
    let who: bool = scene.client.query_one("SELECT current_user = session_user", &[]).await.unwrap().get(0);
    assert!(who, "the role ends with the transaction");
    forget(&scene, &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_no_role_is_refused_and_nothing_is_begun() {
    let mut scene = Scene::new().await;

    for name in ["nobody_of_this_name", "none", "", "a\"; DROP TABLE public.effect; --"] {
        assert_eq!(field(begin_as(&mut scene.client, name).await), "submitted_by", "{name:?}");
    }

    scene.client.batch_execute(WRITE).await.unwrap();
    assert_eq!(scene.effects().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_was_not_granted_is_refused() {
    let mut scene = Scene::new().await;
    let ada = role(&scene).await;
    let postgres: String = scene.client.query_one("SELECT current_user::text", &[]).await.unwrap().get(0);
    // From here on the connection is that of somebody who may do little.
    let become_ada = format!("SET SESSION AUTHORIZATION {}", quoted(&ada));
    scene.client.batch_execute(&become_ada).await.unwrap();

    let answer = begin_as(&mut scene.client, &postgres).await;

    assert_eq!(field(answer), "submitted_by");
    scene.client.batch_execute("RESET SESSION AUTHORIZATION").await.unwrap();
    forget(&scene, &ada).await;
}
