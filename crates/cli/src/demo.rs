//! The handlers of `windlass dev`: jobs to look at, which do nothing to anybody.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use windlass::metrics::Metrics;
use windlass_core::{AttemptError, Json, Verdict};
use windlass_runtime::{ConfigError, RawJob, Worker};
use windlass_store::SharedStore;

/// The kinds there are.
pub(crate) const KINDS: [&str; 4] = ["hello", "sleep", "flaky", "approve"];

/// Where they wait.
pub(crate) const QUEUE: &str = "default";

/// What its worker is called.
const NAME: &str = "windlass-dev";

/// Longest sleep: nobody waits longer for a demonstration.
const SLEEP_MAX: Duration = Duration::from_secs(60 * 60);

/// In how many steps it is said how far a sleep has come.
const STEPS: u8 = 20;

/// How long a job waits that met a timeout: long enough for a person to find it and to retry it by hand.
const TIMEOUT_RETRY: Duration = Duration::from_secs(10 * 60);

/// A worker for all of them.
///
/// # Errors
///
/// None that could be helped.
pub(crate) fn worker(store: &SharedStore, slots: u32, metrics: Arc<Metrics>) -> Result<Worker, ConfigError> {
    Worker::builder(SharedStore::clone(store))
        .name(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .queue(QUEUE, slots)
        .observed_by(metrics)
        .handle_kind("hello", hello)
        .handle_kind("sleep", sleep)
        .handle_kind("flaky", flaky)
        .handle_kind("approve", approve)
        .build()
}

#[derive(Debug, Default, Deserialize)]
struct Hello {
    name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Sleep {
    seconds: Option<f64>,
}

async fn hello(job: RawJob) -> Verdict {
    let args = match job.decode::<Option<Hello>>() {
        Ok(args) => args.unwrap_or_default(),
        Err(error) => return undecodable(&error),
    };
    let name = args.name.as_deref().unwrap_or("world");
    job.log().info(format!("greeting {name}"));
    made(&format!("Hello, {name}"))
}

async fn sleep(job: RawJob) -> Verdict {
    let args = match job.decode::<Option<Sleep>>() {
        Ok(args) => args.unwrap_or_default(),
        Err(error) => return undecodable(&error),
    };
    let seconds = args.seconds.unwrap_or(5.0);
    let Ok(span) = Duration::try_from_secs_f64(seconds) else {
        return Verdict::Undecodable { error: AttemptError::new("args.seconds: must be 0 or more") };
    };
    let (span, cancel, progress) = (span.min(SLEEP_MAX), job.cancel(), job.progress());
    for step in 1..=STEPS {
        if tokio::time::timeout(span / STEPS.into(), cancel.cancelled()).await.is_ok() {
            return Verdict::Interrupted;
        }
        // A lease that is lost is told by the cancel.
        let _ = progress.set(step * (100 / STEPS), "sleeping").await;
    }
    made(&format!("slept for {}", windlass_core::span::format(span)))
}

/// Fails the first time, in one of three ways, and not the next: as if somebody had mended what was wrong. One in four goes well.
async fn flaky(job: RawJob) -> Verdict {
    if job.attempt().number > 1 {
        return made("went well in the end");
    }
    let bytes = job.id();
    let bytes = bytes.as_bytes();
    let number = u32::from(bytes[14]);
    match bytes[15] % 4 {
        0 => Verdict::Failed {
            error: AttemptError::new(format!("upstream did not answer within {} ms", 1_000 + number))
                .with_class("TimeoutError"),
            retry_after: Some(TIMEOUT_RETRY),
        },
        1 => Verdict::Fatal {
            error: AttemptError::new(format!("order {number} has no \"email\""))
                .with_class("ValidationError"),
        },
        2 => Verdict::Failed {
            error: AttemptError::new(format!("10.0.0.{number}:5432 refused the connection"))
                .with_class("ConnectionError"),
            retry_after: None,
        },
        _ => made("went well at once"),
    }
}

/// Does what it was asked to approve: enqueued with `--review outcome`, a person decides whether that holds.
async fn approve(job: RawJob) -> Verdict {
    let args = job.args().decode::<serde_json::Value>().unwrap_or_default();
    let result = serde_json::json!({ "to_be_paid": args.get("amount").cloned().unwrap_or_default() });
    Verdict::Succeeded { result: Json::of("result", &result).ok() }
}

fn made(text: &str) -> Verdict {
    Verdict::Succeeded { result: Json::of("result", text).ok() }
}

fn undecodable(error: &impl std::fmt::Display) -> Verdict {
    Verdict::Undecodable { error: AttemptError::new(error.to_string()) }
}
