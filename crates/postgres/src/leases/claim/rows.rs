//! Rows of claims, and the jobs that they tell of.

use tokio_postgres::Row;
use windlass_core::{AttemptToken, Timestamp};
use windlass_store::{LeasedJob, StoreError};

use super::super::outstanding::Known;
use super::Leased;
use crate::floors::Place;
use crate::lanes::Lane;
use crate::{Core, reviews, row};

/// What holds for all jobs of a claim.
pub(super) struct Common {
    /// Their lane, where they are all in the same and do not say so.
    pub(super) lane: Option<i32>,
    /// The column that says where their rows lie.
    pub(super) spot: Option<usize>,
    pub(super) nonce: u64,
    pub(super) started_at: Timestamp,
    pub(super) lease_until: Timestamp,
}

/// The jobs in the columns of `lease/claim.sql`.
pub(super) async fn leased(
    store: &Core,
    rows: &[Row],
    common: &Common,
    name: &'static str,
) -> Result<Vec<Leased>, StoreError> {
    let lane = |row: &Row| common.lane.unwrap_or_else(|| row.get(17));
    let lanes = store.lanes.names(filled(rows).map(lane), &store.database, name).await?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in filled(rows) {
        let lane = lane(row);
        let place: Place = (lane, row.get(7), row::instant(row, 2), row.get(1));
        let spot = common.spot.map(|column| row.get(column));
        let known = Known { spot, traits: row::traits(row, 8) };
        jobs.push(Leased { place, known, job: leased_job(row, &lanes[&lane], common)? });
    }
    let traits = filled(rows).map(|row| row::traits(row, 8));
    let each = jobs.iter_mut().map(|one| &mut one.job).zip(traits);
    reviews::complete(&store.database, each, name).await?;
    Ok(jobs)
}

/// The rows that tell of a job.
fn filled(rows: &[Row]) -> impl Iterator<Item = &Row> + Clone {
    rows.iter().filter(|row| row.get::<_, Option<i64>>(1).is_some())
}

fn leased_job(row: &Row, lane: &Lane, common: &Common) -> Result<LeasedJob, StoreError> {
    let (attempts_max, _) = row::budgeted(row, 4);
    Ok(LeasedJob {
        token: AttemptToken { job: row::job_id(row, 0), number: row::unsigned(row, 5), nonce: common.nonce },
        lease_until: common.lease_until,
        kind: lane.kind.clone(),
        version: lane.version,
        queue: lane.queue.clone(),
        priority: row::priority(row, 7, row::traits(row, 8))?,
        attempt: row::count(row, 6),
        attempts_max,
        losses: row.get::<_, Option<i64>>(12).map_or(0, |losses| u32::try_from(losses).unwrap_or(u32::MAX)),
        run_at: row::instant(row, 2),
        created_at: row::instant(row, 3),
        deadline: row::instant_option(row, 9),
        started_at: common.started_at,
        args: row::args(row, 10, row.get(8)),
        checkpoint: row::json(row, 13),
        options: row::options(row, 11)?,
        fences: Vec::new(),
        settles: None,
    })
}
