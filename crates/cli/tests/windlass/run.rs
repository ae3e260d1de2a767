//! `windlass run`

use std::fmt::Write as _;

use rustix::process::Signal;

use crate::shelf::{Shelf, wait_for_the_end};

fn exec(command: &str) -> String {
    format!(
        "{}\n",
        serde_json::json!({"kind": "exec", "args": {"command": ["sh", "-c", command]}, "attempts_max": 1})
    )
}

#[test]
fn a_file_of_jobs_is_worked_off_and_summed_up() {
    let shelf = Shelf::new();
    shelf.write("jobs.jsonl", &(exec("echo one") + &exec("echo bad >&2; exit 3") + &exec("exit 0")));

    let ran = shelf.run(&["run", "jobs.jsonl", "--json"]);

    assert_eq!(ran.code, Some(8), "{ran:?}");
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&summary["total"], &summary["completed"], &summary["dead"]),
        (&3.into(), &2.into(), &1.into())
    );
    let failure = &summary["failures"][0];
    assert_eq!(failure["line"], 2);
    assert_eq!(failure["reason"], "exhausted");
    assert_eq!(failure["error"]["message"], "exit code 3: bad");
    assert_eq!(summary["slowest"].as_array().unwrap().len(), 3);
}

#[test]
fn the_summary_is_lines_and_tabs_in_a_pipe() {
    let shelf = Shelf::new();
    shelf.write("jobs.jsonl", &exec("exit 65"));

    let ran = shelf.run(&["run", "jobs.jsonl"]);

    assert_eq!(ran.code, Some(8));
    assert!(ran.stdout.starts_with("file\tjobs.jsonl\njobs\t1\ncompleted\t0\ndead\t1\n"), "{}", ran.stdout);
    let failed = ran.stdout.lines().find(|line| line.starts_with("failed\t")).unwrap();
    assert!(failed.ends_with("\t1\texec\tdead\tfatal\texit code 65"), "{failed}");
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_finished_file_is_not_done_again_unless_asked() {
    let shelf = Shelf::new();
    shelf.write("jobs.jsonl", &(exec("echo a >> ledger") + &exec("echo b >> ledger")));
    shelf.ok(&["run", "jobs.jsonl", "--slots", "1"]);

    let again = shelf.run(&["run", "jobs.jsonl"]);

    assert_eq!(again.code, Some(0));
    assert_eq!(again.stderr, "jobs.jsonl was done before, all 2 jobs of it; --fresh does it all once more\n");
    assert_eq!(shelf.read("ledger"), "a\nb\n");
    let fresh = shelf.json(&["run", "jobs.jsonl", "--fresh", "--slots", "1", "--json"]);
    assert_eq!((&fresh["generation"], &fresh["resumed"]), (&1.into(), &0.into()));
    assert_eq!(shelf.read("ledger"), "a\nb\na\nb\n");
    let resumed = shelf.json(&["run", "jobs.jsonl", "--json"]);
    assert_eq!((&resumed["generation"], &resumed["resumed"]), (&1.into(), &2.into()));
    shelf.write("jobs.jsonl", &exec("echo c >> ledger"));
    shelf.ok(&["run", "jobs.jsonl"]);
    assert_eq!(shelf.read("ledger"), "a\nb\na\nb\nc\n");
}

/// Jobs that write down when they start and end; the seventh waits at a gate, if there is one.
fn ledger_jobs() -> String {
    (1..=12).fold(String::new(), |mut jobs, n| {
        let wait = if n == 7 { "if [ -p gate ]; then exec 9> gate; echo 7 >&9; cat never; fi; " } else { "" };
        let _ = write!(jobs, "{}", exec(&format!("echo start {n} >> ledger; {wait}echo end {n} >> ledger")));
        jobs
    })
}

fn count(shelf: &Shelf, line: &str) -> usize {
    shelf.read("ledger").lines().filter(|one| *one == line).count()
}

#[test]
fn a_killed_run_goes_on_where_it_stopped() {
    let shelf = Shelf::new();
    shelf.write("jobs.jsonl", &ledger_jobs());
    shelf.pipe("gate");
    shelf.pipe("never");
    let first = shelf.start(&["run", "jobs.jsonl", "--slots", "1", "--lease", "6s"]);
    let (line, gate) = shelf.reached("gate");
    assert_eq!(line, "7");

    first.kill();
    // The command of the running job does not outlive the run.
    wait_for_the_end(gate);
    std::fs::remove_file(shelf.path("gate")).unwrap();
    let second = shelf.json(&["run", "jobs.jsonl", "--slots", "1", "--json"]);

    assert_eq!((&second["completed"], &second["resumed"]), (&12.into(), &12.into()));
    for n in 1..=12 {
        assert_eq!(count(&shelf, &format!("end {n}")), 1, "{n}");
        let starts = if n == 7 { 2 } else { 1 };
        assert_eq!(count(&shelf, &format!("start {n}")), starts, "{n}");
    }
}

#[test]
fn ctrl_c_stops_gracefully_and_says_how_to_go_on() {
    let shelf = Shelf::new();
    shelf.write("jobs.jsonl", &ledger_jobs());
    shelf.pipe("gate");
    shelf.pipe("never");
    let first = shelf.start(&["run", "jobs.jsonl", "--slots", "1", "--drain", "0s"]);
    let (_, gate) = shelf.reached("gate");

    first.signal(Signal::INT);
    let first = first.ended();
    wait_for_the_end(gate);

    assert_eq!(first.code, Some(130), "{first:?}");
    for said in [
        "stopping: running jobs have 0s to finish; once more to stop at once\n",
        "stopped with 6 of 12 jobs done; the same command goes on with the rest\n",
    ] {
        assert!(first.stderr.contains(said), "{}", first.stderr);
    }
    std::fs::remove_file(shelf.path("gate")).unwrap();
    // Nothing is lost with the lease: the job was given back, and goes on at once.
    let second = shelf.json(&["run", "jobs.jsonl", "--slots", "1", "--json"]);
    assert_eq!(second["completed"], 12);
    assert_eq!(count(&shelf, "start 7"), 2);
    let losses = shelf.json(&["jobs", "list", "--json=losses"]);
    assert!(losses.as_array().unwrap().iter().all(|job| job["losses"] == 0));
}

#[test]
fn a_second_signal_ends_it_at_once_and_the_commands_with_it() {
    let shelf = Shelf::new();
    shelf.write("jobs.jsonl", &ledger_jobs());
    shelf.pipe("gate");
    shelf.pipe("never");
    let run = shelf.start(&["run", "jobs.jsonl", "--slots", "1", "--drain", "1h"]);
    let (_, gate) = shelf.reached("gate");

    run.signal(Signal::INT);
    run.signal(Signal::TERM);
    let run = run.ended();
    wait_for_the_end(gate);

    assert_eq!(run.code, Some(130), "{run:?}");
}

#[test]
fn toml_and_stdin_are_files_too() {
    let shelf = Shelf::new();
    shelf.write(
        "jobs.toml",
        "[[job]]\nkind = \"exec\"\ntags = [\"t\"]\n[job.args]\ncommand = [\"cat\"]\nstdin = \"hi\"\n",
    );

    shelf.ok(&["run", "jobs.toml"]);
    let piped =
        shelf.run_with(&["run", "-", "--exec", "cat > seen", "-q"], "{\"kind\":\"greet\",\"args\":[1]}\n");

    assert_eq!(piped.code, Some(0), "{piped:?}");
    let jobs = shelf.json(&["jobs", "list", "--tag", "t", "--json=result"]);
    assert_eq!(jobs[0]["result"], serde_json::json!({"exit_code": 0, "stdout": "hi", "stderr": ""}));
    let seen: serde_json::Value = serde_json::from_str(&shelf.read("seen")).unwrap();
    assert_eq!(
        (&seen["kind"], &seen["args"], &seen["state"]),
        (&"greet".into(), &serde_json::json!([1]), &"running".into())
    );
}

#[test]
fn what_is_wrong_in_a_file_is_told_before_anything_is_done() {
    let shelf = Shelf::new();
    for (name, text, said) in [
        (
            "a.jsonl",
            "{\"kind\":\"exec\"}\n{\"kind\":\"exec\",\"prioritty\":1}\n",
            "a.jsonl:2: prioritty: is not a field of a job: did you mean `priority`?",
        ),
        (
            "b.jsonl",
            "{\"kind\":\"exec\",\"unique\":{\"within\":\"nowhere\"}}\n",
            "b.jsonl:1: unique: unknown variant `nowhere`",
        ),
        ("c.jsonl", "\n", "c.jsonl: there are no jobs in it"),
        (
            "d.toml",
            "[[job]]\nkind = \"exec\"\ntimeout = \"soon\"\n",
            "d.toml:3: timeout: \"soon\" is not a duration",
        ),
        (
            "e.jsonl",
            "{\"kind\":\"exec\"}\n{\"kind\":\"resize\"}\n",
            "e.jsonl:2: kind: nothing here runs jobs of kind \"resize\"",
        ),
        ("f.csv", "kind\n", "f.csv: .csv is not the name of a job file"),
    ] {
        shelf.write(name, text);
        let ran = shelf.run(&["run", name]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        assert!(ran.stderr.contains("  help: "), "{}", ran.stderr);
    }
    assert_eq!(shelf.run(&["run", "missing.jsonl"]).code, Some(2));
    assert!(!shelf.path("windlass.db").exists());
}

#[test]
fn a_job_that_is_slower_than_its_timeout_is_killed_with_all_it_started() {
    let shelf = Shelf::new();
    shelf.pipe("alive");
    let job = serde_json::json!({
        "kind": "exec", "timeout": "5s", "attempts_max": 1,
        "args": {"command": ["sh", "-c", "exec 9> alive; echo up >&9; trap '' TERM; cat never & wait; cat never"]},
    });
    shelf.pipe("never");
    shelf.write("jobs.jsonl", &job.to_string());
    let run = shelf.start(&["run", "jobs.jsonl", "--grace", "100ms", "--json"]);

    let (_, alive) = shelf.reached("alive");
    wait_for_the_end(alive);
    let run = run.ended();

    assert_eq!(run.code, Some(8), "{run:?}");
    let id = shelf.line(&["jobs", "list", "-q"]);
    assert_eq!(shelf.of_job(&id, "attempts")[0]["outcome"], "timed_out");
}

#[test]
fn a_program_that_is_not_there_is_named_with_where_it_was_looked_for() {
    let shelf = Shelf::new();
    let job =
        r#"{"kind":"exec","args":{"command":["no-such-program"],"cwd":"/no/such/folder"},"attempts_max":1}"#;
    shelf.write("jobs.jsonl", job);

    let ran = shelf.run(&["run", "jobs.jsonl"]);

    assert_eq!(ran.code, Some(8));
    assert!(
        ran.stdout.contains("could not start no-such-program in /no/such/folder: No such file"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_person_is_told_what_failed_and_what_to_do_about_it() {
    let shelf = Shelf::new();
    shelf.write("jobs.jsonl", &(exec("echo fine") + &exec("seq 40 | tr '\\\\n' - >&2; exit 65")));

    let ran = shelf.on_a_terminal("run jobs.jsonl --color never");
    let listed = shelf.on_a_terminal("jobs list --color never");

    let failed = shelf.line(&["jobs", "list", "-q", "--state", "dead"]);
    assert!(ran.contains(&format!("why: windlass jobs show {failed}")), "{ran}");
    assert!(listed.contains("✓ completed") && listed.contains('…'), "{listed}");
}
