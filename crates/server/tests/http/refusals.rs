//! What is refused: every bad input by its field, every address that is none.

use crate::server::Server;

#[tokio::test]
async fn what_is_wrong_is_refused_by_field_and_nothing_is_written() {
    let server = Server::memory().await;
    let long = format!(r#"{{"kind":"{}"}}"#, "k".repeat(129));
    let deep = format!(r#"{{"kind":"k","args":{}{}}}"#, "[".repeat(101), "]".repeat(101));
    for (body, field) in [
        ("", "body"),
        ("{", "body"),
        ("[]", "body"),
        ("{}", "kind"),
        (r#"{"knd":"mail"}"#, "knd"),
        (r#"{"kind":"mail","que":"q"}"#, "que"),
        (r#"{"kind":"mail","queue":""}"#, "queue"),
        (r#"{"kind":"windlass.notice"}"#, "kind"),
        (r#"{"kind":"mail","attempts_max":0}"#, "attempts_max"),
        (r#"{"kind":"mail","priority":"urgent"}"#, "priority"),
        (r#"{"kind":"mail","delay":"-1s"}"#, "delay"),
        (r#"{"kind":"mail","id":"7"}"#, "id"),
        (r#"{"kind":"mail","after":["nobody"]}"#, "after[0]"),
        (r#"{"kind":"mail","locks":[{"resource":""}]}"#, "locks[0].resource"),
        (long.as_str(), "kind"),
        (deep.as_str(), "args"),
    ] {
        let refused = server.post("/api/v1/jobs", body).await;

        assert_eq!(refused.problem(), (422, "invalid".into(), field.into()), "{body}");
    }
    assert_eq!(server.get("/api/v1/jobs").await.json()["jobs"], serde_json::json!([]));
}

#[tokio::test]
async fn a_misspelt_field_is_refused_with_what_was_meant() {
    let server = Server::memory().await;

    let body = server.post("/api/v1/jobs", r#"{"kind":"mail","prioritty":"high"}"#).await;
    let query = server.get("/api/v1/jobs?limt=5").await;
    let filter = server.get("/api/v1/jobs?filter=que:mail").await;
    let twice = server.get("/api/v1/jobs?limit=5&limit=6").await;

    assert!(body.text("detail").contains("did you mean `priority`?"), "{body:?}");
    assert_eq!(query.problem(), (422, "invalid".into(), "limt".into()));
    assert!(query.text("detail").contains("did you mean `limit`?"), "{query:?}");
    assert!(filter.text("detail").contains("did you mean `queue`?"), "{filter:?}");
    assert_eq!(twice.problem().2, "limit");
}

#[tokio::test]
async fn every_route_of_a_thing_that_is_not_there_says_so() {
    let server = Server::memory().await;
    let id = "0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11";
    let token = format!("wlt_{}{}1", id.replace('-', ""), "0000000000000001");

    for rest in [
        "",
        "/attempts",
        "/logs",
        "/events",
        "/flow",
        "/explain",
        "/errors",
        "/parents",
        "/children",
        "/inputs",
        "/review",
    ] {
        let answer = server.get(&format!("/api/v1/jobs/{id}{rest}")).await;
        assert_eq!(answer.problem(), (404, "not_found".into(), String::new()), "{rest}");
    }
    for rest in ["/cancel", "/retry", "/run-now", "/rerun", "/flow/cancel", "/flow/retry"] {
        let answer = server.post(&format!("/api/v1/jobs/{id}{rest}"), "").await;
        assert_eq!(answer.problem(), (404, "not_found".into(), String::new()), "{rest}");
    }
    for (rest, body) in [
        ("extend", ""),
        ("progress", r#"{"progress":1}"#),
        ("checkpoint", r#"{"checkpoint":1}"#),
        ("logs", r#"{"lines":[{"message":"m"}]}"#),
        ("settle", r#"{"outcome":"succeeded"}"#),
        ("jobs", r#"{"kind":"k"}"#),
    ] {
        let answer = server.post(&format!("/api/v1/leases/{token}/{rest}"), body).await;
        assert_eq!(answer.problem(), (404, "not_found".into(), String::new()), "{rest}");
    }
    assert_eq!(server.get(&format!("/api/v1/leases/{token}")).await.problem().0, 404);
    for rest in ["", "/next", "/firings"] {
        assert_eq!(server.get(&format!("/api/v1/schedules/none{rest}")).await.problem().0, 404, "{rest}");
    }
    for rest in ["/pause", "/resume", "/run-now"] {
        assert_eq!(
            server.post(&format!("/api/v1/schedules/none{rest}"), "").await.problem().0,
            404,
            "{rest}"
        );
    }
    assert_eq!(server.get("/api/v1/errors/00000000000000ff").await.problem().0, 404);
    assert_eq!(server.call("DELETE", &format!("/api/v1/workers/{id}"), "").await.problem().0, 404);
}

#[tokio::test]
async fn parts_of_an_address_that_are_none_are_refused_by_name() {
    let server = Server::memory().await;
    for (path, field) in [
        ("/api/v1/jobs/7", "id"),
        ("/api/v1/leases/wlt_7", "token"),
        ("/api/v1/queues/a%20b", "queue"),
        ("/api/v1/schedules/a%20b", "name"),
        ("/api/v1/errors/7", "fingerprint"),
        ("/api/v1/workers/7/leases", "worker"),
        ("/api/v1/jobs?limit=x", "limit"),
        ("/api/v1/jobs?limit=0", "limit"),
        ("/api/v1/jobs?after=x", "after"),
        ("/api/v1/jobs?filter=nothing", "filter"),
        ("/api/v1/workers?silent_for=x", "silent_for"),
        ("/api/v1/errors?since=x", "since"),
        ("/api/v1/audit?noun=x", "noun"),
    ] {
        assert_eq!(server.get(path).await.problem(), (422, "invalid".into(), field.into()), "{path}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_not_found_and_a_wrong_method_is_refused() {
    let server = Server::memory().await;

    let nowhere = server.get("/api/v1/jbos").await;
    let not_so = server.call("PUT", "/api/v1/jobs", "{}").await;

    assert_eq!(nowhere.problem(), (404, "not_found".into(), String::new()));
    assert_eq!(not_so.problem().0, 405);
    assert!(not_so.head.contains("allow: "), "{not_so:?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_claim_is_refused_before_anybody_is_registered() {
    let server = Server::memory().await;
    for (body, field) in [
        ("{}", "worker"),
        (r#"{"worker":"w","limit":0}"#, "limit"),
        (r#"{"worker":"w","lease":"1ms"}"#, "lease"),
        (r#"{"worker":"w","lease":"process"}"#, "lease"),
        (r#"{"worker":"w","queues":["a b"]}"#, "queues[0]"),
        (r#"{"worker":"w","wait":"x"}"#, "wait"),
    ] {
        let refused = server.post("/api/v1/leases", body).await;
        assert_eq!(refused.problem(), (422, "invalid".into(), field.into()), "{body}");
    }
    let turn = server.post("/api/v1/turns", r#"{"claim":{"worker":"w","limit":0}}"#).await;

    assert_eq!(turn.problem(), (422, "invalid".into(), "claim.limit".into()));
    assert_eq!(server.get("/api/v1/workers").await.json()["workers"], serde_json::json!([]));
}
