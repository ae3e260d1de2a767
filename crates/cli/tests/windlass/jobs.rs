//! `windlass enqueue`, and what there is to do with jobs afterwards.

use crate::shelf::Shelf;

const NOBODY: &str = "0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11";

#[test]
fn a_job_is_enqueued_with_everything_it_was_asked_with() {
    let shelf = Shelf::new();
    shelf.write("args.json", "{\"a\": 1}\n");

    let job = shelf.json(&[
        "enqueue",
        "mail",
        "@args.json",
        "--queue",
        "out",
        "--priority",
        "high",
        "--in",
        "1h",
        "--deadline",
        "2h",
        "--timeout",
        "30s",
        "--attempts",
        "3",
        "--losses",
        "0",
        "--tag",
        "a",
        "--tag",
        "b",
        "--id",
        NOBODY,
        "--json",
    ]);

    let job = &job[0];
    assert_eq!(job["id"], NOBODY);
    assert_eq!(job["args"], serde_json::json!({"a": 1}));
    for (field, value) in [
        ("queue", "out"),
        ("priority", "high"),
        ("state", "scheduled"),
        ("reason", "delay"),
        ("timeout", "30s"),
    ] {
        assert_eq!(job[field], value, "{field}");
    }
    assert_eq!((&job["attempts_max"], &job["losses_max"]), (&3.into(), &0.into()));
    assert_eq!(job["tags"], serde_json::json!(["a", "b"]));
    assert!(job["deadline"].is_string());
}

#[test]
fn the_same_id_makes_one_job() {
    let shelf = Shelf::new();

    for _ in 0..2 {
        assert_eq!(shelf.line(&["enqueue", "mail", "--id", NOBODY]), NOBODY);
    }

    assert_eq!(shelf.line(&["jobs", "list", "-q"]), NOBODY);
}

#[test]
fn args_come_from_stdin_and_must_be_json() {
    let shelf = Shelf::new();

    let piped = shelf.run_with(&["enqueue", "mail", "-"], "[1,2]\n");
    let wrong = shelf.run(&["enqueue", "mail", "hello"]);

    assert_eq!(shelf.of_job(piped.stdout.trim(), "args"), serde_json::json!([1, 2]));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.starts_with("error[WL0001]: args: is not JSON"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("\n  help: args are JSON"), "{}", wrong.stderr);
}

#[test]
fn a_file_is_enqueued_whole_or_not_at_all() {
    let shelf = Shelf::new();
    shelf.write("good.jsonl", "{\"kind\":\"a\"}\n{\"kind\":\"b\"}\n");
    shelf.write("bad.jsonl", "{\"kind\":\"a\"}\n{\"kind\":\"\"}\n");

    let ids = shelf.ok(&["enqueue", "--bulk", "good.jsonl"]);
    let bad = shelf.run(&["enqueue", "--bulk", "bad.jsonl"]);

    assert_eq!(ids.lines().count(), 2);
    assert_eq!(bad.code, Some(2));
    assert!(bad.stderr.contains("bad.jsonl:2: kind: must not be empty"), "{}", bad.stderr);
    assert_eq!(shelf.ok(&["jobs", "list"]).lines().count(), 2);
}

#[test]
fn whoever_waits_is_told_how_it_ended() {
    let shelf = Shelf::new();
    shelf.pipe("gate");
    let worker =
        ["work", "--exec", "exec 9> gate; echo up >&9; exit $(sed 's/.*\"args\":\\([0-9]*\\).*/\\1/')"];
    let worker = shelf.start(&worker);

    let waiting = shelf.start(&["enqueue", "shell", "0", "--wait"]);
    shelf.reached("gate");
    let good = waiting.ended();
    let waiting = shelf.start(&["enqueue", "shell", "65", "--wait"]);
    shelf.reached("gate");
    let bad = waiting.ended();
    worker.kill();

    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.stdout.contains("\tcompleted\t"), "{good:?}");
    assert_eq!(bad.code, Some(8), "{bad:?}");
    let id = bad.stdout.split('\t').next().unwrap();
    assert_eq!(shelf.run(&["jobs", "wait", id]).code, Some(8));
}

#[test]
fn waiting_may_end_without_the_job() {
    let shelf = Shelf::new();
    let id = shelf.line(&["enqueue", "mail"]);

    let waited = shelf.run(&["jobs", "wait", &id, "--timeout", "50ms"]);

    assert_eq!(waited.code, Some(75));
    assert!(waited.stderr.contains(&format!("job {id} is still ready")), "{}", waited.stderr);
}

