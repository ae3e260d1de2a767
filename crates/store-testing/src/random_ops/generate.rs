//! Draws operations. Each comes up in at least one of a hundred, and most of them about something that exists.

use std::time::Duration;

use windlass_core::{AttemptError, JobState, Json, Priority, Verdict};
use windlass_store::{LeaseTerm, Retention};

use crate::bench::{LEASE, MICROSECOND, just_before};

use super::op::{ClaimOf, FilterOf, JOBS, KINDS, NewJobOf, Op, QUEUES, TokenOf, WORKERS};

/// Draws the same numbers from the same seed, whatever the platform (`SplitMix64`).
pub(crate) struct Generator(u64);

type Draw = fn(&mut Generator) -> Op;

/// Every operation with its weight. The sum is about 200, so two are enough to be above one of a hundred.
const WEIGHTED: &[(u64, Draw)] = &[
    (12, |g| Op::Advance(g.span())),
    (4, |g| Op::SetBack(g.span())),
    (24, |g| Op::Enqueue((0..=g.index_of(&[12, 4, 1])).map(|_| g.new_job()).collect())),
    (3, |g| Op::Job(g.job())),
    (3, |g| Op::Jobs { filter: g.filter(), limit: 1 + g.below32(4) }),
    (3, |g| Op::Attempts(g.job())),
    (3, |g| Op::Logs { job: g.job(), limit: 1 + g.below32(3) }),
    (3, |g| Op::Events(g.job())),
    (8, |g| Op::Cancel(g.job())),
    (6, |g| Op::Retry(g.job())),
    (4, |g| Op::RunNow(g.job())),
    (3, |g| Op::Delete(g.job())),
    (12, Generator::turn),
    (16, |g| Op::Settle(g.token(), g.verdict())),
    (16, |g| Op::Claim(g.claim())),
    (6, |g| Op::ClaimJob { worker: g.worker(), job: g.job(), lease: g.lease() }),
    (5, |g| Op::Extend(g.token())),
    (4, |g| Op::Holder(g.token())),
    (5, |g| Op::Progress(g.token(), [0, 7, 100, 101][g.index(4)])),
    (4, |g| Op::Checkpoint(g.token(), g.small())),
    (8, |g| Op::Log(g.token(), (0..g.below(3)).map(|_| [0, 1, 7, 5_000][g.index(4)]).collect())),
    (9, |g| Op::Register {
        worker: g.worker(),
        lease: [LEASE, LEASE * 4, MICROSECOND][g.index_of(&[4, 5, 1])],
    }),
    (8, |g| Op::Beat(g.worker())),
    (4, |g| Op::Deregister(g.worker())),
    (3, |g| Op::Workers(g.span())),
    (3, |g| Op::Leases(g.span())),
    (3, |g| Op::Pause(g.queue())),
    (4, |g| Op::Resume(g.queue())),
    (3, |_| Op::Queues),
    (8, |_| Op::Rescue),
    (3, |g| Op::Prune(g.retention())),
    (3, |_| Op::Tidy),
    (3, |g| Op::Lead(g.worker())),
    (3, |g| Op::Resign(g.worker())),
    (3, |_| Op::Status),
    (3, |_| Op::Check),
];

impl Generator {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// A script of this many operations. It begins with a worker and some jobs, so that the rest has something to
    /// be about.
    pub(crate) fn script(&mut self, operations: usize) -> Vec<Op> {
        let first = [
            Op::Register { worker: 0, lease: LEASE * 4 },
            Op::Enqueue((0..5).map(|_| self.new_job()).collect()),
        ];
        let rest = operations.saturating_sub(first.len());
        first.into_iter().chain((0..rest).map(|_| self.op())).collect()
    }

