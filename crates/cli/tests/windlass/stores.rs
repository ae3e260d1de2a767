//! Stores that are not there, not ours, or not well.

use crate::shelf::{Shelf, wait_for_the_end};

#[test]
fn looking_at_a_store_does_not_make_one() {
    let shelf = Shelf::new();

    for words in [&["jobs", "list"][..], &["queues", "pause", "q"], &["workers", "list"]] {
        let ran = shelf.run(words);
        assert_eq!(ran.code, Some(69), "{ran:?}");
        assert!(
            ran.stderr.starts_with("error[WL0003]: there is no store at ./windlass.db\n  help: "),
            "{}",
            ran.stderr
        );
    }
    assert!(!shelf.path("windlass.db").exists());
}

#[test]
fn the_store_is_named_by_option_or_environment() {
    let shelf = Shelf::new();
    shelf.ok(&["enqueue", "mail", "--store", "other.db"]);

    let output = shelf.command(&["jobs", "list", "-q"]).env("WINDLASS_STORE", "other.db").output().unwrap();

    assert_eq!(output.status.code(), Some(0));
    assert!(!output.stdout.is_empty() && !shelf.path("windlass.db").exists());
    for misspelt in ["postgress://localhost/x", "mysql://localhost/x", "sqlite://other.db", "postgres:/x"] {
        let elsewhere = shelf.run(&["enqueue", "mail", "--store", misspelt]);
        assert_eq!(elsewhere.code, Some(2), "{elsewhere:?}");
        assert!(elsewhere.stderr.starts_with("error[WL0001]: --store: "), "{}", elsewhere.stderr);
        assert!(elsewhere.stderr.contains("postgres://user@host/database"), "{}", elsewhere.stderr);
    }
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let shelf = Shelf::new();
    let text = "this is a letter\n".repeat(500);
    shelf.write("windlass.db", &text);

    let listed = shelf.run(&["jobs", "list"]);
    let enqueued = shelf.run(&["enqueue", "mail"]);
    let doctor = shelf.run(&["doctor", "--json"]);

    assert_eq!(listed.code, Some(1), "{listed:?}");
    assert!(
        listed.stderr.starts_with("error[WL0006]: ") && listed.stderr.contains("windlass.db"),
        "{}",
        listed.stderr
    );
    assert_eq!(enqueued.code, Some(1), "{enqueued:?}");
    assert_eq!(doctor.code, Some(1));
    assert!(doctor.stdout.contains("\"status\": \"failed\""), "{}", doctor.stdout);
    assert!(doctor.stdout.contains("\"detail\": \"could not open the store: "), "{}", doctor.stdout);
    assert_eq!(shelf.read("windlass.db"), text);
}

#[test]
fn a_truncated_store_is_told_and_never_panicked_over() {
    let shelf = Shelf::new();
    for n in 0..20 {
        shelf.ok(&["enqueue", "mail", &n.to_string()]);
    }
    let whole = std::fs::read(shelf.path("windlass.db")).unwrap();
    std::fs::write(shelf.path("windlass.db"), &whole[..whole.len() / 2]).unwrap();
    for leftover in ["windlass.db-wal", "windlass.db-shm"] {
        let _ = std::fs::remove_file(shelf.path(leftover));
    }

    let doctor = shelf.run(&["doctor"]);

    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    assert!(
        doctor.stdout.starts_with("failed\t") || doctor.stdout.contains("\nfailed\t"),
        "{}",
        doctor.stdout
    );
}

#[test]
fn a_folder_that_is_none_is_unavailable() {
    let shelf = Shelf::new();
    shelf.write("file", "");

    let ran = shelf.run(&["enqueue", "mail", "--store", "file/windlass.db"]);

    assert_eq!(ran.code, Some(69), "{ran:?}");
    assert!(
        ran.stderr.starts_with("error[WL0004]: ") && ran.stderr.contains("file/windlass.db"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_doctor_finds_jobs_that_nobody_runs_and_queues_that_are_paused() {
    let shelf = Shelf::new();
    shelf.ok(&["enqueue", "mail", "--queue", "out"]);
    shelf.ok(&["queues", "pause", "out", "--by", "ada"]);

    let checks = shelf.json(&["doctor", "--json"]);

    let finding =
        |check: &str| checks.as_array().unwrap().iter().find(|one| one["check"] == check).unwrap().clone();
    assert_eq!(finding("store")["status"], "ok");
    assert_eq!(finding("integrity")["status"], "ok");
    let (kinds, queues) = (finding("kinds"), finding("queues"));
    assert_eq!(kinds["detail"], "1 job of kind mail ready, and no live worker has it");
    assert_eq!(kinds["cure"], "start one: windlass work --kind mail --exec CMD");
    assert!(queues["detail"].as_str().unwrap().starts_with("out is paused by ada since "));
    assert_eq!(queues["cure"], "windlass queues resume out");
}

#[test]
fn a_worker_is_listed_while_it_lives() {
    let shelf = Shelf::new();
    shelf.pipe("gate");
    shelf.pipe("never");
    shelf.ok(&["enqueue", "slow"]);
    let worker = shelf.start(&[
        "work",
        "--queue",
        "default:3",
        "--kind",
        "slow",
        "--drain",
        "0s",
        "--exec",
        "exec 9> gate; echo up >&9; cat never",
    ]);
    let (_, gate) = shelf.reached("gate");

    let workers = shelf.json(&["workers", "list", "--json"]);
    let leases = shelf.json(&["workers", "leases", "--json"]);
    let silent = shelf.ok(&["workers", "leases", "--silent", "10m"]);
    worker.signal(rustix::process::Signal::TERM);
    wait_for_the_end(gate);
    let worker = worker.ended();

    let listed = &workers[0];
    assert_eq!(
        (&listed["queues"], &listed["slots"], &listed["running"]),
        (&serde_json::json!(["default"]), &3.into(), &1.into())
    );
    assert_eq!(listed["kinds"][0]["kind"], "slow");
    assert_eq!((&leases[0]["worker"], &leases[0]["attempt"]), (&listed["id"], &1.into()));
    assert!(leases[0]["job"].is_string() && leases[0].get("token").is_none(), "{leases}");
    assert_eq!(silent, "");
    assert_eq!(worker.code, Some(0), "{worker:?}");
    assert_eq!(shelf.ok(&["workers", "list"]), "");
    assert!(shelf.ok(&["doctor"]).contains("ok\tworkers\tnone are registered"));
}
