//! Who may do what.

use async_trait::async_trait;
use windlass_server::{Asked, Authorizer, Caller, Config, QueueGlob, Refusal, Verb, Verbs};

use crate::server::{Answer, Server};

/// Tokens that say what they are for: `Bearer work:billing.*`.
struct ByName;

#[async_trait]
impl Authorizer for ByName {
    async fn admit(&self, asked: Asked<'_>) -> Result<Caller, Refusal> {
        let unknown = || Refusal::Unauthorized("send a token".to_owned());
        let shown =
            asked.headers.get("authorization").and_then(|header| header.to_str().ok()).ok_or_else(unknown)?;
        let (verb, queues) =
            shown.strip_prefix("Bearer ").and_then(|token| token.split_once(':')).ok_or_else(unknown)?;
        let verbs = match verb {
            "admin" => Verbs::ALL,
            verb => Verb::ALL
                .iter()
                .filter(|one| one.as_str() == verb)
                .fold(Verbs::NONE, |verbs, one| verbs.and(*one)),
        };
        let caller = Caller::new(verb).with_verbs(verbs);
        Ok(if queues == "*" { caller } else { caller.in_queues(vec![QueueGlob::new(queues)]) })
    }
}

struct Door(Server);

impl Door {
    async fn open() -> Self {
        Self(Server::with(Config::default().with_authorizer(ByName)).await)
    }

    async fn call(&self, token: &str, (method, path): (&str, &str), body: &str) -> Answer {
        let header = format!("Authorization: Bearer {token}\r\n");
        self.0.call_with(method, (path, &header), body).await
    }

    async fn enqueue(&self, queue: &str) -> String {
        let body = format!(r#"{{"kind":"mail","queue":"{queue}"}}"#);
        self.call("admin:*", ("POST", "/api/v1/jobs"), &body).await.text("id")
    }
}

#[tokio::test]
async fn nobody_is_let_in_without_a_name_but_to_what_is_open() {
    let door = Door::open().await;

    let refused = door.0.get("/api/v1/jobs").await;

    assert_eq!(refused.problem(), (401, "unauthorized".into(), String::new()));
    assert!(refused.head.contains("www-authenticate: bearer"), "{refused:?}");
    assert_eq!(door.0.get("/healthz").await.status, 200);
    assert_eq!(door.0.get("/metrics").await.status, 401);
}

#[tokio::test]
async fn a_verb_that_is_not_given_is_forbidden_before_anything_is_read() {
    let door = Door::open().await;
    let id = door.enqueue("mail").await;

    for (token, method, path) in [
        ("read:*", "POST", "/api/v1/jobs".to_owned()),
        ("enqueue:*", "GET", "/api/v1/jobs".to_owned()),
        ("enqueue:*", "POST", "/api/v1/leases".to_owned()),
        ("work:*", "POST", format!("/api/v1/jobs/{id}/cancel")),
        ("operate:*", "PATCH", "/api/v1/queues/mail".to_owned()),
        ("operate:*", "POST", format!("/api/v1/jobs/{id}/review")),
        ("review:*", "POST", "/api/v1/upkeep/rescue".to_owned()),
    ] {
        let refused = door.call(token, (method, &path), "{").await;
        assert_eq!(refused.problem(), (403, "forbidden".into(), String::new()), "{token} {method} {path}");
    }
}

#[tokio::test]
async fn what_is_in_another_queue_is_not_there() {
    let door = Door::open().await;
    let (own, other) = (door.enqueue("billing.eu").await, door.enqueue("mail").await);
    let see = |id: &str| format!("/api/v1/jobs/{id}");

    assert_eq!(door.call("read:billing.*", ("GET", &see(&own)), "").await.status, 200);
    assert_eq!(door.call("read:billing.*", ("GET", &see(&other)), "").await.problem().0, 404);
    assert_eq!(
        door.call("operate:billing.*", ("POST", &format!("{}/cancel", see(&other))), "").await.problem().0,
        404
    );
    assert_eq!(door.call("read:billing.*", ("GET", "/api/v1/queues/mail"), "").await.problem().0, 404);
    let queues = door.call("read:billing.*", ("GET", "/api/v1/queues"), "").await.json();
    assert_eq!(queues["queues"].as_array().unwrap().len(), 1);
    let stats = door.call("read:billing.*", ("GET", "/api/v1/stats"), "").await.json();
    assert_eq!(stats["counts"]["ready"], 1);
    for (filter, status) in [("", 200), ("?filter=queue:mail", 403), ("?filter=queue:billing.eu", 200)] {
        let listed = door.call("read:billing.*", ("GET", &format!("/api/v1/jobs{filter}")), "").await;
        assert_eq!(listed.status, status, "{filter}");
    }
}

#[tokio::test]
async fn work_is_given_from_ones_own_queues_alone() {
    let door = Door::open().await;
    door.enqueue("mail").await;
    let claim = |queues: &str| format!(r#"{{"worker":"w","queues":{queues}}}"#);
    let claimed = door.call("work:*", ("POST", "/api/v1/leases"), &claim("\"*\"")).await.json();
    let token = claimed["leases"][0]["token"].as_str().unwrap();
    let settle = (r#"{"outcome":"succeeded"}"#, format!("/api/v1/leases/{token}/settle"));

    for queues in ["\"*\"", "[\"mail\"]"] {
        let refused = door.call("work:billing.*", ("POST", "/api/v1/leases"), &claim(queues)).await;
        assert_eq!(refused.problem().1, "forbidden", "{queues}");
    }
    assert_eq!(
        door.call("work:billing.*", ("POST", "/api/v1/leases"), &claim("[\"billing.eu\"]")).await.status,
        200
    );
    assert_eq!(door.call("work:billing.*", ("POST", &settle.1), settle.0).await.problem().0, 404);
    let turn = format!(r#"{{"settlements":[{{"token":"{token}","outcome":"succeeded"}}]}}"#);
    assert_eq!(door.call("work:billing.*", ("POST", "/api/v1/turns"), &turn).await.problem().0, 404);
    assert_eq!(door.call("work:*", ("POST", &settle.1), settle.0).await.status, 200);
}

#[tokio::test]
async fn who_may_not_speak_for_others_speaks_for_themselves() {
    let door = Door::open().await;
    let body = r#"{"kind":"mail","submitted_by":"somebody else"}"#;
    let id = door.call("enqueue:*", ("POST", "/api/v1/jobs"), body).await.text("id");

    door.call("operate:*", ("POST", &format!("/api/v1/jobs/{id}/cancel")), r#"{"by":"somebody else"}"#).await;

    let shown = door.call("read:*", ("GET", &format!("/api/v1/jobs/{id}")), "").await;
    let events = door.call("read:*", ("GET", &format!("/api/v1/jobs/{id}/events")), "").await.json();
    assert_eq!(shown.text("submitted_by"), "enqueue");
    assert_eq!(events["events"][0]["by"], "operate");
}
