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
    audit {
        LIST = "list",
        RECORD = "record",
    }
    edge {
        BLOCK = "block",
        BLOCK_ALL = "block_all",
        BLOCKED_BY = "blocked_by",
        BLOCKED_CHILDREN = "blocked_children",
        CLOSE = "close",
        COUNT_CHILDREN = "count_children",
        DELETE_OTHERS = "delete_others",
        DELETE_OWN = "delete_own",
        INSERT = "insert",
        LIVE_CHILD = "live_child",
        MARK_PARENTS = "mark_parents",
        PARENTS_OF = "parents_of",
        PLACES = "places",
        RELEASE = "release",
        STANDING = "standing",
    }
    error {
        COUNT = "count",
        FORGET = "forget",
        KIND_OF = "kind_of",
        LIST = "list",
        READ = "read",
    }
    flow {
        CHILDREN = "children",
        EDGES = "edges",
        INPUTS = "inputs",
        JOBS = "jobs",
        PARENTS = "parents",
        REACH = "reach",
    }
    gate {
        AHEAD = "ahead",
        ARRIVALS = "arrivals",
        BOUND = "bound",
        BOUNDS = "bounds",
        CALL = "call",
        CROWD = "crowd",
        DUE = "due",
        EMPTY = "empty",
        FAULTS = "faults",
        FIRST = "first",
        FIRST_IN_LINE = "first_in_line",
        FORGET = "forget",
        FREE = "free",
        GIVE_BACK = "give_back",
        HOLD = "hold",
        HOLDERS = "holders",
        JOB = "job",
        LAST_NUMBER = "last_number",
        LEAVE = "leave",
        LINE = "line",
        LOOK = "look",
        MAKE = "make",
        MARK = "mark",
        NAME = "name",
        NEXT_LANE = "next_lane",
        NUMBER = "number",
        OPEN_AT = "open_at",
        OPEN_BY = "open_by",
        OPENED = "opened",
        OPENING = "opening",
        ORDER_KEY = "order_key",
        PARK = "park",
        PASS = "pass",
        RUNNING = "running",
        SET_ORDER = "set_order",
        STAND = "stand",
        STANDS = "stands",
        START = "start",
        TURN = "turn",
        UNBOUND = "unbound",
        UNPARK = "unpark",
    }
    job {
        ATTEMPTS = "attempts",
        CANCEL = "cancel",
        COUNT_KNOWN = "count_known",
        DELETE = "delete",
        DELETE_ATTEMPTS = "delete_attempts",
        DELETE_EVENTS = "delete_events",
        DELETE_LOG = "delete_log",
        EDIT = "edit",
        ERROR = "error",
        EVENTS = "events",
        EXISTS = "exists",
        FACTS = "facts",
        INSERT = "insert",
        INSERT_32 = "insert_32",
        KNOWN = "known",
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
    operation {
        BEGIN = "begin",
        DROP = "drop",
        FORGET = "forget",
        FREE = "free",
        LIST = "list",
        OPEN = "open",
        PIECE = "piece",
        READ = "read",
        SELECT = "select",
        WRITE = "write",
    }
    queue {
        COUNTS = "counts",
        EXISTS = "exists",
        KEEP = "keep",
        KEEP_NO_LONGER = "keep_no_longer",
        LIST = "list",
        PAUSE = "pause",
        PAUSED = "paused",
        RESUME = "resume",
        RETENTIONS = "retentions",
    }
    schedule {
        AMEND_FIRING = "amend_firing",
        AT_FAULT = "at_fault",
        DELETE = "delete",
        DELETE_FIRINGS = "delete_firings",
        DROP_FIRING = "drop_firing",
        DUE = "due",
        EVENTS = "events",
        FIRINGS = "firings",
        FORGET_EVENTS = "forget_events",
        FORGET_FIRINGS = "forget_firings",
        HAS_FIRED = "has_fired",
        KEEP = "keep",
        LIST = "list",
        NEXT = "next",
        OF_PROGRAM = "of_program",
        OLDEST_KEPT = "oldest_kept",
        READ = "read",
        RECORD_EVENT = "record_event",
        RECORD_FIRING = "record_firing",
    }
    review {
        ASK = "ask",
        CLOSE = "close",
        DECISION = "decision",
        DELETE = "delete",
        DUE = "due",
        HOLD = "hold",
        LIST = "list",
        READ = "read",
        REMIND = "remind",
        RESUME = "resume",
        RULE = "rule",
        SETTLE = "settle",
        SINCE = "since",
        STAGED = "staged",
        START = "start",
        TOUCH = "touch",
        WITHDRAW = "withdraw",
        WORK = "work",
    }
    schema {
        TABLES = "tables",
    }
    token {
        CREATE = "create",
        LIST = "list",
        NAMED = "named",
        READ = "read",
        REVOKE = "revoke",
        USE = "use",
    }
    unique {
        ADJUST = "adjust",
        ANSWERED = "answered",
        ANSWERS = "answers",
        FORGET = "forget",
        FORGET_ANSWERS = "forget_answers",
        FREE = "free",
        NEXT = "next",
        OF_JOB = "of_job",
        READ = "read",
        RELEASE = "release",
        REMEMBER = "remember",
        REPLACE = "replace",
        TAKEN = "taken",
        WRITE = "write",
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
