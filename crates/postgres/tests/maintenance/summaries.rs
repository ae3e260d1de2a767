//! The orders of jobs: summarised by the leader, and by the server only where it vacuums.

use windlass_store::Maintenance as _;

use crate::town::{DAY, Town};

/// Where jobs are added.
const TABLES: [&str; 3] = ["job", "failed", "completed_20260328"];

impl Town {
    /// Fills each of them with more pages than one range has. The server keeps its hands off.
    async fn fill_all(&self) {
        for table in TABLES {
            self.sql(&format!("ALTER TABLE windlass.{table} SET (autovacuum_enabled = off)")).await;
            self.fill(table, 5_000, "").await;
        }
    }

    /// Ranges without a summary, which have one from now on.
    async fn unsummarised(&self) -> Vec<i32> {
        let mut found = Vec::new();
        for table in TABLES {
            let query = format!("SELECT brin_summarize_new_values(windlass.order_of('windlass.{table}'))");
            found.push(self.client.query_one(&query, &[]).await.unwrap().get(0));
        }
        found
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tidying_summarises_what_was_added() {
    let town = Town::new().await;
    town.fill_all().await;
    assert!(town.unsummarised().await.iter().all(|ranges| *ranges > 0), "there is something to do");

    town.fill_all().await;
    town.store.tidy().await.unwrap();

    assert_eq!(town.unsummarised().await, [0; TABLES.len()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tidying_gives_way_to_who_vacuums_a_table() {
    let town = Town::new().await;
    town.fill_all().await;
    town.sql("BEGIN; LOCK TABLE windlass.job IN SHARE UPDATE EXCLUSIVE MODE").await;

    town.store.tidy().await.unwrap();

    town.sql("COMMIT").await;
    let [job, others @ ..] = &town.unsummarised().await[..] else { panic!("there are some") };
    assert!(*job > 0, "it was left for another time");
    assert_eq!(others, [0; TABLES.len() - 1], "and no other for its sake");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_notes_nothing_down_of_its_own() {
    let town = Town::new().await;
    town.clock.advance(DAY);
    town.store.tidy().await.unwrap();

    let query = "SELECT class.relname::text FROM pg_class AS class JOIN pg_am AS am ON am.oid = class.relam
        WHERE am.amname = 'brin' AND class.relkind = 'i' AND class.reloptions @> ARRAY['autosummarize=";
    assert_eq!(town.texts(&format!("{query}on']")).await, Vec::<String>::new());
    assert_eq!(town.texts(&format!("{query}off']")).await.len(), 3 + town.days().await.len());
}
