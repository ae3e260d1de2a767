//! Draws operations. Each comes up in at least one of two hundred, and most of them about something that exists.

use std::time::Duration;

use windlass_core::{
    AttemptError, Decision, JobState, Json, OnConflict, Priority, Unique, UniqueScope, Verdict, Within,
};
use windlass_store::{LeaseTerm, Retention};

use crate::bench::{LEASE, MICROSECOND, SECOND, just_before};

use super::op::{ClaimOf, FilterOf, JOBS, KINDS, NewJobOf, Op, QUEUES, TokenOf, WORKERS};
use super::reviews::{self, REVIEWS, RulingOf};
use super::schedules::{PROGRAMS, SCHEDULES, ScheduleOf};

/// Draws the same numbers from the same seed, whatever the platform (`SplitMix64`).
pub(crate) struct Generator(u64);

type Draw = fn(&mut Generator) -> Op;

/// Every operation with its weight. The sum is about 380, so two are enough to be above one of two hundred.
const WEIGHTED: &[(u64, Draw)] = &[
    (12, |g| Op::Advance(g.span())),
    (4, |g| Op::SetBack(g.span())),
    (24, |g| Op::Enqueue(g.new_jobs())),
    (8, |g| Op::EnqueueUnder(g.token(), g.new_jobs())),
    (3, |g| Op::Job(g.job())),
    (3, |g| Op::Jobs { filter: g.filter(), limit: 1 + g.below32(4) }),
    (3, |g| Op::Attempts(g.job())),
    (3, |g| Op::Logs { job: g.job(), limit: 1 + g.below32(3) }),
    (3, |g| Op::Events(g.job())),
    (4, |g| Op::Parents { job: g.job(), limit: 1 + g.below32(3) }),
    (4, |g| Op::Children { job: g.job(), limit: 1 + g.below32(3) }),
    (4, |g| Op::Inputs(g.job())),
    (4, |g| Op::Flow(g.job())),
    (4, |g| Op::ErrorTree(g.job())),
    (4, |g| Op::CancelFlow(g.job())),
    (6, |g| Op::RetryFlow(g.job())),
    (4, |g| Op::DeleteFlow(g.job())),
    (8, |g| Op::Cancel(g.job())),
    (12, |g| Op::Retry(g.job())),
    (4, |g| Op::RunNow(g.job())),
    (8, |g| Op::Edit(g.job(), g.edit())),
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
    (4, |g| Op::Bound(g.small() + g.small() / 3, g.small())),
    (4, |g| Op::Explain(g.job())),
    (4, |g| Op::Keep(g.queue(), g.retention())),
    (4, |_| Op::Errors),
    (4, |_| Op::Audit),
    (4, |_| Op::Redrive),
    (4, |g| Op::Rerun { job: g.job(), copy: g.job() }),
    (3, |g| Op::Pause(g.queue())),
    (4, |g| Op::Resume(g.queue())),
    (3, |_| Op::Queues),
    (14, |g| Op::Decide(g.ruling())),
    (4, |g| Op::Review(g.job())),
    (4, |g| Op::Reviews(1 + g.below32(3))),
    (10, |g| Op::PutSchedule(g.schedule())),
    (4, |g| Op::Declare(g.program(), (0..g.below(3)).map(|_| g.schedule()).collect())),
    (3, |g| Op::PauseSchedule(g.schedule().name)),
    (4, |g| Op::ResumeSchedule(g.schedule().name)),
    (3, |g| Op::DeleteSchedule(g.schedule().name)),
    (4, |g| Op::RunSchedule(g.schedule().name, g.job())),
    (6, Generator::backfill),
    (3, |g| Op::Schedules(1 + g.below32(3))),
    (3, |g| Op::Firings(g.schedule().name, 1 + g.below32(4))),
    (3, |g| Op::ScheduleEvents(g.schedule().name)),
    (14, |_| Op::Fire),
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
    /// be about; and sometimes with one about whose outcome somebody has decided, which takes more steps than chance takes.
    pub(crate) fn script(&mut self, operations: usize) -> Vec<Op> {
        let mut script = vec![Op::Register { worker: 0, lease: LEASE * 4 }];
        if self.one_in(3) {
            script.extend(reviews::decided(self.ruling().decision));
        }
        if self.one_in(6) {
            script.extend(taken_key());
        }
        if self.one_in(6) {
            script.extend(held_tick());
        }
        // One that is refused takes no others with it.
        script.extend((0..5).map(|_| Op::Enqueue(vec![self.new_job()])));
        script.resize_with(operations.max(script.len()), || self.op());
        script
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

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn below32(&mut self, bound: u32) -> u32 {
        u32::try_from(self.below(bound.into())).unwrap_or_default()
    }

    pub(super) fn index(&mut self, count: usize) -> usize {
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

    pub(super) fn small(&mut self) -> u8 {
        u8::try_from(self.below(4)).unwrap_or_default()
    }

    pub(super) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub(super) fn sometimes<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.one_in(3) { Some(draw(self)) } else { None }
    }

    fn job(&mut self) -> u8 {
        u8::try_from(self.below(JOBS)).unwrap_or_default()
    }

    /// Mostly the first, so that most claims are of a worker that is there.
    fn worker(&mut self) -> u8 {
        if self.one_in(4) { u8::try_from(self.below(WORKERS)).unwrap_or_default() } else { 0 }
    }

    pub(super) fn queue(&mut self) -> u8 {
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

    pub(super) fn seconds(&mut self) -> i32 {
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

    fn new_jobs(&mut self) -> Vec<NewJobOf> {
        (0..=self.index_of(&[12, 4, 1])).map(|_| self.new_job()).collect()
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
            notify: self.sometimes(|g| 1 + u8::try_from(g.below(7)).unwrap_or_default()),
            gates: if self.one_in(3) { Some(self.gates()) } else { None },
            review: if self.one_in(4) { Some(self.review()) } else { None },
            after: if self.one_in(4) { Some(self.after()) } else { None },
            unique: None,
        }
        .with_key(self)
    }

    /// One parent or two, any of which may be named twice, be nowhere, or be the job itself.
    fn after(&mut self) -> Vec<(u8, bool)> {
        (0..=self.index_of(&[2, 2, 1])).map(|_| (self.job(), self.one_in(3))).collect()
    }

    /// Few keys, so that jobs meet; and sometimes none, for the fingerprint.
    fn unique(&mut self) -> Unique {
        let mut unique = match self.below(4) {
            0 => Unique::by_args(),
            key => Unique::key(key.to_string()),
        };
        unique.within = [Within::Kind, Within::Queue, Within::Global][self.index(3)];
        unique.scope = match self.below(4) {
            0 => UniqueScope::Waiting,
            1 => UniqueScope::For(self.span().max(MICROSECOND)),
            _ => UniqueScope::Active,
        };
        unique.on_conflict = match self.below(6) {
            0 => OnConflict::Existing,
            1 => OnConflict::Reject,
            2 => OnConflict::Debounce { delay: SECOND * 5, max_wait: SECOND * 8 },
            _ => OnConflict::Replace,
        };
        unique
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
        let said = ["x", "user 7 is gone", "user 11 is gone"][self.index(3)];
        let error = || AttemptError::new(said).with_class("y");
        let wait = self.sometimes(|g| Duration::from_secs(g.below(3)));
        let result = self.sometimes(|g| Json::from_stored(g.small().to_string().into_bytes()));
        match self.below(18) {
            0 | 1 | 14..=17 => Verdict::Succeeded { result },
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
            roots: if self.one_in(6) { Some(true) } else { None },
            since: self.sometimes(Self::seconds),
        }
    }

    /// Rarely the last, which is refused.
    fn review(&mut self) -> u8 {
        let last = if self.one_in(8) { REVIEWS } else { REVIEWS - 1 };
        u8::try_from(self.below(last)).unwrap_or_default()
    }

    fn schedule(&mut self) -> ScheduleOf {
        let number = |g: &mut Self, bound: u64| u8::try_from(g.below(bound)).unwrap_or_default();
        ScheduleOf {
            name: number(self, SCHEDULES),
            rhythm: [0, 1, 2, 3, 5, 4, 6][self.index_of(&[6, 4, 2, 2, 2, 1, 1])],
            overlap: number(self, 3),
            missed: number(self, 3),
            queue: number(self, 3),
            kind: number(self, 2),
            ends: if self.one_in(5) { Some(30 + u16::from(self.small()) * 20) } else { None },
            paused: self.one_in(8),
        }
    }

    fn program(&mut self) -> u8 {
        u8::try_from(self.below(PROGRAMS)).unwrap_or_default()
    }

    /// Mostly a range that ends now, or begins before it ends; also one that does not.
    fn backfill(&mut self) -> Op {
        let (from, until) = (self.below(200), self.below(120) * self.below(2));
        let seconds = |seconds: u64| u16::try_from(seconds).unwrap_or_default();
        Op::Backfill(self.schedule().name, seconds(from), seconds(until))
    }

    fn ruling(&mut self) -> RulingOf {
        RulingOf {
            job: if self.one_in(4) { Some(self.job()) } else { None },
            decision: if self.one_in(3) { Decision::Decline } else { Decision::Accept },
            by_submitter: self.one_in(6),
            stale: self.one_in(8),
            edited: self.one_in(5),
        }
    }

    fn retention(&mut self) -> Retention {
        let keep = |g: &mut Self| g.sometimes(Self::span);
        Retention { completed: keep(self), cancelled: keep(self), dead: keep(self) }
    }
}

/// A job that is put back once another stands for its unique key.
fn taken_key() -> [Op; 4] {
    let keyed = |job| NewJobOf { job, unique: Some(Unique::key("taken")), ..NewJobOf::default() };
    [Op::Enqueue(vec![keyed(0)]), Op::Cancel(0), Op::Enqueue(vec![keyed(1)]), Op::Retry(0)]
}

/// A tick that waits for the job of the one before, which runs, and one that a pause left out.
fn held_tick() -> [Op; 10] {
    let schedule = ScheduleOf { overlap: 2, ..ScheduleOf::default() };
    let claim = ClaimOf { worker: 0, queue: None, kind: None, limit: 10, lease: LeaseTerm::Process };
    [
        Op::PutSchedule(schedule),
        Op::Advance(SECOND * 10),
        Op::Fire,
        Op::Claim(claim),
        Op::Advance(SECOND * 10),
        Op::Fire,
        Op::Schedules(1),
        Op::PauseSchedule(0),
        Op::Advance(SECOND * 10),
        Op::ResumeSchedule(0),
    ]
}

impl NewJobOf {
    /// The same, sometimes with a unique key; mostly without what cannot go together with it.
    fn with_key(mut self, g: &mut Generator) -> Self {
        if g.one_in(3) {
            let unique = g.unique();
            if !g.one_in(10) {
                self.gates = self.gates.filter(|_| !unique.replaces());
                self.review = self.review.filter(|_| !unique.replaces());
                self.due = self.due.filter(|_| !matches!(unique.on_conflict, OnConflict::Debounce { .. }));
            }
            self.unique = Some(unique);
        }
        self
    }
}
