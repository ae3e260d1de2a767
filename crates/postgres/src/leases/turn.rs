//! A turn: what ended is settled, what comes next is claimed, one commit for both.
//!
//! The way that nearly all take is one round trip: attempts that succeeded and a claim need no decision in between.

use std::sync::Arc;
use std::time::Instant as Moment;

use futures_util::future;
use tokio_postgres::Row;
use windlass_core::AttemptToken;
use windlass_store::{Claimed, ErrorKind, Settled, Settlement, StoreError, Turn, Turned};

use super::claim::{Answer, Claim};
use super::guarded;
use super::settle::{Answers, Successes, settle_rest};
use crate::database::{Session, Transaction, Values};
use crate::error::During;
use crate::floors::Floors;
use crate::gather::Errand;
use crate::workers::unknown;
use crate::{Core, sql};

const NAME: &str = "settle and claim jobs";

/// Settling without a claim, for many callers at a time.
pub(crate) struct Settling(pub(crate) Arc<Core>);

impl Errand for Settling {
    type Wish = Vec<Settlement>;
    type Answer = Vec<Result<Settled, StoreError>>;

    const NAME: &'static str = NAME;

    fn weight(settlements: &Vec<Settlement>) -> usize {
        settlements.len()
    }

    async fn run(&self, wishes: Vec<Vec<Settlement>>) -> Vec<Result<Self::Answer, StoreError>> {
        let counts: Vec<usize> = wishes.iter().map(Vec::len).collect();
        let turn = Turn { settlements: wishes.into_iter().flatten().collect(), claim: None };
        match Box::pin(take(&self.0, &turn)).await {
            Ok(turned) => {
                let mut settled = turned.settled.into_iter();
                counts.iter().map(|count| Ok(settled.by_ref().take(*count).collect())).collect()
            }
            Err(error) => counts.iter().map(|_| Err(error.share(NAME))).collect(),
        }
    }
}

/// From how many settlements or wanted jobs on a turn goes as two halves at the same time, each on a connection of its own:
/// the server works on a connection with one processor. With fewer, that processor keeps up with what a process can run, and
/// to divide them costs more than it gains: a sixth of the rate where the server has the other of two processors.
const LARGE: usize = 1_000;

/// Takes a turn.
pub(super) async fn take(store: &Core, turn: &Turn) -> Result<Turned, StoreError> {
    let wanted = turn.claim.as_ref().map_or(0, |claim| claim.limit as usize);
    if turn.settlements.len().max(wanted) < LARGE {
        return take_one(store, turn).await;
    }
    let (one, other) = halves(turn);
    match Box::pin(future::join(take_one(store, &one), take_one(store, &other))).await {
        (Ok(one), Ok(other)) => {
            let mut turned = joined(one, other);
            // What one half closed after the other had looked.
            let Turned { settled, cancelled, .. } = &mut turned;
            cancelled.retain(|token| !is_closed(turn, settled, token));
            Ok(turned)
        }
        (Err(one), Err(other)) => Err(graver(one, other)),
        // What one half did is done, and cannot be told.
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(after_commit(error)),
    }
}

/// What to say of two halves that failed: where one of them may have happened, nobody may be told that nothing did.
fn graver(one: StoreError, other: StoreError) -> StoreError {
    if *other.kind() == ErrorKind::Unknown { other } else { one }
}

/// What to say of a step that failed after others of the same turn were committed: nobody may be told that nothing happened,
/// or the worker would not look for jobs that it was given. What no waiting can mend ends the worker, and so its leases.
fn after_commit(error: StoreError) -> StoreError {
    if !error.is_transient() || *error.kind() == ErrorKind::Unknown {
        return error;
    }
    StoreError::new(NAME, ErrorKind::Unknown).with_source(error)
}

fn halves(turn: &Turn) -> (Turn, Turn) {
    let (first, second) = turn.settlements.split_at(turn.settlements.len() / 2);
    let claim = |limit: u32| {
        let mut claim = turn.claim.clone()?;
        claim.limit = limit;
        Some(claim)
    };
    let limit = turn.claim.as_ref().map_or(0, |claim| claim.limit);
    let one = Turn { settlements: first.to_vec(), claim: claim(limit.div_ceil(2)) };
    let other =
        Turn { settlements: second.to_vec(), claim: claim(limit / 2).filter(|claim| claim.limit > 0) };
    (one, other)
}