#[test]
fn the_verbs_change_what_becomes_of_a_job() {
    let shelf = Shelf::new();
    let id = shelf.line(&["enqueue", "shell", "--attempts", "1"]);
    shelf.ok(&["work", "--exec", "exit 1", "--until-empty"]);
    assert_eq!(shelf.of_job(&id, "reason"), "exhausted");

    assert_eq!(shelf.line(&["jobs", "retry", &id]), format!("{id}\tretried"));
    assert_eq!(shelf.of_job(&id, "state"), "ready");
    assert_eq!(shelf.line(&["jobs", "cancel", &id]), format!("{id}\tcancelled"));
    assert_eq!(shelf.line(&["jobs", "cancel", &id]), format!("{id}\twas cancelled before"));
    assert_eq!(shelf.line(&["jobs", "delete", &id]), format!("{id}\tdeleted"));
    assert_eq!(shelf.run(&["jobs", "show", &id]).code, Some(3));
    let later = shelf.line(&["enqueue", "shell", "--in", "1h"]);
    assert_eq!(shelf.line(&["jobs", "run-now", &later]), format!("{later}\tdue now"));
    assert_eq!(shelf.of_job(&later, "state"), "ready");
}

#[test]
fn what_is_not_allowed_says_why_by_text_and_exit_code() {
    let shelf = Shelf::new();
    let id = shelf.line(&["enqueue", "shell"]);

    let missing = shelf.run(&["jobs", "cancel", NOBODY]);
    let waiting = shelf.run(&["jobs", "retry", &id]);
    let partly = shelf.run(&["jobs", "cancel", &id, NOBODY]);

    assert_eq!(missing.code, Some(3));
    assert!(
        missing.stderr.starts_with(&format!("error[WL0008]: there is no job {NOBODY}\n  help: ")),
        "{}",
        missing.stderr
    );
    assert_eq!(waiting.code, Some(5), "{waiting:?}");
    assert!(waiting.stderr.starts_with(&format!("error[WL0009]: job {id}: ")), "{}", waiting.stderr);
    assert_eq!(partly.code, Some(7));
    assert_eq!(partly.stdout, format!("{id}\tcancelled\n"));
    assert!(partly.stderr.contains(&format!("there is no job {NOBODY}")), "{}", partly.stderr);
    assert_eq!(shelf.run(&["jobs", "show", "42"]).code, Some(2));
}

#[test]
fn a_list_is_filtered_and_goes_on_by_pages() {
    let shelf = Shelf::new();
    for (kind, queue) in [("a", "x"), ("a", "y"), ("b", "x")] {
        shelf.ok(&["enqueue", kind, "--queue", queue, "--tag", kind]);
    }
    let count = |words: &[&str]| shelf.ok(&[&["jobs", "list", "-q"], words].concat()).lines().count();

    assert_eq!(count(&[]), 3);
    assert_eq!(count(&["--kind", "a"]), 2);
    assert_eq!(count(&["--queue", "x,y", "--kind", "b"]), 1);
    assert_eq!(count(&["--state", "ready", "--tag", "a"]), 2);
    assert_eq!(count(&["--state", "dead"]), 0);
    assert_eq!(count(&["--since", "1h"]), 3);
    assert_eq!(count(&["--since", "2999-01-01T00:00:00Z"]), 0);
    assert_eq!(count(&["--limit", "2"]), 2);
    assert_eq!(shelf.ok(&["jobs", "--kind", "a", "-q"]).lines().count(), 2);
    assert_eq!(shelf.run(&["jobs", "list", "--state", "discarded"]).code, Some(2));
}

#[test]
fn a_log_is_followed_to_its_end() {
    let shelf = Shelf::new();
    shelf.pipe("gate");
    let id = shelf.line(&["enqueue", "shell"]);
    let following = shelf.start(&["jobs", "logs", &id, "-f", "--jsonl=message"]);

    let worker = shelf.start(&[
        "work",
        "--until-empty",
        "--exec",
        "echo one >&2; exec 9> gate; echo up >&9; echo two >&2",
    ]);
    shelf.reached("gate");
    let followed = following.ended();
    worker.ended();

    assert_eq!(followed.code, Some(0));
    assert_eq!(followed.stdout, "{\"message\":\"one\"}\n{\"message\":\"two\"}\n");
}

