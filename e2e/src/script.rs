//! What a job says of how its handlers are to end, where a scenario is about more than that they end.

use serde::{Deserialize, Serialize};
use windlass_core::{Args, Invalid};
use windlass_runtime::Job;

use crate::worker::KIND;

/// The args of a job. Without any, all goes well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Script {
    /// How many attempts at the work fail, those that are lost not counted.
    pub fails: u32,
    /// How many attempts fail at carrying out what a person decided.
    pub settle_fails: u32,
}

impl Script {
    /// What these args say.
    #[must_use]
    pub fn of(args: &Args) -> Self {
        args.decode().unwrap_or_default()
    }

    /// It as args.
    ///
    /// # Errors
    ///
    /// None that anybody has seen: it has a JSON form.
    pub fn args(&self) -> Result<Args, Invalid> {
        Args::of(self)
    }
}

impl Job for Script {
    const KIND: &'static str = KIND;
    type Output = String;
}
