//! What commands are given of the jobs that theirs waited for.

use serde_json::{Value, json};

use crate::shelf::Shelf;

/// A job of a file that runs this in a shell, its stdin from `from`.
fn exec(name: &str, after: &Value, from: Option<&str>, command: &str) -> Value {
    let mut job = json!({"kind": "exec", "ref": name, "tags": [name], "after": after, "attempts_max": 1});
    job["args"] = json!({"command": ["sh", "-c", command]});
    if let Some(from) = from {
        job["args"]["stdin_from"] = from.into();
    }
    job
}

fn write(shelf: &Shelf, jobs: &[Value]) {
    let lines: Vec<String> = jobs.iter().map(ToString::to_string).collect();
    shelf.write("flow.jsonl", &(lines.join("\n") + "\n"));
}

fn tagged(shelf: &Shelf, tag: &str) -> String {
    shelf.line(&["jobs", "-q", "--tag", tag])
}

#[test]
fn an_exec_job_reads_what_its_parents_wrote_in_the_order_of_its_edges() {
    for shelf in [Shelf::new(), Shelf::with_database()] {
        write(
            &shelf,
            &[
                exec("one", &json!([]), None, "echo one; echo aside >&2"),
                exec("two", &json!([]), None, "printf two"),
                exec("none", &json!([]), None, "exit 65"),
                exec(
                    "sum",
                    &json!(["two", {"ref": "none", "on": "on_finish"}, "one"]),
                    Some("parents"),
                    "cat > sum",
                ),
                exec("all", &json!(["sum", "two"]), Some("parents_json"), "cat > all"),
            ],
        );

        assert_eq!(shelf.run(&["run", "flow.jsonl"]).code, Some(8));

        assert_eq!(shelf.read("sum"), "two\none\n");
        let all: Value = serde_json::from_str(&shelf.read("all")).unwrap();
        assert_eq!(
            (&all[0]["id"], &all[1]["id"]),
            (&json!(tagged(&shelf, "sum")), &json!(tagged(&shelf, "two")))
        );
        assert_eq!(all[1]["result"], json!({"exit_code": 0, "stdout": "two", "stderr": ""}));
        assert_eq!(
            (&all[1]["state"], &all[1]["kind"], &all[1]["on"]),
            (&json!("completed"), &json!("exec"), &json!("on_success"))
        );
    }
}

#[test]
fn errors_of_parents_are_told_where_any_end_will_do() {
    let shelf = Shelf::new();
    let after = json!([{"ref": "broken", "on": "on_finish"}]);
    write(
        &shelf,
        &[
            exec("broken", &json!([]), None, "echo oh no >&2; exit 65"),
            exec("told", &after, Some("parents_json"), "cat > told"),
        ],
    );

    shelf.run(&["run", "flow.jsonl"]);

    let told: Value = serde_json::from_str(&shelf.read("told")).unwrap();
    assert_eq!((&told[0]["state"], &told[0]["reason"]), (&json!("dead"), &json!("fatal")));
    assert_eq!(told[0]["error"]["message"], "exit code 65: oh no");
    assert!(told[0].get("result").is_none());
}

#[test]
fn a_child_gets_all_of_it_or_does_not_run() {
    let shelf = Shelf::new();
    write(
        &shelf,
        &[
            exec("long", &json!([]), None, "head -c 100000 /dev/zero | tr '\\0' x"),
            exec("child", &json!(["long"]), Some("parents"), "touch ran"),
        ],
    );

    shelf.run(&["run", "flow.jsonl"]);

    let (long, child) = (tagged(&shelf, "long"), tagged(&shelf, "child"));
    assert_eq!(shelf.of_job(&long, "result")["stdout_cut"], true);
    assert_eq!(
        (shelf.of_job(&child, "state"), shelf.of_job(&child, "reason")),
        (json!("dead"), json!("fatal"))
    );
    let error = shelf.of_job(&child, "error")["message"].clone();
    assert!(
        error.as_str().unwrap().starts_with(&format!("job {long} wrote more to stdout than is kept")),
        "{error}"
    );
    assert!(!shelf.path("ran").exists());
}

#[test]
fn stdin_comes_from_one_place() {
    let shelf = Shelf::new();
    let refused = |args: &str, problem: &str| {
        let id = shelf.line(&["enqueue", "exec", args]);
        shelf.ok(&["work", "--until-empty"]);
        assert_eq!(shelf.of_job(&id, "reason"), "undecodable");
        let error = shelf.of_job(&id, "error")["message"].clone();
        assert!(error.as_str().unwrap().contains(problem), "{error}");
    };

    refused(
        r#"{"command":["cat"],"stdin":"x","stdin_from":"parents"}"#,
        "args.stdin: cannot be given together",
    );
    refused(
        r#"{"command":["cat"],"stdin_from":"nowhere"}"#,
        "unknown variant `nowhere`, expected `parents` or `parents_json`",
    );
}

#[test]
fn an_exec_job_knows_itself_and_has_no_parents_to_read_unless_it_has_some() {
    let shelf = Shelf::new();
    let command = "cat; echo $WINDLASS_JOB_ID $WINDLASS_KIND $WINDLASS_QUEUE $WINDLASS_ATTEMPT";
    let args = json!({"command": ["sh", "-c", command], "stdin_from": "parents_json"}).to_string();
    let id = shelf.line(&["enqueue", "exec", &args, "--queue", "builds"]);

    shelf.ok(&["work", "--until-empty"]);

    assert_eq!(shelf.of_job(&id, "result")["stdout"], format!("[]{id} exec builds 1\n"));
}

#[test]
fn a_command_for_any_kind_is_given_parents_if_it_wants_them() {
    let shelf = Shelf::new();
    let one = shelf.line(&["enqueue", "one"]);
    shelf.ok(&["work", "--kind", "one", "--exec", "echo '[1, 2]'", "--until-empty"]);
    let two = shelf.line(&["enqueue", "two", "--after", &one]);
    let three = shelf.line(&["enqueue", "three", "--after", &one]);

    shelf.ok(&["work", "--kind", "two", "--exec", "cat", "--parents", "--until-empty"]);
    shelf.ok(&["work", "--kind", "three", "--exec", "cat", "--until-empty"]);

    let given = shelf.of_job(&two, "result");
    let mut parent =
        json!({"id": one, "on": "on_success", "kind": "one", "state": "completed", "reason": "done"});
    parent["result"] = json!([1, 2]);
    assert_eq!((&given["id"], &given["parents"]), (&json!(two), &json!([parent])));
    assert!(shelf.of_job(&three, "result").get("parents").is_none());
    assert_eq!(shelf.run(&["work", "--parents"]).code, Some(2));
}

#[test]
fn what_other_kinds_made_is_read_as_text() {
    let shelf = Shelf::new();
    let (text, list, nothing) = (
        shelf.line(&["enqueue", "text"]),
        shelf.line(&["enqueue", "list"]),
        shelf.line(&["enqueue", "nothing"]),
    );
    for (kind, command) in [("text", "echo hello there"), ("list", "echo '[1, 2]'"), ("nothing", "true")] {
        shelf.ok(&["work", "--kind", kind, "--exec", command, "--until-empty"]);
    }
    let args = r#"{"command": ["cat"], "stdin_from": "parents"}"#;
    let child =
        shelf.line(&["enqueue", "exec", args, "--after", &list, "--after", &nothing, "--after", &text]);

    shelf.ok(&["work", "--until-empty"]);

    assert_eq!(shelf.of_job(&child, "result")["stdout"], "[1, 2]\nhello there\n");
}
