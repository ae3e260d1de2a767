//! Locks, limits, rates and order keys on the command line, and why a job does not run.

use crate::shelf::Shelf;

#[test]
fn a_job_is_enqueued_with_its_gates_and_shown_with_them() {
    let shelf = Shelf::new();

    let job = shelf.json(&[
        "enqueue",
        "mail",
        "--lock",
        "table:users",
        "--lock-shared",
        "config",
        "--limit",
        "stripe=3",
        "--rate",
        "api=100/1m,5",
        "--order-key",
        "k",
        "--json",
    ]);

    let job = &job[0];
    let locks = serde_json::json!([
        {"resource": "table:users", "mode": "exclusive"}, {"resource": "config", "mode": "shared"}
    ]);
    assert_eq!(job["locks"], locks);
    assert_eq!(job["limits"], serde_json::json!([{"key": "stripe", "max": 3}]));
    assert_eq!(job["rates"], serde_json::json!([{"key": "api", "starts": 100, "per": "1m", "burst": 5}]));
    assert_eq!(job["order_key"], "k");
    let shown = shelf.ok(&["jobs", "show", job["id"].as_str().unwrap()]);
    for told in ["table:users exclusive, config shared", "stripe at most 3", "api 100/1m,5"] {
        assert!(shown.contains(told), "{shown}");
    }
}

#[test]
fn what_is_wrong_with_a_gate_is_told_before_there_is_a_store() {
    let shelf = Shelf::new();

    for (args, told) in [
        (["--lock=r", "--lock-shared=r"], "both shared and exclusive"),
        (["--limit=k", "--lock=r"], "expected a key and a number"),
        (["--limit=k=0", "--lock=r"], "must be 1 or more"),
        (["--rate=k=5", "--lock=r"], "is no rate"),
    ] {
        let refused = shelf.run(&["enqueue", "mail", args[0], args[1]]);
        assert!(refused.code != Some(0) && refused.stderr.contains(told), "{}", refused.stderr);
    }
}

#[test]
fn a_job_file_may_say_locks_by_their_names_alone() {
    let shelf = Shelf::new();
    shelf.write(
        "jobs.jsonl",
        "{\"kind\":\"mail\",\"locks\":[\"r\",{\"resource\":\"s\",\"mode\":\"shared\"}]}\n",
    );

    let job = shelf.json(&["enqueue", "--bulk", "jobs.jsonl", "--json"]);

    let locks =
        serde_json::json!([{"resource": "r", "mode": "exclusive"}, {"resource": "s", "mode": "shared"}]);
    assert_eq!(job[0]["locks"], locks);
}

#[test]
fn why_says_whose_turn_it_is_and_that_nobody_works() {
    let shelf = Shelf::new();
    let enqueue = || shelf.ok(&["enqueue", "mail", "--order-key", "k"]).trim().to_owned();
    let (first, second) = (enqueue(), enqueue());

    let told = shelf.ok(&["jobs", "why", &second]);

    assert!(told.contains("it waits"), "{told}");
    assert!(told.contains(&format!("order key \"k\": it is the turn of job {first}")), "{told}");
    assert!(told.contains("no live worker takes its queue, kind and version"), "{told}");
    let why = &shelf.json(&["jobs", "why", &second, "--json"]);
    assert_eq!((&why["next"], &why["obstacles"][0]["before"]), (&false.into(), &first.into()));
}

#[test]
fn a_queue_is_bounded_and_the_bound_is_shown() {
    let shelf = Shelf::new();
    shelf.ok(&["enqueue", "mail"]);

    let limit = &shelf.json(&["queues", "limit", "default", "5", "--json"])[0];
    assert_eq!((&limit["name"], &limit["limit"]), (&"default".into(), &5.into()));
    let rate = &shelf.json(&["queues", "rate", "default", "100/1m", "--json"])[0];
    assert_eq!(rate["rate"], serde_json::json!({"starts": 100, "per": "1m", "burst": 1}));
    assert_eq!(rate["limit"], 5);
    let kind = &shelf.json(&["queues", "limit", "mail", "1", "--kind", "--json"])[0];
    assert_eq!(kind["what"], "kind");
    let lifted = &shelf.json(&["queues", "limit", "default", "none", "--json"])[0];
    assert!(lifted.get("limit").is_none(), "{lifted}");
}