#[test]
fn queues_are_paused_with_a_reason_and_resumed() {
    let shelf = Shelf::new();
    shelf.ok(&["enqueue", "mail", "--queue", "out"]);

    let paused = shelf.json(&[
        "queues",
        "pause",
        "out",
        "--reason",
        "deploy",
        "--by",
        "ada",
        "--json=name,paused,pause",
    ]);
    let resumed = shelf.json(&["queues", "resume", "out", "--json=paused"]);
    let missing = shelf.run(&["queues", "resume", "nowhere"]);

    assert_eq!(
        (&paused[0]["paused"], &paused[0]["pause"]["by"], &paused[0]["pause"]["reason"]),
        (&true.into(), &"ada".into(), &"deploy".into())
    );
    assert_eq!(resumed[0]["paused"], false);
    assert_eq!(missing.code, Some(3), "{missing:?}");
}

#[test]
fn a_job_that_is_due_in_the_farthest_future_can_be_looked_at() {
    let shelf = Shelf::new();
    let id = shelf.line(&["enqueue", "mail", "--in", "99999999h", "--deadline", "9999999999h"]);

    assert_eq!(shelf.of_job(&id, "run_at"), "9999-12-30T22:00:00Z");
    assert!(shelf.ok(&["jobs", "list"]).starts_with(&id));
}

#[test]
fn a_person_is_told_that_no_worker_runs_the_kind_yet() {
    let shelf = Shelf::new();

    let said = shelf.on_a_terminal("enqueue mail");
    let paused = shelf.on_a_terminal("queues pause default");

    assert!(said.contains("start one: windlass work --kind mail --exec CMD\n"), "{said}");
    assert!(paused.contains("until `windlass queues resume default`\n"), "{paused}");
}

#[test]
fn what_is_wrong_with_args_is_told_and_only_that() {
    let shelf = Shelf::new();

    let no_json = shelf.run(&["enqueue", "mail", "hello"]);
    let deep = shelf.run_with(&["enqueue", "mail", "-"], &("[".repeat(200) + &"]".repeat(200)));

    assert!(no_json.stderr.contains("a text needs quotes of its own"), "{}", no_json.stderr);
    assert_eq!(deep.stderr, "error[WL0001]: args: nests deeper than 100 levels\n");
    let page = shelf.run(&["jobs", "list", "--after", "abc"]);
    assert!(page.stderr.contains("give the number that the last page ended with"), "{}", page.stderr);
}