fn joined(mut one: Turned, other: Turned) -> Turned {
    one.settled.extend(other.settled);
    one.claimed.jobs.extend(other.claimed.jobs);
    // Each half took from the same order at the same time; the ids of jobs grow with it.
    one.claimed.jobs.sort_by_key(|job| (job.settles.is_none(), job.priority, job.run_at, job.token.job));
    let due = one.claimed.next_due.into_iter().chain(other.claimed.next_due);
    one.claimed.next_due = due.min();
    one.cancelled.extend(other.cancelled);
    one.cancelled.sort_unstable();
    one.cancelled.dedup();
    one
}

/// Whether this is the answer to a settle of an attempt that is closed now.
fn closes(answer: &Result<Settled, StoreError>) -> bool {
    // Not running: its own settle closed it, in a transaction of its handler's or in a turn whose answer was lost.
    let closes = |kind: &ErrorKind| matches!(kind, ErrorKind::Cancelled | ErrorKind::NotRunning);
    answer.as_ref().err().is_none_or(|error| closes(error.kind()))
}

/// Whether the turn closed this attempt. One whose lease was lost stays open until it is rescued.
fn is_closed(turn: &Turn, settled: &[Result<Settled, StoreError>], token: &AttemptToken) -> bool {
    let mut answered = turn.settlements.iter().zip(settled);
    answered.any(|(settlement, answer)| settlement.token == *token && closes(answer))
}

async fn take_one(store: &Core, turn: &Turn) -> Result<Turned, StoreError> {
    let successes = Successes::among(&turn.settlements, &store.limits);
    let closed = store.outstanding.closed();
    let session = store.database.turn(NAME).await?;
    let way = Way { store, turn, successes, closed };
    if way.successes.len() == turn.settlements.len() {
        way.short(session).await
    } else {
        way.long(session).await
    }
}

struct Way<'a> {
    store: &'a Core,
    turn: &'a Turn,
    successes: Successes<'a>,
    /// Nonces of claims of which nothing is open any more.
    closed: Vec<i64>,
}

