//! Every statement this store makes, one file each.
//!
//! A header names each parameter with its type, as in `--   $1  ids  uuid[]`; that is where the types come from that are
//! sent, so what a parameter is stands in one place.

use std::collections::HashMap;

use tokio_postgres::types::Type;

/// A statement, by its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    /// `lease/claim`.
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

macro_rules! statements {
    ($($noun:ident { $($name:ident = $file:literal),+ $(,)? })+) => {
        $(
            pub(crate) mod $noun {
                use super::Statement;
                $(
                    pub(crate) const $name: Statement = Statement {
                        name: concat!(stringify!($noun), "/", $file),
                        text: include_str!(concat!("../sql/", stringify!($noun), "/", $file, ".sql")),
                    };
                )+
            }
        )+

        /// Every one of them.
        const ALL: &[Statement] = &[$($($noun::$name),+),+];
    };
}

statements! {
    audit {
        LIST = "list",
        RECORD = "record",
    }
    edge {
        BLAME = "blame",
        BLOCK = "block",
        CLOSING = "closing",
        COUNT_DOWN = "count_down",
        INSERT = "insert",
        LIVE_CHILDREN = "live_children",
        LOCK_CHILDREN = "lock_children",
        LOCK_ENDED = "lock_ended",
        LOCK_OPEN = "lock_open",
        LOCK_PARENTS = "lock_parents",
        MAKE = "make",
        MARK_COMPLETED = "mark_completed",
        MARK_ENDED = "mark_ended",
        MARK_FAILED = "mark_failed",
        PARENTS_OF = "parents_of",
        RELEASE = "release",
        STANDING = "standing",
        UNBLOCK = "unblock",
        UNFINISHED = "unfinished",
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
        ADOPT = "adopt",
        AHEAD = "ahead",
        BAR = "bar",
        BOUND = "bound",
        BOUNDS = "bounds",
        CALL = "call",
        CANDIDATES = "candidates",
        DROP = "drop",
        DUE = "due",
        EMPTY = "empty",
        FIRST_IN_LINE = "first_in_line",
        FORGET = "forget",
        FORGETTABLE = "forgettable",
        HOLD = "hold",
        HOLDERS = "holders",
        JOB = "job",
        LOCK = "lock",
        LOCK_LEFT = "lock_left",
        LOCK_MET = "lock_met",
        LOOK = "look",
        MAKE = "make",
        MARK = "mark",
        NEXT = "next",
        NUMBER = "number",
        OPEN_AT = "open_at",
        OPEN_BY = "open_by",
        PARK = "park",
        PASS = "pass",
        RELEASE = "release",
        REPLACED = "replaced",
        SHOW = "show",
        STAND = "stand",
        STANDS = "stands",
        START = "start",
        STATES = "states",
        TURNS = "turns",
        UNBOUND = "unbound",
        WAITING = "waiting",
    }
    error {
        COUNT = "count",
        FORGET = "forget",
        KINDS = "kinds",
        LIST = "list",
        READ = "read",
    }
    import {
        ANSWERS = "answers",
        ARRIVALS = "arrivals",
        ATTEMPTS = "attempts",
        AUDIT = "audit",
        AUDITED = "audited",
        BLOCKED = "blocked",
        ERRORS = "errors",
        EVENTS = "events",
        FENCE = "fence",
        FORGET_MISSING = "forget_missing",
        JOBS = "jobs",
        KEYS = "keys",
        LINES = "lines",
        LOCK = "lock",
        MISSING_TOKENS = "missing_tokens",
        ORDER_REVIEWS = "order_reviews",
        PLACES = "places",
        QUEUE = "queue",
        REVIEWS = "reviews",
        TOKENS = "tokens",
        WORKERS = "workers",
    }
    job {
        ATTEMPTS = "attempts",
        DELETE = "delete",
        EDIT = "edit",
        ENDED = "ended",
        EVENTS = "events",
        EXISTS = "exists",
        FACTS = "facts",
        INSERT = "insert",
        INSERT_ALIKE = "insert_alike",
        INSERT_DRAWN = "insert_drawn",
        INSERT_ONE = "insert_one",
        KNOWN = "known",
        LAST_ATTEMPT = "last_attempt",
        LAST_SEQ = "last_seq",
        LIST = "list",
        LOCK = "lock",
        LOG = "log",
        LOOK = "look",
        READ = "read",
        RECORD_EVENT = "record_event",
        RESTORE = "restore",
        RETRY = "retry",
        RUN_NOW = "run_now",
        STOP = "stop",
    }
    lane {
        ALL = "all",
        MAKE = "make",
    }
    leader {
        LEAD = "lead",
        RESIGN = "resign",
    }
    lease {
        APPEND_LOG = "append_log",
        CANDIDATES = "candidates",
        CHECKPOINT = "checkpoint",
        CLAIM = "claim",
        CLAIM_GIVEN = "claim_given",
        CLAIM_LANE = "claim_lane",
        COMPLETE = "complete",
        COMPLETE_AT = "complete_at",
        COMPLETE_SPECIAL = "complete_special",
        EXTEND = "extend",
        FINISH = "finish",
        FORGET_CLAIMS = "forget_claims",
        PROGRESS = "progress",
        RECORD_ATTEMPTS = "record_attempts",
        RETURN = "return",
    }
    maintenance {
        DAYS_OVER = "days_over",
        DROP_DAY = "drop_day",
        EXPIRED_LEASES = "expired_leases",
        EXPIRED_WORKERS = "expired_workers",
        FAULTS = "faults",
        FORGET_CLAIMS = "forget_claims",
        FORGET_WORKERS = "forget_workers",
        MAKE_DAYS = "make_days",
        MISSED_DEADLINES = "missed_deadlines",
        PRUNE_COMPLETED = "prune_completed",
        PRUNE_FAILED = "prune_failed",
        PRUNE_REST = "prune_rest",
        RESCUABLE = "rescuable",
        STATUS = "status",
        SUMMARISE = "summarise",
        SWEEP_DAY = "sweep_day",
        VACUUMABLE = "vacuumable",
        WARNINGS = "warnings",
    }
    notice {
        TELL = "tell",
    }
    operation {
        BEGIN = "begin",
        DROP = "drop",
        FORGET = "forget",
        FREE = "free",
        GUARD = "guard",
        LIST = "list",
        LOCK = "lock",
        OPEN = "open",
        PIECE = "piece",
        READ = "read",
        SELECT = "select",
        WRITE = "write",
    }
    queue {
        COUNTS = "counts",
        KEEP = "keep",
        KEEP_NO_LONGER = "keep_no_longer",
        LIST = "list",
        PAUSE = "pause",
        PAUSED = "paused",
        RESUME = "resume",
        RETENTIONS = "retentions",
    }
    review {
        ASK_ABOUT_OUTCOME = "ask_about_outcome",
        ASK_ABOUT_START = "ask_about_start",
        CLOSE = "close",
        DECISIONS = "decisions",
        DUE = "due",
        LIST = "list",
        READ = "read",
        RECORD_EVENTS = "record_events",
        REMIND = "remind",
        RULE = "rule",
        SETTLE = "settle",
        SINCE = "since",
        STAGED = "staged",
        START = "start",
        TOUCH = "touch",
        WORK = "work",
    }
    schedule {
        AMEND_FIRING = "amend_firing",
        DELETE = "delete",
        DUE = "due",
        EVENTS = "events",
        FIRE = "fire",
        FIRINGS = "firings",
        FORGET_FIRINGS = "forget_firings",
        GUARD = "guard",
        KEEP = "keep",
        LIST = "list",
        LOCK = "lock",
        LOCK_PROGRAM = "lock_program",
        PUT_OFF = "put_off",
        READ = "read",
        RECORD_EVENT = "record_event",
        RECORD_FIRINGS = "record_firings",
    }
    token {
        CREATE = "create",
        LIST = "list",
        READ = "read",
        REVOKE = "revoke",
        USE = "use",
    }
    unique {
        ADJUST = "adjust",
        FOLLOWERS = "followers",
        FORGET = "forget",
        FORGET_ANSWERS = "forget_answers",
        FREE = "free",
        KEEP = "keep",
        KNOWN = "known",
        LOCK = "lock",
        OF_JOBS = "of_jobs",
        RELEASE = "release",
        REMEMBER = "remember",
        REPLACE = "replace",
        STATES = "states",
        TAKE = "take",
        WAITED_FOR = "waited_for",
        WRITE = "write",
    }
    worker {
        BEAT = "beat",
        HELD = "held",
        HELD_TOKENS = "held_tokens",
        HERE = "here",
        KNOWN = "known",
        LEASES = "leases",
        LEAVE = "leave",
        LIST = "list",
        REGISTER = "register",
        WAKE = "wake",
    }
}

