//! The same commands, asked of a server.

use std::io::BufRead;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::shelf::{Ran, Running, Shelf};

/// Nothing here takes as long; what does is not coming.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server over a store of its own, in a folder where nothing else is.
struct Served {
    shelf: Shelf,
    url: String,
    token: String,
    _server: Running,
}

impl Served {
    fn new() -> Self {
        let shelf = Shelf::new();
        let mut server = shelf.start(&["serve", "--store", "kept.db", "--listen", "127.0.0.1:0"]);
        let line = server.stdout().lines().next().unwrap().unwrap();
        let url = line.strip_prefix("listening on ").unwrap().to_owned();
        let token = shelf.read("kept.db.token").trim().to_owned();
        Self { shelf, url, token, _server: server }
    }

    /// What a command says from elsewhere: it finds no server by itself.
    fn asked_elsewhere(&self, words: &[&str], token: Option<&str>) -> Ran {
        Ran::of(self.command(&Shelf::new(), words, token).output().unwrap())
    }

    fn command(&self, elsewhere: &Shelf, words: &[&str], token: Option<&str>) -> Command {
        let mut command = elsewhere.command(words);
        command.env("WINDLASS_URL", &self.url);
        if let Some(token) = token {
            command.env("WINDLASS_TOKEN", token);
        }
        command
    }

    fn ok(&self, words: &[&str]) -> String {
        let ran = self.asked_elsewhere(words, Some(&self.token));
        assert_eq!(ran.code, Some(0), "{words:?}: {ran:?}");
        ran.stdout.trim_end().to_owned()
    }
}