    fn op(&mut self) -> Op {
        let sum = WEIGHTED.iter().map(|(weight, _)| weight).sum();
        let mut drawn = self.below(sum);
        for (weight, draw) in WEIGHTED {
            if drawn < *weight {
                return draw(self);
            }
            drawn -= weight;
        }
        unreachable!("what is drawn is below the sum of the weights")
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn below32(&mut self, bound: u32) -> u32 {
        u32::try_from(self.below(bound.into())).unwrap_or_default()
    }

    fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).unwrap_or_default()
    }

    /// An index drawn by weight.
    fn index_of(&mut self, weights: &[u64]) -> usize {
        let mut drawn = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if drawn < *weight {
                return index;
            }
            drawn -= weight;
        }
        0
    }

    fn small(&mut self) -> u8 {
        u8::try_from(self.below(4)).unwrap_or_default()
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn sometimes<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.one_in(3) { Some(draw(self)) } else { None }
    }

    fn job(&mut self) -> u8 {
        u8::try_from(self.below(JOBS)).unwrap_or_default()
    }

    /// Mostly the first, so that most claims are of a worker that is there.
    fn worker(&mut self) -> u8 {
        if self.one_in(4) { u8::try_from(self.below(WORKERS)).unwrap_or_default() } else { 0 }
    }

    fn queue(&mut self) -> u8 {
        u8::try_from(self.below(QUEUES.len() as u64)).unwrap_or_default()
    }

    fn kind(&mut self) -> u8 {
        u8::try_from(self.below(KINDS.len() as u64)).unwrap_or_default()
    }

    fn span(&mut self) -> Duration {
        let spans = [
            Duration::ZERO,
            MICROSECOND,
            Duration::from_secs(1),
            Duration::from_secs(5),
            Duration::from_secs(10),
            just_before(LEASE),
            LEASE,
            LEASE * 4,
        ];
        spans[self.index_of(&[1, 4, 12, 6, 4, 2, 3, 1])]
    }

    fn seconds(&mut self) -> i32 {
        [-60, -1, 0, 1, 5, 30, 3600][self.index(7)]
    }

    fn lease(&mut self) -> LeaseTerm {
        let own = [Duration::from_secs(10), LEASE * 2, MICROSECOND];
        if self.one_in(3) { LeaseTerm::Own(own[self.index_of(&[6, 6, 1])]) } else { LeaseTerm::Process }
    }

    fn token(&mut self) -> TokenOf {
        let job = self.job();
        match self.below(10) {
            0 => TokenOf::Forged(job),
            1 => TokenOf::Earlier(job),
            _ => TokenOf::Recent([0, 1, 2, 3, 5][self.index_of(&[8, 5, 3, 2, 1])]),
        }
    }

    fn new_job(&mut self) -> NewJobOf {
        NewJobOf {
            job: self.job(),
            queue: self.queue(),
            kind: self.kind(),
            version: self.sometimes(|g| [1, 2, 3, 3, 0][g.index_of(&[6, 6, 3, 3, 1])]),
            priority: self.sometimes(|g| Priority::ALL[g.index(5)]),
            due: self.sometimes(Self::seconds),
            deadline: if self.one_in(4) { Some(self.seconds()) } else { None },
            attempts_max: self.sometimes(|g| [1, 2, 3, u32::MAX][g.index(4)]),
            losses_max: self.sometimes(|g| g.below32(2)),
            retry: self.sometimes(|g| [0, 1, 20][g.index(3)]),
            tag: self.sometimes(Self::small),
        }
    }

    fn claim(&mut self) -> ClaimOf {
        ClaimOf {
            worker: self.worker(),
            queue: self.sometimes(Self::queue),
            kind: self.sometimes(|g| (g.kind(), 1 + g.below32(3))),
            limit: [1, 2, 3, 100, 0][self.index_of(&[8, 4, 4, 4, 1])],
            lease: self.lease(),
        }
    }

    fn turn(&mut self) -> Op {
        let settlements = (0..self.below(4)).map(|_| (self.token(), self.verdict())).collect();
        let claim = if self.one_in(4) { None } else { Some(self.claim()) };
        Op::Turn { settlements, claim }
    }

    fn verdict(&mut self) -> Verdict {
        let error = || AttemptError::new("x").with_class("y");
        let wait = self.sometimes(|g| Duration::from_secs(g.below(3)));
        let result = self.sometimes(|g| Json::from_stored(g.small().to_string().into_bytes()));
        match self.below(14) {
            0 | 1 => Verdict::Succeeded { result },
            2 => Verdict::Unchanged { result },
            3..=6 => Verdict::Failed { error: error(), retry_after: wait },
            7 => Verdict::Fatal { error: error() },
            8 => Verdict::Undecodable { error: error() },
            9 => Verdict::TimedOut { error: error() },
            10 => Verdict::Snoozed { delay: wait.unwrap_or_default() },
            11 => Verdict::Cancelled { error: error() },
            12 => Verdict::Interrupted,
            _ => Verdict::Released,
        }
    }

    fn filter(&mut self) -> FilterOf {
        FilterOf {
            state: self.sometimes(|g| u8::try_from(g.index(JobState::ALL.len())).unwrap_or_default()),
            queue: self.sometimes(Self::queue),
            kind: self.sometimes(Self::kind),
            tag: self.sometimes(Self::small),
            since: self.sometimes(Self::seconds),
        }
    }

    fn retention(&mut self) -> Retention {
        let keep = |g: &mut Self| g.sometimes(Self::span);
        Retention { completed: keep(self), cancelled: keep(self), dead: keep(self) }
    }
}
