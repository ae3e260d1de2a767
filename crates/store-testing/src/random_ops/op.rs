//! The operations of the port, with jobs, workers and tokens named by small numbers.

use std::fmt;
use std::time::Duration;

use windlass_core::{Priority, Unique, Verdict};
use windlass_store::{LeaseTerm, Retention};

use super::edits::EditOf;
use super::reviews::RulingOf;
use super::schedules::ScheduleOf;

/// How many jobs a sequence knows. Few, so that operations meet.
pub(crate) const JOBS: u64 = 8;
pub(crate) const WORKERS: u64 = 3;
pub(crate) const QUEUES: [&str; 3] = ["x", "y", "z"];
pub(crate) const KINDS: [&str; 2] = ["a", "b"];

/// One call, or a step of the clock.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Advance(Duration),
    SetBack(Duration),
    Enqueue(Vec<NewJobOf>),
    EnqueueUnder(TokenOf, Vec<NewJobOf>),
    Job(u8),
    Jobs {
        filter: FilterOf,
        limit: u32,
    },
    Attempts(u8),
    Logs {
        job: u8,
        limit: u32,
    },
    Events(u8),
    Parents {
        job: u8,
        limit: u32,
    },
    Children {
        job: u8,
        limit: u32,
    },
    Inputs(u8),
    Flow(u8),
    ErrorTree(u8),
    CancelFlow(u8),
    RetryFlow(u8),
    DeleteFlow(u8),
    Cancel(u8),
    Retry(u8),
    RunNow(u8),
    Edit(u8, EditOf),
    Delete(u8),
    Turn {
        settlements: Vec<(TokenOf, Verdict)>,
        claim: Option<ClaimOf>,
    },
    Settle(TokenOf, Verdict),
    Claim(ClaimOf),
    ClaimJob {
        worker: u8,
        job: u8,
        lease: LeaseTerm,
    },
    Extend(TokenOf),
    Holder(TokenOf),
    Progress(TokenOf, u8),
    Checkpoint(TokenOf, u8),
    Log(TokenOf, Vec<u16>),
    Register {
        worker: u8,
        lease: Duration,
    },
    Beat(u8),
    Deregister(u8),
    Workers(Duration),
    Leases(Duration),
    /// The bounds of a queue, or of a kind from the fourth on, by their number.
    Bound(u8, u8),
    Explain(u8),
    /// How long finished jobs of a queue are kept; none for ever.
    Keep(u8, Retention),
    Errors,
    Audit,
    Redrive,
    Rerun {
        job: u8,
        copy: u8,
    },
    Pause(u8),
    Resume(u8),
    Queues,
    Decide(RulingOf),
    Review(u8),
    Reviews(u32),
    PutSchedule(ScheduleOf),
    Declare(u8, Vec<ScheduleOf>),
    PauseSchedule(u8),
    ResumeSchedule(u8),
    DeleteSchedule(u8),
    /// A schedule, and the job to be made.
    RunSchedule(u8, u8),
    /// A schedule, and how many seconds ago the range begins and ends.
    Backfill(u8, u16, u16),
    Schedules(u32),
    /// A schedule, and how many firings to read at a time.
    Firings(u8, u32),
    ScheduleEvents(u8),
    Fire,
    Rescue,
    Prune(Retention),
    Tidy,
    Lead(u8),
    Resign(u8),
    Status,
    Check,
}

/// A job to be enqueued; where a field is none, it is left at its default.
#[derive(Clone, Default)]
pub(crate) struct NewJobOf {
    pub(crate) job: u8,
    pub(crate) queue: u8,
    pub(crate) kind: u8,
    pub(crate) version: Option<u32>,
    pub(crate) priority: Option<Priority>,
    /// Seconds from now, also in the past.
    pub(crate) due: Option<i32>,
    pub(crate) deadline: Option<i32>,
    pub(crate) attempts_max: Option<u32>,
    pub(crate) losses_max: Option<u32>,
    /// Seconds between attempts.
    pub(crate) retry: Option<u64>,
    pub(crate) tag: Option<u8>,
    /// Who is told of its end: a bit for each of two, and one for "only if it is dead".
    pub(crate) notify: Option<u8>,
    pub(crate) unique: Option<Unique>,
    /// Which of [`ask_for`](super::gates::ask_for) it needs.
    pub(crate) gates: Option<u8>,
    /// Which of [`ask_for`](super::reviews::ask_for) it asks for.
    pub(crate) review: Option<u8>,
    /// The jobs that it waits for, each with whether any of their ends will do.
    pub(crate) after: Option<Vec<(u8, bool)>>,
}

