//! Every route × every role × what is one's own and what is not, made of the table: a route that is added to it is tried too.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use windlass_core::schedule::{JobTemplate, Rhythm};
use windlass_core::{Args, AttemptToken, BulkVerb, JobId, Json, NewJob, NewSchedule, OperationId, Tag};
use windlass_memory::MemoryStore;
use windlass_store::{
    Actor, KindSupport, LeaseTerm, NewOperation, NewToken, NewWorker, Queues, Role, Secret, SharedStore, ids,
};

use super::roles::verbs;
use super::{Door, Tokens};
use crate::access::{Concerns, Verb};
use crate::config::Config;
use crate::route::Rules;
use crate::routes;

/// The name of the token, which the jobs of its own queue were enqueued by.
const NAME: &str = "ci";

/// What stands in every payload of somebody else.
const CANARY: &str = "canary-of-somebody-else";

/// A job that waits, one that runs, a schedule, and an operation, of one queue.
struct Things {
    queue: &'static str,
    waiting: JobId,
    running: AttemptToken,
    schedule: &'static str,
    operation: OperationId,
}

/// A store with things of one's own and of somebody else, and a token for the first.
struct Scene {
    router: Router,
    own: Things,
    foreign: Things,
    worker: windlass_core::WorkerId,
    shown: Option<String>,
}

async fn things(
    store: &SharedStore,
    (queue, by): (&'static str, &str),
    worker: windlass_core::WorkerId,
) -> Things {
    let foreign = queue.starts_with("foreign");
    let args = || {
        Args::Json(
            Json::new("args", format!("{{\"of\":\"{}\"}}", if foreign { CANARY } else { "me" })).unwrap(),
        )
    };
    let job = || {
        let mut job = NewJob::new(ids::job_id(), "mail".parse().unwrap(), args());
        job.queue = queue.parse().unwrap();
        job.options.submitted_by = Some(by.to_owned());
        if foreign {
            job.options.tags.push(Tag::new(CANARY).unwrap());
        }
        job
    };
    let (waiting, started) = (job(), job());
    let (waiting_id, started_id) = (waiting.id, started.id);
    store.enqueue(vec![waiting, started]).await.unwrap();
    let lease = LeaseTerm::Own(std::time::Duration::from_secs(60));
    let running = store.claim_job(worker, started_id, lease).await.unwrap().token;
    let schedule = if foreign { "foreign" } else { "own" };
    let mut template = JobTemplate::new("mail".parse().unwrap(), args());
    template.queue = queue.parse().unwrap();
    let hourly = Rhythm::Every(std::time::Duration::from_secs(3600));
    let asked = NewSchedule::new(schedule.parse().unwrap(), hourly, template);
    store.put_schedule(asked, Actor::new(by)).await.unwrap();
    let tag = if foreign { CANARY } else { "mine" };
    let filter = format!("queue:{queue} tag:{tag}");
    let operation = NewOperation::new(ids::operation_id(), BulkVerb::Cancel, filter);
    let operation = store.begin_operation(operation, Actor::new(by)).await.unwrap().made.id;
    Things { queue, waiting: waiting_id, running, schedule, operation }
}

impl Scene {
    /// One in which a token of this role has the queues `own.*`; none for nobody who shows a token.
    async fn of(role: Option<Role>) -> Self {
        let store: SharedStore = Arc::new(MemoryStore::new());
        let worker = ids::worker_id();
        let kinds = vec![KindSupport { kind: "mail".parse().unwrap(), version_max: 1 }];
        let lease = std::time::Duration::from_secs(60);
        let (host, version) = ("h".to_owned(), "1".to_owned());
        let queues = Queues::Any;
        store
            .register(NewWorker {
                id: worker,
                name: "w".to_owned(),
                host,
                version,
                queues,
                kinds,
                slots: 4,
                lease,
                owner: None,
            })
            .await
            .unwrap();
        let own = things(&store, ("own.a", NAME), worker).await;
        let foreign = things(&store, ("foreign.a", "somebody"), worker).await;
        let mut shown = None;
        if let Some(role) = role {
            let secret = Secret::draw();
            let token = NewToken::new(&secret, NAME, [role]).in_queues(["own.*"]);
            store.create_token(token, Actor::new("test")).await.unwrap();
            shown = Some(secret.reveal());
        }
        let config = Config::default().with_authorizer(Tokens::of(Arc::clone(&store))).with_door(Door::new());
        let config = config.with_operations(false);
        Self { router: crate::router(store, config), own, foreign, worker, shown }
    }

    /// The path of a route with the names of these things.
    fn path(&self, rules: &Rules, things: &Things) -> String {
        let names = [
            ("{id}", things.waiting.to_string()),
            ("{token}", things.running.to_string()),
            ("{queue}", things.queue.to_owned()),
            ("{name}", things.schedule.to_owned()),
            ("{worker}", self.worker.to_string()),
            ("{kind}", "mail".to_owned()),
            ("{program}", "app".to_owned()),
            ("{fingerprint}", "0000000000000001".to_owned()),
            ("{operation}", things.operation.to_string()),
            ("{token_id}", "0000000000000001".to_owned()),
        ];
        let path = names.iter().fold(rules.path.to_owned(), |path, (part, name)| path.replace(part, name));
        assert!(!path.contains('{'), "{path}: say here what stands for that part");
        path
    }

    async fn ask(&self, rules: &Rules, things: &Things) -> (StatusCode, String) {
        let mut request = Request::builder()
            .method(rules.method.clone())
            .uri(self.path(rules, things))
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.shown {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::from("{}")).unwrap();
        let answer = TowerToHyperService::new(self.router.clone()).call(request).await.unwrap();
        let status = answer.status();
        // A stream has no end.
        if rules.path.ends_with("/live") || rules.path.ends_with("/signals") {
            return (status, String::new());
        }
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&text).into_owned())
    }
}

