//! From stored args to a job.

use windlass_core::AttemptError;
use windlass_store::LeasedJob;

use crate::{Job, panics};

/// Reads the args of a leased job, raising an older version step by step.
///
/// # Errors
///
/// What is wrong with them. A panic of the job's own decoding is such an error too.
pub(crate) fn decode<J: Job>(leased: &LeasedJob) -> Result<J, AttemptError> {
    let decoded = if leased.version == J::VERSION {
        panics::guard(|| leased.args.decode().map_err(|error| error.to_string()))?
    } else {
        panics::guard(|| upcast(leased))?
    };
    decoded.map_err(|problem| {
        AttemptError::new(format!(
            "the args cannot be read as version {} of {:?}: {problem}",
            J::VERSION,
            J::KIND
        ))
    })
}

fn upcast<J: Job>(leased: &LeasedJob) -> Result<J, String> {
    let mut args: serde_json::Value = leased.args.decode().map_err(|error| error.to_string())?;
    for version in leased.version..J::VERSION {
        args = J::upcast(version, args)?;
    }
    serde_json::from_value(args).map_err(|error| error.to_string())
}
