//! The same work in bare SQL: the least that a queue on PostgreSQL could do.
//!
//! A job is one row until it ends, then one narrow row of history: fenced by a token, with room for what a live job has, and
//! without what a finished one could tell. No runtime, no handlers, no limits, no errors, one queue.

pub(super) mod cycle;
pub(super) mod enqueue;
pub(super) mod pickup;

use std::time::Duration;

use uuid::Uuid;

use super::server::{Database, Server, Session};

/// `fillfactor` leaves room for the one new version that a claim makes, on the page of the old.
const SCHEMA: &str = "
    CREATE SCHEMA raw;
    CREATE SEQUENCE raw.token;
    CREATE TABLE raw.job (
        id uuid PRIMARY KEY,
        due timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        token bigint NOT NULL DEFAULT 0,
        nonce bigint NOT NULL DEFAULT 0,
        queue integer NOT NULL,
        kind integer NOT NULL,
        worker integer NOT NULL DEFAULT 0,
        priority smallint NOT NULL,
        stage smallint NOT NULL DEFAULT 1,
        attempt smallint NOT NULL DEFAULT 0,
        attempts_max smallint NOT NULL DEFAULT 8,
        unique_key bytea,
        args bytea NOT NULL
    ) WITH (
        fillfactor = 50,
        autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_cost_delay = 0,
        vacuum_truncate = off
    );
    CREATE INDEX job_claim ON raw.job (queue, priority, due, id);
    CREATE UNIQUE INDEX job_unique ON raw.job (unique_key) WHERE unique_key IS NOT NULL;
    CREATE TABLE raw.history (
        finished_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        id uuid NOT NULL,
        queue integer NOT NULL,
        kind integer NOT NULL,
        worker integer NOT NULL,
        attempt smallint NOT NULL,
        outcome smallint NOT NULL
    ) PARTITION BY RANGE (finished_at);
    CREATE TABLE raw.history_rest PARTITION OF raw.history DEFAULT;
    CREATE INDEX history_id ON raw.history (id);";

const INSERT: &str = "
    INSERT INTO raw.job (id, queue, kind, priority, due, created_at, args)
    SELECT fresh.id, 1, 1, 3, now(), now(), fresh.args FROM unnest($1::uuid[], $2::bytea[]) AS fresh (id, args)";

/// What a no-op job of ours has for args.
const ARGS: &[u8] = br#"{"to":"ada@example.org","n":1}"#;

/// Jobs of one batch that is enqueued.
const BATCH: usize = 1_000;

/// An empty database with the raw tables.
fn database(server: &Server) -> Database<'_> {
    let database = server.fresh();
    server.runtime.block_on(async {
        let session = Session::open(database.url()).await;
        session.batch_execute(SCHEMA).await.expect("a fresh schema");
    });
    database
}

/// A connection that plans each statement once, as one that is to go by the indexes: planned on an empty table, it would walk
/// the table ever after.
async fn session(url: &str) -> Session {
    let session = Session::open(url).await;
    session.batch_execute(SETTINGS).await.expect("settings");
    session
}

const SETTINGS: &str = "
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET enable_sort = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;";

/// Ids and args of `count` new jobs.
fn rows(count: usize) -> (Vec<Uuid>, Vec<&'static [u8]>) {
    ((0..count).map(|_| Uuid::now_v7()).collect(), vec![ARGS; count])
}

/// How long one looks away who found nothing: raw claimers are told by nobody.
const LOOK: Duration = Duration::from_millis(1);
