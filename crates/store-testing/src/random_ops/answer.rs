//! Answers of two stores, made comparable.

use std::fmt::Debug;

use windlass_core::{AttemptToken, Timestamp};
use windlass_store::{Beat, Claimed, ErrorKind, LeaseSummary, LeasedJob, Settled, StoreError, Turned};

/// What a store answered, as text; nonces, which differ by design, are taken out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) text: String,
    /// The kind of error, or "ok": by which answers are counted.
    pub(crate) kind: &'static str,
    /// When the next job is due, which a store need not know.
    pub(crate) next_due: Option<Timestamp>,
}

impl Answer {
    pub(crate) fn of<T: Debug>(answer: Result<T, StoreError>) -> Self {
        match answer {
            Ok(answer) => Self { text: format!("{answer:?}"), kind: "ok", next_due: None },
            Err(error) => Self { text: told(&error), kind: error.kind().code(), next_due: None },
        }
    }

    pub(crate) fn agrees_with(&self, model: &Self) -> bool {
        self.text == model.text && (self.next_due.is_none() || self.next_due == model.next_due)
    }
}

/// An error by its kind, and by the field it names. Its words are the store's own business.
pub(crate) fn told(error: &StoreError) -> String {
    match error.kind() {
        ErrorKind::Invalid(invalid) => format!("invalid {}", invalid.field),
        kind => kind.code().to_owned(),
    }
}

/// The token without its nonce, or with a zero for one that must not be.
fn plain(token: AttemptToken) -> AttemptToken {
    AttemptToken { nonce: token.nonce.min(1), ..token }
}

pub(crate) fn plain_all(tokens: &[AttemptToken]) -> Vec<AttemptToken> {
    let mut tokens: Vec<_> = tokens.iter().copied().map(plain).collect();
    tokens.sort_unstable();
    tokens
}

pub(crate) fn plain_job(job: LeasedJob) -> LeasedJob {
    LeasedJob { token: plain(job.token), ..job }
}

pub(crate) fn of_claim(claimed: Result<Claimed, StoreError>) -> Answer {
    let next_due = claimed.as_ref().ok().and_then(|claimed| claimed.next_due);
    let jobs = claimed.map(|claimed| claimed.jobs.into_iter().map(plain_job).collect::<Vec<_>>());
    Answer { next_due, ..Answer::of(jobs) }
}

pub(crate) fn of_settled(settled: &[Result<Settled, StoreError>]) -> Vec<Result<Settled, String>> {
    settled.iter().map(|one| one.as_ref().copied().map_err(told)).collect()
}

pub(crate) fn of_turn(turned: Result<Turned, StoreError>) -> Answer {
    let next_due = turned.as_ref().ok().and_then(|turned| turned.claimed.next_due);
    let told = turned.map(|turned| {
        let jobs: Vec<_> = turned.claimed.jobs.into_iter().map(plain_job).collect();
        (of_settled(&turned.settled), jobs, plain_all(&turned.cancelled))
    });
    Answer { next_due, ..Answer::of(told) }
}

pub(crate) fn of_beat(beat: Result<Beat, StoreError>) -> Answer {
    Answer::of(beat.map(|beat| Beat { cancelled: plain_all(&beat.cancelled), ..beat }))
}

pub(crate) fn of_leases(leases: Result<Vec<LeaseSummary>, StoreError>) -> Answer {
    let plain = |lease: LeaseSummary| LeaseSummary { token: plain(lease.token), ..lease };
    Answer::of(leases.map(|leases| leases.into_iter().map(plain).collect::<Vec<_>>()))
}
