//! Every bound in one place, each with the reason for its value.

use std::time::Duration;

/// Longest name of a queue or a kind, in bytes: long enough for a path of namespaces, short enough for a table cell.
pub const NAME_BYTES_MAX: usize = 128;

/// Longest tag, in bytes.
pub const TAG_BYTES_MAX: usize = 128;

/// Most tags on one job: they are for search, and more than this is data that belongs in the args.
pub const TAGS_MAX: usize = 32;

/// Largest `meta` map of one job, in bytes of JSON: it travels with every claim.
pub const META_BYTES_MAX: usize = 16 * 1024;

/// Longest `tracestate` that is kept, in bytes: as much as everybody who hands one on has to keep of it.
pub const TRACE_STATE_BYTES_MAX: usize = 512;

/// Deepest nesting of JSON that is accepted. Parsers that recurse, here and in any worker, stay far from their
/// stack's end (`serde_json` itself stops at 128).
pub const JSON_DEPTH_MAX: usize = 100;

/// The most that [`Limits::args_bytes_max`] can be raised to: whole payloads are held in memory while they run.
pub const PAYLOAD_BYTES_CEILING: usize = 16 * 1024 * 1024;

/// Longest error message that is kept, in bytes; what is longer is cut, and the cut is marked.
pub const ERROR_BYTES_MAX: usize = 4 * 1024;

/// Longest backtrace that is kept, in bytes.
pub const BACKTRACE_BYTES_MAX: usize = 16 * 1024;

/// Most causes of one error that are kept.
pub const ERROR_CHAIN_MAX: usize = 16;

/// Longest message of a group of errors, in bytes.
pub const ERROR_GROUP_MESSAGE_BYTES_MAX: usize = 512;

/// How many groups of errors are kept, those seen last: more than these are not errors of one kind each, but messages that
/// differ each time.
pub const ERROR_GROUPS_KEPT: u32 = 10_000;

/// Longest log line, in bytes; what is longer is cut, and the cut is marked.
pub const LOG_LINE_BYTES_MAX: usize = 4 * 1024;

/// Log bytes that are kept of one job. The line that crosses it is replaced by a mark, and no later one is kept.
pub const LOG_BYTES_MAX: usize = 1024 * 1024;

/// Longest progress message, in bytes.
pub const PROGRESS_BYTES_MAX: usize = 1024;

/// Most jobs in one call of enqueue: one transaction of bounded size.
pub const ENQUEUE_BATCH_MAX: usize = 10_000;

/// Most jobs that one job may wait for: as many as one call can make, so that one job can wait for all the others of its batch.
pub const EDGES_PER_JOB_MAX: usize = ENQUEUE_BATCH_MAX;

/// Most edges in one call of enqueue: ten for each job of the largest batch.
pub const EDGES_BATCH_MAX: usize = 100_000;

/// Most jobs of a flow that are shown at once, and that one call changes: as many as one call can make.
pub const FLOW_JOBS_MAX: usize = ENQUEUE_BATCH_MAX;

/// Most edges of a flow that are shown at once.
pub const FLOW_EDGES_MAX: usize = EDGES_BATCH_MAX;

/// Most jobs in one error tree: beyond it, nobody reads on.
pub const ERROR_TREE_MAX: usize = 100;

/// Most jobs in one claim: what one worker can hold without starving others.
pub const CLAIM_BATCH_MAX: u32 = 10_000;

/// The longest that finished jobs of a queue can be kept for a time: longer is for ever.
pub const RETENTION_MAX: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// Most rows in one page of a list.
pub const PAGE_MAX: u32 = 500;

/// The number that stands for "no bound" on attempts. It must be asked for; nothing defaults to it.
pub const ATTEMPTS_UNLIMITED: u32 = u32::MAX;

/// Total starts that may end in failure, unless a job says otherwise.
pub const ATTEMPTS_MAX_DEFAULT: u32 = 8;

/// Lost attempts that are forgiven, unless a job says otherwise: the third loss is poison.
pub const LOSSES_MAX_DEFAULT: u32 = 2;

/// How long a lease holds between heartbeats, unless a worker says otherwise.
pub const LEASE_DEFAULT: Duration = Duration::from_secs(30);

/// The shortest lease: below this, an ordinary pause of a process would look like its death.
pub const LEASE_MIN: Duration = Duration::from_millis(100);

/// The longest lease: a job held longer than this without a heartbeat is taken back.
pub const LEASE_MAX: Duration = Duration::from_secs(60 * 60);

/// The longest wait that a retry policy or a snooze may ask for: longer is more likely a mistake in units.
pub const DELAY_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Most steps of a `list` retry policy.
pub const RETRY_STEPS_MAX: usize = 64;

/// Longest unique key, in bytes: what is longer is data, and its digest is a better key.
pub const UNIQUE_KEY_BYTES_MAX: usize = 512;

/// How long it is remembered what was answered to a job that met another with its unique key: whoever asks again because
/// the outcome was unknown does so long before.
pub const ANSWER_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Most targets that are told of the end of one job: more people than this are a mailing list.
pub const NOTIFY_MAX: usize = 8;