/// The schema that statements are written for.
pub(crate) const SCHEMA: &str = "windlass";

/// A statement as it is sent: for the schema in use, with the types of its parameters.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) text: String,
    pub(crate) types: Vec<Type>,
}

/// Every statement, for one schema.
#[derive(Debug)]
pub(crate) struct Statements(HashMap<&'static str, Ready>);

impl Statements {
    pub(crate) fn for_schema(schema: &str) -> Self {
        let ready = |statement: &Statement| Ready {
            text: in_schema(body(statement.text), schema),
            types: types(statement),
        };
        Self(ALL.iter().map(|statement| (statement.name, ready(statement))).collect())
    }

    pub(crate) fn get(&self, statement: Statement) -> &Ready {
        &self.0[statement.name]
    }
}

/// The same text for another schema.
pub(crate) fn in_schema(text: &str, schema: &str) -> String {
    if schema == SCHEMA {
        return text.to_owned();
    }
    let quoted = format!("\"{}\".", schema.replace('"', "\"\""));
    text.replace("windlass.", &quoted)
}

/// The statement without its header, which the server need not read each time.
fn body(text: &str) -> &str {
    let header: usize =
        text.split_inclusive('\n').take_while(|line| line.starts_with("--")).map(str::len).sum();
    &text[header..]
}

/// What the header says of its parameters.
fn types(statement: &Statement) -> Vec<Type> {
    let parameters = statement.text.lines().filter_map(|line| line.strip_prefix("--   $"));
    parameters
        .map(|line| {
            let name = line.split_whitespace().nth(2).map(|word| word.trim_end_matches([',', ';']));
            name.and_then(type_named).unwrap_or_else(|| panic!("{}: what type is {line}?", statement.name))
        })
        .collect()
}

fn type_named(name: &str) -> Option<Type> {
    Some(match name {
        "bigint" => Type::INT8,
        "bigint[]" => Type::INT8_ARRAY,
        "bool" => Type::BOOL,
        "boolean[]" => Type::BOOL_ARRAY,
        "bytea" => Type::BYTEA,
        "bytea[]" => Type::BYTEA_ARRAY,
        "integer" => Type::INT4,
        "integer[]" => Type::INT4_ARRAY,
        "smallint" => Type::INT2,
        "smallint[]" => Type::INT2_ARRAY,
        "tid[]" => Type::TID_ARRAY,
        "text" => Type::TEXT,
        "text[]" => Type::TEXT_ARRAY,
        "timestamptz" => Type::TIMESTAMPTZ,
        "timestamptz[]" => Type::TIMESTAMPTZ_ARRAY,
        "uuid" => Type::UUID,
        "uuid[]" => Type::UUID_ARRAY,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
