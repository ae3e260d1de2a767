//! Answers as the model has them: for those who call from afar, and want what they would have been given nearby.
//!
//! A shape says all that its value says. What it says in words that this version does not know is refused, by the field.

mod explanation;
mod flow;
mod job;
mod lease;
mod operation;
mod queue;
mod review;
mod schedule;
mod upkeep;
mod worker;

use windlass_core::Invalid;

/// A word that this version does not know: of a newer one.
fn unknown(field: &str, word: &str) -> Invalid {
    Invalid::new(field, format!("{word:?} is not known to this version"))
}
