//! Leases: a worker with nothing but HTTP.

use serde_json::json;

use crate::server::{Server, everywhere};

everywhere! {
    a_job_is_worked_off_with_four_requests,
    a_stale_worker_is_told_that_it_lost_its_lease,
    a_cancelled_job_is_told_of_by_the_next_beat,
    a_turn_settles_and_claims_in_one_go,
    a_registered_worker_holds_its_jobs_by_its_beats,
    one_job_is_claimed_by_its_id,
    children_are_enqueued_as_long_as_the_lease_holds,
    a_child_is_given_what_its_parents_made,
    who_cleans_up_is_given_what_the_parents_of_the_other_made,
}

async fn a_job_is_worked_off_with_four_requests(server: Server) {
    let id = server.enqueue(r#"{"kind":"mail","args":{"to":"a@b"}}"#).await;

    let claimed =
        server.post("/api/v1/leases", r#"{"worker":"w1","queues":["default"],"lease":"60s"}"#).await.json();
    let lease = &claimed["leases"][0];
    let token = lease["token"].as_str().unwrap();
    let beat = r#"{"progress":{"percent":40,"message":"half"},"checkpoint":{"at":7}}"#;
    let extended = server.post(&format!("/api/v1/leases/{token}/extend"), beat).await.json();
    let settled = server
        .post(&format!("/api/v1/leases/{token}/settle"), r#"{"outcome":"succeeded","result":null}"#)
        .await;
    let shown = server.get(&format!("/api/v1/jobs/{id}")).await.json();

    assert_eq!(
        (&lease["job"]["id"], &lease["job"]["args"]["to"], &lease["attempt"]),
        (&json!(id), &json!("a@b"), &json!(1))
    );
    assert_eq!(extended["cancel_requested"], false);
    assert_eq!((settled.status, settled.text("state")), (200, "completed".into()));
    assert_eq!(
        (&shown["progress"]["percent"], &shown["checkpoint"]["at"], &shown["worker"]),
        (&json!(40), &json!(7), &json!("w1"))
    );
    assert!(shown.as_object().unwrap().contains_key("result"), "a result of null is one: {shown}");
}

async fn a_stale_worker_is_told_that_it_lost_its_lease(server: Server) {
    server.enqueue(r#"{"kind":"mail"}"#).await;
    let token = server.claim().await;
    let settle = format!("/api/v1/leases/{token}/settle");
    server.post(&settle, r#"{"outcome":"failed","delay":"0s"}"#).await;
    let successor = server.claim().await;

    let stale = server.post(&settle, r#"{"outcome":"succeeded"}"#).await;

    assert_eq!(stale.problem(), (409, "lease_lost".into(), String::new()));
    assert_eq!(server.post(&format!("/api/v1/leases/{token}/extend"), "").await.problem().1, "lease_lost");
    assert_eq!(
        server.get(&format!("/api/v1/leases/{token}")).await.problem(),
        (410, "lease_lost".into(), String::new())
    );
    assert_eq!(server.get(&format!("/api/v1/leases/{successor}")).await.status, 200);
}

async fn a_cancelled_job_is_told_of_by_the_next_beat(server: Server) {
    let id = server.enqueue(r#"{"kind":"mail"}"#).await;
    let token = server.claim().await;

    let cancelled = server.post(&format!("/api/v1/jobs/{id}/cancel"), r#"{"reason":"no need"}"#).await;
    let beat = server.post(&format!("/api/v1/leases/{token}/extend"), r#"{"progress":50}"#).await;
    let late = server.post(&format!("/api/v1/leases/{token}/settle"), r#"{"outcome":"succeeded"}"#).await;

    assert_eq!(cancelled.text("outcome"), "requested");
    assert_eq!((beat.status, &beat.json()["cancel_requested"]), (200, &json!(true)));
    assert_eq!(late.problem(), (409, "cancelled".into(), String::new()));
}

async fn a_turn_settles_and_claims_in_one_go(server: Server) {
    for _ in 0..3 {
        server.enqueue(r#"{"kind":"mail"}"#).await;
    }
    let first = server.post("/api/v1/turns", r#"{"claim":{"worker":"w1","limit":2}}"#).await.json();
    let tokens: Vec<&str> =
        first["leases"].as_array().unwrap().iter().map(|one| one["token"].as_str().unwrap()).collect();
    let turn = json!({
        "settlements": [
            {"token": tokens[0], "outcome": "succeeded"},
            {"token": tokens[1], "outcome": "fatal", "error": {"message": "no", "type": "Oops"}},
            {"token": tokens[0], "outcome": "succeeded"},
        ],
        "claim": {"worker": "w1", "limit": 2},
    });

    let second = server.post("/api/v1/turns", &turn.to_string()).await.json();

    let settled = &second["settled"];
    assert_eq!((&settled[0]["state"], &settled[1]["reason"]), (&json!("completed"), &json!("fatal")));
    assert_eq!(settled[2]["code"], "not_running");
    assert_eq!(second["leases"].as_array().unwrap().len(), 1);
}

async fn a_registered_worker_holds_its_jobs_by_its_beats(server: Server) {
    server.enqueue(r#"{"kind":"mail"}"#).await;
    let worker = r#"{"name":"w","host":"h","kinds":["mail"],"slots":2,"lease":"60s"}"#;
    let registered = server.post("/api/v1/workers", worker).await;
    let id = registered.text("id");
    let claim = format!(r#"{{"worker":"{id}","lease":"process"}}"#);
    let claimed = server.post("/api/v1/leases", &claim).await.json();
    let token = claimed["leases"][0]["token"].clone();

    let beat = server.post(&format!("/api/v1/workers/{id}/beat"), "").await.json();
    let held = server.get(&format!("/api/v1/workers/{id}/leases")).await.json();
    let listed = server.get("/api/v1/workers").await.json();
    let open = server.get("/api/v1/leases").await.json();
    let refused = server.call("DELETE", &format!("/api/v1/workers/{id}"), "").await;
    server
        .post(&format!("/api/v1/leases/{}/settle", token.as_str().unwrap()), r#"{"outcome":"interrupted"}"#)
        .await;
    let left = server.call("DELETE", &format!("/api/v1/workers/{id}"), "").await;

    assert_eq!(registered.status, 201);
    assert_eq!(beat["cancelled"], json!([]));
    assert_eq!((&held["tokens"][0], &open["leases"][0]["worker"]), (&token, &json!(id)));
    assert_eq!(listed["workers"][0]["running"], 1);
    assert_eq!(refused.problem().1, "not_ready");
    assert_eq!(
        (left.status, server.post(&format!("/api/v1/workers/{id}/beat"), "").await.problem().1),
        (200, "not_found".into())
    );
}

async fn one_job_is_claimed_by_its_id(server: Server) {
    let later = server.enqueue(r#"{"kind":"mail","delay":"1h"}"#).await;
    server.enqueue(r#"{"kind":"mail"}"#).await;
    let wanted = server.enqueue(r#"{"kind":"mail"}"#).await;
    let claim = |id: &str| format!(r#"{{"worker":"w1","job":"{id}"}}"#);

    let claimed = server.post("/api/v1/leases", &claim(&wanted)).await.json();

    assert_eq!(claimed["leases"][0]["job"]["id"], wanted);
    assert_eq!(server.post("/api/v1/leases", &claim(&later)).await.problem().1, "not_ready");
    let nobody = "0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11";
    assert_eq!(
        server.post("/api/v1/leases", &claim(nobody)).await.problem(),
        (404, "not_found".into(), String::new())
    );
}

async fn children_are_enqueued_as_long_as_the_lease_holds(server: Server) {
    server.enqueue(r#"{"kind":"mail"}"#).await;
    let token = server.claim().await;
    let children = format!("/api/v1/leases/{token}/jobs");

    let one = server.post(&children, r#"{"kind":"child"}"#).await;
    let two = server.post(&children, r#"{"jobs":[{"kind":"child"},{"kind":"child"}]}"#).await;
    server.post(&format!("/api/v1/leases/{token}/settle"), r#"{"outcome":"succeeded"}"#).await;
    let stale = server.post(&children, r#"{"kind":"child"}"#).await;

    assert_eq!((one.status, two.json()["results"].as_array().unwrap().len()), (201, 2));
    assert_eq!(stale.problem().0, 409);
    assert_eq!(
        server.get("/api/v1/jobs?filter=kind:child").await.json()["jobs"].as_array().unwrap().len(),
        3
    );
}

async fn a_child_is_given_what_its_parents_made(server: Server) {
    let batch = r#"{"jobs":[{"kind":"a","ref":"p"},{"kind":"b","after":["p"]}]}"#;
    server.post("/api/v1/jobs/batch", batch).await;
    let token = server.claim().await;
    server
        .post(&format!("/api/v1/leases/{token}/settle"), r#"{"outcome":"succeeded","result":{"n":7}}"#)
        .await;

    let claimed = server.post("/api/v1/leases", r#"{"worker":"w1"}"#).await.json();

    let parent = &claimed["leases"][0]["parents"][0];
    assert_eq!((&parent["state"], &parent["result"]["n"]), (&json!("completed"), &json!(7)));
}

async fn who_cleans_up_is_given_what_the_parents_of_the_other_made(server: Server) {
    let batch = r#"{"jobs":[{"kind":"a","ref":"p"},{"kind":"b","after":["p"],"review":"outcome"}]}"#;
    let made = server.post("/api/v1/jobs/batch", batch).await.json();
    for _ in 0..2 {
        let settle = format!("/api/v1/leases/{}/settle", server.claim().await);
        assert_eq!(server.post(&settle, r#"{"outcome":"succeeded","result":{"n":7}}"#).await.status, 200);
    }
    let child = made["results"][1]["id"].as_str().unwrap();
    assert_eq!(server.post(&format!("/api/v1/jobs/{child}/cancel"), "").await.status, 200);

    let claimed = server.post("/api/v1/leases", r#"{"worker":"w1"}"#).await.json();

    let lease = &claimed["leases"][0];
    assert_eq!(
        (&lease["job"]["phase"], &lease["parents"][0]["result"]["n"]),
        (&json!("cleanup"), &json!(7)),
        "{lease}"
    );
    let inputs = format!("/api/v1/leases/{}/inputs", lease["token"].as_str().unwrap());
    assert_eq!(server.get(&inputs).await.json()["parents"], lease["parents"]);
}
