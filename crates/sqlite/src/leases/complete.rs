//! The short way for attempts that succeeded: all of a turn in a few statements.
//!
//! What the model says of a success depends on nothing but the verdict: the job is completed, for one of two reasons. So
//! these need no look at their jobs' budgets, only at their tokens.

use std::collections::{HashMap, HashSet};

use rusqlite::{Row, params};
use windlass_core::{JobId, JobState, Json, Reason, Stage, Traits, Verdict};
use windlass_store::{Settled, Settlement};

use super::claim::array;
use crate::jobs::blobs;
use crate::writer::Tx;
use crate::{effects, row, sql};

/// Completes what can be completed without a decision; the answer has nothing where [`super::settle`] has to decide.
pub(super) fn complete(
    tx: &mut Tx<'_>,
    settlements: &[Settlement],
) -> rusqlite::Result<Vec<Option<Settled>>> {
    let mut answers = vec![None; settlements.len()];
    let plain = plain(tx, settlements);
    if plain.is_empty() {
        return Ok(answers);
    }
    let (mut done, mut unchanged, mut special) = (Vec::new(), Vec::new(), Vec::new());
    let mut standing = Standing::default();
    let ids = blobs(plain.iter().map(|index| settlements[*index].token.job.as_bytes().as_slice()));
    let mut statement = tx.connection.prepare_cached(sql::lease::READ_TOKENS)?;
    let mut rows = statement.query([ids])?;
    let mut waiting = plain.iter().copied();
    while let Some(found) = rows.next()? {
        let id = row::job_id(found, 0)?;
        // Rows come in the order asked for; a job that is not there has none.
        let Some(index) = waiting.find(|index| settlements[*index].token.job == id) else { break };
        let settlement = &settlements[index];
        let (seq, traits): (i64, _) = (found.get(1)?, row::traits(found, 7)?);
        if !standing.is_good(tx, settlement, (found, traits))? {
            continue;
        }
        if traits.has(Traits::SPECIAL) {
            special.push(effects::Completed { id, seq, traits });
        }
        let reason = reason(&settlement.verdict);
        let ended = if reason == Reason::Done { &mut done } else { &mut unchanged };
        ended.push(seq);
        keep_result(tx, seq, settlement.verdict.result())?;
        answers[index] = Some(Settled { state: JobState::Completed, reason: Some(reason) });
    }
    drop(rows);
    drop(statement);
    write(tx, &done, Reason::Done)?;
    write(tx, &unchanged, Reason::Unchanged)?;
    effects::completed(tx, &special)?;
    Ok(answers)
}

/// The settlements that say nothing but success, each the only one of its job.
fn plain(tx: &Tx<'_>, settlements: &[Settlement]) -> Vec<usize> {
    let (mut seen, mut twice) = (HashSet::with_capacity(settlements.len()), HashSet::<JobId>::new());
    twice.extend(settlements.iter().map(|settlement| settlement.token.job).filter(|id| !seen.insert(*id)));
    let fits = |result: &Json| result.as_bytes().len() <= tx.limits.result_bytes_max;
    let is_plain = |settlement: &Settlement| {
        matches!(settlement.verdict, Verdict::Succeeded { .. } | Verdict::Unchanged { .. })
            && settlement.verdict.result().is_none_or(fits)
            && !twice.contains(&settlement.token.job)
    };
    (0..settlements.len()).filter(|index| is_plain(&settlements[*index])).collect()
}

fn reason(verdict: &Verdict) -> Reason {
    if matches!(verdict, Verdict::Unchanged { .. }) { Reason::Unchanged } else { Reason::Done }
}

/// Whether the leases of the workers that turn up still hold, looked up once each.
#[derive(Default)]
struct Standing(HashMap<i64, bool>);

impl Standing {
    /// Whether the token is that of an attempt that runs under the lease of a process that is there, of a job whose end
    /// can be followed up with that of others.
    ///
    /// Everything else is left to the rule of the port, [`windlass_store::rules::fence`], of which this is the case
    /// in which it lets the token pass.
    fn is_good(
        &mut self,
        tx: &Tx<'_>,
        settlement: &Settlement,
        (found, traits): (&Row<'_>, Traits),
    ) -> rusqlite::Result<bool> {
        let token = &settlement.token;
        let open = row::stage(found, 2)? == Stage::Running
            && !traits.without(effects::FOLLOWED_UP).has(Traits::SPECIAL)
            && (row::unsigned(found, 3)?, row::unsigned(found, 4)?) == (token.number, token.nonce);
        match (found.get::<_, Option<i64>>(5)?, found.get::<_, Option<i64>>(6)?) {
            (Some(holder), None) if open => self.holds(tx, holder),
            _ => Ok(false),
        }
    }

    fn holds(&mut self, tx: &Tx<'_>, worker: i64) -> rusqlite::Result<bool> {
        if let Some(holds) = self.0.get(&worker) {
            return Ok(*holds);
        }
        let mut statement = tx.connection.prepare_cached(sql::worker::HOLDS)?;
        let holds = statement.exists(params![worker, tx.now.as_micros()])?;
        self.0.insert(worker, holds);
        Ok(holds)
    }
}

fn keep_result(tx: &Tx<'_>, seq: i64, result: Option<&Json>) -> rusqlite::Result<()> {
    if let Some(result) = result {
        tx.connection.prepare_cached(sql::lease::RESULT)?.execute(params![seq, result.as_str()])?;
    }
    Ok(())
}

fn write(tx: &Tx<'_>, seqs: &[i64], reason: Reason) -> rusqlite::Result<()> {
    if seqs.is_empty() {
        return Ok(());
    }
    let seqs = array(seqs.iter().copied());
    let mut statement = tx.connection.prepare_cached(sql::lease::COMPLETE)?;
    statement.execute(params![seqs, reason.as_number(), tx.now.as_micros()])?;
    Ok(())
}
