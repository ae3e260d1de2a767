//! Every statement this store makes, one file each.

macro_rules! statements {
    ($($noun:ident { $($name:ident = $file:literal),+ $(,)? })+) => {
        $(
            pub(crate) mod $noun {
                $(pub(crate) const $name: &str = include_str!(concat!("../sql/", stringify!($noun), "/", $file, ".sql"));)+
            }
        )+

        /// Each statement with its name, for the test that prepares them all.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$($((concat!(stringify!($noun), "/", $file), $noun::$name)),+),+];
    };
}

statements! {
    job {
        ATTEMPTS = "attempts",
        CANCEL = "cancel",
        COUNT_KNOWN = "count_known",
        DELETE = "delete",
        DELETE_ATTEMPTS = "delete_attempts",
        DELETE_EVENTS = "delete_events",
        DELETE_LOG = "delete_log",
        ERROR = "error",
        EVENTS = "events",
        EXISTS = "exists",
        FACTS = "facts",
        INSERT = "insert",
        INSERT_32 = "insert_32",
        LAST_ATTEMPT = "last_attempt",
        LIST = "list",
        LOG = "log",
        READ = "read",
        RECORD_EVENT = "record_event",
        RETRY = "retry",
        RUN_NOW = "run_now",
    }
    lane {
        INSERT = "insert",
        NEWER = "newer",
        QUEUE_OF = "queue_of",
    }
    leader {
        KEEP = "keep",
        READ = "read",
    }
    lease {
        APPEND_LOG = "append_log",
        CANDIDATES = "candidates",
        CHECKPOINT = "checkpoint",
        CLAIM = "claim",
        CLOSE = "close",
        COMPLETE = "complete",
        COUNT_LOG = "count_log",
        DROP = "drop",
        END = "end",
        KEEP = "keep",
        NEXT_DUE = "next_due",
        PROGRESS = "progress",
        READ_CANDIDATES = "read_candidates",
        READ_TOKENS = "read_tokens",
        RECORD_ATTEMPT = "record_attempt",
        RESULT = "result",
        STOPPING = "stopping",
    }
    maintenance {
        DEADLINE = "deadline",
        DROP_DEADLINE = "drop_deadline",
        EXPIRE = "expire",
        EXPIRED_LEASES = "expired_leases",
        EXPIRED_WORKERS = "expired_workers",
        FAULTS = "faults",
        FORGET_WORKERS = "forget_workers",
        HELD_BY_PROCESS = "held_by_process",
        MISSED_DEADLINES = "missed_deadlines",
        PRUNABLE = "prunable",
        WATCH_DEADLINE = "watch_deadline",
    }
    moved {
        BEGIN = "begin",
        CLEAR = "clear",
        FINISH = "finish",
        HELD = "held",
        READ = "read",
    }
    queue {
        COUNTS = "counts",
        EXISTS = "exists",
        LIST = "list",
        PAUSE = "pause",
        PAUSED = "paused",
        RESUME = "resume",
    }
    schema {
        TABLES = "tables",
    }
    worker {
        BEAT = "beat",
        HELD = "held",
        HELD_TOKENS = "held_tokens",
        HERE = "here",
        HOLDS = "holds",
        HOLDS_RUNNING = "holds_running",
        KNOWN = "known",
        LEASES = "leases",
        LEAVE = "leave",
        LIST = "list",
        REGISTER = "register",
        STOP = "stop",
    }
}

#[cfg(test)]
mod tests;
