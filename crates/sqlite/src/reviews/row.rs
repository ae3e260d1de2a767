//! Reviews as their rows tell them.

use rusqlite::Row;
use windlass_core::{Decision, Digest, JobOptions, Review, Ruling};
use windlass_store::ReviewRecord;
use windlass_store::rules::reviews::{Round, editable};

use crate::row::{args, instant, instant_option, job_id, json, name, options};

/// A review in the columns of `sql/review/read.sql`, as it is shown and as it is kept.
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<(ReviewRecord, Round)> {
    let options: JobOptions = options(row, 3)?.map(|options| *options).unwrap_or_default();
    let editable = editable(&options);
    // Nobody is asked about a job that does not say so.
    let terms = options.review.unwrap_or_else(Review::start);
    let (args, open) = (args(row, 4)?, row.get::<_, Option<u8>>(11)? == Some(1));
    let round = round(row)?;
    let digest = match &round.ruling {
        Some(ruling) => ruling.digest,
        None => Digest::of(terms.of, &args, round.staged.as_ref()),
    };
    let record = ReviewRecord {
        job: job_id(row, 0)?,
        kind: name(row, 1)?,
        queue: name(row, 2)?,
        terms,
        submitted_by: options.submitted_by,
        args,
        editable,
        staged: round.staged.clone(),
        digest,
        round: round.number,
        asked_at: round.asked_at,
        decide_by: round.decide_by,
        reminders: round.reminders,
        remind_at: round.remind_at.filter(|_| open),
        open,
        ruling: round.ruling.clone(),
    };
    Ok((record, round))
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
