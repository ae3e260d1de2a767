//! Jobs that an attempt makes while its lease holds.

use windlass_core::{AttemptToken, NewJob};
use windlass_store::{Enqueued, ErrorKind, StoreError};

use super::write::running;
use crate::database::Session;
use crate::{Core, unique};

/// How often it is begun again where others make the same lanes or take the same keys at this moment.
const TRIES: u32 = 5;

/// Makes jobs known in a transaction that holds the row of the token's job: nobody ends the attempt meanwhile.
pub(super) async fn enqueue(
    core: &Core,
    token: &AttemptToken,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    let mut tries = 1;
    loop {
        let mut missing = Vec::new();
        let transaction = core.database.begin(name).await?;
        let outcome = enqueue_in(core, &transaction, token, (jobs, &mut missing), name).await;
        match transaction.end(outcome, name).await {
            // What lanes are missing is made between.
            Err(error) if *error.kind() == ErrorKind::Conflict && tries < TRIES => {
                if !missing.is_empty() {
                    core.lanes.make(&missing, &core.database, name).await?;
                }
                tries += 1;
            }
            answer => return answer,
        }
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
