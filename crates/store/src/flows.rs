//! Flows: jobs that wait for one another, seen and changed together.

use std::collections::{HashMap, HashSet, VecDeque};

use async_trait::async_trait;
use windlass_core::limits::{ERROR_TREE_MAX, PAGE_MAX};
use windlass_core::{AttemptError, EdgePolicy, JobId, JobState, Json, KindName, QueueName, Reason, Tag};

use crate::{Actor, JobStore, Page, PageRequest, StoreError};

/// The job at the other end of an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relative {
    /// Its id.
    pub id: JobId,
    /// Which of the parent's ends let the child go.
    pub policy: EdgePolicy,
    /// Which handler it is for.
    pub kind: KindName,
    /// What it is doing.
    pub state: JobState,
    /// Why, where there is a reason.
    pub reason: Option<Reason>,
}

/// What a job is given by one that it waited for.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The job it comes from.
    pub parent: JobId,
    /// Which handler that was for.
    pub kind: KindName,
    /// Which of its ends let the child go.
    pub policy: EdgePolicy,
    /// How it ended.
    pub state: JobState,
    /// Why, where there is a reason.
    pub reason: Option<Reason>,
    /// What it made, if it completed and made something.
    pub result: Option<Json>,
    /// What went wrong with it last, if it did not complete.
    pub error: Option<AttemptError>,
}

/// A job of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowJob {
    /// Its id.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: KindName,
    /// Where it waits.
    pub queue: QueueName,
    /// What it is doing.
    pub state: JobState,
    /// Why, where there is a reason.
    pub reason: Option<Reason>,
    /// Words to find it by: what tells it from others of its kind.
    pub tags: Vec<Tag>,
}

/// An edge of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FlowEdge {
    /// The job that is waited for.
    pub parent: JobId,
    /// The job that waits.
    pub child: JobId,
    /// Which of the parent's ends let the child go.
    pub policy: EdgePolicy,
}

/// Jobs that are connected by edges, whichever way they run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow {
    /// The jobs, in the order in which they were enqueued.
    pub jobs: Vec<FlowJob>,
    /// The edges between them: by the order of their children, then in the order that the child gave them.
    pub edges: Vec<FlowEdge>,
    /// Whether there is more of it than is shown at once.
    pub cut: bool,
}

/// A job that went wrong, and what of the jobs it waited for is to blame.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorTree {
    /// Its id.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: KindName,
    /// What it is doing.
    pub state: JobState,
    /// Why, where there is a reason.
    pub reason: Option<Reason>,
    /// What it says went wrong last.
    pub error: Option<AttemptError>,
    /// The parents that are to blame, in the order of its edges. None where the error is its own, and where the same job
    /// stands in the tree already.
    pub causes: Vec<ErrorTree>,
}

/// Jobs as they depend on one another.
///
/// # Waiting for other jobs
///
/// A job that is enqueued with [`after`](windlass_core::NewJob::after) is `blocked(dependency)` until each of its parents
/// [releases](windlass_core::edge::Bearing) it. Then it waits like any other: due at its own `run_at`. It can be cancelled
/// meanwhile, its deadline holds, and it is never claimed.
///
/// - **At once.** What the end of a job means for those that wait for it is done in the commit that ends it, by whomever: a
///   settle, a cancel, a rescue, a claim that meets a deadline. A child whose parent cannot succeed any more becomes
///   `cancelled(dependency_failed)`, and so do those that wait for its success, and so on. Its error names the first of its
///   parents, in the order of its edges, that has not completed, and is marked
///   [`by_parent`](windlass_core::AttemptError::by_parent).
/// - **Never missed.** A parent that ends in the moment in which a child is enqueued either releases it, or is seen to have
///   ended. A parent that is final already counts at once.
/// - **Once.** A child that was let go is not held again, also not if one of its parents is put back by a retry. One that is
///   still blocked waits for that parent once more.
/// - **Put back as the parents are now.** A retry of a job that was over makes it `blocked` if a parent has not released it;
///   a parent that failed it counts as one that is still to come. Parents that are gone hold nobody up.
/// - **Kept.** A job that an unfinished job depends on is neither pruned nor deleted. With a job go its edges.
///
/// What is released by a claim that ended late jobs is there for the next claim at the latest.
#[async_trait]
pub trait FlowStore: JobStore {
    /// The jobs that this one waits for or waited for, in the order of its edges.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn parents(&self, id: JobId, page: PageRequest) -> Result<Page<Relative>, StoreError>;

    /// The jobs that wait for this one or did, in the order in which they were enqueued.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn children(&self, id: JobId, page: PageRequest) -> Result<Page<Relative>, StoreError>;

    /// What the jobs that this one waited for have made, in the order of its edges.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn inputs(&self, id: JobId, page: PageRequest) -> Result<Page<Input>, StoreError>;

