//! Who is told when a job ends, and what came of telling them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use windlass_core::notice::Target;
use windlass_core::{Invalid, Job, JobId, JobState, Notify, Timestamp};

use crate::fields::problem;

/// A target as it is asked for: one of the two, and in which cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    mail: Option<String>,
    webhook: Option<String>,
    on: Option<Vec<JobState>>,
}

/// Reads the field `notify` of a job that is asked for.
pub(crate) fn targets(raw: &RawValue) -> Result<Vec<Notify>, Invalid> {
    let read = |raw: &RawValue| serde_json::from_str::<Vec<Box<RawValue>>>(raw.get());
    let all = read(raw).map_err(|error| Invalid::new("notify", problem(&error)))?;
    let each = all.iter().enumerate();
    each.map(|(index, raw)| target(raw).map_err(|invalid| placed(invalid, index))).collect()
}

fn placed(invalid: Invalid, index: usize) -> Invalid {
    let place = format!("notify[{index}]");
    if invalid.field.is_empty() { Invalid { field: place, ..invalid } } else { invalid.inside(&place) }
}

fn target(raw: &RawValue) -> Result<Notify, Invalid> {
    let asked: Asked = serde_json::from_str(raw.get()).map_err(|error| Invalid::new("", problem(&error)))?;
    let target = match (asked.mail, asked.webhook) {
        (Some(address), None) => Target::Mail(address),
        (None, Some(url)) => Target::Webhook(url),
        _ => return Err(Invalid::new("", "must name either mail or webhook")),
    };
    target.validate()?;
    let on = match asked.on {
        Some(on) if on.is_empty() => {
            return Err(Invalid::new("on", "names no state: leave it out to be told of every end"));
        }
        on => on.unwrap_or_default(),
    };
    match on.iter().find(|state| !state.is_final()) {
        Some(state) => Err(Invalid::new("on", format!("names {state}, in which no job ends"))),
        None => Ok(Notify { target, on: on.into_iter().collect() }),
    }
}

/// A notice, as it is shown with the job it tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct NoticeShape {
    /// The notice is a job itself; this is its id.
    pub id: JobId,
    /// Where it goes.
    #[serde(flatten)]
    pub to: Target,
    /// What it is doing.
    pub state: JobState,
    /// When it is due, or was.
    pub run_at: Timestamp,
    /// Counted tries to send it.
    pub attempt: u32,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl NoticeShape {
    /// The notice `job`, to `to`.
    #[must_use]
    pub fn new(job: Job, to: Target) -> Self {
        let error = job.error.map(|error| error.message);
        Self { id: job.id, to, state: job.state, run_at: job.run_at, attempt: job.attempt, error }
    }
}
