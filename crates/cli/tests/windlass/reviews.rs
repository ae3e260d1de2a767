//! `windlass reviews`: what waits for a person, and what they decide.

use crate::shelf::Shelf;

fn enqueued(shelf: &Shelf, what: &str) -> String {
    shelf.line(&["enqueue", "shell", "1", "--review", what, "--submitted-by", "ada"])
}

#[test]
fn a_job_waits_for_a_person_and_starts_with_what_they_say() {
    let shelf = Shelf::new();
    let id = enqueued(&shelf, "start");

    let listed = shelf.json(&["reviews", "--json"]);
    let shown = shelf.ok(&["reviews", "show", &id]);
    let accepted =
        shelf.json(&["reviews", "accept", &id, "--by", "bob", "--comment", "fine", "--args", "2", "--json"]);

    assert_eq!((&listed[0]["job"], &listed[0]["of"]), (&id.as_str().into(), &"start".into()));
    assert!(shown.contains("submitted by\tada") && shown.contains("in review\tyes"), "{shown}");
    assert_eq!(accepted[0]["state"], "ready");
    assert_eq!(shelf.of_job(&id, "args"), serde_json::json!(2));
    let review = shelf.json(&["reviews", "show", &id, "--json"]);
    assert_eq!((&review["ruling"]["by"], &review["ruling"]["comment"]), (&"bob".into(), &"fine".into()));
    assert_eq!((&review["open"], &review["ruling"]["edited"]), (&false.into(), &true.into()));
    assert_eq!(shelf.ok(&["reviews"]), "");
    assert!(shelf.ok(&["jobs", "show", &id]).contains("accept"));
}

#[test]
fn a_job_is_shown_with_what_a_person_was_asked_and_what_they_said() {
    let shelf = Shelf::new();
    let timed = ["--decide-within", "1h", "--otherwise", "accept"];
    let id = shelf.line(&[&["enqueue", "shell", "1", "--review", "start"], &timed[..]].concat());
    let later = shelf.line(&[&["enqueue", "shell", "1", "--review", "outcome"], &timed[..]].concat());

    let open = shelf.ok(&["jobs", "show", &id]);
    let not_yet = shelf.ok(&["jobs", "show", &later]);
    shelf.ok(&["reviews", "decline", &id, "--by", "bob", "--comment", "not on a Friday"]);
    let declined = shelf.ok(&["jobs", "show", &id]);
    let json = shelf.json(&["jobs", "show", &id, "--json"]);

    assert!(open.contains("review of\tstart") && open.contains("in review\tyes"), "{open}");
    assert!(open.contains("decide by\t") && open.contains("otherwise\taccept"), "{open}");
    assert!(!open.contains("decided by\t"), "{open}");
    assert!(not_yet.contains("review of\toutcome") && not_yet.contains("decide within\t1h"), "{not_yet}");
    assert!(!not_yet.contains("in review\t"), "{not_yet}");
    assert!(declined.contains("decision\tdecline") && declined.contains("decided by\tbob"), "{declined}");
    assert!(declined.contains("comment\tnot on a Friday"), "{declined}");
    let (asked, ruling) = (&json["reviewed"], &json["reviewed"]["ruling"]);
    assert_eq!((&asked["of"], &asked["open"]), (&"start".into(), &false.into()));
    assert_eq!((&ruling["by"], &ruling["comment"]), (&"bob".into(), &"not on a Friday".into()));
    assert_eq!(shelf.of_job(&later, "reviewed"), serde_json::Value::Null);
}

#[test]
fn a_decision_is_refused_with_what_to_do() {
    let shelf = Shelf::new();
    let (id, plain) = (enqueued(&shelf, "start"), shelf.line(&["enqueue", "shell"]));
    let zeros = "0".repeat(64);

    let own = shelf.run(&["reviews", "accept", &id, "--by", "ada"]);
    let stale = shelf.run(&["reviews", "accept", &id, "--by", "bob", "--digest", &zeros]);
    let nobody_asked = shelf.run(&["reviews", "decline", &plain, "--by", "bob"]);
    shelf.ok(&["reviews", "decline", &id, "--by", "bob"]);
    let second = shelf.run(&["reviews", "accept", &id, "--by", "carol"]);

    assert_eq!(own.code, Some(2));
    assert!(own.stderr.contains("by.name: is \"ada\", who submitted the job"), "{own:?}");
    assert!(
        stale.stderr.contains("look again") && stale.stderr.contains("help: `windlass reviews show"),
        "{stale:?}"
    );
    assert!(nobody_asked.stderr.contains("nobody is asked about job"), "{nobody_asked:?}");
    assert!(second.stderr.contains("is not in review"), "{second:?}");
    assert_eq!(shelf.of_job(&id, "reason"), "declined");
}

#[test]
fn who_decides_may_wait_for_the_worker() {
    let shelf = Shelf::new();
    let worker = shelf.start(&["work", "--exec", "true"]);
    let good = enqueued(&shelf, "outcome");
    let bad = enqueued(&shelf, "outcome");
    shelf.until_in_review(&[&good, &bad]);

    let accepted = shelf.json(&["reviews", "accept", &good, "--by", "bob", "--wait", "--json"]);
    let declined = shelf.run(&["reviews", "decline", &bad, "--by", "bob", "--wait"]);
    worker.kill();

    assert_eq!((&accepted[0]["state"], &accepted[0]["reason"]), (&"completed".into(), &"accepted".into()));
    assert_eq!(declined.code, Some(0), "{declined:?}");
    assert_eq!(shelf.of_job(&bad, "reason"), "declined");
}

#[test]
fn a_wait_for_a_worker_that_is_not_there_ends_and_the_decision_stands() {
    let shelf = Shelf::new();
    let id = enqueued(&shelf, "outcome");
    let worker = shelf.start(&["work", "--exec", "true"]);
    shelf.until_in_review(&[&id]);
    worker.kill();

    let waited = shelf.run(&["reviews", "accept", &id, "--by", "bob", "--wait", "--timeout", "50ms"]);

    assert_eq!(waited.code, Some(75), "{waited:?}");
    assert!(waited.stderr.contains("help: it stands"), "{waited:?}");
    assert_eq!(shelf.of_job(&id, "phase"), "settle");
}

impl Shelf {
    /// Waits until all of these jobs are in review.
    fn until_in_review(&self, ids: &[&str]) {
        let begun = std::time::Instant::now();
        while !ids.iter().all(|id| self.of_job(id, "state") == "in_review") {
            assert!(begun.elapsed() < std::time::Duration::from_secs(60), "they never came into review");
        }
    }
}
