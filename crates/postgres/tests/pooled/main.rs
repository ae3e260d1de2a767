//! Every promise of the port, by way of a pooler that gives each transaction another connection, and with no more than one for
//! callers: whoever has it and waits for another would wait for ever.

mod bouncer;

use std::process::ExitCode;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use windlass_postgres::PostgresOptions;
use windlass_store::{ErrorKind, SharedStore, ids};
use windlass_store_testing::{Fixture, TestClock, conformance};

use bouncer::Bouncer;

#[expect(clippy::print_stderr, reason = "a person wants to know why nothing was tested")]
fn main() -> ExitCode {
    let Some(program) = bouncer::find() else {
        eprintln!(
            "skipped: there is no pgbouncer on this machine (Debian, Ubuntu: apt-get install pgbouncer)"
        );
        return ExitCode::SUCCESS;
    };
    let server = windlass_postgres_testing::shared().expect("a server can be started");
    // Some refuse what they cannot keep, and some drop it.
    let dropping = Bouncer::start(&program, server, "ignore_startup_parameters = options");
    is_told_of(&dropping.before(server));
    let bouncer = Bouncer::start(&program, server, "");
    let url = bouncer.before(server);
    is_told_of(&url);
    conformance(move |clock| -> BoxFuture<'static, Fixture> {
        let url = url.clone();
        Box::pin(async move {
            let schema = fresh_schema();
            let store = open(&url, &schema, clock.clone()).await;
            let reopen = move || -> BoxFuture<'static, SharedStore> {
                let (url, schema, clock) = (url.clone(), schema.clone(), clock.clone());
                Box::pin(async move { open(&url, &schema, clock).await })
            };
            Fixture::new(store).with_reopen(reopen)
        })
    })
}

async fn open(url: &str, schema: &str, clock: Arc<TestClock>) -> SharedStore {
    let options = PostgresOptions::new(url).schema(schema).clock(clock).connections(1).pooled();
    Arc::new(options.open().await.expect("the store opens"))
}

/// The name of a schema that nobody else uses.
fn fresh_schema() -> String {
    format!("pooled_{}", ids::job_id().as_uuid().simple())
}

/// Whoever does not say that there is a pooler at `url` is told how to.
fn is_told_of(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it starts");
    let opened = runtime.block_on(PostgresOptions::new(url).schema(fresh_schema()).open());
    let error = opened.map(drop).expect_err("the settings are refused");
    assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error:?}");
    assert!(error.to_string().contains("`.pooled()`"), "{error}");
}
