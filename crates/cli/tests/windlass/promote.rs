//! `windlass promote`

mod features;
mod life;

use std::io::{BufRead, BufReader, Write};

use windlass::Address;
use windlass_core::{Args, Bounds, NewJob, QueueName, Unique, Whole};
use windlass_sqlite::SqliteOptions;
use windlass_store::{
    Actor, ErrorKind, JobStore as _, Keep, QueueRetention, QueueStore as _, SharedStore, ids,
};

use crate::shelf::{Shelf, wait_for_the_end};
use life::{Life, all_of, live};

/// Every job of the file and of the database, with all that is kept of them, newest first.
#[tokio::main(flavor = "current_thread")]
async fn both(shelf: &Shelf) -> (Vec<Life>, Vec<Life>) {
    let file: SharedStore =
        std::sync::Arc::new(SqliteOptions::new(shelf.path("app.db")).even_if_moved().open().await.unwrap());
    let database = Address::new(shelf.url()).unwrap().open().await.unwrap();
    (all_of(&file).await, all_of(&database).await)
}

/// A file with jobs in every state, and the database beside it.
fn lived() -> Shelf {
    let shelf = Shelf::with_database();
    live(&shelf.path("app.db"));
    shelf
}

fn promote(shelf: &Shelf) -> serde_json::Value {
    shelf.json(&["promote", "app.db", "--json"])
}

#[test]
fn every_job_is_moved_as_it_stands() {
    let shelf = lived();

    let report = promote(&shelf);
    let (file, database) = both(&shelf);

    assert_eq!(report["to"], shelf.shown_url());
    assert_eq!(report["jobs"], file.len());
    assert_eq!((&report["there"], &report["left"]), (&0.into(), &0.into()));
    let states: std::collections::BTreeSet<&str> = file.iter().map(|life| life.job.state.as_str()).collect();
    assert_eq!(
        states.into_iter().collect::<Vec<_>>(),
        ["cancelled", "completed", "dead", "in_review", "ready", "retryable", "scheduled"]
    );
    for (old, new) in file.iter().zip(&database) {
        assert_eq!(old, new);
    }
    assert_eq!(file.len(), database.len());
    assert!(shelf.ok(&["doctor"]).contains("ok\tintegrity\t"));
}

#[test]
fn pauses_move_and_what_was_paused_for_the_move_is_not_paused_after_it() {
    let shelf = lived();
    shelf.ok(&["queues", "pause", "held", "--by", "ada", "--reason", "lunch", "--store", "app.db"]);
    let since = shelf.json(&["queues", "--json", "--store", "app.db"]);

    shelf.ok(&["promote", "app.db", "--wait"]);

    let queues = shelf.json(&["queues", "--json"]);
    let paused = |queues: &serde_json::Value| -> Vec<serde_json::Value> {
        queues.as_array().unwrap().iter().map(|queue| queue["paused"].clone()).collect()
    };
    assert_eq!(paused(&queues), paused(&since));
    assert!(shelf.ok(&["queues"]).contains("\tby ada: lunch\n"));
}

#[test]
fn what_was_moved_goes_on_where_it_was() {
    let shelf = lived();
    let enqueued = shelf.line(&["enqueue", "next", "--store", "app.db"]);
    shelf.ok(&["promote", "app.db"]);
    let retried = shelf.line(&["jobs", "-q", "--kind", "twice"]);

    shelf.ok(&["jobs", "retry", &retried]);
    let later = shelf.line(&["enqueue", "next"]);
    shelf.ok(&[
        "work",
        "--exec",
        "cat > /dev/null; echo 1",
        "--kind",
        "next",
        "--kind",
        "twice",
        "--until-empty",
    ]);

    assert_eq!(shelf.of_job(&enqueued, "state"), "completed");
    assert_eq!(shelf.of_job(&later, "state"), "completed");
    assert_eq!(shelf.of_job(&retried, "state"), "completed");
    let attempts = shelf.of_job(&retried, "attempts");
    assert_eq!(attempts.as_array().unwrap().len(), 3, "{attempts}");
    assert_eq!(
        shelf.ok(&["jobs", "-q", "--limit", "1"]).trim_end(),
        later,
        "what comes later is later in the order"
    );
}

#[test]
fn the_file_refuses_afterwards_and_names_the_new_store() {
    let shelf = lived();
    shelf.ok(&["promote", "app.db"]);

    for words in [&["jobs"][..], &["enqueue", "mail"], &["work", "--until-empty"], &["doctor"]] {
        let ran = shelf.run(&[words, &["--store", "app.db"]].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            said.contains(&format!("its jobs were moved to {}; open that instead", shelf.shown_url())),
            "{said}"
        );
    }
    let again = promote(&shelf);
    let elsewhere = shelf.run(&["promote", "app.db", &format!("{}?schema=other", shelf.url())]);
    assert_eq!(again["moved"], 0);
    assert_eq!(elsewhere.code, Some(1), "{elsewhere:?}");
    assert!(elsewhere.stderr.starts_with("error[WL0020]: "), "{}", elsewhere.stderr);
}

