//! Every statement reaches its rows through an index, whatever the planner knows of the tables: whether they were empty when
//! it planned or full, and whether it has statistics. A plan is kept as long as its connection, so one that was made for a
//! table without rows has to be as good when there are a million. That is how every quiet queue looks once it was vacuumed.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

#[path = "plans/headers.rs"]
mod headers;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};
use windlass_postgres::PostgresOptions;
use windlass_postgres_testing::Database;

/// Waiting jobs; a fifth as many have ended.
const JOBS: u32 = 1_000_000;

/// What connections of the store are told.
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET jit = off; SET search_path = pg_catalog; \
                        SET enable_seqscan = off; SET max_parallel_workers_per_gather = 0";

/// Those that are meant to read a whole table of jobs, or of what they have of gates; and one of jobs that hardly ever stand at
/// any, as those that may be replaced have no gates of their own.
const READERS: [&str; 5] =
    ["gate/forget", "gate/forgettable", "gate/replaced", "maintenance/faults", "queue/counts"];

/// Those that draw up maps of rows, and are never part of a transaction at gates.
const BY_MAPS: [&str; 3] = ["job/list", "maintenance/prune_completed", "maintenance/prune_rest"];

/// Which indexes a statement has to use, beside those that its header names, as far as it matters which.
const INDEXES: [(&str, &[&str]); 26] = [
    ("edge/make", &["job_pkey", "blocked_pkey"]),
    ("job/ended", &["history_id"]),
    ("job/facts", &["job_pkey"]),
    ("job/insert", &[]),
    ("job/known", &["job_pkey", "history_id"]),
    ("job/list", &["completed_order", "failed_order"]),
    ("job/look", &["job_pkey", "history_id"]),
    ("job/read", &["job_pkey", "history_id"]),
    ("lease/candidates", &["job_place"]),
    ("lease/claim", &["job_place", "job_deadline", "job_stopping", "worker_id_key"]),
    ("lease/claim_given", &["job_pkey"]),
    ("lease/claim_lane", &["job_place", "claim_place", "job_deadline", "job_stopping", "worker_id_key"]),
    ("lease/complete", &["job_pkey", "claim_pkey"]),
    ("lease/complete_at", &["claim_pkey"]),
    ("lease/extend", &["job_pkey"]),
    ("lease/finish", &["job_pkey"]),
    ("lease/return", &["job_pkey"]),
    ("maintenance/expired_leases", &["job_lease"]),
    ("maintenance/missed_deadlines", &["job_deadline"]),
    ("maintenance/prune_completed", &["completed_order", "attempt_pkey", "log_pkey", "event_pkey"]),
    ("maintenance/prune_failed", &["failed_end", "attempt_pkey", "log_pkey", "event_pkey"]),
    ("maintenance/prune_rest", &["completed_order", "attempt_pkey", "log_pkey", "event_pkey"]),
    ("maintenance/rescuable", &["job_lease", "job_deadline"]),
    ("maintenance/sweep_day", &["attempt_pkey", "log_pkey", "event_pkey"]),
    ("worker/beat", &["worker_id_key", "job_stopping"]),
    ("worker/held", &["job_pkey"]),
];