/// Which token: one of the last that were given (0 the very last), that of an attempt of a job before its newest, or
/// one that nobody was given.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TokenOf {
    Recent(u8),
    Earlier(u8),
    Forged(u8),
}

/// A claim; where a field is none, it is not narrowed.
#[derive(Clone)]
pub(crate) struct ClaimOf {
    pub(crate) worker: u8,
    pub(crate) queue: Option<u8>,
    /// A kind, and the newest version of it.
    pub(crate) kind: Option<(u8, u32)>,
    pub(crate) limit: u32,
    pub(crate) lease: LeaseTerm,
}

#[derive(Clone, Default)]
pub(crate) struct FilterOf {
    pub(crate) state: Option<u8>,
    pub(crate) queue: Option<u8>,
    pub(crate) kind: Option<u8>,
    pub(crate) tag: Option<u8>,
    /// Only those that nobody waits for.
    pub(crate) roots: Option<bool>,
    /// At least this many seconds old, counted from now.
    pub(crate) since: Option<i32>,
}

/// Shows the fields that are not the default: a script is to be read.
macro_rules! terse {
    ($type:ident: $($always:ident),*; $($optional:ident),*) => {
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut shown = f.debug_struct(stringify!($type));
                $(shown.field(stringify!($always), &self.$always);)*
                $(if let Some(value) = &self.$optional { shown.field(stringify!($optional), value); })*
                shown.finish()
            }
        }
    };
}

terse!(NewJobOf: job, queue, kind; version, priority, due, deadline, attempts_max, losses_max, retry, tag, gates, unique, review, notify, after);
terse!(ClaimOf: worker, limit, lease; queue, kind);
terse!(FilterOf: ; state, queue, kind, tag, since, roots);

impl Op {
    /// Its name, by which it is counted.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Advance(_) => "advance",
            Self::SetBack(_) => "set back",
            Self::Enqueue(_) => "enqueue",
            Self::EnqueueUnder(..) => "enqueue under",
            Self::Job(_) => "job",
            Self::Jobs { .. } => "jobs",
            Self::Attempts(_) => "attempts",
            Self::Logs { .. } => "logs",
            Self::Events(_) => "events",
            Self::Parents { .. } => "parents",
            Self::Children { .. } => "children",
            Self::Inputs(_) => "inputs",
            Self::Flow(_) => "flow",
            Self::ErrorTree(_) => "error_tree",
            Self::CancelFlow(_) => "cancel_flow",
            Self::RetryFlow(_) => "retry_flow",
            Self::DeleteFlow(_) => "delete_flow",
            Self::Cancel(_) => "cancel",
            Self::Retry(_) => "retry",
            Self::RunNow(_) => "run_now",
            Self::Edit(_, EditOf { snoozes: true, .. }) => "snooze",
            Self::Edit(..) => "edit",
            Self::Delete(_) => "delete",
            Self::Turn { .. } => "turn",
            Self::Settle(..) => "settle",
            Self::Claim(_) => "claim",
            Self::ClaimJob { .. } => "claim_job",
            Self::Extend(_) => "extend",
            Self::Holder(_) => "holder",
            Self::Progress(..) => "progress",
            Self::Checkpoint(..) => "checkpoint",
            Self::Log(..) => "log",
            Self::Register { .. } => "register",
            Self::Beat(_) => "beat",
            Self::Deregister(_) => "deregister",
            Self::Workers(_) => "workers",
            Self::Leases(_) => "leases",
            Self::Bound(..) => "bound",
            Self::Explain(_) => "explain",
            Self::Keep(..) => "keep",
            Self::Errors => "errors",
            Self::Audit => "audit",
            Self::Redrive => "redrive",
            Self::Rerun { .. } => "rerun",
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Queues => "queues",
            Self::Decide(_) => "decide",
            Self::Review(_) => "review",
            Self::Reviews(_) => "reviews",
            Self::PutSchedule(_) => "put schedule",
            Self::Declare(..) => "declare",
            Self::PauseSchedule(_) => "pause schedule",
            Self::ResumeSchedule(_) => "resume schedule",
            Self::DeleteSchedule(_) => "delete schedule",
            Self::RunSchedule(..) => "run schedule",
            Self::Backfill(..) => "backfill",
            Self::Schedules(_) => "schedules",
            Self::Firings(..) => "firings",
            Self::ScheduleEvents(_) => "schedule events",
            Self::Fire => "fire",
            Self::Rescue => "rescue",
            Self::Prune(_) => "prune",
            Self::Tidy => "tidy",
            Self::Lead(_) => "lead",
            Self::Resign(_) => "resign",
            Self::Status => "status",
            Self::Check => "check",
        }
    }
}
