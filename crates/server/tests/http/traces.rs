//! A trace that a caller is in travels with the jobs that they make.

use serde_json::{Value, json};

use crate::server::{Server, everywhere};

everywhere! {
    the_trace_of_a_request_reaches_the_worker_and_its_children,
    what_is_no_trace_is_no_reason_to_refuse_a_job,
}

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const OTHER: &str = "00-11111111111111111111111111111111-2222222222222222-00";

fn within(trace: &str) -> String {
    format!("traceparent: {trace}\r\ntracestate: vendor=x\r\n")
}

async fn claimed(server: &Server) -> Value {
    server.post("/api/v1/leases", r#"{"worker":"w1"}"#).await.json()["leases"][0].clone()
}

async fn the_trace_of_a_request_reaches_the_worker_and_its_children(server: Server) {
    let batch = r#"{"jobs":[{"kind":"a"},{"kind":"b","meta":{"traceparent":"mine"}}]}"#;
    assert_eq!(server.call_with("POST", ("/api/v1/jobs/batch", &within(TRACE)), batch).await.status, 201);

    let (first, second) = (claimed(&server).await, claimed(&server).await);
    let children = format!("/api/v1/leases/{}/jobs", first["token"].as_str().unwrap());
    assert_eq!(server.post(&children, r#"{"kind":"child"}"#).await.status, 201);
    assert_eq!(
        server.call_with("POST", (&children, &within(OTHER)), r#"{"kind":"child"}"#).await.status,
        201
    );
    let (child, other) = (claimed(&server).await, claimed(&server).await);

    assert_eq!(first["job"]["meta"], json!({"traceparent": TRACE, "tracestate": "vendor=x"}));
    assert_eq!(second["job"]["meta"], json!({"traceparent": "mine"}), "what the job says itself stays");
    assert_eq!(child["job"]["meta"], first["job"]["meta"], "a child goes on in the trace of its parent");
    assert_eq!(other["job"]["meta"]["traceparent"], OTHER, "unless its worker says otherwise");
}

async fn what_is_no_trace_is_no_reason_to_refuse_a_job(server: Server) {
    for wrong in ["", "00-junk", &TRACE.to_uppercase(), &"x".repeat(5_000)] {
        let made = server.call_with("POST", ("/api/v1/jobs", &within(wrong)), r#"{"kind":"a"}"#).await;

        assert_eq!(made.status, 201, "{}", made.body);
        let job = claimed(&server).await["job"].clone();
        assert_eq!((&job["kind"], &job["meta"]["traceparent"]), (&json!("a"), &Value::Null));
    }
}
