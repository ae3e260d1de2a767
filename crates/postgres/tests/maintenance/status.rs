//! What the store says is wrong, and with whom.

use std::time::Duration;

use windlass_core::KindName;
use windlass_postgres_testing::{Cluster, Config};
use windlass_store::{Clock as _, Durability, Maintenance as _, SystemClock};

use crate::town::Town;

/// Town's clock tells the time of the server, and later by so much that whatever goes on now has gone on for long.
async fn later_town() -> Town {
    let town = Town::new().await;
    town.clock.set(SystemClock.now().after(Duration::from_secs(600)));
    town
}

async fn warnings(town: &Town) -> Vec<String> {
    town.store.status().await.unwrap().warnings
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_holds_on_to_dead_rows_is_named() {
    let town = later_town().await;
    assert_eq!(warnings(&town).await, Vec::<String>::new());
    town.sql(
        "SET application_name = 'report'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM windlass.job",
    )
    .await;
    let process: i32 = town.client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);

    let [warning] = &warnings(&town).await[..] else { panic!("one is wrong") };

    assert!(
        warning.starts_with(&format!(
            "the transaction of process {process} (user postgres, report, idle in transaction)"
        )),
        "{warning}"
    );
    assert!(warning.ends_with(&format!("SELECT pg_terminate_backend({process})")), "{warning}");
    town.sql("COMMIT").await;
    assert_eq!(warnings(&town).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_transaction_that_nobody_ends_is_named() {
    let cluster = Cluster::start(Config::quick().set("max_prepared_transactions", "1")).unwrap();
    let town = Town::on(cluster.url()).await;
    town.clock.set(SystemClock.now().after(Duration::from_secs(600)));
    town.sql("BEGIN; UPDATE windlass.leader SET term = term; PREPARE TRANSACTION 'forgotten'").await;

    let [warning] = &warnings(&town).await[..] else { panic!("one is wrong") };

    assert!(warning.starts_with("the prepared transaction 'forgotten' of user postgres"), "{warning}");
    town.sql("ROLLBACK PREPARED 'forgotten'").await;
    assert_eq!(warnings(&town).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_nobody_sweeps_is_named() {
    let town = Town::new().await;
    town.sql("ALTER TABLE windlass.job SET (autovacuum_enabled = false)").await;

    let [warning] = &warnings(&town).await[..] else { panic!("one is wrong") };

    assert!(warning.starts_with("autovacuum is off for the table job"), "{warning}");
    let (_, cure) = warning.split_once(": run ").unwrap();
    town.sql(cure).await;
    assert_eq!(warnings(&town).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_no_worker_knows_are_told_of_where_there_are_workers() {
    let town = Town::new().await;
    let id = town.enqueue(|_| {}).await;
    assert_eq!(warnings(&town).await, Vec::<String>::new(), "nothing is wrong where nobody works yet");
    let token = town.start(id).await;
    assert_eq!(token.job, id);

    town.enqueue(|job| job.kind = "fax".parse::<KindName>().unwrap()).await;

    let said = warnings(&town).await;
    assert!(
        said.iter()
            .any(|warning| warning.starts_with("jobs of kind fax, version 1, wait in the queue \"default\"")),
        "{said:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_commit_survives_is_told_by_the_durability() {
    let town = Town::new().await;
    assert_eq!(town.store.status().await.unwrap().durability, Durability::Relaxed, "of a quick cluster");
    let cluster = Cluster::start(Config::durable()).unwrap();
    let town = Town::on(cluster.url()).await;

    assert_eq!(town.store.status().await.unwrap().durability, Durability::Durable);
}
