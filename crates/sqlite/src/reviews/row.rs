//! Reviews as their rows tell them.

use rusqlite::Row;
use windlass_core::{Decision, Digest, Ruling};
use windlass_store::ReviewRecord;
use windlass_store::rules::reviews::{Reviewed, Round};

use crate::row::{args, instant, instant_option, job_id, json, name, options};

/// A review in the columns of `sql/review/read.sql`, as it is shown and as it is kept.
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<(ReviewRecord, Round)> {
    let round = round(row)?;
    let reviewed = Reviewed {
        job: job_id(row, 0)?,
        kind: name(row, 1)?,
        queue: name(row, 2)?,
        options: options(row, 3)?.map(|options| *options).unwrap_or_default(),
        args: args(row, 4)?,
        open: row.get::<_, Option<u8>>(11)? == Some(1),
    };
    Ok((reviewed.record(&round), round))
}

fn round(row: &Row<'_>) -> rusqlite::Result<Round> {
    Ok(Round {
        staged: json(row, 5)?,
        number: row.get(6)?,
        asked_at: instant(row, 7)?,
        decide_by: instant_option(row, 8)?,
        reminders: row.get(9)?,
        remind_at: instant_option(row, 10)?,
        ruling: ruling(row)?,
    })
}

fn ruling(row: &Row<'_>) -> rusqlite::Result<Option<Ruling>> {
    let Some(decision) = row.get::<_, Option<i64>>(12)?.and_then(Decision::from_number) else {
        return Ok(None);
    };
    Ok(Some(Ruling {
        decision,
        at: instant(row, 13)?,
        by: row.get(14)?,
        comment: row.get(15)?,
        digest: Digest::from_bytes(row.get(16)?),
        edited: row.get(17)?,
    }))
}
