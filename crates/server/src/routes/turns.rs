//! Turns: what a busy worker has to say and to ask, in one go and one commit.

use axum::extract::State;
use tokio::time::Instant;
use windlass_core::{AttemptToken, Invalid};
use windlass_store::observe::Operation;
use windlass_store::{Settled, StoreError, Turn, Turned};
use windlass_wire::{ProblemShape, SettledOrProblem, SettlementRequest, TurnRequest, TurnShape};

use super::leases::{check_reach, check_worker, claim_request, shapes, wait_for_work, waits};
use crate::access::Caller;
use crate::answer::{Answer, Failure, Reply};
use crate::app::{App, Shared};
use crate::attempts::ends;
use crate::guard::InLane;
use crate::input::{By, Sent};

/// Most attempts that one turn ends: as many as one claim can give.
const SETTLEMENTS_MAX: usize = windlass_core::limits::CLAIM_BATCH_MAX as usize;

pub(crate) async fn turn(
    State(app): State<Shared>,
    By(caller): By,
    lane: InLane,
    Sent(request): Sent<TurnRequest>,
) -> Reply<TurnShape> {
    let TurnRequest { settlements, claim, .. } = request;
    check_settlements(&app, &caller, &settlements).await?;
    let wait = waits(&app, claim.as_ref().and_then(|claim| claim.wait));
    let until = Instant::now() + wait;
    let hints = (!wait.is_zero()).then(|| app.store.signals().work());
    let with_parents = claim.as_ref().is_some_and(|claim| claim.parents == Some(true));
    let asked = match &claim {
        Some(claim) => {
            check_reach(&caller, claim)?;
            check_worker(&app, &caller, claim).await?;
            Some(claim_request(&app, claim).await.map_err(of_claim)?)
        }
        None => None,
    };
    let alone = settlements.is_empty();
    let settlements: Vec<_> = settlements.into_iter().map(SettlementRequest::into_settlement).collect();
    let ends = ends(&settlements);
    let turn = app.store.turn(Turn { settlements, claim: asked.clone() });
    let mut turned = app.measured(Operation::Turn, turn).await?;
    app.attempts.settled(&ends, &turned.settled);
    // Who has something to hear of what it settled does not wait for it.
    if let (Some(asked), Some(hints)) = (asked, hints)
        && alone
        && turned.claimed.jobs.is_empty()
        && turned.cancelled.is_empty()
    {
        lane.leave();
        turned.claimed = wait_for_work(&app, (asked, hints), until).await?;
    }
    Ok(Answer::ok(told(&app, turned, with_parents).await?))
}

/// A fault of the claim is named as one that is part of a turn.
fn of_claim(failure: Failure) -> Failure {
    let problem = failure.into_problem();
    match problem.field.clone() {
        Some(field) => problem.of_field(format!("claim.{field}")).into(),
        None => problem.into(),
    }
}

/// Who is given some queues alone ends attempts in those alone.
async fn check_settlements(
    app: &App,
    caller: &Caller,
    settlements: &[SettlementRequest],
) -> Result<(), Failure> {
    let count = settlements.len();
    if count > SETTLEMENTS_MAX {
        let problem = format!("are {count}; at most {SETTLEMENTS_MAX} are taken at once");
        return Err(Invalid::new("settlements", problem).into());
    }
    if caller.reaches_all() {
        return Ok(());
    }
    for (index, AttemptToken { job, .. }) in settlements.iter().map(|one| one.token).enumerate() {
        if !caller.reaches(&app.store.job(job).await?.queue) {
            let problem = ProblemShape::new("not_found", "there is no such thing");
            return Err(problem.of_field(format!("settlements[{index}].token")).into());
        }
    }
    Ok(())
}

async fn told(app: &App, turned: Turned, with_parents: bool) -> Result<TurnShape, Failure> {
    let mut shape = TurnShape::new(turned.settled.into_iter().map(outcome).collect());
    shape.leases = shapes(app, turned.claimed.jobs, with_parents).await?;
    shape.next_due = turned.claimed.next_due;
    shape.cancelled = turned.cancelled;
    Ok(shape)
}

fn outcome(settled: Result<Settled, StoreError>) -> SettledOrProblem {
    match settled {
        Ok(settled) => SettledOrProblem::Settled(settled.into()),
        Err(error) => SettledOrProblem::Problem(ProblemShape::from(&error)),
    }
}