/// Indexes that a header names and that its plan does not show: used by a function on its behalf, or not in every state.
const ELSEWHERE: [(&str, &str); 9] = [
    ("edge/blame", "job_pkey"),
    ("edge/make", "history_id"),
    ("gate/call", "stand_job"),
    ("gate/release", "stand_here"),
    ("gate/states", "stand_here"),
    ("job/insert", "history_id"),
    ("job/list", "job_order"),
    ("maintenance/prune_completed", "history_id"),
    ("review/ask_about_start", "job_pkey"),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_walks_through_jobs_it_does_not_want() {
    let server = windlass_postgres_testing::shared().expect("a server can be started");
    let database = Database::create(server).expect("a database can be made");
    drop(PostgresOptions::new(database.url()).open().await.unwrap());
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let run = |text: String| {
        let client = &client;
        async move { client.batch_execute(&text).await.unwrap() }
    };
    let mut faults = Vec::new();

    faults.extend(check(&client, "empty").await);
    run("ANALYZE".to_owned()).await;
    faults.extend(check(&client, "empty and analyzed").await);
    run(fill()).await;
    faults.extend(check(&client, "full").await);
    run("ANALYZE".to_owned()).await;
    faults.extend(check(&client, "full and analyzed").await);
    faults.extend(check_list(&client).await);
    run("DELETE FROM windlass.job; DELETE FROM windlass.history".to_owned()).await;
    run("VACUUM ANALYZE".to_owned()).await;
    faults.extend(check(&client, "drained and vacuumed").await);

    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Makes it look as if the store had been busy for long, its statistics left as they were.
fn fill() -> String {
    format!(
        "INSERT INTO windlass.lane (queue, kind, version) SELECT 'default', 'kind' || n, 1 FROM generate_series(1, 5) n;
         INSERT INTO windlass.worker (id, name, host, version, kinds, slots, lease, registered_at, seen_at, lease_until)
         SELECT gen_random_uuid(), 'w', 'h', '1', '[]', 1, 30000000, now(), now(), now() FROM generate_series(1, 50) n;
         INSERT INTO windlass.job (id, created_at, run_at, lane, budget, priority, args)
         SELECT gen_random_uuid(), now(), now() - n * interval '1 ms', 1 + n % 5, 0, 3, '\\x7b7d'
         FROM generate_series(1, {JOBS}) n;
         INSERT INTO windlass.history (id, seq, created_at, run_at, finished_at, lane, budget, number, nonce, attempt, revision,
             stage, priority, traits, args)
         SELECT gen_random_uuid(), {JOBS} + n, now(), now(), now() - n * interval '1 s', 1, 0, 1, n, 1, 3,
             CASE WHEN n % 5 = 0 THEN 7 ELSE 5 END, 3, 0, '\\x7b7d'
         FROM generate_series(1, {JOBS} / 5) n;
         INSERT INTO windlass.attempt (job, number, started_at, ended_at, outcome)
         SELECT id, 1, now(), now(), 2 FROM windlass.failed;
         INSERT INTO windlass.log (job, line, attempt, at, level, message)
         SELECT id, 1, 1, now(), 3, 'message' FROM windlass.failed;
         INSERT INTO windlass.event (job, revision, at, verb, actor)
         SELECT id, 1, now(), 'retry', 'ada' FROM windlass.failed;
         INSERT INTO windlass.claim (nonce, part, worker, claimed_at, jobs)
         SELECT n, 0, 1 + n % 50, now(), ARRAY[gen_random_uuid()] FROM generate_series(1, 20000) n"
    )
}

/// What is wrong with the plans as they would be made now.
async fn check(client: &Client, state: &str) -> Vec<String> {
    client.batch_execute(SETTINGS).await.unwrap();
    let (mut faults, known) = (Vec::new(), indexes(client).await);
    for (name, text) in statements() {
        let plan = plan(client, &text).await;
        let mut used = Used::default();
        used.gather(&plan);
        let is_reader = READERS.contains(&name.as_str());
        for table in used.walked.iter().filter(|table| is_big(table) && !is_reader) {
            faults.push(format!("{state}: {name} walks through {table}"));
        }
        let wanted = INDEXES.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, wanted)| *wanted);
        let named = headers::indexes(&text, &known).unwrap_or_else(|problem| {
            faults.push(format!("{name} {problem}"));
            Vec::new()
        });
        let named = named.iter().map(String::as_str).filter(|index| is_big(table_of(index)));
        let named = named.filter(|index| !ELSEWHERE.contains(&(&name, index)));
        let wanted = wanted.iter().copied().chain(named);
        for index in wanted.filter(|index| !used.indexes.iter().any(|used| is_index(used, index))) {
            faults.push(format!("{state}: {name} does not use {index}, but {:?}", used.indexes));
        }
    }
    faults.extend(check_at_gates(client, state).await);
    client.batch_execute("RESET ALL").await.unwrap();
    faults
}

/// A transaction that looks at many gates goes without maps of rows. What it plans is kept for others on its connection.
async fn check_at_gates(client: &Client, state: &str) -> Vec<String> {
    client.batch_execute("SET enable_bitmapscan = off").await.unwrap();
    let mut faults = Vec::new();
    let elsewhere = |name: &str| READERS.contains(&name) || BY_MAPS.contains(&name);
    for (name, text) in statements().into_iter().filter(|(name, _)| !elsewhere(name)) {
        let mut used = Used::default();
        used.gather(&plan(client, &text).await);
        for table in used.walked.iter().filter(|table| is_big(table)) {
            faults.push(format!("{state}, at gates: {name} walks through {table}"));
        }
    }
    faults
}