/// What a role that has only `own.*` must be answered about these things; none if that is the handler's business.
fn expected(rules: &Rules, role: Option<Role>, foreign: bool) -> Option<StatusCode> {
    let (verb, concerns) = (rules.access.verb, rules.access.concerns);
    if verb == Verb::Open {
        return None;
    }
    let Some(role) = role else { return Some(StatusCode::UNAUTHORIZED) };
    if !verbs(role).has(verb) || concerns == Concerns::Everything {
        return Some(StatusCode::FORBIDDEN);
    }
    let one_by_one = role == Role::Producer && verb == Verb::Read;
    match concerns {
        Concerns::Job if foreign => Some(StatusCode::NOT_FOUND),
        Concerns::Job => None,
        _ if one_by_one => Some(StatusCode::FORBIDDEN),
        Concerns::Queue | Concerns::Lease if foreign => Some(StatusCode::NOT_FOUND),
        _ => None,
    }
}

fn roles() -> impl Iterator<Item = Option<Role>> {
    std::iter::once(None).chain(Role::ALL.iter().copied().map(Some))
}

#[tokio::test]
async fn every_route_lets_in_who_may_and_nobody_else() {
    let (mut faults, mut tried) = (Vec::new(), 0);
    for role in roles() {
        for route in routes::table() {
            for foreign in [false, true] {
                let scene = Scene::of(role).await;
                let rules = &route.rules;
                let concerns = rules.access.concerns;
                let things = if foreign { &scene.foreign } else { &scene.own };
                let (status, text) = scene.ask(rules, things).await;
                tried += 1;
                let call = format!("{role:?}: {} {} (foreign: {foreign})", rules.method, rules.path);
                match expected(rules, role, foreign) {
                    Some(expected) if status != expected => {
                        faults.push(format!("{call}: {status}, not {expected}"));
                    }
                    None if status == StatusCode::UNAUTHORIZED => faults.push(format!("{call}: {status}")),
                    None if status.is_server_error() => faults.push(format!("{call}: {status} {text}")),
                    // What concerns no single queue may have to name its own first.
                    None if status == StatusCode::FORBIDDEN && !foreign && concerns != Concerns::Named => {
                        faults.push(format!("{call}: {status} {text}"));
                    }
                    _ => {}
                }
                if text.contains(CANARY) {
                    faults.push(format!("{call}: shows what is somebody else's"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} of {tried}:\n{}", faults.len(), faults.join("\n"));
    assert!(tried >= routes::table().len() * 14);
}

#[tokio::test]
async fn no_route_but_liveness_and_what_the_api_is_lets_in_who_shows_nothing() {
    let open: Vec<&str> = routes::table()
        .iter()
        .filter(|it| it.rules.access.verb == Verb::Open)
        .map(|it| it.rules.path)
        .collect();

    assert_eq!(open, ["/healthz", "/readyz", "/api/v1/openapi.json", "/api/v1/capabilities"]);
}

#[tokio::test]
async fn a_viewer_sees_jobs_and_not_into_them() {
    let (viewer, operator) = (Scene::of(Some(Role::Viewer)).await, Scene::of(Some(Role::Operator)).await);
    let table = routes::table();
    let show =
        table.iter().find(|it| it.rules.path == "/api/v1/jobs/{id}" && it.rules.method == "GET").unwrap();

    let (status, seen) = viewer.ask(&show.rules, &viewer.own).await;
    let (_, into) = operator.ask(&show.rules, &operator.own).await;

    assert_eq!(status, StatusCode::OK);
    assert!(seen.contains(&viewer.own.waiting.to_string()) && !seen.contains("\"me\""), "{seen}");
    assert!(into.contains("\"me\""), "{into}");
}
