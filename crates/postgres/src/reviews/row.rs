//! Reviews as their rows tell them.

use tokio_postgres::Row;
use windlass_core::{Decision, Digest, JobOptions, Review, Ruling};
use windlass_store::rules::reviews::{Round, editable};
use windlass_store::{ReviewRecord, StoreError};

use crate::row::{args, count, damaged, instant, instant_option, job_id, json, name, options};

/// Where the number of a review stands, by which they are listed.
pub(super) const NUMBER: usize = 19;

/// A review in the columns of `sql/review/read.sql`, as it is shown and as it is kept.
pub(super) fn record(row: &Row) -> Result<(ReviewRecord, Round), StoreError> {
    let options: JobOptions = options(row, 3)?.map(|options| *options).unwrap_or_default();
    let editable = editable(&options);
    // Nobody is asked about a job that does not say so.
    let terms = options.review.unwrap_or_else(Review::start);
    let (args, open) = (args(row, 4, row.get(5)), row.get(12));
    let round = round(row)?;
    let digest = match &round.ruling {
        Some(ruling) => ruling.digest,
        None => Digest::of(terms.of, &args, round.staged.as_ref()),
    };
    let record = ReviewRecord {
        job: job_id(row, 0),
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
