//! Telling people that a job has ended: asked for, sent, and looked at.

use std::fs::{Permissions, set_permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{Receiver, channel};

use crate::shelf::Shelf;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Takes notices, and hands over what they said: heads and bodies.
struct Hook {
    url: String,
    told: Receiver<(String, serde_json::Value)>,
}

impl Hook {
    /// Answers everyone with `status`. Listens until the program ends: a test is a process of its own.
    fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}/hook", listener.local_addr().unwrap().port());
        let (tell, told) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                tell.send(read(&stream)).unwrap();
                write!(&stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        });
        Self { url, told }
    }

    /// All that came until now. What was sent by a command that has ended is among it.
    fn told(&self) -> Vec<(String, serde_json::Value)> {
        self.told.try_iter().collect()
    }
}

fn read(stream: &TcpStream) -> (String, serde_json::Value) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line.to_ascii_lowercase());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

fn with_secrets(text: &str) -> Shelf {
    let shelf = Shelf::new();
    shelf.write("secrets", text);
    set_permissions(shelf.path("secrets"), Permissions::from_mode(0o600)).unwrap();
    shelf
}

const SENDING: [&str; 4] = ["--allow-internal-host", "127.0.0.1", "--webhook-secrets", "secrets"];

fn work<'a>(command: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    [&["work", "--exec", command, "--until-empty"], options].concat()
}

#[test]
fn whom_to_tell_is_said_with_the_job_and_shown_with_it() {
    let shelf = Shelf::new();
    let words =
        ["enqueue", "mail", "--notify", "mailto:ops@example.com", "--notify", "https://hooks.example.com/x"];
    let id = shelf.line(&[&words[..], &["--notify-on", "dead,cancelled"]].concat());

    let on = serde_json::json!(["cancelled", "dead"]);
    assert_eq!(
        shelf.of_job(&id, "notify"),
        serde_json::json!([
            {"mail": "ops@example.com", "on": on},
            {"webhook": "https://hooks.example.com/x", "on": on},
        ])
    );
    let shown = shelf.ok(&["jobs", "show", &id]);
    let line =
        "notify\tops@example.com if cancelled or dead, https://hooks.example.com/x if cancelled or dead\n";
    assert!(shown.contains(line), "{shown}");
}

#[test]
fn what_is_no_target_is_refused_before_anything_is_made() {
    let shelf = Shelf::new();
    for (options, said) in [
        (vec!["--notify", "ops@example.com"], "neither such as mailto:ops@example.com nor a URL"),
        (vec!["--notify", "https://ada:x@example.com"], "must not carry a user name or a password"),
        (vec!["--notify", "mailto:ops@example.com", "--notify-on", "running"], "no job ends so"),
        (vec!["--notify-on", "dead"], "--notify <TARGET>"),
    ] {
        let ran = shelf.run(&[&["enqueue", "mail"], options.as_slice()].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(said), "{ran:?}");
    }
    let own = shelf.run(&["enqueue", "windlass.notice"]);
    assert_eq!(own.code, Some(2), "{own:?}");
    assert!(own.stderr.contains("kept for Windlass's own jobs"), "{own:?}");
    assert!(!shelf.path("windlass.db").exists());
}

#[test]
fn a_worker_tells_whom_it_may() {
    let (shelf, hook) = (with_secrets(&format!("# ours\n{SECRET}\n")), Hook::answering("204 No Content"));
    let id = shelf.line(&["enqueue", "mail", "--notify", &hook.url]);

    shelf.ok(&work("true", &SENDING));

    let told = hook.told();
    let [(head, body)] = told.as_slice() else { panic!("{told:?}") };
    assert!(head.contains("webhook-signature: v1,"), "{head}");
    assert_eq!((&body["type"], &body["data"]["id"]), (&"job.completed".into(), &id.clone().into()));
    let notice = shelf.of_job(&id, "notices")[0].clone();
    assert!(head.contains(&format!("webhook-id: {}", notice["id"].as_str().unwrap())), "{head} {notice}");
    assert_eq!((&notice["state"], &notice["webhook"]), (&"completed".into(), &hook.url.clone().into()));
    assert!(shelf.ok(&["jobs", "show", &id]).contains(&format!("{}\tcompleted\t1", hook.url)));
}

#[test]
fn a_worker_that_was_told_nothing_leaves_notices_to_others() {
    let (shelf, hook) = (with_secrets(SECRET), Hook::answering("200 OK"));
    let id = shelf.line(&["enqueue", "mail", "--notify", &hook.url]);

    shelf.ok(&work("true", &[]));

    assert_eq!(shelf.of_job(&id, "state"), "completed");
    let notice = shelf.of_job(&id, "notices")[0].clone();
    assert_eq!((&notice["state"], &notice["attempt"]), (&"ready".into(), &0.into()));
    assert!(hook.told().is_empty());

    shelf.ok(&work("true", &SENDING));
    assert_eq!(hook.told().len(), 1);
}

#[test]
fn a_target_that_is_not_allowed_says_what_to_do_and_can_be_sent_again() {
    let (shelf, hook) = (with_secrets(SECRET), Hook::answering("200 OK"));
    let id = shelf.line(&["enqueue", "mail", "--notify", &hook.url]);

    shelf.ok(&work("true", &["--allow-host", "hooks.example.com", "--webhook-secrets", "secrets"]));

    let notice = shelf.of_job(&id, "notices")[0].clone();
    assert_eq!(notice["state"], "dead");
    assert!(notice["error"].as_str().unwrap().contains("--allow-host 127.0.0.1"), "{notice}");
    assert_eq!(shelf.of_job(&id, "state"), "completed");
    shelf.ok(&["jobs", "retry", notice["id"].as_str().unwrap()]);
    shelf.ok(&work("true", &SENDING));
    assert_eq!(hook.told().len(), 1);
}

#[test]
fn a_run_sends_the_notices_of_its_file_before_it_ends() {
    let (shelf, hook) = (with_secrets(&format!("127.0.0.1 {SECRET}")), Hook::answering("200 OK"));
    let job = |n: u32| {
        let args = format!(r#"{{"command":["sh","-c","exit {}"]}}"#, 65 * n);
        format!(r#"{{"kind":"exec","args":{args},"notify":[{{"webhook":"{}","on":["dead"]}}]}}"#, hook.url)
    };
    shelf.write("jobs.jsonl", &format!("{}\n{}\n", job(0), job(1)));

    let ran = shelf.run(&[&["run", "jobs.jsonl"], &SENDING[..]].concat());

    assert_eq!(ran.code, Some(8), "{ran:?}");
    let told = hook.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0].1["type"], &told[0].1["data"]["reason"]), (&"job.dead".into(), &"fatal".into()));
}

#[test]
fn a_misleading_option_is_told() {
    let shelf = with_secrets("one two three\n");

    let ran = shelf.run(&work("true", &SENDING));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("secrets:1: is neither a secret nor a host and a secret"), "{ran:?}");

    shelf.write("secrets", "sesame\n");
    let ran = shelf.run(&work("true", &SENDING));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("whsec_ and 24 to 64 bytes") && !ran.stderr.contains("sesame"), "{ran:?}");

    set_permissions(shelf.path("secrets"), Permissions::from_mode(0o644)).unwrap();
    let ran = shelf.run(&work("true", &SENDING));
    assert!(ran.stderr.contains("chmod 600"), "{ran:?}");

    let ran = shelf.run(&work("true", &["--webhook-secrets", "secrets"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("say with --allow-host where they may go"), "{ran:?}");
}
