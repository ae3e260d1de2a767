//! Registered workers and what they hold, as they are shown.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use windlass_core::limits::LEASE_DEFAULT;
use windlass_core::{AttemptToken, Invalid, JobId, KindName, QueueName, Timestamp, WorkerId, span};
use windlass_store::{Beat, KindSupport, Kinds, LeaseSummary, NewWorker, Queues, Worker};

use crate::body::{Body, FromBody};
use crate::claim::{read_kinds, read_queues};

/// A registered worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct WorkerShape {
    /// Its id, fresh for each start of the process.
    pub id: WorkerId,
    /// What people call it.
    pub name: String,
    /// The machine it runs on.
    pub host: String,
    /// The version of the program.
    pub version: String,
    /// The queues it works on; `*` for all.
    pub queues: Vec<String>,
    /// The kinds it has handlers for.
    pub kinds: Vec<KindShape>,
    /// How many jobs it runs at a time.
    pub slots: u32,
    /// How many it runs now.
    pub running: u64,
    /// How long it is taken to be alive after a beat.
    #[serde(with = "span::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub lease: Duration,
    /// When it registered.
    pub since: Timestamp,
    /// When it last beat.
    pub seen_at: Timestamp,
}

/// A kind a worker has a handler for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct KindShape {
    /// The kind.
    pub kind: KindName,
    /// The newest version of its args that the handler understands.
    pub version_max: u32,
}

impl WorkerShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &[
        "id", "name", "host", "version", "queues", "kinds", "slots", "running", "lease", "since", "seen_at",
    ];
}

impl From<Worker> for WorkerShape {
    fn from(worker: Worker) -> Self {
        let Worker { registered, since, seen_at, running } = worker;
        let queues = match &registered.queues {
            Queues::Any => vec!["*".to_owned()],
            Queues::Only(names) => names.iter().map(ToString::to_string).collect(),
        };
        Self {
            id: registered.id,
            name: registered.name,
            host: registered.host,
            version: registered.version,
            queues,
            kinds: registered.kinds.into_iter().map(KindShape::from).collect(),
            slots: registered.slots,
            running,
            lease: registered.lease,
            since,
            seen_at,
        }
    }
}

/// An attempt that runs. Its token is not shown: whoever has it may end the attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LeaseShape {
    /// The job.
    pub job: JobId,
    /// Which attempt of it.
    pub attempt: u64,
    /// The worker that holds it.
    pub worker: WorkerId,
    /// When it, or its process, last gave a sign of life.
    pub seen_at: Timestamp,
    /// Until when it holds.
    pub lease_until: Timestamp,
}

impl LeaseShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["job", "attempt", "worker", "seen_at", "lease_until"];
}

impl From<LeaseSummary> for LeaseShape {
    fn from(lease: LeaseSummary) -> Self {
        let LeaseSummary { token, worker, seen_at, lease_until } = lease;
        Self { job: token.job, attempt: token.number, worker, seen_at, lease_until }
    }
}

/// A process that wants to run jobs: the body of `POST /api/v1/workers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct WorkerRequest {
    /// Fresh for each start of the process; drawn unless said. Registering the same id again replaces what was known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<WorkerId>,
    /// What people call it.
    pub name: String,
    /// The machine it runs on.
    pub host: String,
    /// The version of the program.
    pub version: String,
    /// The queues it works on; `*` for all.
    pub queues: Vec<String>,
    /// The kinds it has handlers for; none for all.
    pub kinds: Vec<KindShape>,
    /// How many jobs it runs at a time; 1 unless said.
    pub slots: u32,
    /// How long it is taken to be alive after a beat; 30 s unless said.
    #[serde(with = "span::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub lease: Duration,
}

impl WorkerRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["id", "name", "host", "version", "queues", "kinds", "slots", "lease"];

    /// What the model takes; `id` is used if the caller chose none.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `queues`.
    pub fn into_new_worker(self, id: WorkerId) -> Result<NewWorker, Invalid> {
        let any = self.queues.iter().any(|name| name == "*");
        let names = self.queues.iter().map(QueueName::new).collect::<Result<_, _>>();
        let queues = if any { Queues::Any } else { Queues::Only(names.map_err(of_queues)?) };
        let kind = |shape: KindShape| KindSupport { kind: shape.kind, version_max: shape.version_max };
        Ok(NewWorker {
            id: self.id.unwrap_or(id),
            name: self.name,
            host: self.host,
            version: self.version,
            queues,
            kinds: self.kinds.into_iter().map(kind).collect(),
            slots: self.slots,
            lease: self.lease,
            owner: None,
        })
    }
}

