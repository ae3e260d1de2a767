//! Waiting for something to happen, without asking for it again and again.
//!
//! However many wait, there is one task that looks for all of them: when the store hints that there may be something, when
//! something is known to be due, and every now and then, for hints may be lost. It is there only while somebody waits.

mod claims;
mod ends;

pub(crate) use claims::{Claims, Unanswered};
pub(crate) use ends::Ends;

use std::time::Duration;

/// How often to look where nobody hints at anything: as often as workers in a program's own process do.
const LOOK_EVERY: Duration = Duration::from_secs(2);
