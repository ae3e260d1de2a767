//! Settling: how attempts ended, and where their jobs go.

use rusqlite::params;
use windlass_core::{
    AttemptError, AttemptOutcome, Ending, Fingerprint, Json, Next, Reason, Stage, Timestamp, Verdict, lose,
    settle, state,
};
use windlass_store::rules::Standing;
use windlass_store::{ErrorKind, Settled, Settlement, StoreError};

use super::complete::complete;
use super::fenced;
use crate::error::{During, is_fault};
use crate::facts::Facts;
use crate::jobs::{as_json, change};
use crate::maintenance::watch_deadline;
use crate::writer::Tx;
use crate::{effects, errors};
use crate::{reviews, sql};

const NAME: &str = "settle the attempt";

/// Settles each attempt for itself; what is refused does not touch the others.
pub(super) fn settle_all(
    tx: &mut Tx<'_>,
    settlements: &[Settlement],
) -> Result<Vec<Result<Settled, StoreError>>, StoreError> {
    if settlements.is_empty() {
        return Ok(Vec::new());
    }
    let completed = complete(tx, settlements).during(NAME)?;
    let mut answers = Vec::with_capacity(settlements.len());
    for (settlement, completed) in settlements.iter().zip(completed) {
        let answer = match completed {
            Some(settled) => Ok(settled),
            None => settle_one(tx, settlement),
        };
        if let Err(error) = answer.as_ref()
            && is_fault(error)
        {
            return Err(error.share(NAME));
        }
        answers.push(answer);
    }
    tx.hint_ended();
    Ok(answers)
}

fn settle_one(tx: &mut Tx<'_>, settlement: &Settlement) -> Result<Settled, StoreError> {
    let (facts, standing) = fenced(tx.connection, &settlement.token, tx.now, NAME)?;
    if standing == Standing::Cancelled {
        close(tx, &facts, facts.nonce).during(NAME)?;
        return Err(StoreError::new(NAME, ErrorKind::Cancelled));
    }
    let verdict = settlement.verdict.clone().within(tx.limits);
    let ending = settle(&facts.running(), &verdict, tx.now);
    let last_error = verdict.error_after(facts.error(tx.connection).during(NAME)?);
    let result = made(tx, &facts, &verdict, &ending).during(NAME)?;
    let end = End {
        ending,
        error: verdict.error(),
        last_error: last_error.as_ref(),
        result: result.as_ref(),
        nonce: facts.nonce,
    };
    end.write(tx, &facts).during(NAME)?;
    let run_at = match ending.next {
        Next::Waiting { run_at, .. } => run_at,
        Next::Finished { .. } | Next::InReview => facts.run_at,
    };
    let (state, reason) = state::seen(ending.next.stage(), ending.next.reason(), run_at, tx.now);
    Ok(Settled { state, reason })
}

/// What is kept of what an attempt made that ends so: of a job that is completed, and of one about whose result a person
/// is asked. Of what they accepted, what the attempt returned that carried it out goes before what they had before them.
fn made(tx: &Tx<'_>, facts: &Facts, verdict: &Verdict, ending: &Ending) -> rusqlite::Result<Option<Json>> {
    match (verdict.result(), ending.next.reason()) {
        (None, Some(Reason::Accepted)) => reviews::staged(tx.connection, facts.id),
        (_, Some(Reason::Declined)) => Ok(None),
        (result, _) => Ok(result.cloned()),
    }
}

/// What became of an attempt whose lease was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TakenBack {
    /// Its job may be claimed again.
    Returned,
    /// Its job was lost once too often.
    Poisoned,
    /// Its job had been cancelled.
    Closed,
}

