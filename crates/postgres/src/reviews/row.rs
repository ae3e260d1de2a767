//! Reviews as their rows tell them.

use tokio_postgres::Row;
use windlass_core::{Decision, Digest, Ruling};
use windlass_store::rules::reviews::{Reviewed, Round};
use windlass_store::{ReviewRecord, StoreError};

use crate::row::{args, count, damaged, instant, instant_option, job_id, json, name, options};

/// Where the number of a review stands, by which they are listed.
pub(super) const NUMBER: usize = 19;

/// A review in the columns of `sql/review/read.sql`, as it is shown and as it is kept.
pub(super) fn record(row: &Row) -> Result<(ReviewRecord, Round), StoreError> {
    let round = round(row)?;
    let reviewed = Reviewed {
        job: job_id(row, 0),
        kind: name(row, 1)?,
        queue: name(row, 2)?,
        options: options(row, 3)?.map(|options| *options).unwrap_or_default(),
        args: args(row, 4, row.get(5)),
        open: row.get(12),
    };
    Ok((reviewed.record(&round), round))
}

fn round(row: &Row) -> Result<Round, StoreError> {
    Ok(Round {
        staged: json(row, 6),
        number: count(row, 7),
        asked_at: instant(row, 8),
        decide_by: instant_option(row, 9),
        reminders: count(row, 10),
        remind_at: instant_option(row, 11),
        ruling: ruling(row)?,
    })
}

fn ruling(row: &Row) -> Result<Option<Ruling>, StoreError> {
    let decision: Option<i16> = row.get(13);
    let Some(decision) = decision.and_then(|number| Decision::from_number(number.into())) else {
        return Ok(None);
    };
    let digest: &[u8] = row.get(17);
    Ok(Some(Ruling {
        decision,
        at: instant(row, 14),
        by: row.get(15),
        comment: row.get(16),
        digest: Digest::from_bytes(digest.try_into().map_err(damaged)?),
        edited: row.get(18),
    }))
}