/// Every index of the store.
async fn indexes(client: &Client) -> BTreeSet<String> {
    let query = "SELECT relname::text FROM pg_class
                 WHERE relkind IN ('i', 'I') AND relnamespace = 'windlass'::regnamespace";
    client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Lists walk through windows of a block range index, once there are statistics. Before that the planner takes `job_place`, and
/// reads all of it: a list is then as slow as its table is large, until the server has looked at it, within a minute.
async fn check_list(client: &Client) -> Vec<String> {
    client.batch_execute(SETTINGS).await.unwrap();
    let mut used = Used::default();
    used.gather(&plan(client, &fs::read_to_string("sql/job/list.sql").unwrap()).await);
    let fault = format!("full and analyzed: job/list does not use job_order, but {:?}", used.indexes);
    if used.indexes.contains("job_order") { Vec::new() } else { vec![fault] }
}

/// Tables that have a row for each job, or for what it did.
fn is_big(table: &str) -> bool {
    ["job", "failed", "attempt", "log", "event", "blocked", "unique_key", "held", "stand"].contains(&table)
        || table.starts_with("completed")
}

/// Whether `used` is the index `wanted`, or that of one of its partitions, which the server named.
fn is_index(used: &str, wanted: &str) -> bool {
    let column = match wanted {
        "history_id" => "_id_idx",
        "completed_order" => "_seq_finished_at_idx",
        _ => return used == wanted,
    };
    used.ends_with(column)
}

/// The table that an index is of, by its name. Those of small tables are empty here, so which one a plan takes says nothing.
fn table_of(index: &str) -> &str {
    match index {
        "history_id" => "job",
        _ => index.split('_').next().unwrap_or_default(),
    }
}

/// What a plan does with tables.
#[derive(Debug, Default)]
struct Used {
    indexes: BTreeSet<String>,
    walked: BTreeSet<String>,
}

impl Used {
    fn gather(&mut self, node: &Value) {
        let arbiters = node["Conflict Arbiter Indexes"].as_array().into_iter().flatten();
        for index in arbiters.chain([&node["Index Name"]]).filter_map(Value::as_str) {
            self.indexes.insert(index.to_owned());
        }
        if let Some(table) = node["Relation Name"].as_str().filter(|_| walks(node)) {
            self.walked.insert(table.to_owned());
        }
        for child in node["Plans"].as_array().into_iter().flatten() {
            self.gather(child);
        }
    }
}

/// Whether it goes over everything. An index without a condition is no better than none, unless it holds only a few rows.
fn walks(node: &Value) -> bool {
    let index = node["Index Name"].as_str().unwrap_or_default();
    match node["Node Type"].as_str() {
        Some("Seq Scan") => true,
        Some("Index Scan" | "Index Only Scan") => {
            node["Index Cond"].is_null() && !["job_deadline", "job_lease", "job_stopping"].contains(&index)
        }
        _ => false,
    }
}

async fn plan(client: &Client, text: &str) -> Value {
    let parameters: Vec<(String, String)> = text.lines().filter_map(parameter).collect();
    let (types, values): (Vec<_>, Vec<_>) = parameters.into_iter().unzip();
    let (types, values) = if types.is_empty() {
        (String::new(), String::new())
    } else {
        (format!("({})", types.join(", ")), format!("({})", values.join(", ")))
    };
    let script = format!("PREPARE planned{types} AS\n{text}");
    client.batch_execute(&script).await.unwrap_or_else(|error| panic!("{error:?}: {script}"));
    let explained =
        client.simple_query(&format!("EXPLAIN (FORMAT JSON) EXECUTE planned{values}")).await.unwrap();
    client.batch_execute("DEALLOCATE planned").await.unwrap();
    let lines: Vec<&str> = explained
        .iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        })
        .collect();
    let plan: Value = serde_json::from_str(&lines.join("\n")).unwrap();
    plan[0]["Plan"].clone()
}

/// The type of a parameter that a header tells of, and a value for it.
fn parameter(line: &str) -> Option<(String, String)> {
    let mut words = line.strip_prefix("--   $")?.split_whitespace();
    let (_, name) = (words.next()?, words.next()?);
    let of = words.next()?.trim_end_matches([',', ';']);
    let value = match (name, of) {
        ("now", _) => "NULL",
        (_, "bool") => "true",
        (_, "bigint" | "integer" | "smallint") => "5",
        (_, "timestamptz") => "now()",
        (_, "uuid") => "gen_random_uuid()",
        (_, "text") => "'windlass'",
        _ => "'{}'",
    };
    Some((of.to_owned(), value.to_owned()))
}

/// Every statement of the store, by its file.
fn statements() -> Vec<(String, String)> {
    let mut statements = Vec::new();
    for noun in [
        "edge",
        "error",
        "flow",
        "gate",
        "job",
        "lane",
        "leader",
        "lease",
        "maintenance",
        "notice",
        "queue",
        "review",
        "schedule",
        "unique",
        "worker",
    ] {
        for file in fs::read_dir(format!("sql/{noun}")).unwrap() {
            let path = file.unwrap().path();
            let verb = path.file_stem().unwrap().to_string_lossy().into_owned();
            // A lock of a table has no plan.
            if (noun, verb.as_str()) == ("gate", "bar") {
                continue;
            }
            statements.push((format!("{noun}/{verb}"), fs::read_to_string(&path).unwrap()));
        }
    }
    statements.sort();
    statements
}
