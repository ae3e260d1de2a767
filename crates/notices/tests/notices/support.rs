//! What is sent, and by whom.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use windlass_core::notice::{About, EndedJob, Notice, Target};
use windlass_core::{AttemptError, JobId, Verdict};
use windlass_notices::{NoticeConfig, Resolve, Sender};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How long a test waits for what must come at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn id() -> JobId {
    JobId::from_bytes([7; 16])
}

pub(crate) fn ended() -> EndedJob {
    let text = r#"{"id":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11","kind":"report.build","queue":"reports",
        "state":"dead","reason":"exhausted","attempt":8,"created_at":"2026-11-21T08:00:00Z",
        "started_at":"2026-11-21T09:00:00Z","finished_at":"2026-11-21T09:00:01Z",
        "error":"no room","result_bytes":null}"#;
    serde_json::from_str(text).unwrap()
}

pub(crate) async fn send(config: NoticeConfig, to: Target) -> Verdict {
    send_about(config, to, About::Job(ended())).await
}

pub(crate) async fn send_about(config: NoticeConfig, to: Target, about: About) -> Verdict {
    let sender = Sender::new(config.timeout(PATIENCE)).unwrap();
    sender.send(id(), &Notice { to, about }).await
}

pub(crate) fn sent(verdict: &Verdict) {
    assert_eq!(*verdict, Verdict::Succeeded { result: None });
}

/// What was wrong, of a notice that must not be tried again.
pub(crate) fn fatal(verdict: Verdict) -> AttemptError {
    match verdict {
        Verdict::Fatal { error } => error,
        other => panic!("{other:?}"),
    }
}

/// What was wrong, of a notice that must be tried again; and after how long, if the receiver said so.
pub(crate) fn passing(verdict: Verdict) -> (AttemptError, Option<Duration>) {
    match verdict {
        Verdict::Failed { error, retry_after } => (error, retry_after),
        other => panic!("{other:?}"),
    }
}

/// Answers the first question with one address, and every later one with another.
#[derive(Clone)]
pub(crate) struct Rebinding {
    addresses: [IpAddr; 2],
    asked: Arc<AtomicUsize>,
}

impl Rebinding {
    pub(crate) fn between(first: [u8; 4], then: [u8; 4]) -> Self {
        Self { addresses: [first.into(), then.into()], asked: Arc::default() }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Resolve for Rebinding {
    fn resolve<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = vec![self.addresses[asked.min(1)]];
        Box::pin(async move { Ok(answer) })
    }
}
