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

/// Longest log line, in bytes; what is longer is cut, and the cut is marked.
pub const LOG_LINE_BYTES_MAX: usize = 4 * 1024;

/// Log bytes that are kept of one job. The line that crosses it is replaced by a mark, and no later one is kept.
pub const LOG_BYTES_MAX: usize = 1024 * 1024;

/// Longest progress message, in bytes.
pub const PROGRESS_BYTES_MAX: usize = 1024;

/// Most jobs in one call of enqueue: one transaction of bounded size.
pub const ENQUEUE_BATCH_MAX: usize = 10_000;

/// Most jobs in one claim: what one worker can hold without starving others.
pub const CLAIM_BATCH_MAX: u32 = 10_000;

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
