//! `windlass schedules`.

use crate::shelf::Shelf;

#[test]
fn a_schedule_is_made_shown_and_changed() {
    let shelf = Shelf::new();
    let add = [
        "schedules",
        "add",
        "nightly",
        "clean",
        "{\"days\":30}",
        "--cron",
        "0 3 * * *",
        "--zone",
        "Europe/Berlin",
        "--queue",
        "nights",
        "--overlap",
        "queue-one",
        "--missed",
        "3",
        "--jitter",
        "5m",
        "--attempts",
        "2",
        "--json",
    ];

    let made = shelf.json(&add);

    let made = &made[0];
    assert_eq!((&made["name"], &made["state"]), (&"nightly".into(), &"active".into()));
    assert_eq!((&made["cron"], &made["zone"]), (&"0 3 * * *".into(), &"Europe/Berlin".into()));
    assert_eq!((&made["overlap"], &made["missed"]), (&"queue_one".into(), &serde_json::json!({"all": 3})));
    assert_eq!((&made["job"]["kind"], &made["job"]["queue"]), (&"clean".into(), &"nights".into()));
    assert_eq!(made["job"]["args"], serde_json::json!({"days": 30}));
    assert!(made["next_at"].is_string() && made["jitter"] == "5m");
    assert_eq!(shelf.line(&["schedules", "-q"]), "nightly");

    shelf.ok(&["schedules", "add", "nightly", "clean", "--every", "90s"]);
    let shown = shelf.json(&["schedules", "show", "nightly", "--json"]);
    assert_eq!((&shown["every"], &shown["revision"]), (&"1m30s".into(), &2.into()));
    assert_eq!(shown["events"].as_array().map(Vec::len), Some(2));
}

#[test]
fn ticks_are_previewed_of_what_is_stored_and_of_what_is_not() {
    let shelf = Shelf::new();
    let next = ["schedules", "next", "--cron", "30 2 * * *", "--zone", "Europe/Berlin", "--count", "3"];
    let after = ["--after", "2026-03-28T12:00:00Z", "-q"];

    let ticks = shelf.ok(&[&next[..], &after[..]].concat());

    assert_eq!(ticks, "2026-03-29T01:00:00Z\n2026-03-30T00:30:00Z\n2026-03-31T00:30:00Z\n");
    assert!(!shelf.path("windlass.db").exists(), "a preview makes no store");
    shelf.ok(&["schedules", "add", "yearly", "clean", "--cron", "@yearly", "--paused"]);
    let told = shelf.ok(&["schedules", "next", "yearly", "-n", "2", "--after", "2026-03-28T12:00:00Z", "-q"]);
    assert_eq!(told, "2027-01-01T00:00:00Z\n2028-01-01T00:00:00Z\n");
}

#[test]
fn what_is_asked_wrongly_is_refused_with_what_is_wrong_and_makes_no_store() {
    let shelf = Shelf::new();

    let cron = shelf.run(&["schedules", "add", "s", "clean", "--cron", "0 25 * * *"]);
    let zone = shelf.run(&["schedules", "next", "--cron", "@daily", "--zone", "Mars"]);
    let neither = shelf.run(&["schedules", "add", "s", "clean"]);
    let nothing = shelf.run(&["schedules", "next"]);

    assert_eq!(cron.code, Some(2));
    assert!(cron.stderr.contains("cron: the hour \"25\""), "{}", cron.stderr);
    assert!(zone.stderr.contains("zone: \"Mars\" is no time zone"), "{}", zone.stderr);
    assert!(neither.stderr.contains("help: by --cron"), "{}", neither.stderr);
    assert_eq!(nothing.code, Some(2));
    assert!(!shelf.path("windlass.db").exists());
}

