//! `windlass work`

use rustix::process::Signal;

use crate::shelf::{Shelf, wait_for_the_end};

const DRAIN: &str = "--until-empty";

#[test]
fn a_command_gets_the_job_and_gives_its_result_log_and_progress() {
    let shelf = Shelf::new();
    let id = shelf.line(&[
        "enqueue",
        "resize",
        r#"{"width":9007199254740993}"#,
        "--queue",
        "images",
        "--tag",
        "t",
    ]);

    let command = "echo ::progress 40 resizing >&2; echo said >&2; cat > job.json; \
                   echo \"[\\\"$WINDLASS_JOB_ID\\\",\\\"$WINDLASS_KIND\\\",$WINDLASS_ATTEMPT,\\\"$WINDLASS_QUEUE\\\"]\"";
    shelf.ok(&["work", "--queue", "images:2", "--kind", "resize", "--exec", command, DRAIN]);

    assert_eq!(shelf.of_job(&id, "state"), "completed");
    assert_eq!(shelf.of_job(&id, "result"), serde_json::json!([id, "resize", 1, "images"]));
    assert_eq!(shelf.of_job(&id, "progress"), serde_json::json!({"percent": 40, "message": "resizing"}));
    assert!(shelf.read("job.json").contains(r#""args":{"width":9007199254740993}"#));
    let log = shelf.ok(&["jobs", "logs", &id]);
    assert!(log.ends_with("\t1\tinfo\tsaid\n") && log.lines().count() == 1, "{log}");
}

#[test]
fn what_a_command_prints_is_text_unless_it_is_json() {
    let shelf = Shelf::new();
    let enqueue = |kind| shelf.line(&["enqueue", kind]);
    let (text, none) = (enqueue("text"), enqueue("none"));

    shelf.ok(&["work", "--kind", "text", "--exec", "echo hello there", DRAIN]);
    shelf.ok(&["work", "--kind", "none", "--exec", "true", DRAIN]);

    assert_eq!(shelf.of_job(&text, "result"), "hello there");
    assert!(shelf.json(&["jobs", "show", &none, "--json"]).get("result").is_none());
}

#[test]
fn the_exit_code_says_what_becomes_of_the_job() {
    let shelf = Shelf::new();
    for (code, state, reason) in [
        ("0", "completed", "done"),
        ("75", "scheduled", "snoozed"),
        ("65", "dead", "fatal"),
        ("66", "dead", "fatal"),
        ("3", "retryable", "error"),
    ] {
        let id = shelf.line(&["enqueue", "shell"]);
        shelf.ok(&["work", "--exec", &format!("exit {code}"), "--snooze", "1h", DRAIN]);
        assert_eq!(shelf.of_job(&id, "state"), state, "{code}");
        assert_eq!(shelf.of_job(&id, "reason"), reason, "{code}");
    }
}

#[test]
fn without_a_command_only_exec_jobs_are_run() {
    let shelf = Shelf::new();
    let exec = shelf.line(&[
        "enqueue",
        "exec",
        r#"{"command":["sh","-c","echo $GREETING; pwd"],"cwd":"/","env":{"GREETING":"hi"}}"#,
    ]);
    let other = shelf.line(&["enqueue", "other"]);
    let wrong = shelf.line(&["enqueue", "exec", r#"{"comand":["true"]}"#]);

    shelf.ok(&["work", DRAIN]);

    assert_eq!(shelf.of_job(&exec, "result")["stdout"], "hi\n/\n");
    assert_eq!(shelf.of_job(&other, "state"), "ready");
    assert_eq!(shelf.of_job(&wrong, "reason"), "undecodable");
}

#[test]
fn long_output_is_cut_and_the_cut_is_marked() {
    let shelf = Shelf::new();
    let id = shelf.line(&[
        "enqueue",
        "exec",
        r#"{"command":["sh","-c","head -c 100000 /dev/zero | tr '\\0' x"]}"#,
    ]);

    shelf.ok(&["work", DRAIN]);

    let result = shelf.of_job(&id, "result");
    let stdout = result["stdout"].as_str().unwrap();
    assert_eq!(stdout.len(), 64 * 1024 + "… [cut]".len());
    assert!(stdout.ends_with("x… [cut]"));
}

#[test]
fn a_cancelled_job_is_stopped() {
    let shelf = Shelf::new();
    shelf.pipe("gate");
    shelf.pipe("never");
    let id = shelf.line(&["enqueue", "slow"]);
    let worker = shelf.start(&["work", "--exec", "exec 9> gate; echo up >&9; cat never", "--lease", "9s"]);
    let (_, gate) = shelf.reached("gate");

    let cancelled = shelf.line(&["jobs", "cancel", &id, "--reason", "no need", "--by", "ada"]);
    wait_for_the_end(gate);
    worker.signal(Signal::TERM);
    let worker = worker.ended();

    assert_eq!(cancelled, format!("{id}\tcancelled, its worker is being told"));
    assert_eq!(shelf.of_job(&id, "state"), "cancelled");
    let event = shelf.of_job(&id, "events")[0].clone();
    assert_eq!(
        (&event["verb"], &event["by"], &event["reason"]),
        (&"cancel".into(), &"ada".into(), &"no need".into())
    );
    assert_eq!(worker.code, Some(0), "{worker:?}");
}

#[test]
fn a_killed_worker_takes_its_commands_with_it() {
    let shelf = Shelf::new();
    shelf.pipe("gate");
    shelf.pipe("never");
    shelf.line(&["enqueue", "slow"]);
    let worker = shelf.start(&["work", "--exec", "exec 9> gate; echo up >&9; cat never"]);
    let (_, gate) = shelf.reached("gate");

    worker.kill();

    wait_for_the_end(gate);
}

#[test]
fn what_waits_in_a_paused_queue_does_not_hold_a_drain_up() {
    let shelf = Shelf::new();
    let id = shelf.line(&["enqueue", "shell", "--queue", "q"]);
    shelf.ok(&["queues", "pause", "q"]);

    shelf.ok(&["work", "--exec", "true", DRAIN]);

    assert_eq!(shelf.of_job(&id, "state"), "ready");
}
