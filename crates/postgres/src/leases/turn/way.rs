//! The two ways that a turn may take.

use std::time::Instant as Moment;

use futures_util::future;
use tokio_postgres::Row;
use windlass_core::{JobState, Traits};
use windlass_store::{ClaimRequest, Claimed, ErrorKind, Settled, StoreError, Turn, Turned};

use super::super::claim::{Answer, Claim};
use super::super::guarded;
use super::super::outstanding::Known;
use super::super::settle::{Answers, Successes, settle_rest};
use super::{NAME, after_commit, closes, is_closed};
use crate::database::{BEGIN, BEGIN_AT_GATES, Session, Transaction, Values};
use crate::error::During;
use crate::fates::Fates;
use crate::floors::Floors;
use crate::workers::unknown;
use crate::{Core, gates, sql};

/// A turn on one connection.
pub(super) struct Way<'a> {
    pub(super) store: &'a Core,
    pub(super) turn: &'a Turn,
    pub(super) successes: Successes<'a>,
    /// Nonces of claims of which nothing is open any more.
    pub(super) closed: Vec<i64>,
    /// Whether it claims what it is asked to.
    pub(super) claims: bool,
}

impl<'a> Way<'a> {
    pub(super) fn of(store: &'a Core, turn: &'a Turn, known: &[Option<Known>]) -> Self {
        let successes = Successes::among(&turn.settlements, known, &store.limits);
        // Told by whoever settles.
        let closed = if turn.settlements.is_empty() { Vec::new() } else { store.outstanding.closed() };
        Self { store, turn, successes, closed, claims: true }
    }

    /// The same, but that jobs with keys are locked before their keys are looked at: nobody can change these meanwhile.
    pub(super) fn with_care(self, known: &[Option<Known>]) -> Self {
        let has_key = |known: &Known| known.traits.has(Traits::UNIQUE);
        let keyless: Vec<_> = known.iter().map(|known| known.filter(|known| !has_key(known))).collect();
        Self { successes: Successes::among(&self.turn.settlements, &keyless, &self.store.limits), ..self }
    }

    /// Settles what has no answer yet, and then claims, for as many jobs as `before` has left to be found.
    async fn rest(
        &self,
        session: &Session,
        answers: &mut Answers,
        before: Option<&Answer>,
    ) -> Result<Option<Answer>, StoreError> {
        let mut fates = Fates::default();
        fates.left_gates(self.successes.at_gates(answers));
        settle_rest(session, &self.turn.settlements, answers, (fates, &self.store.limits)).await?;
        let Some(request) = self.turn.claim.as_ref().filter(|_| self.claims) else { return Ok(None) };
        let mut claim = Claim::of(request, Floors::default());
        if let Some(before) = before {
            if claim.is_full(before) {
                return Ok(None);
            }
            claim = claim.for_the_rest(before);
        }
        let rows = self.claim(session, &claim).await.during(NAME)?;
        let answer = claim.answer(self.store, &rows).await?;
        if answer.late { claim.take_with_late(self.store, session, NAME).await } else { Ok(answer) }.map(Some)
    }

    /// Says that attempts ended in ways that may have let other jobs go, which may be due before what was claimed.
    fn hint_at_others(&self) {
        self.store.floors.forget();
        self.store.hint_work();
    }

    /// The shortest that it can take.
    pub(super) async fn go(&self, session: Session) -> Result<Turned, StoreError> {
        let decides = self.successes.len() < self.turn.settlements.len();
        match self.turn.claim.as_ref().filter(|_| self.claims) {
            None if !decides => self.settle(session).await,
            Some(request) if !decides && !self.successes.have_gates() => self.short(session, request).await,
            _ => self.long(session).await,
        }
    }

    /// Nothing to decide, and nothing to claim: one round trip.
    async fn settle(&self, session: Session) -> Result<Turned, StoreError> {
        let mut answers: Answers = self.turn.settlements.iter().map(|_| None).collect();
        let passed = if self.successes.have_gates() {
            self.complete_at_gates(&session).await?
        } else {
            self.complete(&session).await.committing(NAME)?
        };
        self.successes.answer(&passed, &mut answers);
        if session.has_made_work() {
            self.hint_at_others();
        }
        session.committed();
        if answers.iter().any(Option::is_none) {
            self.here(&session).await.map_err(after_commit)?;
        }
        self.finish(session, answers, None).await.map_err(after_commit)
    }