    /// The job with all that it is connected with: at most [`FLOW_JOBS_MAX`](windlass_core::limits::FLOW_JOBS_MAX) jobs, those
    /// that are nearest, and [`FLOW_EDGES_MAX`](windlass_core::limits::FLOW_EDGES_MAX) edges.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn flow(&self, id: JobId) -> Result<Flow, StoreError>;

    /// Cancels every unfinished job of the flow, as [`cancel`](JobStore::cancel) does: all of them or none. Answers those that
    /// it cancelled, in the order in which they were enqueued.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Invalid(flow)` for a flow that is larger than can be shown; `Invalid(by…)`.
    async fn cancel_flow(&self, id: JobId, by: Actor) -> Result<Vec<JobId>, StoreError>;

    /// Gives every `dead` or `cancelled` job of the flow a new budget, as [`retry`](JobStore::retry) does: all of them or none.
    /// Those whose parents are put back as well wait for them again. Answers those that it put back, in the order in which they
    /// were enqueued.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` while the attempt of a cancelled job of the flow is open; `Invalid(flow)` for a flow that is
    /// larger than can be shown; `Invalid(by…)`.
    async fn retry_flow(&self, id: JobId, by: Actor) -> Result<Vec<JobId>, StoreError>;

    /// Removes a job, and of the jobs that it waited for, and those they waited for, the ones that no other job has an edge to:
    /// all of them or none. Answers those that it removed, in the order in which they were enqueued.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` when an unfinished job depends on it, or an attempt of what is to be removed is open;
    /// `Invalid(flow)` for a flow that is larger than can be shown; `Invalid(by…)`.
    async fn delete_flow(&self, root: JobId, by: Actor) -> Result<Vec<JobId>, StoreError>;

    /// What is to blame for the error of a job: its own error, and below it those of the parents that it was caused by, down to
    /// the roots. An error was caused by parents if it says so, or if the job was cancelled because of them. At most
    /// [`ERROR_TREE_MAX`] jobs, those that are nearest.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn error_tree(&self, id: JobId) -> Result<ErrorTree, StoreError> {
        let job = self.job(id).await?;
        let root = ErrorTree {
            id,
            kind: job.kind,
            state: job.state,
            reason: job.reason,
            error: job.error,
            causes: Vec::new(),
        };
        let mut tree = Blame { causes: HashMap::new(), known: HashSet::from([id]) };
        let mut open = VecDeque::from([(id, is_inherited(&root))]);
        while let Some((job, inherited)) = open.pop_front() {
            if inherited {
                let causes = self.failed_parents(job, &mut tree).await?;
                open.extend(causes.iter().map(|cause| (cause.id, is_inherited(cause))));
                tree.causes.insert(job, causes);
            }
        }
        Ok(tree.grown(root))
    }

    /// The parents of `id` that failed, each as a tree without causes; those that are known already, or too many, without
    /// being looked into further.
    #[doc(hidden)]
    async fn failed_parents(&self, id: JobId, tree: &mut Blame) -> Result<Vec<ErrorTree>, StoreError> {
        let mut causes = Vec::new();
        let mut request = PageRequest::first(PAGE_MAX);
        loop {
            let page = self.inputs(id, request).await?;
            let failed = page
                .items
                .into_iter()
                .filter(|input| matches!(input.state, JobState::Dead | JobState::Cancelled));
            for input in failed {
                if tree.known.len() >= ERROR_TREE_MAX {
                    return Ok(causes);
                }
                causes.push(tree.cause(input));
            }
            match page.next {
                Some(next) => request = request.after(Some(next)),
                None => return Ok(causes),
            }
        }
    }
}

/// Whether its parents are to blame for its error.
fn is_inherited(tree: &ErrorTree) -> bool {
    tree.reason == Some(Reason::DependencyFailed) || tree.error.as_ref().is_some_and(|error| error.by_parent)
}

/// An error tree that grows.
#[doc(hidden)]
#[derive(Debug)]
pub struct Blame {
    causes: HashMap<JobId, Vec<ErrorTree>>,
    known: HashSet<JobId>,
}

impl Blame {
    fn cause(&mut self, input: Input) -> ErrorTree {
        self.known.insert(input.parent);
        ErrorTree {
            id: input.parent,
            kind: input.kind,
            state: input.state,
            reason: input.reason,
            error: input.error,
            causes: Vec::new(),
        }
    }

    /// Puts the causes where they belong, each the first time that its job comes up.
    fn grown(&mut self, tree: ErrorTree) -> ErrorTree {
        let causes = self.causes.remove(&tree.id).unwrap_or_default();
        ErrorTree { causes: causes.into_iter().map(|cause| self.grown(cause)).collect(), ..tree }
    }
}
