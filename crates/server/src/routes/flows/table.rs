//! The lines of the table that are about flows.

use windlass_wire::{ErrorTreeShape, FlowShape, answers};

use super::{cancel, children, errors, flow, inputs, parents, remove, retry};
use crate::access::Concerns;
use crate::route::{Route, delete, get, post};
use crate::routes::{PAGE, operates, reads};

pub(in crate::routes) fn table() -> Vec<Route> {
    use Concerns::Everything;

    vec![
        get("/api/v1/jobs/{id}/flow", reads(Everything), "Show what a job is connected with", flow)
            .gives::<FlowShape>(200),
        get(
            "/api/v1/jobs/{id}/errors",
            reads(Everything),
            "Show what is to blame for the error of a job",
            errors,
        )
        .gives::<ErrorTreeShape>(200),
        get("/api/v1/jobs/{id}/parents", reads(Everything), "List the jobs that a job waits for", parents)
            .gives::<answers::Relatives>(200)
            .query(PAGE),
        get("/api/v1/jobs/{id}/children", reads(Everything), "List the jobs that wait for a job", children)
            .gives::<answers::Relatives>(200)
            .query(PAGE),
        get(
            "/api/v1/jobs/{id}/inputs",
            reads(Everything),
            "List what the jobs made that a job waited for",
            inputs,
        )
        .gives::<answers::Inputs>(200)
        .query(PAGE),
        // A flow may lead through any queue.
        post("/api/v1/jobs/{id}/flow/cancel", operates(Everything), "Cancel a flow", cancel)
            .gives::<answers::Touched>(200),
        post("/api/v1/jobs/{id}/flow/retry", operates(Everything), "Retry what failed of a flow", retry)
            .gives::<answers::Touched>(200),
        delete(
            "/api/v1/jobs/{id}/flow",
            operates(Everything),
            "Remove a job with what only it needed",
            remove,
        )
        .gives::<answers::Touched>(200),
    ]
}
