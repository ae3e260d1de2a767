//! The operations of the port, with jobs, workers and tokens named by small numbers.

use std::fmt;
use std::time::Duration;

use windlass_core::{Priority, Verdict};
use windlass_store::{LeaseTerm, Retention};

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
    Job(u8),
    Jobs { filter: FilterOf, limit: u32 },
    Attempts(u8),
    Logs { job: u8, limit: u32 },
    Events(u8),
    Cancel(u8),
    Retry(u8),
    RunNow(u8),
    Delete(u8),
    Turn { settlements: Vec<(TokenOf, Verdict)>, claim: Option<ClaimOf> },
    Settle(TokenOf, Verdict),
    Claim(ClaimOf),
    ClaimJob { worker: u8, job: u8, lease: LeaseTerm },
    Extend(TokenOf),
    Holder(TokenOf),
    Progress(TokenOf, u8),
    Checkpoint(TokenOf, u8),
    Log(TokenOf, Vec<u16>),
    Register { worker: u8, lease: Duration },
    Beat(u8),
    Deregister(u8),
    Workers(Duration),
    Leases(Duration),
    Pause(u8),
    Resume(u8),
    Queues,
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

terse!(NewJobOf: job, queue, kind; version, priority, due, deadline, attempts_max, losses_max, retry, tag);
terse!(ClaimOf: worker, limit, lease; queue, kind);
terse!(FilterOf: ; state, queue, kind, tag, since);

impl Op {
    /// Its name, by which it is counted.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Advance(_) => "advance",
            Self::SetBack(_) => "set back",
            Self::Enqueue(_) => "enqueue",
            Self::Job(_) => "job",
            Self::Jobs { .. } => "jobs",
            Self::Attempts(_) => "attempts",
            Self::Logs { .. } => "logs",
            Self::Events(_) => "events",
            Self::Cancel(_) => "cancel",
            Self::Retry(_) => "retry",
            Self::RunNow(_) => "run_now",
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
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Queues => "queues",
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