#[test]
fn a_waiting_job_is_edited_moved_and_put_off() {
    let shelf = Shelf::new();
    let id = shelf.line(&["enqueue", "mail", r#"{"n":1}"#, "--tag", "a"]);

    shelf.ok(&[
        "jobs",
        "edit",
        &id,
        "--priority",
        "high",
        "--args",
        r#"{"n":2}"#,
        "--tag",
        "b",
        "--meta",
        r#"{"k":1}"#,
    ]);
    shelf.ok(&["jobs", "move", &id, "--to", "other"]);
    shelf.ok(&["jobs", "snooze", &id, "--for", "1h", "--by", "ada", "--reason", "not yet"]);

    let job = shelf.json(&["jobs", "show", &id, "--json"]);
    assert_eq!(
        (&job["priority"], &job["queue"], &job["args"]["n"]),
        (&"high".into(), &"other".into(), &2.into())
    );
    assert_eq!((&job["tags"][0], &job["meta"]["k"]), (&"b".into(), &1.into()));
    assert_eq!((&job["state"], &job["reason"]), (&"scheduled".into(), &"snoozed".into()));
    let audit = shelf.ok(&["audit", "--json", "--verb", "snooze"]);
    assert!(audit.contains("\"ada\"") && audit.contains("not yet") && audit.contains("run_at"), "{audit}");

    shelf.ok(&["jobs", "edit", &id, "--in", "0s", "--no-tags"]);
    assert_eq!(shelf.of_job(&id, "state"), "ready");
    assert!(shelf.ok(&["jobs", "move", "--queue", "other", "--to", "third"]).contains('1'));
    assert_eq!(shelf.of_job(&id, "queue"), "third");
    let nothing = shelf.run(&["jobs", "edit", &id]);
    assert!(nothing.code == Some(2) && nothing.stderr.contains("--priority"), "{nothing:?}");
    let wrong = shelf.run(&["jobs", "edit", &id, "--meta", "[]"]);
    assert!(wrong.code != Some(0) && wrong.stderr.contains("meta"), "{wrong:?}");
    shelf.ok(&["jobs", "cancel", &id]);
    let ended = shelf.run(&["jobs", "snooze", &id, "--for", "1h"]);
    assert!(ended.code != Some(0) && !ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn jobs_are_found_by_a_filter_in_one_text() {
    let shelf = Shelf::new();
    let ids: Vec<String> =
        (0..30).map(|n| shelf.line(&["enqueue", "mail", &format!(r#"{{"user":{n}}}"#)])).collect();

    let found = |text: &str| shelf.ok(&["jobs", "-q", "--filter", text]);
    assert_eq!(found("args.user:7 state:ready"), format!("{}\n", ids[7]));
    assert_eq!(found("kind:mail").lines().count(), 20);
    let seldom = shelf.run(&["jobs", "-q", "--filter", "args.user:0,1", "--limit", "1"]);
    assert_eq!(seldom.stdout, format!("{}\n", ids[1]));
    shelf.ok(&["jobs", "cancel", "--filter", "args.user:3,4"]);
    assert_eq!(found("state:cancelled").lines().count(), 2);

    let refused = shelf.run(&["jobs", "--filter", "que:mail"]);
    assert_eq!(
        (refused.code, refused.stderr.contains("did you mean `queue`?")),
        (Some(2), true),
        "{refused:?}"
    );
    assert_eq!(shelf.run(&["jobs", "--filter", "kind:mail", "--queue", "a"]).code, Some(2));
}

#[test]
fn a_filter_needs_no_name_where_ids_would_stand() {
    let shelf = Shelf::new();
    let ids: Vec<String> =
        (0..4).map(|n| shelf.line(&["enqueue", "mail", &format!(r#"{{"user":{n}}}"#)])).collect();

    assert_eq!(shelf.line(&["jobs", "list", "args.user:2 state:ready", "-q"]), ids[2]);
    shelf.ok(&["jobs", "cancel", "args.user:1,2"]);
    assert_eq!(shelf.ok(&["jobs", "list", "state:cancelled", "-q"]).lines().count(), 2);
    let refused = |words: &[&str], why: &str| {
        let ran = shelf.run(words);
        assert_eq!((ran.code, ran.stderr.contains(why)), (Some(2), true), "{words:?}: {ran:?}");
    };
    refused(&["jobs", "cancel", &ids[0], "kind:mail"], "by their ids, or");
    refused(&["jobs", "cancel", "kind:mail", "state:ready"], "one filter");
    refused(&["jobs", "cancel", "kind:mail", "--queue", "a"], "cannot be used with");
    refused(&["jobs", "cancel", "que:mail"], "did you mean `queue`?");
    refused(&["jobs", "cancel", "mail"], "is not an id");
    refused(&["jobs", "cancel", &ids[0], "--detach"], "for jobs that match");
    refused(&["jobs", "list", "kind:mail", "--queue", "a"], "cannot be used with");
    assert_eq!(shelf.ok(&["jobs", "list", "state:ready", "-q"]).lines().count(), 2);
}

#[test]
fn what_servers_cannot_do_is_not_left_to_them() {
    let shelf = Shelf::new();
    shelf.line(&["enqueue", "mail"]);
    let refused = |words: &[&str], why: &str| {
        let ran = shelf.run(words);
        assert_eq!((ran.code, ran.stderr.contains(why)), (Some(2), true), "{words:?}: {ran:?}");
    };

    refused(&["jobs", "snooze", "--until", "2h", "--all", "--detach"], "servers do not snooze jobs");
    refused(&["jobs", "cancel", "--all", "--detach", "--rate", "1/1m"], "--rate");
    refused(&["jobs", "cancel", "--all", "--rate", "often"], "is no rate");
    assert_eq!(shelf.ok(&["ops", "-q"]), "");
    let missing = shelf.run(&["ops", "show", "0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11"]);
    assert_eq!((missing.code, missing.stderr.contains("windlass ops")), (Some(3), true), "{missing:?}");
    shelf.ok(&["jobs", "cancel", "--all", "--rate", "50/s", "--yes"]);
    assert_eq!(shelf.ok(&["jobs", "-q", "--state", "cancelled"]).lines().count(), 1);
}
