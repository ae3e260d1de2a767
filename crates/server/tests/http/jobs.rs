//! Jobs: asked for, listed, looked at.

use crate::server::{Server, everywhere};

everywhere! {
    a_job_is_enqueued_and_shown_byte_for_byte,
    asking_again_with_the_same_id_makes_no_second_job,
    a_batch_is_all_or_none_and_its_members_name_each_other,
    jobs_are_listed_by_pages_and_by_filters,
    history_is_told,
    unique_keys_are_answered_for,
}

async fn a_job_is_enqueued_and_shown_byte_for_byte(server: Server) {
    let args = r#"{"b":9007199254740993,"a":-0,"z":"\u0000"}"#;

    let id = server.enqueue(&format!(r#"{{"kind":"mail","queue":"out","args":{args},"tags":["t"]}}"#)).await;
    let shown = server.get(&format!("/api/v1/jobs/{id}")).await;

    assert_eq!(shown.status, 200);
    assert!(shown.body.contains(&format!(r#""args":{args},"#)), "{}", shown.body);
    assert_eq!(
        (shown.text("state"), shown.text("queue"), shown.text("kind")),
        ("ready".into(), "out".into(), "mail".into())
    );
    assert!(!shown.text("server_time").is_empty());
    assert!(
        shown.head.contains("cache-control: no-store") && shown.head.contains("nosniff"),
        "{}",
        shown.head
    );
}

async fn asking_again_with_the_same_id_makes_no_second_job(server: Server) {
    let body = r#"{"kind":"mail","id":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11"}"#;

    let (first, second) = (server.post("/api/v1/jobs", body).await, server.post("/api/v1/jobs", body).await);

    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(second.json()["repeated"], true);
    assert_eq!(server.get("/api/v1/jobs").await.json()["jobs"].as_array().unwrap().len(), 1);
}

async fn a_batch_is_all_or_none_and_its_members_name_each_other(server: Server) {
    let batch = r#"{"jobs":[{"kind":"a","ref":"first"},{"kind":"b","after":["first"]}]}"#;

    let made = server.post("/api/v1/jobs/batch", batch).await;
    let refused =
        server.post("/api/v1/jobs/batch", r#"{"jobs":[{"kind":"c"},{"kind":"d","attempts_max":0}]}"#).await;

    assert_eq!(made.status, 201);
    let results = made.json()["results"].clone();
    assert_eq!((&results[0]["ref"], &results[1]["outcome"]), (&"first".into(), &"created".into()));
    let child = server.get(&format!("/api/v1/jobs/{}", results[1]["id"].as_str().unwrap())).await.json();
    assert_eq!((&child["state"], &child["after"][0]["job"]), (&"blocked".into(), &results[0]["id"]));
    assert_eq!(refused.problem(), (422, "invalid".into(), "jobs[1].attempts_max".into()));
    assert_eq!(server.get("/api/v1/jobs?filter=kind:c").await.json()["jobs"], serde_json::json!([]));
}

async fn jobs_are_listed_by_pages_and_by_filters(server: Server) {
    for number in 0..5 {
        server.enqueue(&format!(r#"{{"kind":"k","args":{{"n":{number}}},"queue":"q{}"}}"#, number % 2)).await;
    }

    let first = server.get("/api/v1/jobs?limit=3").await.json();
    let next = first["next"].as_str().unwrap();
    let second = server.get(&format!("/api/v1/jobs?limit=3&after={next}")).await.json();
    let of_queue = server.get("/api/v1/jobs?filter=queue:q1%20state:ready").await.json();
    let of_args = server.get("/api/v1/jobs?limit=1&filter=args.n:2,4").await.json();
    let behind = of_args["next"].as_str().unwrap();
    let last = server.get(&format!("/api/v1/jobs?limit=1&filter=args.n:2,4&after={behind}")).await.json();

    let numbers = |page: &serde_json::Value| -> Vec<i64> {
        page["jobs"].as_array().unwrap().iter().map(|job| job["args"]["n"].as_i64().unwrap()).collect()
    };
    assert_eq!((numbers(&first), numbers(&second)), (vec![4, 3, 2], vec![1, 0]));
    assert_eq!((numbers(&of_queue), &of_queue["cost"]["class"]), (vec![3, 1], &"indexed".into()));
    assert_eq!((numbers(&of_args), &of_args["cost"]["class"]), (vec![4], &"scan".into()));
    assert_eq!(numbers(&last), [2]);
}

async fn history_is_told(server: Server) {
    let id = server.enqueue(r#"{"kind":"mail","attempts_max":1}"#).await;
    let token = server.claim().await;
    server.post(&format!("/api/v1/leases/{token}/logs"), r#"{"lines":[{"message":"said"}]}"#).await;
    server.post(&format!("/api/v1/leases/{token}/settle"), r#"{"outcome":"failed","error":"boom"}"#).await;
    server.post(&format!("/api/v1/jobs/{id}/retry"), r#"{"reason":"again","by":"ada"}"#).await;

    let of = |what: &str| format!("/api/v1/jobs/{id}/{what}");
    let attempts = server.get(&of("attempts")).await.json();
    let logs = server.get(&of("logs")).await.json();
    let events = server.get(&of("events")).await.json();
    let why = server.get(&of("explain")).await.json();
    let flow = server.get(&of("flow")).await.json();
    let tree = server.get(&of("errors")).await.json();
    let groups = server.get("/api/v1/errors").await.json();
    let group = groups["errors"][0]["fingerprint"].as_str().unwrap();

    assert_eq!(attempts["attempts"][0]["error"]["message"], "boom");
    assert_eq!(logs["lines"][0]["message"], "said");
    assert_eq!(
        (&events["events"][0]["by"], &events["events"][0]["reason"]),
        (&"ada".into(), &"again".into())
    );
    assert_eq!(why["state"], "ready");
    assert_eq!(flow["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(tree["error"]["message"], "boom");
    assert_eq!(server.get(&format!("/api/v1/errors/{group}")).await.json()["count"], 1);
    assert_eq!(server.get(&format!("/api/v1/jobs?filter=error:{group}")).await.json()["jobs"][0]["id"], id);
    for list in ["parents", "children", "inputs"] {
        assert_eq!(server.get(&of(list)).await.status, 200, "{list}");
    }
}

async fn unique_keys_are_answered_for(server: Server) {
    let id = server.enqueue(r#"{"kind":"mail","unique":"k"}"#).await;

    let existing = server.post("/api/v1/jobs", r#"{"kind":"mail","unique":"k"}"#).await;
    let rejected =
        server.post("/api/v1/jobs", r#"{"kind":"mail","unique":{"key":"k","on_conflict":"reject"}}"#).await;

    assert_eq!(
        (existing.status, existing.text("outcome"), existing.text("id")),
        (200, "existing".into(), id.clone())
    );
    assert_eq!(rejected.problem(), (409, "duplicate".into(), String::new()));
    assert_eq!(rejected.text("job"), id);
}