    /// Nothing to decide: one round trip.
    async fn short(&self, session: Session, request: &ClaimRequest) -> Result<Turned, StoreError> {
        let mut answers: Answers = self.turn.settlements.iter().map(|_| None).collect();
        let lane = self.store.lanes.only(&request.scope);
        let claim = Claim::of(request, self.store.floors.next()).in_lane(lane);
        let (sent, returns) = (Moment::now(), self.store.floors.returns());
        let rows = if self.turn.settlements.is_empty() {
            self.claim(&session, &claim).await.committing(NAME)?
        } else {
            let (passed, rows) = self.together(&session, &claim).await?;
            self.successes.answer(&passed, &mut answers);
            rows
        };
        let (claim, rows) = self.told(&session, claim, rows).await.map_err(after_commit)?;
        self.learn_lanes(&claim, &rows, returns).await;
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

    /// Learns of new lanes from an answer. That it fails is no loss: until it succeeds, claims look into all of them.
    async fn learn_lanes(&self, claim: &Claim<'_>, rows: &[Row], returns: u64) {
        let Some(count) = claim.lanes(rows) else { return };
        match self.store.lanes.learn(count, &self.store.database, NAME).await {
            Ok(()) => self.store.floors.looked_at_lanes(returns),
            Err(error) => tracing::debug!(%error, "could not read what lanes there are"),
        }
    }

    /// Learns from an answer, and says whether there may be more that the claim did not look at.
    fn learn(&self, claim: &Claim<'_>, answer: &Answer, sent: Moment) -> bool {
        let floors = &self.store.floors;
        let plenty = answer.late || answer.at_gates.is_some() || claim.is_full(answer);
        let front = claim.begins_at_front();
        floors.claimed(front.then(|| sent.elapsed()), plenty, answer.jobs.iter().map(|one| one.place));
        !claim.passes_nothing() && !plenty && floors.should_look_again()
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
        self.successes.complete(session, &self.closed, worker).await
    }

    /// Completes jobs of which some have gates, and gives back what those had that passed, without waiting in between.
    async fn complete_at_gates(&self, session: &Session) -> Result<Vec<Row>, StoreError> {
        let gated = self.successes.gated();
        session.prepare(self.successes.statement()).await.during(NAME)?;
        gates::prepare_release(session, NAME).await?;
        // All are on their way before the first answer is waited for, as in `together`.
        let (begun, passed, released, committed) = future::join4(
            session.run(BEGIN_AT_GATES),
            self.complete(session),
            gates::release_ended(session, &gated),
            session.run("COMMIT"),
        )
        .await;
        begun.committing(NAME)?;
        let passed = passed.committing(NAME)?;
        released.committing(NAME)?;
        committed.committing(NAME)?;
        Ok(passed)
    }

    /// Sends both statements and the commit behind them without waiting in between.
    async fn together(
        &self,
        session: &Session,
        claim: &Claim<'_>,
    ) -> Result<(Vec<Row>, Vec<Row>), StoreError> {
        session.prepare(self.successes.statement()).await.during(NAME)?;
        session.prepare(claim.statement()).await.during(NAME)?;
        let asked = claim.values(&session.now, &false);
        // Each is sent when it is first polled, so all are on their way before the first answer is waited for: a caller
        // that goes away cannot leave the transaction open.
        let (begun, passed, rows, committed) = future::join4(
            session.run(BEGIN),
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
    pub(super) async fn long(&self, session: Session) -> Result<Turned, StoreError> {
        let transaction = Transaction::unbegun(session);
        let mut answers: Answers = self.turn.settlements.iter().map(|_| None).collect();
        let outcome = self.decide(&transaction, &mut answers).await;
        let lets_go = transaction.has_made_work() || !all_completed(&answers);
        let answer = transaction.end(outcome, NAME).await?;
        if lets_go {
            self.hint_at_others();
        }
        self.past_gates(answers, answer).await.map_err(after_commit)
    }

    /// Claims what has to be asked for at gates, once all else is committed.
    async fn past_gates(&self, answers: Answers, mut answer: Option<Answer>) -> Result<Turned, StoreError> {
        if let (Some(answer), Some(request)) = (&mut answer, &self.turn.claim)
            && answer.at_gates.is_some()
        {
            guarded::claim(self.store, &Claim::of(request, Floors::default()), answer).await?;
        }
        Ok(self.turned(answers, answer))
    }

    async fn decide(&self, session: &Session, answers: &mut Answers) -> Result<Option<Answer>, StoreError> {
        // Sent first: behind a completion that fails, its answer would be that failure and not its own.
        session.prepare(sql::worker::HERE).await.during(NAME)?;
        let start = if self.successes.have_gates() { BEGIN_AT_GATES } else { BEGIN };
        let (begun, here, passed) =
            future::join3(session.run(start), self.here(session), self.pass(session)).await;
        begun.during(NAME)?;
        here?;
        self.successes.answer(&passed.during(NAME)?, answers);
        self.rest(session, answers, None).await
    }

    /// Refuses to go on for a worker that is gone: under an expired process lease not even the settlements are good.
    async fn here(&self, session: &Session) -> Result<(), StoreError> {
        let Some(request) = &self.turn.claim else { return Ok(()) };
        let values: Values<'_> = &[&session.now, &request.worker.as_uuid()];
        let here = session.query_opt(sql::worker::HERE, values).await.during(NAME)?;
        here.map(|_| ()).ok_or_else(|| unknown("claim jobs", request.worker))
    }

    /// Completes what only succeeded, and forgets what is over.
    async fn pass(&self, session: &Session) -> Result<Vec<Row>, tokio_postgres::Error> {
        if self.successes.len() > 0 {
            return self.complete(session).await;
        }
        if !self.closed.is_empty() {
            session.execute(sql::lease::FORGET_CLAIMS, &[&self.closed]).await?;
        }
        Ok(Vec::new())
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
        self.store.outstanding.claimed(answer.jobs.iter().map(|one| (one.job.token, one.known)));
        Turned { settled, claimed: answer.claimed(), cancelled }
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

/// Whether every attempt completed its job: others may only have been let go then by what follows for special jobs.
fn all_completed(answers: &Answers) -> bool {
    let completed = |settled: &Settled| settled.state == JobState::Completed;
    answers.iter().all(|answer| answer.as_ref().is_some_and(|it| it.as_ref().is_ok_and(completed)))
}
