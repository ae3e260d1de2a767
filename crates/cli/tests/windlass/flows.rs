//! `windlass flows`, and jobs that wait for one another wherever they are named.

use serde_json::{Value, json};

use crate::shelf::Shelf;

fn states(flow: &Value) -> Vec<&str> {
    flow["jobs"].as_array().unwrap().iter().map(|job| job["state"].as_str().unwrap()).collect()
}

/// Two that a third waits for, of kinds that nobody runs.
fn waiting(shelf: &Shelf) -> [String; 3] {
    let one = shelf.line(&["enqueue", "one"]);
    let two = shelf.line(&["enqueue", "two"]);
    let child = shelf.line(&["enqueue", "child", "--after", &one, "--after-finish", &two]);
    [one, two, child]
}

fn on_every_store(test: impl Fn(&Shelf)) {
    test(&Shelf::new());
    test(&Shelf::with_database());
}

#[test]
fn a_job_waits_for_those_that_are_named() {
    on_every_store(|shelf| {
        let [one, two, child] = waiting(shelf);

        assert_eq!(shelf.of_job(&child, "state"), "blocked");
        let after = shelf.of_job(&child, "after");
        assert_eq!((&after[0]["job"], &after[0]["on"]), (&json!(one), &json!("on_success")));
        assert_eq!((&after[1]["job"], &after[1]["on"]), (&json!(two), &json!("on_finish")));
        assert_eq!(shelf.of_job(&one, "children")[0]["job"], child);
        assert_eq!(shelf.ok(&["jobs", "-q", "--roots"]).trim_end(), child);
        let nobody = "0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11";
        let refused = shelf.run(&["enqueue", "child", "--after", nobody]);
        assert_eq!(refused.code, Some(3), "{refused:?}");
        assert!(refused.stderr.contains(nobody), "{}", refused.stderr);
    });
}

#[test]
fn a_flow_is_shown_as_a_tree_and_as_json() {
    let shelf = Shelf::new();
    let [one, two, child] = waiting(&shelf);

    let shown = shelf.ok(&["flows", "show", &two]);
    let flow = shelf.json(&["flows", "show", &child, "--json"]);

    assert!(shown.contains("3 jobs: 2 ready, 1 blocked"), "{shown}");
    assert!(shown.contains(&format!("└─ {child}\tblocked\tchild\t\t{two}")), "{shown}");
    assert_eq!(states(&flow), ["ready", "ready", "blocked"]);
    assert_eq!(flow["edges"][0], json!({"parent": one, "child": child, "on": "on_success"}));
    assert_eq!(flow["cut"], false);
}

#[test]
fn a_flow_is_cancelled_retried_and_deleted_as_a_whole() {
    on_every_store(|shelf| {
        let [one, two, child] = waiting(shelf);

        let cancelled = shelf.ok(&["flows", "cancel", &one, "--reason", "lunch"]);
        assert_eq!(cancelled, format!("{one}\tcancelled\n{two}\tcancelled\n{child}\tcancelled\n"));
        assert_eq!(shelf.of_job(&child, "events")[0]["reason"], "lunch");
        shelf.ok(&["flows", "retry", &child]);
        assert_eq!(states(&shelf.json(&["flows", "show", &one, "--json"])), ["ready", "ready", "blocked"]);

        let refused = shelf.run(&["jobs", "delete", &one]);
        assert_eq!(refused.code, Some(5), "{refused:?}");
        assert!(refused.stderr.contains(&format!("job {child} depends on job {one}")), "{}", refused.stderr);
        assert_eq!(shelf.ok(&["flows", "delete", &child]).lines().count(), 3);
        assert_eq!(shelf.ok(&["jobs", "-q"]), "");
    });
}

#[test]
fn errors_are_told_down_to_their_root() {
    let shelf = Shelf::new();
    let broken = json!({"command": ["sh", "-c", "echo oh no >&2; exit 65"]}).to_string();
    let one = shelf.line(&["enqueue", "exec", &broken]);
    let child = shelf.line(&["enqueue", "child", "--after", &one]);
    shelf.ok(&["work", "--until-empty"]);

    let told = shelf.ok(&["flows", "errors", &child]);
    let tree = shelf.json(&["flows", "errors", &child, "--json"]);

    assert!(told.contains(&format!("└─ {one}\tdead\texec\texit code 65: oh no")), "{told}");
    assert_eq!((&tree["job"], &tree["reason"]), (&json!(child), &json!("dependency_failed")));
    assert_eq!(tree["causes"][0]["job"], one);
}

#[test]
fn a_file_names_what_its_jobs_wait_for() {
    on_every_store(|shelf| {
        shelf.write(
            "flow.toml",
            r#"
            [[job]]
            kind = "exec"
            args = { command = ["sh", "-c", "echo all >> ledger"] }
            after = ["left", { ref = "right", on = "on_finish" }]

            [[job]]
            kind = "exec"
            ref = "left"
            args = { command = ["sh", "-c", "echo left >> ledger"] }
            after = ["right"]

            [[job]]
            kind = "exec"
            ref = "right"
            args = { command = ["sh", "-c", "echo right >> ledger"] }
            "#,
        );

        shelf.ok(&["run", "flow.toml", "--slots", "4"]);
        assert_eq!(shelf.read("ledger"), "right\nleft\nall\n");

        shelf.ok(&["enqueue", "--bulk", "flow.toml"]);
        assert_eq!(shelf.ok(&["jobs", "-q", "--state", "blocked"]).lines().count(), 2);
        let wrong = "{\"kind\":\"exec\",\"ref\":\"a\",\"after\":[\"b\"]}\n";
        shelf.write("wrong.jsonl", wrong);
        let refused = shelf.run(&["run", "wrong.jsonl"]);
        assert!(
            refused.stderr.contains("wrong.jsonl:1: after[0]: no job of the file has the ref \"b\""),
            "{}",
            refused.stderr
        );
    });
}

#[test]
fn a_move_takes_the_edges_along() {
    let shelf = Shelf::with_database();
    let in_file = |words: &[&str]| shelf.line(&[words, &["--store", "app.db"]].concat());
    let done = in_file(&["enqueue", "exec", "{\"command\": [\"true\"]}"]);
    let old = in_file(&["enqueue", "exec", "{\"command\": [\"true\"]}"]);
    let forgotten = in_file(&["enqueue", "exec", "{\"command\": [\"true\"]}", "--after", &old]);
    shelf.ok(&["work", "--until-empty", "--store", "app.db"]);
    let open = in_file(&["enqueue", "exec", "{\"command\": [\"true\"]}"]);
    let child =
        in_file(&["enqueue", "exec", "{\"command\": [\"true\"]}", "--after", &done, "--after", &open]);

    let report = shelf.json(&["promote", "app.db", "--finished", "none", "--json"]);

    assert_eq!((&report["jobs"], &report["left"]), (&3.into(), &2.into()), "{forgotten} is left behind");
    assert_eq!(shelf.of_job(&child, "state"), "blocked");
    assert_eq!(shelf.of_job(&child, "after").as_array().unwrap().len(), 2);
    assert!(shelf.ok(&["doctor"]).contains("ok\tintegrity\t"));
    shelf.ok(&["work", "--until-empty"]);
    assert_eq!(shelf.of_job(&child, "state"), "completed");
    assert_eq!(shelf.of_job(&done, "children")[0]["job"], child);
}
