//! Schedules that a program declares: said once, when its worker starts.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use windlass_core::limits::PAYLOAD_BYTES_CEILING;
use windlass_core::{Invalid, Limits, NewSchedule, ProgramName};
use windlass_store::rules::schedules::check_declared;
use windlass_store::{Declared, ErrorKind, StoreError};

use crate::engine::Engine;
use crate::pace::Backoff;

/// How long one try may take: one whose answer is lost must not be the last.
const DECLARE_MAX: Duration = Duration::from_secs(30);

/// What can be declared as a schedule: one, or what was to become one and is wrong.
pub trait IntoSchedule {
    /// The schedule.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with what is wrong.
    fn into_schedule(self) -> Result<NewSchedule, Invalid>;
}

impl IntoSchedule for NewSchedule {
    fn into_schedule(self) -> Result<NewSchedule, Invalid> {
        Ok(self)
    }
}

/// What a program declares.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declaration {
    pub(crate) program: Option<ProgramName>,
    pub(crate) schedules: Vec<NewSchedule>,
}

impl Declaration {
    /// Refuses what no store could keep. How large args may be is known to the store alone.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if self.program.is_none() && !self.schedules.is_empty() {
            return Err(Invalid::new(
                "program",
                "has no name: schedules are declared by a program, so that those it no longer has can be removed",
            ));
        }
        check_declared(&self.schedules, &Limits::with_payload_bytes_max(PAYLOAD_BYTES_CEILING))
    }
}

/// Says which schedules the program has, if it says anything of them. While the store is away, that takes as long as it
/// takes.
pub(crate) async fn declare(engine: &Engine) -> Result<(), StoreError> {
    let Declaration { program: Some(program), schedules } = &engine.config.declaration else { return Ok(()) };
    let mut backoff = Backoff::default();
    loop {
        let told = timeout(DECLARE_MAX, engine.store.declare_schedules(program, schedules.clone())).await;
        let told = told.unwrap_or_else(|_| Err(StoreError::new("declare schedules", ErrorKind::Unknown)));
        match told {
            Ok(told) => {
                tell(program, &told);
                return Ok(());
            }
            Err(error) if !error.is_transient() => return Err(error),
            Err(error) => {
                let wait = backoff.after_failure(Duration::MAX);
                if backoff.is_first() {
                    tracing::warn!(%error, "could not declare schedules, will try again");
                }
                tokio::time::sleep_until(Instant::now() + wait).await;
            }
        }
    }
}

fn tell(program: &ProgramName, Declared { created, changed, removed }: &Declared) {
    if created.len() + changed.len() + removed.len() > 0 {
        tracing::info!(%program, ?created, ?changed, ?removed, "declared schedules");
    }
}
