//! Jobs that an attempt makes while its lease holds.

use windlass_core::{AttemptToken, NewJob};
use windlass_store::{Enqueued, StoreError};

use super::write::running;
use crate::database::Session;
use crate::tries::Tries;
use crate::{Core, unique};

/// Makes jobs known in a transaction that holds the row of the token's job: nobody ends the attempt meanwhile.
pub(super) async fn enqueue(
    core: &Core,
    token: &AttemptToken,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    let mut tries = Tries::new(&core.database, name);
    loop {
        let mut missing = Vec::new();
        let transaction = tries.begin().await?;
        let outcome = enqueue_in(core, &transaction, token, (jobs, &mut missing), name).await;
        if let Some(answer) = tries.end(transaction, outcome).await {
            return answer;
        }
        core.lanes.ensure(&missing, &core.database, name).await?;
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the first two are where it happens, the last is what it is called"
)]
async fn enqueue_in(
    core: &Core,
    session: &Session,
    token: &AttemptToken,
    (jobs, missing): (&[NewJob], &mut Vec<NewJob>),
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    running(session, token, name).await?;
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    unique::enqueue_within(core, session, (jobs, missing), name).await
}