/// Closes an attempt whose holder gave no sign of life. Its token is forgotten.
pub(crate) fn take_back(tx: &mut Tx<'_>, facts: &Facts) -> rusqlite::Result<TakenBack> {
    if facts.newest().cancelled {
        close(tx, facts, 0)?;
        return Ok(TakenBack::Closed);
    }
    let ending = lose(&facts.running());
    let error = AttemptError::lost(ending.losses, facts.losses_max);
    let error = Some(&error);
    End { ending, error, last_error: error, result: None, nonce: 0 }.write(tx, facts)?;
    let dead = matches!(ending.next, Next::Finished { .. });
    Ok(if dead { TakenBack::Poisoned } else { TakenBack::Returned })
}

/// Closes the attempt of a job that was cancelled while it ran; `nonce` is zero when its token must be forgotten.
pub(crate) fn close(tx: &mut Tx<'_>, facts: &Facts, nonce: u64) -> rusqlite::Result<()> {
    record(tx, facts, AttemptOutcome::Cancelled, None)?;
    drop_lease(tx, facts)?;
    change(tx, facts, sql::lease::CLOSE, params![facts.seq, nonce.cast_signed()])?;
    effects::closed(tx, facts)
}

fn drop_lease(tx: &Tx<'_>, facts: &Facts) -> rusqlite::Result<()> {
    if facts.lease.is_some() {
        tx.connection.prepare_cached(sql::lease::DROP)?.execute([facts.seq])?;
    }
    Ok(())
}

/// The end of an attempt, as it is written.
struct End<'a> {
    ending: Ending,
    /// What went wrong in the attempt.
    error: Option<&'a AttemptError>,
    /// What the job says went wrong last.
    last_error: Option<&'a AttemptError>,
    result: Option<&'a Json>,
    nonce: u64,
}

impl End<'_> {
    fn write(&self, tx: &mut Tx<'_>, facts: &Facts) -> rusqlite::Result<()> {
        // The attempt that completed its job is told by the job's own row.
        let recorded = self.ending.outcome.filter(|_| self.ending.next.stage() != Stage::Completed);
        if let Some(outcome) = recorded {
            record(tx, facts, outcome, self.error)?;
        }
        let (run_at, finished_at) = match self.ending.next {
            Next::Waiting { run_at, .. } => (run_at, None),
            Next::Finished { .. } => (facts.run_at, Some(tx.now)),
            Next::InReview => (facts.run_at, None),
        };
        // What a person has yet to decide about, the job has not made.
        let staged = self.result.filter(|_| self.ending.next == Next::InReview);
        let values = params![
            facts.seq,
            self.ending.next.stage().as_number(),
            self.ending.next.reason().map(Reason::as_number),
            run_at.as_micros(),
            self.ending.attempt,
            self.ending.losses,
            finished_at.map(Timestamp::as_micros),
            self.result.filter(|_| staged.is_none()).map(Json::as_str),
            self.last_error.map(as_json).transpose()?,
            self.nonce.cast_signed(),
        ];
        change(tx, facts, sql::lease::END, values)?;
        drop_lease(tx, facts)?;
        effects::closed(tx, facts)?;
        if let Next::Finished { stage, reason } = self.ending.next {
            tx.hint_ended();
            return effects::ended(tx, facts, (stage, reason));
        }
        match &facts.review {
            Some(terms) if self.ending.next == Next::InReview => reviews::ask(tx, facts.id, terms, staged)?,
            _ => tx.hint_work(),
        }
        watch_deadline(tx, facts.seq, facts.deadline)
    }
}

fn record(
    tx: &Tx<'_>,
    facts: &Facts,
    outcome: AttemptOutcome,
    error: Option<&AttemptError>,
) -> rusqlite::Result<()> {
    let fingerprint = errors::count(tx, facts, outcome, error)?;
    let mut statement = tx.connection.prepare_cached(sql::lease::RECORD_ATTEMPT)?;
    statement.execute(params![
        facts.id.as_bytes(),
        facts.number.cast_signed(),
        facts.worker,
        facts.started_at.unwrap_or(tx.now).as_micros(),
        tx.now.as_micros(),
        outcome.as_number(),
        error.map(as_json).transpose()?,
        fingerprint.map(Fingerprint::as_number),
    ])?;
    Ok(())
}