#[test]
fn schedules_are_paused_resumed_run_backfilled_and_removed() {
    let shelf = Shelf::new();
    shelf.ok(&["schedules", "add", "hourly", "clean", "--cron", "0 * * * *"]);

    shelf.ok(&["schedules", "pause", "hourly", "--reason", "too loud", "--by", "ada"]);
    let paused = shelf.json(&["schedules", "list", "--json"]);
    assert_eq!((&paused[0]["state"], &paused[0]["pause"]["reason"]), (&"paused".into(), &"too loud".into()));
    shelf.ok(&["schedules", "resume", "hourly"]);

    let job = shelf.line(&["schedules", "run", "hourly"]);
    assert_eq!(shelf.of_job(&job, "kind"), "clean");
    assert_eq!(shelf.of_job(&job, "fired_by"), serde_json::json!({ "schedule": "hourly" }));
    assert!(shelf.ok(&["jobs", "show", &job]).contains("fired by\thourly, by hand"));
    let range = ["--from", "2026-01-01T00:00:00Z", "--until", "2026-01-01T05:30:00Z", "-q"];
    let backfill = [&["schedules", "backfill", "hourly"][..], &range[..]].concat();
    let filled = shelf.ok(&backfill);
    assert_eq!(filled.lines().count(), 6);
    let first = shelf.ok(&["jobs", "show", filled.lines().next().unwrap()]);
    assert!(first.contains("fired by\thourly at 2026-01-01T00:00:00Z"), "{first}");
    assert_eq!(shelf.ok(&backfill), "");

    let missing = shelf.run(&["schedules", "remove", "hourly", "nowhere"]);
    assert!(missing.stderr.contains("there is no schedule \"nowhere\""), "{}", missing.stderr);
    assert_eq!(shelf.ok(&["schedules", "-q"]), "");
    assert_eq!(shelf.ok(&["jobs", "list", "-q"]).lines().count(), 7, "jobs are left alone");
}

#[test]
fn a_worker_fires_what_is_due() {
    let shelf = Shelf::new();
    shelf.pipe("fired");
    let command =
        format!("{{\"command\":[\"sh\",\"-c\",\"echo fired > {}\"]}}", shelf.path("fired").display());
    shelf.ok(&["schedules", "add", "pulse", "exec", &command, "--every", "1s"]);

    let worker = shelf.start(&["work"]);
    let (said, _pipe) = shelf.reached("fired");
    worker.kill();

    assert_eq!(said.trim(), "fired");
    let shown = shelf.json(&["schedules", "show", "pulse", "--json"]);
    assert!(shown["firings"][0]["job"].is_string() || shown["firings"][0]["skipped"].is_string(), "{shown}");
}

#[test]
fn schedules_move_to_a_database_with_their_histories_and_go_on_there() {
    let shelf = Shelf::with_database();
    let file = ["--store", "app.db"];
    shelf.ok(&[&["schedules", "add", "hourly", "clean", "--cron", "0 * * * *"][..], &file[..]].concat());
    shelf.ok(&[&["schedules", "add", "paused", "clean", "--every", "90s", "--paused"][..], &file[..]].concat());
    let range = ["--from", "2026-01-01T00:00:00Z", "--until", "2026-01-01T05:30:00Z"];
    shelf.ok(&[&["schedules", "backfill", "hourly"][..], &range[..], &file[..]].concat());
    let before = shelf.json(&[&["schedules", "show", "hourly", "--json"][..], &file[..]].concat());
    let listed = shelf.json(&[&["schedules", "--json"][..], &file[..]].concat());

    shelf.ok(&["promote", "app.db"]);

    assert_eq!(shelf.json(&["schedules", "show", "hourly", "--json"]), before);
    assert_eq!(shelf.json(&["schedules", "--json"]), listed);
    let again = [&["schedules", "backfill", "hourly", "-q"][..], &range[..]].concat();
    assert_eq!(shelf.ok(&again), "", "what has made its job makes no other");
    let moved = shelf.run(&[&["schedules", "pause", "hourly"][..], &file[..]].concat());
    assert_ne!(moved.code, Some(0), "the file is given up");
}
