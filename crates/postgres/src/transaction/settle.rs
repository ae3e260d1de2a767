//! Settling in a transaction of the caller.

use std::slice;

use windlass_core::{Invalid, JobState, Traits, Verdict};
use windlass_store::{ErrorKind, Settled, Settlement, StoreError};

use super::{Request, Tx};
use crate::facts::{Facts, fenced};
use crate::leases::{Known, Successes, reason};
use crate::{Core, PostgresStore, sql};

pub(super) const NAME: &str = "settle the attempt in the transaction";

pub(super) async fn settle<T: Tx + ?Sized>(
    store: &PostgresStore,
    tx: &mut T,
    settlement: &Settlement,
) -> Result<Settled, StoreError> {
    let core = &store.core;
    let successes = Successes::among(slice::from_ref(settlement), &[Some(Known::default())], &core.limits);
    if successes.len() > 0 {
        let now = core.database.now();
        let (closed, worker) = (Vec::new(), None);
        let complete = (sql::lease::COMPLETE, &successes.values(&now, &closed, &worker) as _);
        if !tx.ids(Request::new(core, complete, NAME)).await?.is_empty() {
            return Ok(Settled { state: JobState::Completed, reason: reason(&settlement.verdict) });
        }
    }
    tx.decide(store, settlement).await
}

/// Says why a success did not pass, for drivers whose rows the store does not read: by a look from outside, since the
/// statement that did not pass has changed nothing.
pub(super) async fn refuse(store: &PostgresStore, settlement: &Settlement) -> Result<Settled, StoreError> {
    let core = &store.core;
    let session = core.database.call(NAME).await?;
    let facts = Facts::look(&session, settlement.token.job, NAME).await?;
    let standing =
        fenced(&settlement.token, facts.as_ref()).and_then(windlass_store::rules::Standing::must_run);
    standing.map_err(|kind| StoreError::new(NAME, kind))?;
    let special = facts.is_some_and(|facts| facts.traits.has(Traits::SPECIAL));
    check_storable(core, &settlement.verdict, special)
        .map_err(|invalid| StoreError::invalid(NAME, invalid))?;
    Err(StoreError::new(NAME, ErrorKind::Conflict)
        .with_detail("the attempt was settled in this transaction before, or changed at the same time"))
}

fn check_storable(core: &Core, verdict: &Verdict, special: bool) -> Result<(), Invalid> {
    if reason(verdict).is_none() {
        return Err(Invalid::new("verdict", "must be a success in a transaction of this driver"));
    }
    if special {
        let problem = "ends a job with a unique key, gates, a review, notices or others that wait for it, which only a \
                       transaction of tokio-postgres can do";
        return Err(Invalid::new("verdict", problem));
    }
    let (bytes, most) = (verdict.result().map_or(0, |it| it.as_bytes().len()), core.limits.result_bytes_max);
    if bytes > most {
        return Err(Invalid::new("result", format!("is {bytes} bytes long; at most {most} are allowed")));
    }
    Ok(())
}