/// A program that had the file open all along must not put jobs where nobody looks any more.
#[tokio::test]
async fn who_had_the_file_open_can_no_longer_change_it() {
    let shelf = Shelf::with_database();
    let open = SqliteOptions::new(shelf.path("app.db")).open().await.unwrap();
    let before = life::enqueue(&open, "before").await.unwrap();
    let mut keyed = NewJob::new(ids::job_id(), "before".parse().unwrap(), Args::default());
    keyed.options.unique = Some(Unique::key("k"));
    let _ = open.enqueue(vec![keyed.clone()]).await.unwrap();
    keyed.id = ids::job_id();

    shelf.ok(&["promote", "app.db"]);
    let after = life::enqueue(&open, "after").await.unwrap_err();
    let queue: QueueName = "default".parse().unwrap();
    let whole = Whole::Queue(queue.clone());
    let refusals = [
        after,
        open.cancel(before, Actor::new("ada")).await.map(drop).unwrap_err(),
        // It would be answered that another job stands for it, which may have ended since.
        open.enqueue(vec![keyed]).await.map(drop).unwrap_err(),
        open.pause(&queue, Actor::new("ada")).await.unwrap_err(),
        open.bound(&whole, Bounds { limit: Some(1), rate: None }, Actor::new("ada")).await.unwrap_err(),
        open.keep(&queue, QueueRetention::default().dead(Keep::Forever), Actor::new("ada"))
            .await
            .unwrap_err(),
    ];

    for refusal in refusals {
        assert_eq!(*refusal.kind(), ErrorKind::Unavailable, "{refusal:?}");
        assert!(format!("{refusal:?}").contains("its jobs were moved to postgres://"), "{refusal:?}");
    }
    assert_eq!((open.bounds().await.unwrap(), open.retentions().await.unwrap()), (vec![], vec![]));
    assert!(shelf.ok(&["jobs", "-q"]).contains(&before.to_string()));
}

#[test]
fn killed_midway_it_goes_on_and_comes_to_the_same_end() {
    let shelf = lived();
    let many = "{\"kind\":\"next\",\"queue\":\"many\"}\n".repeat(1_500);
    shelf.write("many.jsonl", &many);
    shelf.ok(&["enqueue", "--bulk", "many.jsonl", "--store", "app.db", "-q"]);
    shelf.ok(&["migrate", "up"]);
    let mut lock = shelf.psql().spawn().unwrap();
    let mut to = lock.stdin.take().unwrap();
    // The jobs with a log are the oldest, so they are written last: a thousand are there before it waits.
    writeln!(to, "BEGIN; LOCK TABLE windlass.log IN ACCESS EXCLUSIVE MODE;\n\\echo locked").unwrap();
    let mut said = String::new();
    BufReader::new(lock.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "locked\n");

    let promoting = shelf.start(&["promote", "app.db"]);
    shelf.sql(WAITS);
    promoting.kill();
    drop(to);
    lock.wait().unwrap();
    let halfway = shelf.run(&["jobs", "--store", "app.db"]);
    let held_back = shelf.ok(&["queues"]);
    let report = promote(&shelf);

    assert!(halfway.stderr.contains("its jobs are being moved to postgres://"), "{halfway:?}");
    assert!(held_back.lines().all(|queue| queue.contains("by windlass promote: ")), "{held_back}");
    assert_eq!(report["there"], 1_000);
    let (file, database) = both(&shelf);
    assert_eq!((report["jobs"].clone(), file.len()), (file.len().into(), database.len()));
    for (old, new) in file.iter().zip(&database) {
        assert_eq!(old, new);
    }
    assert!(!shelf.ok(&["queues"]).contains("windlass promote"));
}

/// Returns once somebody waits for a lock in the database.
const WAITS: &str = "DO $$ BEGIN
    FOR look IN 1..6000 LOOP
        IF EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock') THEN
            RETURN;
        END IF;
        PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
    END LOOP;
    RAISE EXCEPTION 'nobody waits';
END $$";

