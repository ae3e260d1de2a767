//! A kind of job, and a worker made by hand: these tests are about the client alone.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use windlass::model::{Args, Verdict};
use windlass::store::{
    ClaimRequest, Kinds, LeasedJob, NewWorker, Queues, Scope, Settlement, SharedStore, ids,
};
use windlass::{Job, Windlass};

#[derive(Debug, PartialEq, Serialize, Deserialize, Job)]
#[job(
    kind = "send_email",
    version = 2,
    queue = "mail",
    priority = "high",
    attempts = 5,
    losses = 1,
    timeout = "1m30s",
    output = u64
)]
pub(crate) struct SendEmail {
    pub(crate) to: String,
}

pub(crate) fn email() -> SendEmail {
    SendEmail { to: "ada@example.com".to_owned() }
}

/// One attempt at a time, claimed and settled through the port.
pub(crate) struct Hand {
    store: SharedStore,
    request: ClaimRequest,
}

impl Hand {
    pub(crate) async fn on(windlass: &Windlass) -> Self {
        let store = Arc::clone(windlass.store());
        let id = ids::worker_id();
        let (queues, kinds) = (Queues::Any, Kinds::Any);
        let worker = NewWorker {
            id,
            name: "hand".to_owned(),
            host: "here".to_owned(),
            version: "1".to_owned(),
            queues: queues.clone(),
            kinds: Vec::new(),
            slots: 1,
            lease: Duration::from_secs(30),
            owner: None,
        };
        store.register(worker).await.unwrap();
        Self { store, request: ClaimRequest::new(id, Arc::new(Scope { queues, kinds }), 1) }
    }

    pub(crate) async fn claim(&self) -> LeasedJob {
        let mut claimed = self.store.claim(self.request.clone()).await.unwrap();
        claimed.jobs.pop().expect("a job is ready")
    }

    pub(crate) async fn settle(&self, leased: &LeasedJob, verdict: Verdict) {
        let settlement = Settlement { token: leased.token, verdict };
        let settled = self.store.settle(vec![settlement]).await.unwrap();
        assert!(settled[0].is_ok(), "{settled:?}");
    }
}

pub(crate) fn args(job: &SendEmail) -> Args {
    Args::of(job).unwrap()
}
