//! Settling: how attempts ended, and where their jobs go.

use std::collections::{HashMap, HashSet};

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;
use windlass_core::{
    AttemptToken, JobId, JobState, Limits, Next, Reason, Timestamp, Traits, Verdict, settle, state,
};
use windlass_store::rules::Standing;
use windlass_store::{ErrorKind, Settled, Settlement, StoreError};

use super::outstanding::Known;
use crate::database::{Ask, Session};
use crate::facts::{Facts, fenced};
use crate::fates::{Closing, Fates, number};
use crate::sql::{self, Statement};
use crate::value::{Instant, Spot};

const NAME: &str = "settle the attempt";

/// Answers, one for each settlement; none where there is none yet.
pub(super) type Answers = Vec<Option<Result<Settled, StoreError>>>;

/// The settlements that say nothing but success, each the only one of its job: what the model says of them depends on
/// nothing but the verdict. In the columns of `lease/complete.sql`, by job.
#[derive(Debug, Default)]
pub(crate) struct Successes<'a> {
    /// Where they stand among all.
    places: Vec<usize>,
    ids: Vec<Uuid>,
    numbers: Vec<i64>,
    nonces: Vec<i64>,
    reasons: Vec<i16>,
    results: Vec<Option<&'a str>>,
    /// Where their rows lie, of those of which that is known.
    spots: Vec<Spot>,
    /// What some of them use.
    traits: Traits,
    /// Where those stand among all that have gates, and their ids.
    gated: Vec<(usize, Uuid)>,
}

impl<'a> Successes<'a> {
    /// Those among `settlements` that may go the short way, in view of what is known of their attempts. Nothing is known of one
    /// that is closed: what is to be said of it must be found out before its job is claimed anew.
    pub(crate) fn among(settlements: &'a [Settlement], known: &[Option<Known>], limits: &Limits) -> Self {
        let mut successes = Self::default();
        let job = |place: &usize| settlements[*place].token.job;
        let mut places: Vec<usize> = (0..settlements.len()).collect();
        places.sort_unstable_by_key(job);
        for same in places.chunk_by(|one, other| job(one) == job(other)) {
            if let [place] = same
                && let Some(known) = known[*place].filter(|known| known.is_simple())
            {
                successes.add((*place, known), &settlements[*place], limits);
            }
        }
        successes
    }

    fn add(&mut self, (place, known): (usize, Known), settlement: &'a Settlement, limits: &Limits) {
        let Some(reason) = reason(&settlement.verdict) else { return };
        let result = settlement.verdict.result();
        if result.is_some_and(|result| result.as_bytes().len() > limits.result_bytes_max) {
            return;
        }
        let AttemptToken { job, number: attempt, nonce } = settlement.token;
        self.places.push(place);
        self.ids.push(job.as_uuid());
        self.numbers.push(attempt.cast_signed());
        self.nonces.push(nonce.cast_signed());
        self.reasons.push(number(reason));
        self.spots.extend(known.spot);
        self.traits = self.traits.and(known.traits);
        if known.traits.has(Traits::GATED) {
            self.gated.push((place, job.as_uuid()));
        }
        // An empty array stands for no result at all.
        if result.is_some() && self.results.is_empty() {
            self.results.resize(self.places.len() - 1, None);
        }
        if result.is_some() || !self.results.is_empty() {
            self.results.push(result.map(windlass_core::Json::as_str));
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.places.len()
    }

    /// The values of `lease/complete.sql`; nothing is written unless the lease of `worker` holds, if one is named.
    #[expect(clippy::ref_option, reason = "a value of a statement is passed by reference")]
    pub(crate) fn values<'v>(
        &'v self,
        now: &'v Option<Instant>,
        closed: &'v Vec<i64>,
        worker: &'v Option<Uuid>,
    ) -> [&'v (dyn ToSql + Sync); 8] {
        [now, &self.ids, &self.numbers, &self.nonces, &self.reasons, &self.results, closed, worker]
    }

    /// Whether it is known of all of them where their rows lie.
    const fn are_placed(&self) -> bool {
        self.spots.len() == self.places.len()
    }

    /// The statement that completes them.
    pub(super) const fn statement(&self) -> Statement {
        match (self.are_placed(), self.traits.has(Traits::SPECIAL)) {
            (true, true) => sql::lease::COMPLETE_SPECIAL,
            (true, false) => sql::lease::COMPLETE_AT,
            (false, _) => sql::lease::COMPLETE,
        }
    }

    /// Completes them. `worker` is as in [`values`](Self::values).
    pub(super) async fn complete(
        &self,
        session: &Session,
        closed: &Vec<i64>,
        worker: Option<Uuid>,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let common = self.values(&session.now, closed, &worker);
        let spots = self.are_placed().then_some(&self.spots as &(dyn ToSql + Sync));
        let values: Vec<_> = common.into_iter().chain(spots).collect();
        session.query(self.statement(), &values).await
    }

    /// Whether some have gates, to which they give back what they had in statements of their own.
    pub(super) const fn have_gates(&self) -> bool {
        !self.gated.is_empty()
    }