#[test]
fn it_refuses_while_there_are_workers_and_with_wait_it_holds_them_back() {
    let shelf = Shelf::with_database();
    shelf.pipe("gate");
    shelf.pipe("go");
    let id = shelf.line(&["enqueue", "slow", "--store", "app.db"]);
    let next = shelf.line(&["enqueue", "slow", "--queue", "other", "--in", "1h", "--store", "app.db"]);
    let command = "exec 9> gate; echo up >&9; read line < go; echo 1";
    let worker = shelf.start(&["work", "--exec", command, "--store", "app.db"]);
    let (_, gate) = shelf.reached("gate");

    let refused = shelf.run(&["promote", "app.db"]);
    let mut waiting = shelf.start(&["promote", "app.db", "--wait", "--json"]);
    let mut told = String::new();
    waiting.stderr().read_line(&mut told).unwrap();
    std::fs::write(shelf.path("go"), "on\n").unwrap();
    wait_for_the_end(gate);
    let moved = waiting.ended();
    worker.signal(rustix::process::Signal::TERM);
    worker.ended();

    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert!(
        refused.stderr.starts_with("refused[WL0022]: 1 worker on app.db, with 1 running job (windlass-"),
        "{}",
        refused.stderr
    );
    assert!(told.starts_with("pausing the queues of app.db"), "{told}");
    assert_eq!(moved.code, Some(0), "{moved:?}");
    assert_eq!(shelf.of_job(&id, "state"), "completed");
    assert_eq!(shelf.of_job(&next, "state"), "scheduled");
    assert!(!shelf.ok(&["queues"]).contains("windlass promote"));
}

#[test]
fn it_refuses_while_an_operation_has_not_ended() {
    let shelf = lived();
    let operation = shelf.line(&["jobs", "delete", "--all", "--detach", "--yes", "-q", "--store", "app.db"]);

    let refused = shelf.run(&["promote", "app.db"]);

    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert!(
        refused.stderr.starts_with("refused[WL0022]: 1 operation on app.db not ended"),
        "{}",
        refused.stderr
    );
    shelf.ok(&["ops", "abort", &operation, "--store", "app.db"]);
    promote(&shelf);
}

#[test]
fn a_database_with_other_jobs_is_refused_and_both_stay_as_they_were() {
    let shelf = lived();
    let theirs = shelf.line(&["enqueue", "theirs"]);

    let refused = shelf.run(&["promote", "app.db"]);

    assert_eq!(refused.code, Some(5), "{refused:?}");
    let expected = format!(
        "error[WL0023]: {} has job {theirs} already, which the file does not know\n",
        shelf.shown_url()
    );
    assert!(refused.stderr.starts_with(&expected), "{}", refused.stderr);
    assert_eq!(shelf.line(&["jobs", "-q"]), theirs);
    shelf.ok(&["enqueue", "mine", "--store", "app.db"]);
}

#[test]
fn a_move_is_undone_when_that_is_confirmed() {
    let shelf = lived();
    shelf.ok(&["promote", "app.db", "--wait"]);

    let refused = shelf.run(&["promote", "app.db", "--undo"]);
    shelf.ok(&["promote", "app.db", "--undo", "--yes"]);

    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert!(refused.stderr.starts_with("refused[WL0025]: "), "{}", refused.stderr);
    shelf.ok(&["enqueue", "mine", "--store", "app.db"]);
    assert!(!shelf.ok(&["queues", "--store", "app.db"]).contains("windlass promote"));
    assert_eq!(shelf.run(&["promote", "app.db", "--undo"]).code, Some(2));
}

#[test]
fn finished_jobs_are_left_behind_when_that_is_asked() {
    let shelf = lived();
    let finished =
        |store: &str| shelf.ok(&["jobs", "-q", "--state", "completed,cancelled,dead", "--store", store]);
    let before = finished("app.db").lines().count();

    let report = shelf.json(&["promote", "app.db", "--finished", "none", "--json"]);
    let again = Shelf::with_database();
    std::fs::copy(shelf.path("app.db"), again.path("app.db")).unwrap();
    again.ok(&["promote", "app.db", "--undo", "--yes"]);
    let recent = again.json(&["promote", "app.db", "--finished", "1d", "--json"]);

    assert_eq!(report["left"], before);
    assert_eq!(finished(&shelf.url()), "");
    assert_eq!(recent["left"], 0);
}

#[test]
fn what_is_no_file_or_no_database_is_refused() {
    let shelf = Shelf::with_database();

    for (words, code) in [
        (&["promote", "nowhere.db"][..], 69),
        (&["promote", "postgres://h/d"], 2),
        (&["promote", "app.db", "other.db"], 2),
        (&["promote", "app.db", "postgress://h/d"], 2),
        (&["promote", "app.db", "--undo"], 69),
    ] {
        assert_eq!(shelf.run(words).code, Some(code), "{words:?}");
    }
    shelf.ok(&["migrate", "up", "--store", "app.db"]);
    let to_a_file = shelf.run(&["promote", "app.db", "other.db"]);
    assert!(to_a_file.stderr.contains("other.db is a file, and no PostgreSQL database"), "{to_a_file:?}");
    assert_eq!(promote(&shelf)["jobs"], 0);
}