impl Way<'_> {
    /// Settles what has no answer yet, and then claims, for as many jobs as `before` has left to be found.
    async fn rest(
        &self,
        session: &Session,
        answers: &mut Answers,
        before: Option<&Answer>,
    ) -> Result<Option<Answer>, StoreError> {
        settle_rest(session, &self.turn.settlements, answers, &self.store.limits).await?;
        let Some(request) = &self.turn.claim else { return Ok(None) };
        let mut claim = Claim::of(request, Floors::default());
        if let Some(before) = before {
            if claim.is_full(before) {
                return Ok(None);
            }
            claim = claim.for_the_rest(before);
        }
        claim.take_with_late(self.store, session, NAME).await.map(Some)
    }

    /// Says that attempts ended in ways that may have let other jobs go, which may be due before what was claimed.
    fn hint_at_others(&self) {
        self.store.floors.forget();
        self.store.hint_work();
    }

    /// Nothing to decide: one round trip.
    async fn short(&self, session: Session) -> Result<Turned, StoreError> {
        let mut answers: Answers = self.turn.settlements.iter().map(|_| None).collect();
        let Some(request) = &self.turn.claim else {
            let passed = self.complete(&session).await.committing(NAME)?;
            self.successes.answer(&passed, &mut answers);
            return self.finish(session, answers, None).await.map_err(after_commit);
        };
        let lane = self.store.lanes.only(&request.scope);
        let claim = Claim::of(request, self.store.floors.next()).in_lane(lane);
        let sent = Moment::now();
        let rows = if self.turn.settlements.is_empty() {
            self.claim(&session, &claim).await.committing(NAME)?
        } else {
            let (passed, rows) = self.together(&session, &claim).await?;
            self.successes.answer(&passed, &mut answers);
            rows
        };
        let (claim, rows) = self.told(&session, claim, rows).await.map_err(after_commit)?;
        let mut answer = claim.answer(self.store, &rows).await.map_err(after_commit)?;
        if self.learn(&claim, &answer, sent) {
            self.look_from_front(&session, &mut answer).await.map_err(after_commit)?;
        }
        self.finish(session, answers, Some(answer)).await.map_err(after_commit)
    }

    async fn claim(&self, session: &Session, claim: &Claim<'_>) -> Result<Vec<Row>, tokio_postgres::Error> {
        session.query(claim.statement(), &claim.values(&session.now, &false)).await
    }

    /// Asks in every lane of the scope where a claim in one of them had nothing to tell, not even whether the worker is known.
    async fn told<'c>(
        &self,
        session: &Session,
        claim: Claim<'c>,
        rows: Vec<Row>,
    ) -> Result<(Claim<'c>, Vec<Row>), StoreError> {
        if !claim.is_in_lane() || !rows.is_empty() {
            return Ok((claim, rows));
        }
        let claim = claim.in_all_lanes();
        let rows = self.claim(session, &claim).await.committing(NAME)?;
        Ok((claim, rows))
    }

    /// Learns from an answer, and says whether there may be more that the claim did not look at.
    fn learn(&self, claim: &Claim<'_>, answer: &Answer, sent: Moment) -> bool {
        let floors = &self.store.floors;
        let plenty = answer.late || answer.guarded || claim.is_full(answer);
        let front = claim.begins_at_front();
        floors.claimed(front.then(|| sent.elapsed()), plenty, answer.jobs.iter().map(|(place, _)| *place));
        !front && !plenty && floors.should_look_again()
    }

    /// Claims what lies before the floor. What was claimed already is not lost if this certainly did nothing.
    async fn look_from_front(&self, session: &Session, answer: &mut Answer) -> Result<(), StoreError> {
        let Some(request) = &self.turn.claim else { return Ok(()) };
        let sent = Moment::now();
        let claim = Claim::of(request, Floors::default()).for_the_rest(answer);
        let rows = match self.claim(session, &claim).await.committing(NAME) {
            Ok(rows) => rows,
            Err(error) if *error.kind() == ErrorKind::Unknown => return Err(error),
            Err(error) => {
                tracing::debug!(%error, "could not look for jobs before those that were claimed");
                return Ok(());
            }
        };
        let more = claim.answer(self.store, &rows).await?;
        self.learn(&claim, &more, sent);
        answer.join(more);
        Ok(())
    }

    async fn complete(&self, session: &Session) -> Result<Vec<Row>, tokio_postgres::Error> {
        let worker = self.turn.claim.as_ref().map(|claim| claim.worker.as_uuid());
        session.query(sql::lease::COMPLETE, &self.successes.values(&session.now, &self.closed, &worker)).await
    }

    /// Sends both statements and the commit behind them without waiting in between.
    async fn together(
        &self,
        session: &Session,
        claim: &Claim<'_>,
    ) -> Result<(Vec<Row>, Vec<Row>), StoreError> {
        session.prepare(sql::lease::COMPLETE).await.during(NAME)?;
        session.prepare(claim.statement()).await.during(NAME)?;
        let asked = claim.values(&session.now, &false);
        // Each is sent when it is first polled, so all are on their way before the first answer is waited for: a caller
        // that goes away cannot leave the transaction open.
        let (begun, passed, rows, committed) = future::join4(
            session.run("BEGIN"),
            self.complete(session),
            session.query(claim.statement(), &asked),
            session.run("COMMIT"),
        )
        .await;
        begun.committing(NAME)?;
        let both = (passed.committing(NAME)?, rows.committing(NAME)?);
        committed.committing(NAME)?;
        Ok(both)
    }

    /// Settles what did not pass, and claims what had to wait for that, or for late jobs to be ended.
    async fn finish(
        &self,
        session: Session,
        mut answers: Answers,
        answer: Option<Answer>,
    ) -> Result<Turned, StoreError> {
        let late = answer.as_ref().is_some_and(|answer| answer.late);
        if !late && answers.iter().all(Option::is_some) {
            drop(session);
            return self.past_gates(answers, answer).await;
        }
        let transaction = Transaction::begin(session, NAME).await?;
        let settles = answers.iter().any(Option::is_none);
        let rest = self.rest(&transaction, &mut answers, answer.as_ref().filter(|_| !late)).await;
        let more = transaction.end(rest, NAME).await?;
        if settles {
            self.hint_at_others();
        }
        let all = match (answer.filter(|_| !late), more) {
            (Some(mut answer), Some(more)) => {
                answer.join(more);
                Some(answer)
            }
            (answer, more) => answer.or(more),
        };
        self.past_gates(answers, all).await
    }

    /// Some settlements have to be decided: a transaction of several round trips.
    async fn long(&self, session: Session) -> Result<Turned, StoreError> {
        let transaction = Transaction::begin(session, NAME).await?;
        let mut answers: Answers = self.turn.settlements.iter().map(|_| None).collect();
        let outcome = self.decide(&transaction, &mut answers).await;
        let answer = transaction.end(outcome, NAME).await?;
        self.hint_at_others();
        self.past_gates(answers, answer).await.map_err(after_commit)
    }

    /// Claims what has to be asked for at gates, once all else is committed.
    async fn past_gates(&self, answers: Answers, mut answer: Option<Answer>) -> Result<Turned, StoreError> {
        if let (Some(answer), Some(request)) = (&mut answer, &self.turn.claim)
            && answer.guarded
        {
            guarded::claim(self.store, &Claim::of(request, Floors::default()), answer).await?;
        }
        Ok(self.turned(answers, answer))
    }

    async fn decide(&self, session: &Session, answers: &mut Answers) -> Result<Option<Answer>, StoreError> {
        if let Some(request) = &self.turn.claim {
            // Looked up first: under an expired process lease not even the settlements would be good.
            let values: Values<'_> = &[&session.now, &request.worker.as_uuid()];
            let here = session.query_opt(sql::worker::HERE, values).await.during(NAME)?;
            here.ok_or_else(|| unknown("claim jobs", request.worker))?;
        }
        if self.successes.len() > 0 {
            let passed = self.complete(session).await.during(NAME)?;
            self.successes.answer(&passed, answers);
        } else if !self.closed.is_empty() {
            session.execute(sql::lease::FORGET_CLAIMS, &[&self.closed]).await.during(NAME)?;
        }
        self.rest(session, answers, None).await
    }

    fn turned(&self, answers: Answers, answer: Option<Answer>) -> Turned {
        let settled: Vec<Result<Settled, StoreError>> = answers.into_iter().flatten().collect();
        self.note(&settled);
        let Some(mut answer) = answer else {
            return Turned { settled, claimed: Claimed::default(), cancelled: Vec::new() };
        };
        let mut cancelled = std::mem::take(&mut answer.cancelled);
        // What this turn closed after the claim had looked.
        cancelled.retain(|token| !is_closed(self.turn, &settled, token));
        let claimed = answer.claimed();
        self.store.outstanding.claimed(claimed.jobs.iter().map(|job| &job.token));
        Turned { settled, claimed, cancelled }
    }

    /// Takes note of what is closed now.
    fn note(&self, settled: &[Result<Settled, StoreError>]) {
        let answered = || self.turn.settlements.iter().map(|settlement| &settlement.token).zip(settled);
        self.store
            .outstanding
            .settled(answered().filter(|(_, answer)| closes(answer)).map(|(token, _)| token));
        for (token, _) in answered().filter(|(_, answer)| !closes(answer)) {
            self.store.outstanding.refused(token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_that_failed_are_unknown_if_one_of_them_is() {
        let of = |one, other| graver(StoreError::new(NAME, one), StoreError::new(NAME, other)).kind().clone();

        assert_eq!(of(ErrorKind::Unavailable, ErrorKind::Unknown), ErrorKind::Unknown);
        assert_eq!(of(ErrorKind::Unknown, ErrorKind::Unavailable), ErrorKind::Unknown);
        assert_eq!(of(ErrorKind::NotFound, ErrorKind::NotFound), ErrorKind::NotFound);
    }

    #[test]
    fn what_fails_after_a_commit_is_not_told_as_if_nothing_had_happened() {
        let of = |kind| after_commit(StoreError::new(NAME, kind)).kind().clone();

        for kind in [ErrorKind::Unavailable, ErrorKind::Conflict, ErrorKind::Full, ErrorKind::Unknown] {
            assert_eq!(of(kind), ErrorKind::Unknown);
        }
        for kind in [ErrorKind::NotFound, ErrorKind::Corrupt] {
            assert_eq!(of(kind.clone()), kind);
        }
    }
}