/// Longest URL that a notice goes to, in bytes: what servers take without a thought.
pub const URL_BYTES_MAX: usize = 2048;

/// Longest mail address, in bytes, and the most of it before the `@`: what SMTP allows (RFC 5321).
pub const MAIL_BYTES_MAX: usize = 254;
/// See [`MAIL_BYTES_MAX`].
pub const MAIL_LOCAL_BYTES_MAX: usize = 64;

/// Longest name of a host, in bytes, and of a label between its dots: what the domain name system allows (RFC 1035).
pub const HOST_BYTES_MAX: usize = 253;
/// See [`HOST_BYTES_MAX`].
pub const HOST_LABEL_BYTES_MAX: usize = 63;

/// Total starts of a notice that may end in failure.
pub const NOTICE_ATTEMPTS_MAX: u32 = 10;

/// Total starts of what follows a decision of a person that may end in failure: with the wait of [`SETTLE_RETRY_DEFAULT`]
/// more than a day, because whoever decided has gone home and takes it for done.
pub const SETTLE_ATTEMPTS_MAX_DEFAULT: u32 = 200;

/// How long to wait after each of those failures.
pub const SETTLE_RETRY_DEFAULT: Duration = Duration::from_secs(10 * 60);

/// Most reminders of one decision: who has ignored so many ignores the next one too.
pub const REMINDERS_MAX: u32 = 100;

/// The shortest time between two reminders of a decision: more often is noise that nobody reads.
pub const REMIND_EVERY_MIN: Duration = Duration::from_secs(60);

/// Longest error message in a notice, in bytes: the rest can be read with the job.
pub const NOTICE_ERROR_BYTES_MAX: usize = 1024;

/// Longest cron expression, in bytes: lists of every minute of an hour fit.
pub const EXPRESSION_BYTES_MAX: usize = 512;

/// The shortest time between two ticks of a schedule: what has to happen more often is a loop in one job.
pub const EVERY_MIN: Duration = Duration::from_secs(1);

/// The most that a schedule's jobs may be spread after their ticks.
pub const JITTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Most missed ticks that a schedule makes up for at once.
pub const CATCH_UP_MAX: u32 = 1_000;

/// How late a tick may be fired and still be on time. A leader that dies is followed after five seconds, a database that
/// is started anew is back within a minute: what is older than this was missed.
pub const LATE_MAX: Duration = Duration::from_secs(60);

/// Most ticks that are counted where many are skipped at once: beyond it the number says nothing, and counting takes
/// time.
pub const SKIPPED_COUNT_MAX: u32 = 1_000;

/// Most ticks in one preview, and in one backfill: one transaction of bounded size.
pub const TICKS_MAX: u32 = 1_000;

/// Most schedules that one program may declare.
pub const SCHEDULES_DECLARED_MAX: usize = 1_000;

/// How many firings of a schedule are kept, those of the newest ticks. Every second of almost three hours, or thirty years
/// of nights.
pub const FIRINGS_KEPT: u32 = 10_000;

/// How many changes by hand are kept of a schedule, the newest ones.
pub const SCHEDULE_EVENTS_KEPT: u32 = 100;

/// Longest name of a resource, a keyed limit, a keyed rate or an order key, in bytes: long enough for a path or a URL.
pub const GATE_NAME_BYTES_MAX: usize = 256;

/// Most locks, limits or rates of one job, of each: every one is asked at each claim.
pub const GATES_MAX: usize = 16;

/// Most starts that a rate may let through at once.
pub const RATE_BURST_MAX: u32 = 1_000_000;

/// How long a resource that is free is kept for those in line for it: above the interval at which workers look by
/// themselves, so that each of them has had its chance; below what anyone would call a standstill.
pub const LINE_GRACE: Duration = Duration::from_secs(10);

/// Most jobs of one lane that a gate calls at a time. Those behind them are called as these start.
pub const CALLED_MAX: usize = 100;

/// Most jobs that one claim parks: everyone else waits for it meanwhile.
pub const PARKED_PER_CLAIM_MAX: usize = 1_000;

/// Most holders of a gate that an explanation names, and most jobs that it counts before one.
pub const HOLDERS_TOLD_MAX: usize = 10;
/// See [`HOLDERS_TOLD_MAX`].
pub const AHEAD_COUNT_MAX: usize = 1_000;

/// The bounds an operator may change, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest args of one job, in bytes. Default 256 KiB: a queue is for work, not for files.
    pub args_bytes_max: usize,
    /// Largest result or checkpoint of one job, in bytes. Default 256 KiB.
    pub result_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { args_bytes_max: 256 * 1024, result_bytes_max: 256 * 1024 }
    }
}

impl Limits {
    /// The same limits with room for args and results of `bytes`, at most [`PAYLOAD_BYTES_CEILING`].
    #[must_use]
    pub fn with_payload_bytes_max(bytes: usize) -> Self {
        let bytes = bytes.min(PAYLOAD_BYTES_CEILING);
        Self { args_bytes_max: bytes, result_bytes_max: bytes }
    }
}
