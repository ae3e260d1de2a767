//! Jobs as they depend on one another.

use windlass_store::{ErrorTree, Flow, FlowEdge, FlowJob, Input, Relative};

use crate::flow::{FlowEdgeShape, FlowJobShape};
use crate::{ErrorTreeShape, FlowShape, InputShape, RelativeShape};

impl From<RelativeShape> for Relative {
    fn from(shape: RelativeShape) -> Self {
        let RelativeShape { job, on, kind, state, reason } = shape;
        Self { id: job, policy: on, kind, state, reason }
    }
}

impl From<InputShape> for Input {
    fn from(shape: InputShape) -> Self {
        let InputShape { id, kind, on, state, reason, result, error } = shape;
        Self { parent: id, kind, policy: on, state, reason, result, error }
    }
}

impl From<FlowShape> for Flow {
    fn from(shape: FlowShape) -> Self {
        let job = |shape: FlowJobShape| {
            let FlowJobShape { id, kind, queue, state, reason, tags } = shape;
            FlowJob { id, kind, queue, state, reason, tags }
        };
        let edge = |shape: FlowEdgeShape| {
            let FlowEdgeShape { parent, child, on } = shape;
            FlowEdge { parent, child, policy: on }
        };
        Self {
            jobs: shape.jobs.into_iter().map(job).collect(),
            edges: shape.edges.into_iter().map(edge).collect(),
            cut: shape.cut,
        }
    }
}

impl From<ErrorTreeShape> for ErrorTree {
    fn from(shape: ErrorTreeShape) -> Self {
        let ErrorTreeShape { job, kind, state, reason, error, causes } = shape;
        Self { id: job, kind, state, reason, error, causes: causes.into_iter().map(Self::from).collect() }
    }
}
