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
        let verbs = match verb.trim_end_matches('2') {
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

    async fn with_store() -> (Self, windlass_store::SharedStore) {
        let store: windlass_store::SharedStore = std::sync::Arc::new(windlass_memory::MemoryStore::new());
        let config = Config::default().with_authorizer(ByName);
        (Self(Server::over(std::sync::Arc::clone(&store), config).await), store)
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

fn registration(name: &str, queues: &str) -> String {
    format!(
        r#"{{"name":"{name}","host":"h","version":"1","queues":{queues},"kinds":["mail"],"slots":1,"lease":"30s"}}"#
    )
}

#[tokio::test]
async fn a_worker_belongs_to_whoever_registered_it() {
    let door = Door::open().await;
    let made = door.call("work:*", ("POST", "/api/v1/workers"), &registration("w", "\"*\"")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.text("id");
    let routes = [
        ("POST", format!("/api/v1/workers/{id}/beat")),
        ("GET", format!("/api/v1/workers/{id}/leases")),
        ("DELETE", format!("/api/v1/workers/{id}")),
    ];
    let claim = format!(r#"{{"worker":"{id}","queues":["mail"]}}"#);
    let turn = format!(r#"{{"claim":{claim}}}"#);

    for (method, path) in &routes {
        let other = door.call("work2:*", (method, path), "").await;
        assert_eq!(other.problem().0, 404, "{method} {path}");
    }
    assert_eq!(door.call("work2:*", ("POST", "/api/v1/leases"), &claim).await.problem().0, 404);
    assert_eq!(door.call("work2:*", ("POST", "/api/v1/turns"), &turn).await.problem().0, 404);
    let again = registration("w", "\"*\"").replace("{\"name\"", &format!("{{\"id\":\"{id}\",\"name\""));
    assert_eq!(door.call("work2:*", ("POST", "/api/v1/workers"), &again).await.problem().0, 403);

    assert_eq!(door.call("work:*", ("POST", "/api/v1/workers"), &again).await.status, 201);
    assert_eq!(door.call("work:*", ("POST", "/api/v1/leases"), &claim).await.status, 200);
    assert_eq!(door.call("work:*", ("POST", "/api/v1/turns"), &turn).await.status, 200);
    for (method, path) in &routes {
        assert_eq!(door.call("work:*", (method, path), "").await.status, 200, "{method} {path}");
    }
}

#[tokio::test]
async fn a_worker_is_for_queues_of_its_owner() {
    let door = Door::open().await;
    let register = async |token: &str, queues: &str| {
        door.call(token, ("POST", "/api/v1/workers"), &registration("w", queues)).await
    };

    for queues in ["\"*\"", "[\"mail\"]", "[\"billing.eu\",\"mail\"]"] {
        assert_eq!(register("work:billing.*", queues).await.problem().1, "forbidden", "{queues}");
    }
    assert_eq!(register("work:billing.*", "[\"billing.eu\"]").await.status, 201);
}

#[tokio::test]
async fn a_worker_belongs_to_who_registered_it_at_every_server_of_the_store() {
    let (door, store) = Door::with_store().await;
    let made = door.call("work:*", ("POST", "/api/v1/workers"), &registration("w", "[\"mail\"]")).await;
    let path = format!("/api/v1/workers/{}/beat", made.text("id"));
    let config = Config::default().with_authorizer(ByName);
    let other = Door(Server::over(std::sync::Arc::clone(&store), config).await);

    for (token, status) in [("work2:*", 404), ("work:*", 200), ("work2:*", 404), ("admin:*", 200)] {
        assert_eq!(other.call(token, ("POST", &path), "").await.status, status, "{token}");
    }
    assert_eq!(
        store.workers(std::time::Duration::ZERO).await.unwrap()[0].registered.owner,
        Some("- work".into())
    );
    let shown = other.call("read:*", ("GET", "/api/v1/workers"), "").await;
    assert!(!shown.body.contains("owner") && !shown.body.contains("- work"), "{}", shown.body);
}

#[tokio::test]
async fn a_worker_that_is_registered_at_no_server_is_no_callers() {
    let (door, store) = Door::with_store().await;
    let worker = windlass_store::NewWorker::new(windlass_store::ids::worker_id(), "w");
    let path = format!("/api/v1/workers/{}/beat", worker.id);
    store.register(worker).await.unwrap();

    assert_eq!(door.call("work:*", ("POST", &path), "").await.problem().0, 404);
    assert_eq!(door.call("admin:*", ("POST", &path), "").await.status, 200);
    door.enqueue("billing.eu").await;
    let claimed = door
        .call("work:billing.*", ("POST", "/api/v1/leases"), r#"{"worker":"n","queues":["billing.eu"]}"#)
        .await;
    assert_eq!(claimed.status, 200);
    let workers = door.call("read:*", ("GET", "/api/v1/workers"), "").await.json();
    let named = workers["workers"].as_array().unwrap().iter().find(|one| one["name"] == "n").unwrap();
    let leases = format!("/api/v1/workers/{}/leases", named["id"].as_str().unwrap());
    assert_eq!(
        door.call("work:billing.*", ("GET", &leases), "").await.problem().0,
        404,
        "a name is nobody's"
    );
}

#[tokio::test]
async fn a_job_is_moved_to_ones_own_queues_alone() {
    let door = Door::open().await;
    let (own, other) = (door.enqueue("billing.eu").await, door.enqueue("mail").await);
    let edit = async |id: &str, queue: &str| {
        let body = format!(r#"{{"queue":"{queue}"}}"#);
        door.call("operate:billing.*", ("PATCH", &format!("/api/v1/jobs/{id}")), &body).await
    };

    assert_eq!(edit(&own, "mail").await.problem().1, "forbidden");
    assert_eq!(edit(&other, "billing.eu").await.problem().0, 404);
    assert_eq!(edit(&own, "billing.us").await.status, 200);
}

#[tokio::test]
async fn an_operation_is_there_for_those_alone_who_have_its_queues() {
    let door = Door::open().await;
    let body = r#"{"filter":"queue:billing.in","verb":"cancel"}"#;
    let whole = r#"{"verb":"cancel","all":true}"#;
    let own = door.call("operate:billing.*", ("POST", "/api/v1/operations"), body).await;
    assert_eq!(own.status, 202, "{}", own.body);
    let (id, all) =
        (own.text("id"), door.call("operate:*", ("POST", "/api/v1/operations"), whole).await.text("id"));

    let at = |id: &str| format!("/api/v1/operations/{id}");
    let foreign = door.call("operate:mail.*", ("POST", "/api/v1/operations"), body).await;
    assert_eq!(foreign.problem().1, "forbidden");
    let again = format!(r#"{{"id":"{all}","filter":"queue:mail.a","verb":"cancel"}}"#);
    let again = door.call("operate:mail.*", ("POST", "/api/v1/operations"), &again).await;
    assert_eq!(again.problem().1, "not_found", "the id of somebody else's gives no look at it");
    assert_eq!(door.call("read:billing.*", ("GET", &at(&id)), "").await.status, 200);
    assert_eq!(door.call("read:mail.*", ("GET", &at(&id)), "").await.problem().1, "not_found");
    assert_eq!(door.call("read:billing.*", ("GET", &at(&all)), "").await.problem().1, "not_found");
    for verb in ["pause", "resume", "abort"] {
        let path = format!("{}/{verb}", at(&id));
        assert_eq!(door.call("operate:mail.*", ("POST", &path), "").await.problem().1, "not_found", "{verb}");
    }
    let seen = async |token: &str| {
        let listed = door.call(token, ("GET", "/api/v1/operations"), "").await.json();
        listed["operations"].as_array().unwrap().len()
    };
    assert_eq!((seen("read:billing.*").await, seen("read:mail.*").await, seen("read:*").await), (1, 0, 2));
    let drive = door.call("operate:*", ("POST", "/api/v1/upkeep/operations"), "").await;
    assert_eq!(drive.problem().1, "forbidden");
}
