//! Claiming one given job that has gates.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;
use windlass_core::{Fence, Gate, JobOptions, Need, Traits};
use windlass_store::StoreError;

use super::{Candidate, Sorting};
use crate::database::Session;
use crate::error::During;
use crate::gates::{self, Known, Wholes};
use crate::value::Instant;
use crate::{Core, row, sql};

/// A job that its gates let in.
#[derive(Debug, Default)]
pub(in crate::leases) struct Admitted {
    /// The numbers of what it holds alone.
    pub(in crate::leases) fences: Vec<Fence>,
    /// When; none if it has no gates.
    pub(in crate::leases) at: Option<Instant>,
}

/// Lets in one given job, which this transaction has locked, or refuses it; what is refused changes nothing.
pub(in crate::leases) async fn admit(
    store: &Core,
    session: &Session,
    id: Uuid,
    name: &'static str,
) -> Result<Option<Admitted>, StoreError> {
    let rows = session.query(sql::gate::JOB, &[&vec![id]]).await.during(name)?;
    let Some(row) = rows.first() else { return Ok(None) };
    let lane: i32 = row.get(2);
    let lanes = store.lanes.names(std::iter::once(lane), &store.database, name).await?;
    let wholes = Wholes::read(session, name).await?;
    let mut needs = wholes.needs(&lanes[&lane]);
    let gated = row::traits(row, 5).has(Traits::GATED);
    let options: Option<Box<JobOptions>> = if gated { row::options(row, 6)? } else { None };
    needs.extend(options.iter().flat_map(|options| options.needs()));
    if needs.is_empty() {
        return Ok(Some(Admitted::default()));
    }
    let mut known = lock(session, (id, &needs), name).await?;
    if needs.iter().any(|need| !known.contains_key(&need.gate)) {
        // One was forgotten before it was locked, and is made anew.
        known = lock(session, (id, &needs), name).await?;
    }
    let stood = session.query(sql::gate::STANDS, &[&vec![id]]).await.during(name)?;
    let Some(now) = gates::time(session, &known) else { return Ok(None) };
    let place = gates::place_of(row.get(3), row::instant(row, 4), row::unsigned(row, 1));
    let candidate = Candidate { id, lane, place, gated, deadline: None, needs };
    let stands = HashMap::from([(id, stood.iter().map(|row| row.get(1)).collect())]);
    let mut sorting = Sorting::at(known, stands);
    let _ = sorting.sort(&candidate, now);
    if sorting.taken.is_empty() {
        return Ok(None);
    }
    if !stood.is_empty() {
        session.execute(sql::gate::SHOW, &[&id]).await.during(name)?;
    }
    sorting.write(session, &[candidate]).await?;
    let mut fences = sorting.held.write(session).await?;
    Ok(Some(Admitted { fences: fences.remove(&id).unwrap_or_default(), at: Some(Instant(now)) }))
}

/// Makes gates that are not there, and locks all of these, and those where the job stands.
async fn lock(
    session: &Session,
    (id, needs): (Uuid, &[Need]),
    name: &'static str,
) -> Result<BTreeMap<Gate, Known>, StoreError> {
    let (forms, names) = gates::columns(needs.iter().map(|need| &need.gate));
    session.execute(sql::gate::MAKE, &[&forms, &names]).await.during(name)?;
    let locked = session.query(sql::gate::LOCK, &[&forms, &names, &vec![id]]).await.during(name)?;
    gates::states(session, &locked.iter().map(|row| row.get(0)).collect(), name).await
}
