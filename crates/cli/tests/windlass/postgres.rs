//! Every command on a PostgreSQL database, where it works as on a file.

use crate::shelf::{Shelf, wait_for_the_end};

const DRAIN: &str = "--until-empty";

#[test]
fn a_job_goes_its_way_through_a_database() {
    let shelf = Shelf::with_database();
    let id = shelf.line(&[
        "enqueue",
        "resize",
        r#"{"width":9007199254740993}"#,
        "--queue",
        "images",
        "--tag",
        "t",
    ]);

    let command = "echo ::progress 40 resizing >&2; echo said >&2; cat > job.json; echo '\"done\"'";
    shelf.ok(&["work", "--queue", "images:2", "--kind", "resize", "--exec", command, DRAIN]);

    assert_eq!(shelf.ok(&["jobs", "wait", &id, "-q"]), format!("{id}\n"));
    assert_eq!(shelf.of_job(&id, "result"), "done");
    assert_eq!(shelf.of_job(&id, "progress"), serde_json::json!({"percent": 40, "message": "resizing"}));
    assert_eq!(shelf.line(&["jobs", "list", "--state", "completed", "--tag", "t", "-q"]), id);
    assert!(shelf.ok(&["jobs", "logs", &id]).ends_with("\t1\tinfo\tsaid\n"));
    assert!(shelf.read("job.json").contains(r#""args":{"width":9007199254740993}"#));
}

#[test]
fn operators_do_by_hand_what_they_do_on_a_file() {
    let shelf = Shelf::with_database();
    let failed = shelf.line(&["enqueue", "shell", "--attempts", "1"]);
    shelf.ok(&["work", "--exec", "exit 3", DRAIN]);
    let later = shelf.line(&["enqueue", "shell", "--in", "1h"]);
    let unwanted = shelf.line(&["enqueue", "shell", "--queue", "q"]);

    assert_eq!(shelf.of_job(&failed, "state"), "dead");
    assert_eq!(shelf.run(&["jobs", "wait", &failed]).code, Some(8));
    assert_eq!(shelf.run(&["jobs", "wait", &later, "--timeout", "1ms"]).code, Some(75));
    shelf.ok(&["jobs", "retry", &failed, "--by", "ada"]);
    shelf.ok(&["jobs", "run-now", &later, "--by", "ada"]);
    shelf.ok(&["jobs", "cancel", &unwanted, "--by", "ada", "--reason", "no need"]);
    shelf.ok(&["queues", "pause", "default", "--reason", "lunch", "--by", "ada"]);
    shelf.ok(&["work", "--exec", "true", DRAIN]);
    assert_eq!(shelf.of_job(&failed, "state"), "ready");
    assert!(shelf.ok(&["queues", "list"]).contains("\tby ada: lunch\n"));
    shelf.ok(&["queues", "resume", "default"]);
    shelf.ok(&["work", "--exec", "true", DRAIN]);
    shelf.ok(&["jobs", "delete", &unwanted]);

    assert_eq!(shelf.of_job(&failed, "state"), "completed");
    assert_eq!(shelf.of_job(&later, "events")[0]["verb"], "run_now");
    assert_eq!(shelf.run(&["jobs", "show", &unwanted]).code, Some(3));
}

#[test]
fn a_file_of_jobs_is_run_on_a_database_and_known_the_second_time() {
    let shelf = Shelf::with_database();
    let job = |n: u32| {
        format!(
            "{{\"kind\":\"exec\",\"args\":{{\"command\":[\"sh\",\"-c\",\"echo {n}; echo x >> ran\"]}}}}\n"
        )
    };
    shelf.write("jobs.jsonl", &(0..5).map(job).collect::<String>());

    let first = shelf.run(&["run", "jobs.jsonl", "--slots", "2"]);
    let second = shelf.run(&["run", "jobs.jsonl"]);

    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{first:?} {second:?}");
    assert_eq!(shelf.read("ran").lines().count(), 5);
    assert!(!shelf.path("windlass.db").exists());
}

#[test]
fn a_worker_on_a_database_is_listed_while_it_lives() {
    let shelf = Shelf::with_database();
    shelf.pipe("gate");
    shelf.pipe("never");
    shelf.ok(&["enqueue", "slow"]);
    let worker = shelf.start(&["work", "--drain", "0s", "--exec", "exec 9> gate; echo up >&9; cat never"]);
    let (_, gate) = shelf.reached("gate");

    let workers = shelf.json(&["workers", "list", "--json"]);
    worker.signal(rustix::process::Signal::TERM);
    wait_for_the_end(gate);
    let worker = worker.ended();

    assert_eq!(workers[0]["running"], 1);
    assert_eq!(worker.code, Some(0), "{worker:?}");
    assert_eq!(shelf.ok(&["workers", "list"]), "");
}

#[test]
fn looking_at_a_database_makes_no_store_of_it() {
    let shelf = Shelf::with_database();

    for words in [&["jobs", "list"][..], &["queues", "pause", "q"], &["workers"], &["migrate", "status"]] {
        shelf.run(words);
    }
    let ran = shelf.run(&["jobs"]);

    assert_eq!(ran.code, Some(69), "{ran:?}");
    let expected =
        format!("error[WL0003]: there is no store in {}: it has no schema \"windlass\"\n", shelf.shown_url());
    assert!(ran.stderr.starts_with(&expected), "{}", ran.stderr);
    assert!(ran.stderr.contains("`windlass migrate up`"), "{}", ran.stderr);
    assert_eq!(shelf.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'windlass'"), "0");
}

#[test]
fn a_schema_is_made_and_shown_and_printed_for_others() {
    let (shelf, other) = (Shelf::with_database(), Shelf::with_database());

    let before = shelf.json(&["migrate", "--json"]);
    let script = shelf.ok(&["migrate", "sql"]);
    let made = shelf.ok(&["migrate", "up"]);
    let again = shelf.on_a_terminal("migrate up --color never");
    other.sql(&script);

    assert!(before.as_array().unwrap().iter().all(|step| step["applied"] == false), "{before}");
    assert!(made.starts_with("1\t0001_jobs\tyes\t2"), "{made}");
    assert!(again.starts_with("VERSION  NAME ") && again.ends_with("nothing had to be done\n"), "{again}");
    let lines = |text: String| {
        text.lines().map(|line| line.rsplit_once('\t').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(lines(other.ok(&["migrate", "status"])), lines(made));
    assert_eq!(other.ok(&["jobs"]), "");
}

#[test]
fn a_schema_that_is_newer_is_refused_and_left_alone() {
    let shelf = Shelf::with_database();
    shelf.ok(&["migrate", "up"]);
    shelf.sql("INSERT INTO windlass.migration (version, name, compatible_from) VALUES (999, 'later', 999)");

    for words in [&["jobs"][..], &["enqueue", "mail"], &["migrate", "up"]] {
        let ran = shelf.run(words);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.starts_with("error[WL0007]: "), "{}", ran.stderr);
    }
}

#[test]
fn several_stores_share_a_database_by_their_schemas() {
    let shelf = Shelf::with_database();
    let other = format!("{}?schema=other", shelf.url());
    let id = shelf.line(&["enqueue", "mail", "--store", &other]);

    assert_eq!(shelf.line(&["jobs", "-q", "--store", &other]), id);
    assert_eq!(shelf.run(&["jobs"]).code, Some(69));
    assert!(shelf.ok(&["migrate", "sql", "--store", &other]).contains("\"other\""));
}

#[test]
fn the_doctor_knows_databases() {
    let shelf = Shelf::with_database();
    shelf.ok(&["enqueue", "mail", "--queue", "out"]);
    shelf.ok(&["queues", "pause", "out", "--by", "ada"]);

    let checks = shelf.json(&["doctor", "--json"]);
    let nobody = shelf.run(&["doctor", "--store", &format!("{}x", shelf.url())]);

    let finding =
        |check: &str| checks.as_array().unwrap().iter().find(|one| one["check"] == check).unwrap().clone();
    let store = finding("store")["detail"].as_str().unwrap().to_owned();
    assert!(store.starts_with("postgresql ") && store.contains(", schema "), "{store}");
    assert_eq!(finding("connection")["status"], "ok", "{checks}");
    assert_eq!(finding("integrity")["status"], "ok", "{checks}");
    assert_eq!(finding("kinds")["detail"], "1 job of kind mail ready, and no live worker has it");
    assert!(finding("queues")["detail"].as_str().unwrap().starts_with("out is paused by ada since "));
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
    assert!(
        nobody.stdout.starts_with("failed\tstore\t") && nobody.stdout.contains("does not exist"),
        "{nobody:?}"
    );
}

/// That none of it shows the password is asserted of everything that these tests run.
#[test]
fn a_server_that_is_not_there_is_unavailable_and_the_password_stays_unsaid() {
    let shelf = Shelf::with_database();

    for address in [
        "postgres://ada:s3cret@127.0.0.1:1/app",
        "postgres://ada:s3cret@127.0.0.1:1/app?connect_timeout=1",
        "postgres://127.0.0.1:1/app?user=ada&password=s3cret",
    ] {
        let ran = shelf.run(&["enqueue", "mail", "--store", address]);
        assert_eq!(ran.code, Some(69), "{ran:?}");
        assert!(ran.stderr.starts_with("error[WL0004]: "), "{}", ran.stderr);
        assert!(ran.stderr.contains("is the server of postgres://127.0.0.1:1/app up"), "{}", ran.stderr);
        for words in
            [&["doctor", "--json", "--store", address][..], &["jobs", "--json", "-vv", "--store", address]]
        {
            shelf.run(words);
        }
    }
    for address in ["postgres://ada:s3cret@h:port/app", "postgres://ada:s3cret@h/app?connections=none"] {
        let ran = shelf.run(&["jobs", "--store", address]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
    shelf.run(&["--help"]);
    shelf.run(&["help", "work"]);
    shelf.run(&["migrate", "sql"]);
}
