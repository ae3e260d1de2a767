//! What the store does to itself on a real server: days made and dropped, dead rows swept up, orders summarised, and what it
//! says is wrong.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

mod retention;
mod status;
mod summaries;
mod town;
