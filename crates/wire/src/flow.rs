//! Jobs that wait for one another.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use windlass_core::{
    AttemptError, Edge, EdgePolicy, Invalid, JobId, JobState, KindName, QueueName, Reason, Tag,
};
use windlass_store::{ErrorTree, Flow, FlowEdge, FlowJob, Relative};

use crate::fields::problem;

/// A job that another is to wait for: `{"job": ID, "on": "on_finish"}`; inside a batch or a file `{"ref": NAME}`, or its name
/// alone. Waits for success unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AfterShape {
    /// Which job.
    #[serde(flatten)]
    pub parent: ParentRef,
    /// Which of its ends let the child go.
    pub on: EdgePolicy,
}

/// A job, by its id or by its name in a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ParentRef {
    /// By its id.
    #[serde(rename = "job")]
    Job(JobId),
    /// By its `ref` in the same batch or file.
    #[serde(rename = "ref")]
    Ref(String),
}

/// As it is written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Name(String),
    Object(Object),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    job: Option<JobId>,
    #[serde(rename = "ref")]
    name: Option<String>,
    #[serde(default)]
    on: EdgePolicy,
}

impl AfterShape {
    /// Waits for the success of a job.
    #[must_use]
    pub const fn job(id: JobId) -> Self {
        Self { parent: ParentRef::Job(id), on: EdgePolicy::OnSuccess }
    }

    /// Waits as the edge says.
    #[must_use]
    pub const fn of(edge: &Edge) -> Self {
        Self { parent: ParentRef::Job(edge.parent), on: edge.policy }
    }

    /// The edge, where the job is named by its id.
    #[must_use]
    pub const fn edge(&self) -> Option<Edge> {
        match self.parent {
            ParentRef::Job(parent) => Some(Edge { parent, policy: self.on }),
            ParentRef::Ref(_) => None,
        }
    }

    /// Reads the field `after`.
    pub(crate) fn read_all(raw: &RawValue) -> Result<Vec<Self>, Invalid> {
        let items: Vec<Box<RawValue>> =
            serde_json::from_str(raw.get()).map_err(|error| Invalid::new("after", problem(&error)))?;
        items.iter().enumerate().map(|(index, item)| Self::read(index, item)).collect()
    }

    fn read(index: usize, raw: &RawValue) -> Result<Self, Invalid> {
        let field = format!("after[{index}]");
        let wrong = || {
            Invalid::new(
                &field,
                "must be the ref of a job of the file, or an object with either job (an id) or ref, and with on \
                 (on_success or on_finish) if it need not succeed",
            )
        };
        let (parent, on) = match serde_json::from_str(raw.get()).map_err(|_| wrong())? {
            Written::Name(name) => (ParentRef::Ref(name), EdgePolicy::default()),
            Written::Object(Object { job: Some(id), name: None, on }) => (ParentRef::Job(id), on),
            Written::Object(Object { job: None, name: Some(name), on }) => (ParentRef::Ref(name), on),
            Written::Object(_) => return Err(wrong()),
        };
        Ok(Self { parent, on })
    }
}

/// The job at the other end of an edge, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct RelativeShape {
    /// Its id.
    pub job: JobId,
    /// Which of the parent's ends let the child go.
    pub on: EdgePolicy,
    /// Which handler it is for.
    pub kind: KindName,
    /// What it is doing.
    pub state: JobState,
    /// Why, where there is a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl From<Relative> for RelativeShape {
    fn from(relative: Relative) -> Self {
        let Relative { id, policy, kind, state, reason } = relative;
        Self { job: id, on: policy, kind, state, reason }
    }
}

/// The connected jobs of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct FlowShape {
    /// The jobs, in the order in which they were enqueued.
    pub jobs: Vec<FlowJobShape>,
    /// The edges between them.
    pub edges: Vec<FlowEdgeShape>,
    /// Whether there is more of it than is shown.
    pub cut: bool,
}

impl FlowShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["jobs", "edges", "cut"];
}

/// A job of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct FlowJobShape {
    /// Its id.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: KindName,
    /// Where it waits.
    pub queue: QueueName,
    /// What it is doing.
    pub state: JobState,
    /// Why, where there is a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// An edge of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct FlowEdgeShape {
    /// The job that is waited for.
    pub parent: JobId,
    /// The job that waits.
    pub child: JobId,
    /// Which of the parent's ends let the child go.
    pub on: EdgePolicy,
}

impl From<&Flow> for FlowShape {
    fn from(flow: &Flow) -> Self {
        let job = |job: &FlowJob| FlowJobShape {
            id: job.id,
            kind: job.kind.clone(),
            queue: job.queue.clone(),
            state: job.state,
            reason: job.reason,
            tags: job.tags.clone(),
        };
        let edge =
            |edge: &FlowEdge| FlowEdgeShape { parent: edge.parent, child: edge.child, on: edge.policy };
        Self {
            jobs: flow.jobs.iter().map(job).collect(),
            edges: flow.edges.iter().map(edge).collect(),
            cut: flow.cut,
        }
    }
}

/// A job that went wrong, and what of the jobs it waited for is to blame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ErrorTreeShape {
    /// Its id.
    pub job: JobId,
    /// Which handler it is for.
    pub kind: KindName,
    /// What it is doing.
    pub state: JobState,
    /// Why, where there is a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What it says went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
    /// The parents that are to blame.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub causes: Vec<ErrorTreeShape>,
}

impl From<ErrorTree> for ErrorTreeShape {
    fn from(tree: ErrorTree) -> Self {
        let ErrorTree { id, kind, state, reason, error, causes } = tree;
        Self { job: id, kind, state, reason, error, causes: causes.into_iter().map(Self::from).collect() }
    }
}
