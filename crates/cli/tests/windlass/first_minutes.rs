//! The first five minutes, as the README and `windlass dev` tell of them: from nothing to a failure that was seen, understood and
//! mended, without a line of code.

use std::io::BufRead;

use rustix::process::Signal;
use serde_json::Value;

use crate::shelf::{Running, Shelf};

/// Starts `windlass dev` on any free port, and waits until it says where it is.
fn dev(shelf: &Shelf, words: &[&str]) -> (Running, String) {
    let mut dev = shelf.start(&[&["dev", "--listen", "127.0.0.1:0"], words].concat());
    let mut lines = dev.stdout().lines();
    let mut line = || lines.next().unwrap().unwrap();
    assert!(line().contains("store"));
    let url = line().strip_prefix("server     ").unwrap().to_owned();
    (dev, url)
}

/// The groups of errors: the type of each, and its fingerprint.
fn groups(shelf: &Shelf) -> Vec<(String, String, u64)> {
    let groups = shelf.json(&["errors", "--json"]);
    let text = |group: &Value, field: &str| group[field].as_str().unwrap().to_owned();
    let groups = groups.as_array().unwrap().iter();
    groups
        .map(|group| (text(group, "class"), text(group, "fingerprint"), group["count"].as_u64().unwrap()))
        .collect()
}

#[test]
fn from_nothing_to_a_failure_that_was_mended() {
    let shelf = Shelf::new();
    let (dev, url) = dev(&shelf, &[]);
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");

    // The commands find the server by themselves: nothing is said of it anywhere.
    let hello = shelf.json(&["enqueue", "hello", r#"{"name":"Ada"}"#, "--wait", "--json"]);
    assert_eq!(hello[0]["result"], "Hello, Ada");
    assert!(!shelf.path("windlass.db").exists());

    // Fails in three ways, of which each is one group.
    shelf.ok(&["enqueue", "flaky", "--count", "60", "--tag", "lot"]);
    let mut failed = groups(&shelf);
    while failed.iter().map(|group| group.2).sum::<u64>() < 24 || failed.len() < 3 {
        failed = groups(&shelf);
    }
    let mut ways: Vec<&str> = failed.iter().map(|group| &*group.0).collect();
    ways.sort_unstable();
    assert_eq!(ways, ["ConnectionError", "TimeoutError", "ValidationError"]);
    let ready = ["jobs", "-q", "--kind", "flaky", "--state", "ready,running"];
    while !shelf.ok(&ready).is_empty() {}

    // Mended: a few first, then the rest.
    let (_, invalid, _) = groups(&shelf).into_iter().find(|group| group.0 == "ValidationError").unwrap();
    let retried =
        shelf.run(&["errors", "retry", &invalid, "--canary", "2", "--rate", "100/s", "--wait", "--json"]);
    assert_eq!(retried.code, Some(0), "{retried:?}");
    assert!(retried.stderr.contains("2 of 2 went well; going on with the other "), "{}", retried.stderr);
    let report: Value = serde_json::from_str(&retried.stdout).unwrap();
    assert_eq!((&report["completed"], &report["failed"]), (&report["jobs"], &0.into()));
    let left = shelf.ok(&["jobs", "-q", "--error", &invalid, "--state", "dead"]);
    assert_eq!(left, "");

    // A person decides.
    let id = shelf.line(&["enqueue", "approve", r#"{"amount":900}"#, "--review", "outcome"]);
    shelf.ok(&["reviews", "approve", "--latest", "--comment", "ok", "--wait"]);
    assert_eq!(shelf.of_job(&id, "reason"), "accepted");
    assert_eq!(shelf.of_job(&id, "result")["to_be_paid"], 900);

    // A handler of one's own, in any language.
    let id = shelf.line(&["enqueue", "resize", r#"{"file":"a.png"}"#, "--queue", "shell"]);
    shelf.ok(&["work", "--queue", "shell", "--kind", "resize", "--exec", "echo '\"done\"'", "--until-empty"]);
    assert_eq!(shelf.of_job(&id, "result"), "done");

    // Where to look.
    assert_eq!(shelf.line(&["open", &id]), format!("{url}/jobs/{id}"));
    shelf.ok(&["doctor"]);

    dev.signal(Signal::INT);
    let dev = dev.ended();
    assert_eq!((dev.code, dev.stderr.as_str()), (Some(0), "stopped; the jobs are gone\n"));
    assert_eq!(shelf.run(&["jobs"]).code, Some(69), "nothing is left of it");
}

#[test]
fn a_store_that_was_named_is_kept() {
    let shelf = Shelf::new();
    let (first, _) = dev(&shelf, &["--store", "dev.db"]);
    let id = shelf.line(&["enqueue", "hello", "--wait", "-q"]);
    first.signal(Signal::TERM);
    assert_eq!(first.ended().stderr, "stopped\n");

    assert_eq!(shelf.json(&["jobs", "show", &id, "--store", "dev.db", "--json"])["result"], "Hello, world");
    assert!(!shelf.path("dev.db.token").exists(), "its token goes with it");
}
