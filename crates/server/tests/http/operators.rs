//! What operators do by hand: queues, schedules, reviews, bulk operations, upkeep.

use std::time::Instant;

use serde_json::{Value, json};

use crate::server::{PATIENCE, Server, everywhere};

everywhere! {
    verbs_change_what_becomes_of_a_job,
    a_waiting_job_is_changed_and_put_off,
    the_audit_tells_who_changed_what_and_is_narrowed,
    a_flow_is_changed_as_a_whole,
    queues_are_paused_bounded_and_kept,
    schedules_are_made_and_looked_after,
    a_person_decides,
    an_operation_is_done_to_all_that_match,
    the_store_is_looked_after_from_afar,
    numbers_are_told,
}

async fn verbs_change_what_becomes_of_a_job(server: Server) {
    let id = server.enqueue(r#"{"kind":"mail","delay":"1h"}"#).await;
    let of = |verb: &str| format!("/api/v1/jobs/{id}/{verb}");

    assert_eq!(server.post(&of("run-now"), "").await.status, 200);
    assert_eq!(server.get(&format!("/api/v1/jobs/{id}")).await.text("state"), "ready");
    assert_eq!(server.post(&of("cancel"), "{}").await.text("outcome"), "cancelled");
    assert_eq!(server.post(&of("cancel"), "").await.text("outcome"), "already_cancelled");
    assert_eq!(server.post(&of("run-now"), "").await.problem(), (409, "finished".into(), String::new()));
    let copy = server.post(&of("rerun"), "").await;
    assert_eq!(copy.status, 201);
    let copied = server.get(&format!("/api/v1/jobs/{}", copy.text("id"))).await;
    assert_eq!(copied.text("rerun_of"), id);
    assert_eq!(server.call("DELETE", &format!("/api/v1/jobs/{id}"), r#"{"by":"ada"}"#).await.status, 200);
    assert_eq!(
        server.get(&format!("/api/v1/jobs/{id}")).await.problem(),
        (404, "not_found".into(), String::new())
    );
    let audit = server.get(&format!("/api/v1/audit?subject={id}&verb=delete")).await.json();
    assert_eq!(
        (&audit["entries"][0]["by"], &audit["entries"][0]["address"]),
        (&json!("ada"), &json!("127.0.0.1"))
    );
}

async fn a_waiting_job_is_changed_and_put_off(server: Server) {
    let id = server.enqueue(r#"{"kind":"mail","tags":["a"]}"#).await;
    let at = format!("/api/v1/jobs/{id}");

    let edit =
        r#"{"queue":"other","priority":"high","args":{"n":9007199254740993},"tags":["b"],"meta":{"k":1}}"#;
    assert_eq!(server.call("PATCH", &at, edit).await.status, 200);
    let edited = server.get(&at).await;
    assert_eq!((edited.text("queue"), edited.text("priority")), ("other".to_owned(), "high".to_owned()));
    assert!(edited.body.contains("9007199254740993"), "{}", edited.body);
    assert_eq!((&edited.json()["tags"], &edited.json()["meta"]), (&json!(["b"]), &json!({"k": 1})));
    assert_eq!(server.call("PATCH", &at, "").await.status, 200, "nothing is changed");

    let snooze = format!("{at}/snooze");
    assert_eq!(server.post(&snooze, r#"{"delay":"1h","by":"ada"}"#).await.status, 200);
    let snoozed = server.get(&at).await;
    assert_eq!(
        (snoozed.text("state"), snoozed.text("reason")),
        ("scheduled".to_owned(), "snoozed".to_owned())
    );
    assert_eq!(server.post(&snooze, r#"{"until":"2020-01-01T00:00:00Z"}"#).await.status, 200);
    assert_eq!(server.get(&at).await.text("state"), "ready");

    let refused = |status: u16, code: &str, field: &str| (status, code.to_owned(), field.to_owned());
    assert_eq!(server.post(&snooze, "").await.problem(), refused(422, "invalid", "until"));
    let both = r#"{"run_at":"2030-01-01T00:00:00Z","delay":"1s"}"#;
    assert_eq!(server.call("PATCH", &at, both).await.problem(), refused(422, "invalid", "delay"));
    assert_eq!(server.call("PATCH", &at, r#"{"kind":"x"}"#).await.problem(), refused(422, "invalid", "kind"));
    let own = r#"{"queue":"windlass.own"}"#;
    assert_eq!(server.call("PATCH", &at, own).await.problem(), refused(422, "invalid", "queue"));
    server.post(&format!("{at}/cancel"), "").await;
    assert_eq!(server.call("PATCH", &at, edit).await.problem(), refused(409, "finished", ""));
    assert_eq!(server.post(&snooze, r#"{"delay":"1s"}"#).await.problem(), refused(409, "finished", ""));
}

async fn the_audit_tells_who_changed_what_and_is_narrowed(server: Server) {
    let id = server.enqueue(r#"{"kind":"mail"}"#).await;
    let at = format!("/api/v1/jobs/{id}");
    server.call("PATCH", &at, r#"{"priority":"low","by":"ada","reason":"later"}"#).await;
    server.post(&format!("{at}/cancel"), r#"{"by":"bob"}"#).await;
    server.post(&format!("{at}/rerun"), r#"{"by":"bob","reason":"once more"}"#).await;
    server.post("/api/v1/queues/mail/pause", r#"{"by":"ada"}"#).await;
    let verbs = async |query: &str| {
        let told = server.get(&format!("/api/v1/audit{query}")).await.json();
        let verbs: Vec<String> = told["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["verb"].as_str().unwrap().to_owned())
            .collect();
        verbs.join(" ")
    };

    assert_eq!(verbs("").await, "pause rerun cancel edit");
    assert_eq!(verbs("?actor=ada").await, "pause edit");
    assert_eq!(verbs("?verb=cancel").await, "cancel");
    assert_eq!(verbs("?noun=queue").await, "pause");
    assert_eq!(verbs(&format!("?subject={id}&actor=bob")).await, "rerun cancel");
    assert_eq!(verbs("?since=1h").await, "pause rerun cancel edit");
    assert_eq!(verbs("?since=2999-01-01T00:00:00Z").await, "");
    assert_eq!(server.get("/api/v1/audit?noun=hat").await.problem().2, "noun");
    let edit = server.get("/api/v1/audit?verb=edit").await.json();
    let change = &edit["entries"][0]["change"];
    assert_eq!(*change, json!({"before": {"priority": "normal"}, "after": {"priority": "low"}}));
    assert_eq!(edit["entries"][0]["reason"], "later");
}

async fn a_flow_is_changed_as_a_whole(server: Server) {
    let batch = r#"{"jobs":[{"kind":"a","ref":"p"},{"kind":"b","after":["p"]}]}"#;
    let made = server.post("/api/v1/jobs/batch", batch).await.json();
    let child = made["results"][1]["id"].as_str().unwrap().to_owned();
    let touched = |answer: Value| answer["jobs"].as_array().unwrap().len();

    let cancelled = server.post(&format!("/api/v1/jobs/{child}/flow/cancel"), "").await.json();
    let retried = server.post(&format!("/api/v1/jobs/{child}/flow/retry"), "").await.json();
    server.post(&format!("/api/v1/jobs/{child}/flow/cancel"), "").await;
    let removed = server.call("DELETE", &format!("/api/v1/jobs/{child}/flow"), "").await.json();

    assert!(touched(cancelled) >= 1 && touched(retried) >= 1);
    assert_eq!(touched(removed), 2);
}

async fn queues_are_paused_bounded_and_kept(server: Server) {
    server.enqueue(r#"{"kind":"mail","queue":"a/b"}"#).await;
    let of = |rest: &str| format!("/api/v1/queues/a%2Fb{rest}");

    assert_eq!(server.post(&of("/pause"), r#"{"reason":"lunch","by":"ada"}"#).await.status, 200);
    assert_eq!(server.post("/api/v1/leases", r#"{"worker":"w"}"#).await.json()["leases"], json!([]));
    let change =
        r#"{"limit":2,"rate":{"starts":5,"per":"1s"},"retention":{"completed":"1h","dead":"forever"}}"#;
    assert_eq!(server.call("PATCH", &of(""), change).await.status, 200);
    assert_eq!(server.call("PATCH", "/api/v1/kinds/mail", r#"{"limit":3}"#).await.status, 200);

    let queue = server.get(&of("")).await.json();
    assert_eq!(
        (&queue["pause"]["reason"], &queue["limit"], &queue["rate"]["starts"]),
        (&json!("lunch"), &json!(2), &json!(5))
    );
    assert_eq!(queue["retention"], json!({"completed": "1h", "dead": "forever"}));
    assert_eq!(server.get("/api/v1/queues").await.json()["queues"][0]["name"], "a/b");
    assert_eq!(server.get("/api/v1/bounds").await.json()["bounds"].as_array().unwrap().len(), 2);
    assert_eq!(server.get("/api/v1/retentions").await.json()["retentions"][0]["queue"], "a/b");
    assert_eq!(server.call("PATCH", &of(""), r#"{"rate":null}"#).await.status, 200);
    let queue = server.get(&of("")).await.json();
    assert_eq!((&queue["limit"], queue.get("rate")), (&json!(2), None));
    assert_eq!(server.post(&of("/resume"), "").await.status, 200);
    assert_eq!(server.post(&of("/drain"), "").await.json()["drained"], true);
    assert_eq!(
        server.call("PATCH", &of(""), r#"{"limit":0}"#).await.problem(),
        (422, "invalid".into(), "limit".into())
    );
    assert_eq!(server.get("/api/v1/queues/none").await.problem().1, "not_found");
    assert_eq!(server.post("/api/v1/queues/none/resume", "").await.problem().1, "not_found");
}

async fn schedules_are_made_and_looked_after(server: Server) {
    let of = |rest: &str| format!("/api/v1/schedules/nightly{rest}");
    let body =
        r#"{"cron":"0 3 * * *","time_zone":"Europe/Berlin","job":{"kind":"clean","args":{"days":30}}}"#;

    let made = server.call("PUT", &of(""), body).await;
    assert_eq!((made.status, made.text("outcome")), (201, "created".into()));
    assert_eq!(server.call("PUT", &of(""), body).await.text("outcome"), "unchanged");
    let shown = server.get(&of("")).await.json();
    assert_eq!((&shown["cron"], &shown["job"]["args"]["days"]), (&json!("0 3 * * *"), &json!(30)));
    assert_eq!(server.get(&of("/next?n=3")).await.json()["next"].as_array().unwrap().len(), 3);
    assert_eq!(server.post(&of("/pause"), r#"{"by":"ada"}"#).await.status, 200);
    assert_eq!(server.get("/api/v1/schedules").await.json()["schedules"][0]["state"], "paused");
    assert_eq!(server.post(&of("/resume"), "").await.status, 200);
    let run = server.post(&of("/run-now"), "").await;
    assert_eq!(server.get(&format!("/api/v1/jobs/{}", run.text("id"))).await.text("kind"), "clean");
    let range = r#"{"from":"2026-01-01T00:00:00Z","until":"2026-01-03T00:00:00Z"}"#;
    assert_eq!(server.post(&of("/backfill"), range).await.json()["jobs"].as_array().unwrap().len(), 2);
    assert_eq!(server.get(&of("/firings")).await.json()["firings"].as_array().unwrap().len(), 2);
    assert!(server.get(&of("/events")).await.json()["events"].as_array().unwrap().len() >= 4);
    let declared = r#"{"schedules":[{"name":"hourly","every":"1h","job":{"kind":"tick"}}]}"#;
    assert_eq!(
        server.call("PUT", "/api/v1/programs/app/schedules", declared).await.json()["created"],
        json!(["hourly"])
    );
    assert_eq!(server.call("DELETE", &of(""), "").await.status, 200);
    assert_eq!(server.get(&of("")).await.problem().1, "not_found");
    let bad = r#"{"cron":"never","job":{"kind":"clean"}}"#;
    assert_eq!(server.call("PUT", &of(""), bad).await.problem(), (422, "invalid".into(), "cron".into()));
    assert_eq!(
        server.get("/api/v1/schedules/hourly/next?n=0").await.problem(),
        (422, "invalid".into(), "n".into())
    );
}

async fn a_person_decides(server: Server) {
    let id = server.enqueue(r#"{"kind":"import","review":"start","submitted_by":"bob"}"#).await;
    let decide = format!("/api/v1/jobs/{id}/review");

    assert_eq!(server.get("/api/v1/reviews").await.json()["reviews"][0]["job"], id);
    assert_eq!(server.get(&decide).await.json()["review"]["open"], true);
    let own = server.post(&decide, r#"{"decision":"accept","by":"bob"}"#).await;
    assert_eq!(own.problem().1, "forbidden");
    let accepted = server.post(&decide, r#"{"decision":"accept","comment":"ok","by":"ada"}"#).await;
    assert_eq!((accepted.status, accepted.text("state")), (200, "ready".into()));
    let twice = server.post(&decide, r#"{"decision":"decline","by":"ada"}"#).await;
    assert_eq!(twice.problem(), (409, "not_reviewable".into(), String::new()));
    let plain = server.enqueue(r#"{"kind":"mail"}"#).await;
    let never = server.post(&format!("/api/v1/jobs/{plain}/review"), r#"{"decision":"accept"}"#).await;
    assert_eq!(never.problem().1, "not_reviewable");
}

async fn an_operation_is_done_to_all_that_match(server: Server) {
    for _ in 0..3 {
        server.enqueue(r#"{"kind":"mail","queue":"a"}"#).await;
    }
    server.enqueue(r#"{"kind":"mail","queue":"b"}"#).await;

    let dry =
        server.post("/api/v1/operations", r#"{"filter":"queue:a","verb":"cancel","dry_run":true}"#).await;
    // It selects while the next one is under way, unless it has ended.
    let dry = ended(&server, &dry.text("id")).await;
    let begun = server
        .post("/api/v1/operations", r#"{"filter":"queue:a","verb":"cancel","reason":"wrong","by":"ada"}"#)
        .await;
    let done = ended(&server, &begun.text("id")).await;

    assert_eq!(begun.status, 202);
    assert_eq!((&dry["selected"], &dry["done"]), (&json!(3), &json!(0)));
    assert_eq!((&done["state"], &done["done"], &done["refused"]), (&json!("done"), &json!(3), &json!(0)));
    assert_eq!(
        server.get("/api/v1/jobs?filter=state:ready").await.json()["jobs"].as_array().unwrap().len(),
        1
    );
    assert_eq!(server.get("/api/v1/operations").await.json()["operations"].as_array().unwrap().len(), 2);
}

/// An operation once it has ended.
async fn ended(server: &Server, id: &str) -> Value {
    let began = Instant::now();
    loop {
        let shown = server.get(&format!("/api/v1/operations/{id}")).await.json();
        if shown.get("ended_at").is_some() {
            return shown;
        }
        assert!(began.elapsed() < PATIENCE, "the operation does not end");
        tokio::task::yield_now().await;
    }
}

async fn the_store_is_looked_after_from_afar(server: Server) {
    assert_eq!(server.post("/api/v1/upkeep/rescue", "").await.json()["more"], false);
    assert_eq!(server.post("/api/v1/upkeep/prune", r#"{"completed":"1h"}"#).await.json()["removed"], 0);
    assert_eq!(server.post("/api/v1/upkeep/fire", "").await.json()["jobs"], 0);
    assert_eq!(server.post("/api/v1/upkeep/tidy", "").await.status, 200);
    let candidate = "0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11";
    let lead = server.post("/api/v1/upkeep/lead", &format!(r#"{{"candidate":"{candidate}"}}"#)).await;
    assert_eq!(lead.text("leader"), candidate);
    assert_eq!(server.call("DELETE", &format!("/api/v1/upkeep/lead/{candidate}"), "").await.status, 200);
    assert!(server.get("/api/v1/store").await.json()["schema_version"].is_u64());
    assert_eq!(server.post("/api/v1/store/check", "").await.json()["findings"], json!([]));
    assert_eq!(
        server.post("/api/v1/upkeep/lead", "{}").await.problem(),
        (422, "invalid".into(), "candidate".into())
    );
}

async fn numbers_are_told(server: Server) {
    server.enqueue(r#"{"kind":"mail"}"#).await;

    let stats = server.get("/api/v1/stats").await.json();
    let may = server.get("/api/v1/capabilities").await.json();
    let metrics = server.get("/metrics").await;

    assert_eq!((&stats["counts"]["ready"], &stats["queues"][0]["name"]), (&json!(1), &json!("default")));
    assert_eq!(may["queues"], json!(["*"]));
    assert!(metrics.body.contains(r#"windlass_jobs{queue="default",state="ready"} 1"#), "{}", metrics.body);
    assert!(metrics.body.contains("windlass_http_answers_total"), "{}", metrics.body);
    assert_eq!(server.get("/healthz").await.text("status"), "ok");
    assert_eq!(server.get("/readyz").await.text("status"), "ready");
}
