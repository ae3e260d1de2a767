//! What a monitor is told: `docs/metrics.md`, the dashboard and the alerts, held against what a server with jobs in it answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::server::{Server, everywhere};

everywhere! {
    work_is_counted_by_queue_and_kind,
    a_lost_lease_is_counted_once_by_each_who_finds_it,
}

/// A metric as it is told, or described: its type, and what it is told apart by.
type Described = BTreeMap<String, (String, BTreeSet<String>)>;

async fn work_is_counted_by_queue_and_kind(server: Server) {
    server.enqueue(r#"{"kind":"mail","queue":"out"}"#).await;
    settle(&server, r#"{"outcome":"succeeded"}"#).await;
    server.enqueue(r#"{"kind":"mail","queue":"out","attempts_max":1}"#).await;
    settle(&server, r#"{"outcome":"failed"}"#).await;

    let told = server.get("/metrics").await.body;

    for (line, count) in [
        (r#"windlass_attempts_total{queue="out",kind="mail",outcome="succeeded"}"#, 1),
        (r#"windlass_attempts_total{queue="out",kind="mail",outcome="failed"}"#, 1),
        (r#"windlass_attempts_total{queue="out",kind="mail",outcome="timed_out"}"#, 0),
        (r#"windlass_job_wait_seconds_count{queue="out",kind="mail"}"#, 2),
        (r#"windlass_job_run_seconds_count{queue="out",kind="mail"}"#, 2),
        (r#"windlass_store_answer_seconds_count{operation="enqueue"}"#, 2),
        (r#"windlass_store_failures_total{operation="turn"}"#, 0),
        (r#"windlass_jobs{queue="out",state="dead"}"#, 1),
    ] {
        assert!(told.contains(&format!("{line} {count}\n")), "{line}: {told}");
    }
}

async fn settle(server: &Server, outcome: &str) {
    let token = server.claim().await;
    assert_eq!(server.post(&format!("/api/v1/leases/{token}/settle"), outcome).await.status, 200);
}

async fn a_lost_lease_is_counted_once_by_each_who_finds_it(server: Server) {
    lose_a_lease(&server).await;

    let told = server.get("/metrics").await.body;

    for seen_by in ["worker", "rescue"] {
        let line = format!("windlass_leases_lost_total{{seen_by=\"{seen_by}\"}} 1\n");
        assert!(told.contains(&line), "{line}: {told}");
    }
}

/// Claims a job for no longer than a moment, waits until it was taken back, and tries what is left of it twice.
async fn lose_a_lease(server: &Server) {
    server.enqueue(r#"{"kind":"mail"}"#).await;
    let claimed = server.post("/api/v1/leases", r#"{"worker":"w1","lease":"100ms"}"#).await.json();
    let token = claimed["leases"][0]["token"].as_str().unwrap().to_owned();
    while server.post("/api/v1/upkeep/rescue", "").await.json()["returned"] != 1 {
        tokio::task::yield_now().await;
    }
    for verb in ["extend", "settle"] {
        let body = if verb == "settle" { r#"{"outcome":"succeeded"}"# } else { "" };
        let refused = server.post(&format!("/api/v1/leases/{token}/{verb}"), body).await;
        assert_eq!(refused.problem().1, "lease_lost");
    }
}

/// What a server answers in which everything has happened that is counted.
async fn exposition() -> String {
    let server = Server::memory().await;
    server.enqueue(r#"{"kind":"mail"}"#).await;
    settle(&server, r#"{"outcome":"succeeded"}"#).await;
    lose_a_lease(&server).await;
    server.get("/metrics").await;
    server.get("/metrics").await.body
}

/// What the exposition tells, by the names that queries use.
fn told(text: &str) -> Described {
    let mut described = Described::new();
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let suffix = if kind == "counter" { "_total" } else { "" };
            described.insert(format!("{name}{suffix}"), (kind.to_owned(), BTreeSet::new()));
            continue;
        }
        let Some((name, labels)) = line.split_once('{').filter(|_| !line.starts_with('#')) else { continue };
        let labels = labels.rsplit_once('}').unwrap().0;
        let names = labels.split("\",").map(|label| label.split_once('=').unwrap().0);
        let entry = described.get_mut(base(name)).unwrap_or_else(|| panic!("{name} has no type"));
        entry.1.extend(names.filter(|label| *label != "le").map(str::to_owned));
    }
    described
}

/// The metric that a series is of: a histogram has three.
fn base(name: &str) -> &str {
    ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

fn read(path: &str) -> String {
    let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test]
async fn the_page_about_metrics_says_what_is_told() {
    let told = told(&exposition().await);

    let page = read("docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `windlass_"));
    let described: Described = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let name = format!("windlass_{}", cells[0].trim_end_matches('`'));
            let labels = cells[2].split('`').filter(|label| !label.trim().is_empty()).map(str::to_owned);
            (name, (cells[1].to_owned(), labels.collect()))
        })
        .collect();

    assert_eq!(described, told);
}

/// Every query of the dashboard and the alerts.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("ops/grafana/windlass.json")).unwrap();
    // Prometheus reads YAML, of which JSON is a part; so it needs no reader of its own here.
    let alerts: Value = serde_json::from_str(&read("ops/prometheus/alerts.yml")).unwrap();
    let each = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("a query is a text").to_owned();
    let targets = each(&dashboard["panels"]).into_iter().flat_map(|panel| each(&panel["targets"]));
    let mut queries: Vec<String> = targets.map(|target| text(&target["expr"])).collect();
    let variables = each(&dashboard["templating"]["list"]).into_iter();
    queries.extend(variables.filter(|one| one["type"] == "query").map(|one| text(&one["query"])));
    let rules = each(&alerts["groups"]).into_iter().flat_map(|group| each(&group["rules"]));
    for rule in rules {
        queries.push(text(&rule["expr"]));
        let runbook = read(rule["annotations"]["runbook"].as_str().expect("every alert has a runbook"));
        assert!(runbook.starts_with("# "), "{runbook}");
    }
    queries
}

/// The names that a query uses: metrics, and what it tells them apart by.
fn used(query: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut metrics, mut labels) = (BTreeSet::new(), BTreeSet::new());
    let mut rest = query;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '"' || c == '$') {
        rest = &rest[at..];
        if let Some(text) = rest.strip_prefix('"') {
            rest = &text[text.find('"').expect("a text ends") + 1..];
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_$".contains(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_matcher = ["=", "!="].iter().any(|sign| after.starts_with(sign));
        match word {
            "by" | "on" | "without" | "group_left" => {
                let list = after.trim_start().strip_prefix('(').expect("a list follows");
                let (list, behind) = list.split_once(')').expect("the list ends");
                labels
                    .extend(list.split(',').map(|label| label.trim().to_owned()).filter(|it| !it.is_empty()));
                rest = behind;
                continue;
            }
            "label_values" => {
                let label = after.rsplit_once(',').expect("a metric and a label").1;
                labels.insert(label.trim_matches([' ', ')']).to_owned());
            }
            _ if word.starts_with("windlass_") => {
                metrics.insert(word.to_owned());
            }
            _ if is_matcher => {
                labels.insert(word.to_owned());
            }
            _ => {}
        }
        rest = after;
    }
    (metrics, labels)
}

#[test]
fn the_names_that_a_query_uses_are_found() {
    let query =
        r#"sum by (le, queue) (rate(windlass_x_bucket{kind!="windlass_no"}[5m])) > on () up{job="a"}"#;

    let (metrics, labels) = used(query);

    assert_eq!(metrics, BTreeSet::from(["windlass_x_bucket".to_owned()]));
    assert_eq!(labels, ["job", "kind", "le", "queue"].map(str::to_owned).into());
    assert!(used("label_values(windlass_y, state)").1.contains("state"));
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_for_nothing_that_is_not_told() {
    let told = told(&exposition().await);

    let queries = queries();

    assert!(queries.len() > 30, "the files were read: {}", queries.len());
    for query in queries {
        let (metrics, labels) = used(&query);
        // What Prometheus adds itself.
        let mut known: BTreeSet<String> = ["instance", "job"].map(str::to_owned).into();
        for metric in &metrics {
            let (kind, of) = told.get(base(metric)).unwrap_or_else(|| panic!("no {metric}: {query}"));
            assert_eq!(kind == "histogram", base(metric) != metric, "{metric} is a {kind}: {query}");
            known.extend(of.iter().cloned());
            if metric.ends_with("_bucket") {
                known.insert("le".to_owned());
            }
        }
        assert!(labels.is_subset(&known), "{query} asks for {labels:?}, and there is {known:?}");
    }
}
