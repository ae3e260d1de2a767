//! What a worker is told when it is built.

use std::time::Duration;

use windlass_runtime::{Worker, WorkerBuilder};

use crate::support::{Greet, Lab, Number};

fn refused(change: impl FnOnce(WorkerBuilder<()>) -> WorkerBuilder<()>) -> String {
    let builder = Worker::builder(Lab::new().shared()).handle(async |_: Number| {});
    change(builder).build().unwrap_err().to_string()
}

#[test]
fn what_is_wrong_is_refused_by_field() {
    let cases = [
        (refused(|worker| worker.queue("mail", 0)), "slots: of queue \"mail\" must be 1 or more"),
        (refused(|worker| worker.queue("", 1)), "queue: must not be empty"),
        (refused(|worker| worker.queue("a", 1).queue("a", 2)), "queue: \"a\" is named twice"),
        (
            refused(|worker| worker.queue("a", 1).queues_any(2)),
            "queue: is named beside all queues: a job of it could take a slot of either",
        ),
        (refused(|worker| worker.handle(async |_: Number| {})), "kind: \"number\" has more than one handler"),
        (refused(|worker| worker.retired("number")), "kind: \"number\" has more than one handler"),
        (
            refused(|worker| worker.retired("no such")),
            "kind: contains ' '; letters, digits and . _ : / - are allowed",
        ),
        (refused(|worker| worker.lease(Duration::ZERO)), "lease: is 0s; it runs from 100ms to 1h"),
        (refused(|worker| worker.poll_interval(Duration::ZERO)), "poll_interval: must be 10ms or more"),
        (refused(|worker| worker.prefetch_max(10_001)), "prefetch_max: must be at most 10000"),
        (refused(|worker| worker.name("x".repeat(300))), "name: is longer than 256 bytes"),
    ];

    for (told, expected) in cases {
        assert_eq!(told, format!("could not build the worker: {expected}"));
    }
}

#[test]
fn a_worker_without_a_handler_is_refused() {
    let error = Worker::builder(Lab::new().shared()).build().unwrap_err();

    assert_eq!((error.field(), error.problem()), ("kind", "has no handler: a worker needs at least one"));
}

#[tokio::test]
async fn a_worker_says_who_it_is_and_what_it_can_do() {
    let lab = Lab::new();
    let builder = lab.worker().name("mailer-1").host("box").version("1.2.3").queue("a", 2).queue("b", 3);
    let worker =
        builder.handle(async |_: Number| {}).handle(async |job: Greet| job.name).build().unwrap().start();
    crate::support::until(|| lab.store.calls("register") == 1).await;
    crate::support::settle_down().await;

    let known =
        windlass_store::WorkerStore::workers(&*lab.store, Duration::ZERO).await.unwrap().remove(0).registered;
    worker.stop().await;

    assert_eq!(
        (known.name.as_str(), known.host.as_str(), known.version.as_str()),
        ("mailer-1", "box", "1.2.3")
    );
    assert_eq!((known.slots, known.lease), (5, Duration::from_secs(30)));
    let kinds: Vec<String> = known.kinds.iter().map(|support| support.kind.to_string()).collect();
    assert_eq!(kinds, ["greet", "number"]);
}
