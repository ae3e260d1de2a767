//! What a program that uses Windlass names all the time: `use windlass::prelude::*;`

pub use crate::extract::{Attempt, Cancel, Checkpoint, JobLog, Parents, Progress, State};
pub use crate::{Enqueued, Job, JobCx, JobError, JobHandle, JobId, Outcome, Priority, Windlass};
#[cfg(feature = "notices")]
pub use windlass_notices::WorkerNotices;