    /// Those among them that have gates.
    pub(super) fn gated(&self) -> Vec<Uuid> {
        self.gated.iter().map(|(_, id)| *id).collect()
    }

    /// Those among them that have passed and have gates.
    pub(super) fn at_gates(&self, answers: &Answers) -> Vec<Uuid> {
        let passed = self.gated.iter().filter(|(place, _)| answers[*place].is_some());
        passed.map(|(_, id)| *id).collect()
    }

    /// Notes which of them passed, as the statement answers.
    pub(super) fn answer(&self, passed: &[Row], answers: &mut Answers) {
        if self.are_placed() {
            let places = passed.iter().filter_map(|row| row.get::<_, Option<Vec<i32>>>(0)).flatten();
            for index in places.filter_map(|place| usize::try_from(place - 1).ok()) {
                self.passed(index, answers);
            }
            return;
        }
        let all = passed.len() == self.places.len();
        let passed: HashSet<Uuid> =
            if all { HashSet::new() } else { passed.iter().map(|row| row.get(0)).collect() };
        for index in 0..self.places.len() {
            if all || passed.contains(&self.ids[index]) {
                self.passed(index, answers);
            }
        }
    }

    fn passed(&self, index: usize, answers: &mut Answers) {
        let reason = Reason::from_number(self.reasons[index].into());
        answers[self.places[index]] = Some(Ok(Settled { state: JobState::Completed, reason }));
    }
}

/// Why a job is completed whose attempt ended so; none where that is not certain.
pub(crate) const fn reason(verdict: &Verdict) -> Option<Reason> {
    match verdict {
        Verdict::Succeeded { .. } => Some(Reason::Done),
        Verdict::Unchanged { .. } => Some(Reason::Unchanged),
        _ => None,
    }
}

/// Settles what has no answer yet, in the transaction of the caller, and writes it with what became of others before.
pub(super) async fn settle_rest(
    session: &Session,
    settlements: &[Settlement],
    answers: &mut Answers,
    (mut fates, limits): (Fates, &Limits),
) -> Result<(), StoreError> {
    let open = || settlements.iter().zip(answers.iter()).filter(|(_, answer)| answer.is_none());
    let ids: Vec<JobId> = open().map(|(settlement, _)| settlement.token.job).collect();
    let facts = if ids.is_empty() { Vec::new() } else { Facts::lock(session, &ids, NAME).await? };
    let mut known: HashMap<JobId, Facts> = facts.into_iter().map(|facts| (facts.id, facts)).collect();
    for (settlement, answer) in settlements.iter().zip(answers.iter_mut()) {
        if answer.is_some() {
            continue;
        }
        let job = settlement.token.job;
        if !known.contains_key(&job)
            && let Some(ended) = Facts::look(session, job, NAME).await?
        {
            known.insert(job, ended);
        }
        let settled = settle_one(known.get_mut(&job), settlement, &mut fates, limits);
        *answer = Some(match settled {
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt) => return Err(error),
            settled => settled,
        });
    }
    fates.write(session, NAME).await
}

/// Settles one attempt in whatever transaction `ask` is. An error has written nothing.
pub(crate) async fn settle_in(
    ask: &impl Ask,
    settlement: &Settlement,
    limits: &Limits,
    name: &'static str,
) -> Result<Settled, StoreError> {
    let job = settlement.token.job;
    let mut facts = match Facts::lock_one(ask, job, name).await? {
        Some(facts) => Some(facts),
        None => Facts::look(ask, job, name).await?,
    };
    let mut fates = Fates::default();
    let settled = settle_one(facts.as_mut(), settlement, &mut fates, limits)?;
    fates.write(ask, name).await?;
    Ok(settled)
}

fn settle_one(
    facts: Option<&mut Facts>,
    settlement: &Settlement,
    fates: &mut Fates,
    limits: &Limits,
) -> Result<Settled, StoreError> {
    let refused = |kind| StoreError::new(NAME, kind);
    let standing = fenced(&settlement.token, facts.as_deref()).map_err(refused)?;
    let facts = facts.ok_or_else(|| refused(ErrorKind::NotFound))?;
    // What else this turn says of the same job meets a closed attempt.
    facts.open = false;
    if standing == Standing::Cancelled {
        fates.close(facts, facts.nonce)?;
        return Err(refused(ErrorKind::Cancelled));
    }
    let verdict = settlement.verdict.clone().within(limits);
    let ending = settle(&facts.running(), &verdict, facts.now);
    let closing =
        Closing { ending: &ending, error: verdict.error(), result: verdict.result(), nonce: facts.nonce };
    fates.end(facts, closing)?;
    let (state, reason) = seen(&ending.next, facts.run_at, facts.now);
    Ok(Settled { state, reason })
}

fn seen(next: &Next, before: Timestamp, now: Timestamp) -> (JobState, Option<Reason>) {
    let run_at = match next {
        Next::Waiting { run_at, .. } => *run_at,
        Next::Finished { .. } | Next::InReview => before,
    };
    state::seen(next.stage(), next.reason(), run_at, now)
}