#[test]
fn a_job_is_enqueued_worked_and_looked_after_by_http_alone() {
    let served = Served::new();

    let id = served.ok(&["enqueue", "resize", r#"{"width":9007199254740993}"#, "--tag", "t"]);
    served.ok(&["work", "--exec", "echo said >&2; cat", "--until-empty"]);

    assert!(served.ok(&["jobs", "show", &id, "--json"]).contains(r#""args": {"width":9007199254740993}"#));
    assert_eq!(
        served.ok(&["jobs", "list", "--jsonl=id,state", "--tag", "t"]),
        json!({"id": id, "state": "completed"}).to_string()
    );
    assert!(served.ok(&["jobs", "logs", &id]).ends_with("info\tsaid"));
    served.ok(&["queues", "pause", "default", "--reason", "why not"]);
    assert!(served.ok(&["queues"]).contains("why not"));
    served.ok(&["queues", "resume", "default"]);
    served.ok(&["jobs", "delete", &id]);
    served.ok(&["doctor"]);
    // The same, straight on the store.
    assert_eq!(served.shelf.ok(&["jobs", "--store", "kept.db"]), "");
}

#[test]
fn a_token_for_work_alone_is_enough_to_work_with() {
    let (served, elsewhere) = (Served::new(), Shelf::new());
    let hands =
        served.shelf.line(&["tokens", "create", "hands", "--role", "worker", "--store", "kept.db", "-q"]);
    let parent = served.ok(&["enqueue", "part", r#"{"of":"it"}"#]);
    let child = served.ok(&["enqueue", "whole", "--after", &parent]);
    let command = r#"[ "$WINDLASS_KIND" = part ] && echo '{"made":7}' || cat"#;

    let blind = served.asked_elsewhere(&["work", "--exec", "true", "--until-empty"], Some(&hands));
    assert_eq!(blind.code, Some(4), "{blind:?}");
    assert!(blind.stderr.contains("WL0028") && blind.stderr.contains("--role viewer"), "{blind:?}");

    let words = ["work", "--exec", command, "--parents", "-v"];
    let mut working = Running::of(served.command(&elsewhere, &words, Some(&hands)));
    served.ok(&["jobs", "wait", &child, "--timeout", "60s"]);

    let given: serde_json::Value =
        serde_json::from_str(&served.ok(&["jobs", "show", &child, "--json"])).unwrap();
    assert_eq!(given["result"]["kind"], "whole", "{given}");
    assert_eq!(given["result"]["parents"][0]["result"], json!({"made": 7}), "{given}");
    let told = working.stderr();
    working.signal(Signal::TERM);
    assert_eq!(working.ended().code, Some(0));
    let told: Vec<String> = told.lines().map(Result::unwrap).collect();
    assert!(!told.iter().any(|line| line.contains("ERROR") || line.contains("WARN")), "{told:?}");
    assert_eq!(told.iter().filter(|line| line.contains("leaves the duties")).count(), 1, "{told:?}");
}

#[test]
fn a_file_of_jobs_is_run_by_http_and_goes_on() {
    let served = Served::new();
    served.shelf.write(
        "jobs.jsonl",
        "{\"kind\":\"exec\",\"args\":{\"command\":[\"echo\",\"hi\"]}}\n".repeat(5).as_str(),
    );
    let file = served.shelf.path("jobs.jsonl");
    let words = ["run", file.to_str().unwrap(), "--json"];

    let ran: serde_json::Value = serde_json::from_str(&served.ok(&words)).unwrap();
    let again: serde_json::Value = serde_json::from_str(&served.ok(&words)).unwrap();

    assert_eq!((&ran["completed"], &again["resumed"]), (&json!(5), &json!(5)));
}

#[test]
fn who_is_not_let_in_is_told_what_to_do() {
    let served = Served::new();

    for (token, help) in
        [(None, "WINDLASS_TOKEN"), (Some("wl_0123456789abcdef_nothing"), "windlass tokens create")]
    {
        let ran = served.asked_elsewhere(&["jobs"], token);
        assert_eq!(ran.code, Some(4), "{ran:?}");
        assert!(ran.stderr.starts_with("error[WL0028]: ") && ran.stderr.contains(help), "{ran:?}");
    }
    let viewer =
        served.shelf.line(&["tokens", "create", "eyes", "--role", "viewer", "--store", "kept.db", "-q"]);
    assert_eq!(served.asked_elsewhere(&["jobs"], Some(&viewer)).code, Some(0));
    let ran = served.asked_elsewhere(&["enqueue", "mail"], Some(&viewer));
    assert_eq!((ran.code, ran.stderr.contains("WL0028")), (Some(4), true), "{ran:?}");
}

#[test]
fn a_server_that_is_not_there_is_one_that_cannot_be_reached() {
    let shelf = Shelf::new();

    let ran = shelf.run(&["jobs", "--url", "http://127.0.0.1:1"]);

    assert_eq!(ran.code, Some(69));
    assert!(
        ran.stderr.starts_with("error[WL0029]: cannot reach the server at http://127.0.0.1:1: "),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("windlass dev") && ran.stderr.contains("--url"), "{ran:?}");
    let direct = shelf.run(&["migrate", "status", "--url", "http://127.0.0.1:1"]);
    assert!(direct.code == Some(2) && direct.stderr.contains("is a server"), "{direct:?}");
}

#[test]
fn a_context_shows_the_token_that_a_command_prints() {
    let served = Served::new();
    let elsewhere = Shelf::new();
    elsewhere.write("token", &served.token);
    let command = format!("cat {}", elsewhere.path("token").display());
    elsewhere.ok(&["config", "contexts", "add", "there", "--url", &served.url, "--token-command", &command]);

    let id = elsewhere.line(&["enqueue", "mail", "--context", "there"]);

    assert_eq!(served.shelf.line(&["jobs", "-q", "--store", "kept.db"]), id);
    let shown = elsewhere.ok(&["config", "show", "--origin", "--context", "there"]);
    assert!(shown.contains("printed by `cat ") && !shown.contains(&served.token), "{shown}");
}

#[test]
fn a_page_is_opened_at_the_server_that_has_the_store() {
    let served = Served::new();
    let id = served.ok(&["enqueue", "mail"]);

    assert_eq!(served.shelf.line(&["open", &id, "--store", "kept.db"]), format!("{}/jobs/{id}", served.url));
    assert_eq!(served.shelf.run(&["open", "--store", "other.db"]).code, Some(69));
}

#[test]
fn what_is_left_to_a_server_is_followed_paused_and_ended() {
    let served = Served::new();
    for _ in 0..3 {
        served.ok(&["enqueue", "mail", "--queue", "mail"]);
    }
    let fields = |id: &str| -> serde_json::Value {
        serde_json::from_str(&served.ok(&["ops", "show", id, "--json=state,done,refused,verb,reason"]))
            .unwrap()
    };

    let cancel = ["jobs", "cancel", "--queue", "mail", "--detach", "--reason", "wrong", "--yes", "-q"];
    let id = served.ok(&cancel);
    served.ok(&["ops", "watch", &id]);

    let told = json!({"state": "done", "done": 3, "refused": 0, "verb": "cancel", "reason": "wrong"});
    assert_eq!(fields(&id), told);
    assert_eq!(served.ok(&["jobs", "-q", "--state", "cancelled"]).lines().count(), 3);
    let slow =
        served.ok(&["jobs", "retry", "--filter", "queue:mail", "--detach", "--rate", "1/s", "--yes", "-q"]);
    served.ok(&["ops", "pause", &slow]);
    assert_eq!(fields(&slow)["state"], "paused");
    served.ok(&["ops", "resume", &slow]);
    served.ok(&["ops", "abort", &slow, "--reason", "enough"]);
    let watched = served.asked_elsewhere(&["ops", "watch", &slow], Some(&served.token));
    assert_eq!(watched.code, Some(7), "{watched:?}");
    assert_eq!(served.ok(&["ops", "-q"]), format!("{slow}\n{id}"));
    let over = served.asked_elsewhere(&["ops", "resume", &slow], Some(&served.token));
    assert_eq!((over.code, over.stderr.contains("has ended")), (Some(5), true), "{over:?}");
    assert!(served.ok(&["audit", "--subject", &slow, "--jsonl=verb"]).starts_with(r#"{"verb":"abort"}"#));
}

#[test]
fn an_operation_begun_on_a_store_is_carried_out_by_the_next_server() {
    let shelf = Shelf::new();
    for _ in 0..3 {
        shelf.ok(&["enqueue", "mail", "--store", "kept.db"]);
    }
    let cancel = ["jobs", "cancel", "--all", "--detach", "--yes", "-q", "--store", "kept.db"];
    let id = shelf.line(&cancel);
    assert_eq!(
        shelf.line(&["ops", "show", &id, "--store", "kept.db", "--jsonl=state"]),
        r#"{"state":"selecting"}"#
    );

    let mut server = shelf.start(&["serve", "--store", "kept.db", "--listen", "127.0.0.1:0"]);
    server.stdout().lines().next().unwrap().unwrap();
    shelf.ok(&["ops", "watch", &id, "--store", "kept.db"]);

    assert_eq!(shelf.ok(&["jobs", "-q", "--state", "cancelled", "--store", "kept.db"]).lines().count(), 3);
}

#[test]
fn an_operation_goes_on_where_a_killed_server_left_it() {
    const JOBS: usize = 60;
    let shelf = Shelf::new();
    shelf.write("jobs.jsonl", &"{\"kind\":\"mail\"}\n".repeat(JOBS));
    shelf.ok(&["enqueue", "--bulk", "jobs.jsonl", "--store", "kept.db"]);
    let serve = ["serve", "--store", "kept.db", "--listen", "127.0.0.1:0"];
    let mut server = shelf.start(&serve);
    server.stdout().lines().next().unwrap().unwrap();
    let id = shelf.line(&["jobs", "cancel", "--all", "--detach", "--rate", "20/s", "--yes", "-q"]);
    let done = || shelf.json(&["ops", "show", &id, "--json", "--store", "kept.db"])["done"].as_u64().unwrap();
    let begun = Instant::now();
    while done() == 0 {
        assert!(begun.elapsed() < PATIENCE, "it never begins");
    }

    server.kill();

    let left = shelf.json(&["ops", "show", &id, "--json", "--store", "kept.db"]);
    assert!(left["state"] == "running" && (1..JOBS as u64).contains(&done()), "{left}");
    let mut next = shelf.start(&serve);
    next.stdout().lines().next().unwrap().unwrap();
    shelf.ok(&["ops", "watch", &id, "--store", "kept.db"]);
    assert_eq!(done(), JOBS as u64, "none is refused, though some were dealt with twice");
    let audit = ["audit", "--verb", "cancel", "--limit", "1000", "-q", "--store", "kept.db"];
    assert_eq!(shelf.ok(&audit).lines().count(), JOBS, "and each was changed once");
}