fn of_queues(invalid: Invalid) -> Invalid {
    Invalid { field: "queues".to_owned(), ..invalid }
}

impl FromBody for WorkerRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a worker", text, Self::FIELDS)?;
        let queues = match read_queues(&body)? {
            Queues::Any => vec!["*".to_owned()],
            Queues::Only(names) => names.iter().map(ToString::to_string).collect(),
        };
        let kinds = match read_kinds(&body)? {
            None | Some(Kinds::Any) => Vec::new(),
            Some(Kinds::Only(kinds)) => kinds.into_iter().map(KindShape::from).collect(),
        };
        Ok(Self {
            id: body.optional("id")?,
            name: body.required("name")?,
            host: body.optional("host")?.unwrap_or_default(),
            version: body.optional("version")?.unwrap_or_default(),
            queues,
            kinds,
            slots: body.optional("slots")?.unwrap_or(1),
            lease: body.span("lease")?.unwrap_or(LEASE_DEFAULT),
        })
    }
}

impl From<KindSupport> for KindShape {
    fn from(support: KindSupport) -> Self {
        Self { kind: support.kind, version_max: support.version_max }
    }
}

impl From<NewWorker> for WorkerRequest {
    fn from(worker: NewWorker) -> Self {
        let queues = match &worker.queues {
            Queues::Any => vec!["*".to_owned()],
            Queues::Only(names) => names.iter().map(ToString::to_string).collect(),
        };
        Self {
            id: Some(worker.id),
            name: worker.name,
            host: worker.host,
            version: worker.version,
            queues,
            kinds: worker.kinds.into_iter().map(KindShape::from).collect(),
            slots: worker.slots,
            lease: worker.lease,
        }
    }
}

/// The answer to the beat of a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct BeatShape {
    /// Until when the worker's lease now holds.
    pub lease_until: Timestamp,
    /// Its attempts whose jobs were cancelled: they should stop.
    pub cancelled: Vec<AttemptToken>,
}

impl From<Beat> for BeatShape {
    fn from(beat: Beat) -> Self {
        Self { lease_until: beat.lease_until, cancelled: beat.cancelled }
    }
}

/// An open attempt, as the list of leases shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LeaseSummaryShape {
    /// The attempt.
    pub token: AttemptToken,
    /// Its job.
    pub job: JobId,
    /// The worker that holds it.
    pub worker: WorkerId,
    /// When it, or its process, last gave a sign of life.
    pub seen_at: Timestamp,
    /// Until when it holds.
    pub lease_until: Timestamp,
}

impl From<LeaseSummary> for LeaseSummaryShape {
    fn from(lease: LeaseSummary) -> Self {
        let LeaseSummary { token, worker, seen_at, lease_until } = lease;
        Self { token, job: token.job, worker, seen_at, lease_until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_is_asked_for_reads_back_from_its_json() {
        let text = concat!(
            r#"{"id":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11","name":"w","host":"h","version":"1","queues":["mail"],"#,
            r#""kinds":[{"kind":"send","version_max":2}],"slots":4,"lease":"10s"}"#
        );

        let worker = WorkerRequest::from_body(text).unwrap();

        assert_eq!(serde_json::to_string(&worker).unwrap(), text);
        let model = worker.clone().into_new_worker(WorkerId::from_bytes([1; 16])).unwrap();
        assert_eq!(WorkerRequest::from(model), worker);
    }

    #[test]
    fn a_worker_needs_no_more_than_a_name() {
        let worker = WorkerRequest::from_body(r#"{"name":"w"}"#).unwrap();

        let model = worker.into_new_worker(WorkerId::from_bytes([1; 16])).unwrap();

        assert_eq!((model.queues, model.slots, model.lease), (Queues::Any, 1, LEASE_DEFAULT));
        assert_eq!(WorkerRequest::from_body("{}").unwrap_err().field, "name");
    }
}
