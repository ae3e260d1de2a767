//! A registered worker, as it is shown.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use windlass_core::{KindName, Timestamp, WorkerId, span};
use windlass_store::{Queues, Worker};

/// A registered worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub lease: Duration,
    /// When it registered.
    pub since: Timestamp,
    /// When it last beat.
    pub seen_at: Timestamp,
}

/// A kind a worker has a handler for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        let kind = |support: windlass_store::KindSupport| KindShape {
            kind: support.kind,
            version_max: support.version_max,
        };
        Self {
            id: registered.id,
            name: registered.name,
            host: registered.host,
            version: registered.version,
            queues,
            kinds: registered.kinds.into_iter().map(kind).collect(),
            slots: registered.slots,
            running,
            lease: registered.lease,
            since,
            seen_at,
        }
    }
}
