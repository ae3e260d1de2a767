//! Unique keys, what goes wrong, the dead, and how long they are kept.

use crate::shelf::Shelf;

/// Runs jobs that fail with these messages, each once.
fn failed(shelf: &Shelf, messages: &[&str]) {
    for message in messages {
        let args = serde_json::json!({ "command": ["sh", "-c", format!("echo '{message}' >&2; exit 1")] });
        shelf.ok(&["enqueue", "exec", &args.to_string(), "--attempts", "1"]);
    }
    shelf.run(&["work", "--until-empty"]);
}

#[test]
fn a_job_that_is_there_stands_for_a_second_one() {
    let shelf = Shelf::new();
    let first = shelf.line(&["enqueue", "mail", r#"{"to":"ada","n":1}"#, "--unique"]);

    assert_eq!(shelf.line(&["enqueue", "mail", r#"{"n":1,"to":"ada"}"#, "--unique"]), first);
    let refused =
        shelf.run(&["enqueue", "mail", r#"{"n":1,"to":"ada"}"#, "--unique", "--on-conflict", "reject"]);
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains(&first), "{}", refused.stderr);
    let key = ["enqueue", "mail", "1", "--unique=k", "--unique-within", "global", "--unique-scope", "24h"];
    let keyed = shelf.line(&key);
    assert_eq!(shelf.line(&[&key[..], &["--on-conflict", "replace", "--queue", "other"]].concat()), keyed);
    assert_eq!(shelf.of_job(&keyed, "queue"), "other");
    let unique = shelf.of_job(&keyed, "unique");
    assert_eq!(unique["scope"], serde_json::json!({ "for": "24h" }));
}

#[test]
fn a_line_of_a_job_file_may_ask_for_a_key() {
    let shelf = Shelf::new();
    shelf.write(
        "jobs.jsonl",
        "{\"kind\":\"a\",\"unique\":\"k\"}\n{\"kind\":\"a\",\"unique\":{\"key\":\"k\"}}\n",
    );

    let ids = shelf.ok(&["enqueue", "--bulk", "jobs.jsonl"]);

    let ids: Vec<&str> = ids.lines().collect();
    assert_eq!((ids.len(), ids[0]), (2, ids[1]));
}

#[test]
fn errors_are_listed_in_groups_and_the_dead_of_one_are_redriven() {
    let shelf = Shelf::new();
    failed(&shelf, &["user 1 is gone", "user 22 is gone", "disk full"]);

    let groups = shelf.json(&["errors", "--json"]);
    let counts: Vec<u64> =
        groups.as_array().unwrap().iter().filter_map(|group| group["count"].as_u64()).collect();
    assert_eq!((counts.len(), counts.iter().sum::<u64>()), (2, 3));
    let twice = groups.as_array().unwrap().iter().find(|group| group["count"] == 2).unwrap();
    let fingerprint = twice["fingerprint"].as_str().unwrap();
    let shown = shelf.json(&["errors", "show", fingerprint, "--json"]);
    assert_eq!(shown[0]["jobs"].as_array().or_else(|| shown["jobs"].as_array()).unwrap().len(), 2);

    let preview = shelf.json(&["jobs", "redrive", "--error", fingerprint, "--dry-run", "--json"]);
    assert_eq!(preview.as_array().unwrap().len(), 2);
    assert_eq!(shelf.json(&["jobs", "--state", "dead", "--json"]).as_array().unwrap().len(), 3);
    shelf.ok(&["jobs", "redrive", "--error", fingerprint]);
    assert_eq!(shelf.json(&["jobs", "--state", "ready", "--json"]).as_array().unwrap().len(), 2);
    assert_eq!(shelf.json(&["jobs", "--state", "dead", "--json"]).as_array().unwrap().len(), 1);
    assert_ne!(shelf.run(&["errors", "show", "0000000000000000"]).code, Some(0));
}

#[test]
fn verbs_take_all_that_match_and_nothing_they_are_not_for() {
    let shelf = Shelf::new();
    for kind in ["a", "a", "b"] {
        shelf.ok(&["enqueue", kind]);
    }

    let cancelled = shelf.json(&["jobs", "cancel", "--kind", "a", "--json"]);
    assert_eq!(cancelled.as_array().unwrap().len(), 2);
    let rerun = shelf.line(&["jobs", "rerun", cancelled[0]["id"].as_str().unwrap(), "-q"]);
    assert_eq!(shelf.of_job(&rerun, "state"), "ready");
    assert_eq!(shelf.of_job(&rerun, "rerun_of"), cancelled[0]["id"]);
    let deleted = shelf.json(&["jobs", "delete", "--all", "--json"]);
    assert_eq!(deleted.as_array().unwrap().len(), 2, "what is still to be done stays");
    assert_eq!(shelf.json(&["jobs", "--json"]).as_array().unwrap().len(), 2);
    assert_ne!(shelf.run(&["jobs", "cancel"]).code, Some(0), "all is said by name");
}

#[test]
fn a_queue_says_how_long_its_jobs_are_kept() {
    let shelf = Shelf::new();
    shelf.ok(&["enqueue", "mail"]);

    shelf.ok(&["queues", "retention", "default", "--completed", "7d", "--dead", "forever"]);
    let said = shelf.json(&["queues", "retention", "default", "--cancelled", "1h", "--json"]);
    assert_eq!(
        said[0],
        serde_json::json!({
            "queue": "default", "completed": "168h", "cancelled": "1h", "dead": "forever"
        })
    );
    let lifted = ["--completed", "default", "--dead", "default", "--cancelled", "default"];
    shelf.ok(&[&["queues", "retention", "default"], &lifted[..]].concat());
    assert_eq!(shelf.json(&["queues", "retention", "--json"]), serde_json::json!([]));
}

#[test]
fn keys_retentions_and_errors_move_to_another_store() {
    let shelf = Shelf::with_database();
    let file = ["--store", "app.db"];
    let key = ["enqueue", "mail", "1", "--unique=k"];
    let keyed = shelf.line(&[&key[..], &file].concat());
    let fail = r#"{"command":["sh","-c","echo user 7 is gone >&2; exit 1"]}"#;
    shelf.ok(&[&["enqueue", "exec", fail, "--attempts", "1"], &file[..]].concat());
    shelf.run(&[&["work", "--until-empty"], &file[..]].concat());
    shelf.ok(&[&["queues", "retention", "default", "--dead", "forever"], &file[..]].concat());
    let errors = shelf.json(&[&["errors", "--json"], &file[..]].concat());
    assert_eq!(errors[0]["count"], 1);

    shelf.ok(&["promote", "app.db"]);

    assert_eq!(shelf.line(&key), keyed);
    assert_eq!(shelf.json(&["errors", "--json"]), errors);
    let fingerprint = errors[0]["fingerprint"].as_str().unwrap();
    assert_eq!(shelf.json(&["jobs", "--error", fingerprint, "--json"]).as_array().unwrap().len(), 1);
    assert_eq!(shelf.json(&["queues", "retention", "--json"])[0]["dead"], "forever");
    assert!(shelf.ok(&["doctor"]).contains("ok\tintegrity\t"));
}
