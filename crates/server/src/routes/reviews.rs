//! What persons are asked to decide, and what they decide.

use std::time::Duration;

use axum::extract::State;
use tokio::time::Instant;
use windlass_core::{Invalid, JobId};
use windlass_store::{ErrorKind, NewRuling, ReviewFilter};
use windlass_wire::answers::{Asked, Decided, Reviews};
use windlass_wire::{DecisionRequest, ProblemShape, ReviewShape};

use crate::access::Caller;
use crate::answer::{Answer, Failure, Reply};
use crate::app::{App, Shared};
use crate::guard::InLane;
use crate::input::{At, By, Sent};
use crate::query::{Query, write_cursor};

pub(crate) async fn list(State(app): State<Shared>, By(caller): By, query: Query) -> Reply<Reviews> {
    let filter = ReviewFilter { queues: query.values("queue")?, kinds: query.values("kind")? };
    let page = app.store.reviews(filter, query.page()?).await?;
    let reviews = page.items.into_iter().filter(|review| caller.reaches(&review.queue));
    Ok(Answer::ok(Reviews {
        reviews: reviews.map(ReviewShape::from).collect(),
        next: write_cursor(page.next),
    }))
}

pub(crate) async fn show(State(app): State<Shared>, At(id): At<JobId>) -> Reply<Asked> {
    Ok(Answer::ok(Asked { review: app.store.review(id).await?.map(ReviewShape::from) }))
}

#[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
pub(crate) async fn decide(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<JobId>,
    lane: InLane,
    Sent(request): Sent<DecisionRequest>,
) -> Reply<Decided> {
    let (wait, own_name) = (request.wait, caller.name.clone());
    let ruling = ruling(&app, &caller, (id, request)).await?;
    let settled = app.store.decide(id, ruling).await.map_err(|error| match error.kind() {
        ErrorKind::NotReady => Failure::new("not_reviewable", error.to_string()),
        ErrorKind::Invalid(Invalid { field, problem }) if field == "by.name" => {
            ProblemShape::new("forbidden", format!("{own_name}: {problem}")).of_field(field).into()
        }
        _ => error.into(),
    })?;
    let Some(wait) = wait.filter(|_| !settled.state.is_final()) else {
        return Ok(Answer::ok(Decided { now: settled.into(), settled: wait.map(|_| true) }));
    };
    lane.leave();
    let job = carried_out(&app, id, wait).await?;
    let now = windlass_store::Settled { state: job.state, reason: job.reason };
    Ok(Answer::ok(Decided { now: now.into(), settled: Some(job.state.is_final()) }))
}

/// Who names no digest decides about what there is now.
async fn ruling(
    app: &App,
    caller: &Caller,
    (id, request): (JobId, DecisionRequest),
) -> Result<NewRuling, Failure> {
    let digest = if let Some(digest) = request.digest {
        digest
    } else {
        let review = app.store.review(id).await?;
        review.ok_or_else(|| Failure::new("not_reviewable", "nobody is asked to decide about it"))?.digest
    };
    let args = request.new_args();
    let by = caller.actor(request.by, request.comment);
    Ok(NewRuling { decision: request.decision, by, digest, args })
}

async fn carried_out(app: &App, id: JobId, wait: Duration) -> Result<windlass_core::Job, Failure> {
    let until = Instant::now() + wait.min(app.limits().wait_max);
    tokio::select! {
        job = app.ends.wait(id, until) => Ok(job?),
        () = app.stopping.cancelled() => Ok(app.store.job(id).await?),
    }
}
