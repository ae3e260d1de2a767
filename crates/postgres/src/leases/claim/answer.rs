//! What comes of claims.

use tokio_postgres::Row;
use windlass_core::{AttemptToken, Timestamp};
use windlass_store::Claimed;

use super::Leased;

/// What the store says to a claim.
pub(in crate::leases) struct Answer {
    /// What was claimed.
    pub(in crate::leases) jobs: Vec<Leased>,
    pub(super) next_due: Option<Timestamp>,
    pub(in crate::leases) cancelled: Vec<AttemptToken>,
    /// Whether nothing was claimed because a job waits past its deadline.
    pub(in crate::leases) late: bool,
    /// What is to be done at gates because nothing was claimed, as one that comes before may be at one.
    pub(in crate::leases) at_gates: Option<AtGates>,
    /// Whether it began at the front of its lanes.
    pub(in crate::leases) from_front: bool,
}

/// What is to be done at gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::leases) enum AtGates {
    /// To ask whom they let in.
    Ask,
    /// To call first: one of them is to be looked at.
    Call,
}

impl Answer {
    /// Adds what a second claim found.
    pub(in crate::leases) fn join(&mut self, more: Self) {
        self.jobs.extend(more.jobs);
        self.next_due = more.next_due;
        self.at_gates = self.at_gates.max(more.at_gates);
        self.from_front |= more.from_front;
    }

    /// Adds what was claimed by asking gates.
    pub(in crate::leases) fn add(&mut self, jobs: Vec<Leased>, next_due: Option<Timestamp>) {
        self.jobs.extend(jobs);
        self.next_due = next_due;
        self.at_gates = None;
    }

    /// What was claimed, in claim order.
    pub(in crate::leases) fn claimed(mut self) -> Claimed {
        self.jobs.sort_unstable_by_key(|Leased { place: (_, priority, run_at, seq), .. }| {
            (*priority, *run_at, *seq)
        });
        Claimed { jobs: self.jobs.into_iter().map(|one| one.job).collect(), next_due: self.next_due }
    }
}

/// What the first row of `lease/claim.sql` says of them.
pub(super) fn at_gates(first: &Row) -> Option<AtGates> {
    let how = if first.get(22) { AtGates::Call } else { AtGates::Ask };
    Some(how).filter(|_| first.get(20))
}
