//! What becomes of jobs that are asked for together.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use windlass_core::{Invalid, JobId};
use windlass_store::{EnqueueOutcome, Enqueued};

use crate::JobRequest;
use crate::body::{Body, FromBody};

/// Jobs that are asked for together, all or none: the body of `POST /api/v1/jobs/batch`. They name each other in `after` by
/// their `ref`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct BatchRequest {
    /// The jobs.
    pub jobs: Vec<JobRequest>,
}

impl BatchRequest {
    /// These jobs.
    #[must_use]
    pub const fn new(jobs: Vec<JobRequest>) -> Self {
        Self { jobs }
    }

    /// Gives every job an id, drawn by `draw` where the caller chose none, and puts ids in place of the names in `after`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `jobs[i].ref` for a name that is given twice, or `jobs[i].after[k]` for one that no job has.
    pub fn resolve(&mut self, mut draw: impl FnMut() -> JobId) -> Result<(), Invalid> {
        let mut ids = HashMap::new();
        for (index, job) in self.jobs.iter_mut().enumerate() {
            let id = *job.id.get_or_insert_with(&mut draw);
            if let Some(name) = &job.name
                && ids.insert(name.clone(), id).is_some()
            {
                return Err(Invalid::new(format!("jobs[{index}].ref"), format!("{name:?} is given twice")));
            }
        }
        for (index, job) in self.jobs.iter_mut().enumerate() {
            job.resolve(|name| ids.get(name).copied())
                .map_err(|invalid| invalid.inside(&format!("jobs[{index}]")))?;
        }
        Ok(())
    }
}

impl FromBody for BatchRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a batch", text, &["jobs"])?;
        if body.raw("jobs").is_none() {
            return Err(Invalid::new("jobs", "is missing: the jobs that are asked for"));
        }
        Ok(Self { jobs: body.each("jobs", JobRequest::from_body)? })
    }
}

impl FromBody for JobRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        Self::from_json(text)
            .map_err(|invalid| if invalid.field == "job" { of_body(invalid) } else { invalid })
    }
}

fn of_body(invalid: Invalid) -> Invalid {
    Invalid { field: "body".to_owned(), ..invalid }
}

/// What an enqueue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EnqueuedAs {
    /// A new job exists.
    Created,
    /// A job with the same unique key stood in the way, and nothing was changed.
    Existing,
    /// A job with the same unique key took over what was asked.
    Replaced,
}

/// What became of one enqueued job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct EnqueuedShape {
    /// What others of the batch called it.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The job that now stands for what was asked.
    pub id: JobId,
    /// What happened.
    pub outcome: EnqueuedAs,
    /// Whether this very id had been enqueued before. Then `outcome` is what happened that time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
}

/// What became of jobs that were asked for together, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct BatchShape {
    /// One for each job.
    pub results: Vec<EnqueuedShape>,
}

impl BatchShape {
    /// These.
    #[must_use]
    pub const fn new(results: Vec<EnqueuedShape>) -> Self {
        Self { results }
    }
}

impl EnqueuedShape {
    /// The same, for the job that others of its batch call so.
    #[must_use]
    pub fn named(self, name: Option<String>) -> Self {
        Self { name, ..self }
    }
}

impl From<Enqueued> for EnqueuedShape {
    fn from(enqueued: Enqueued) -> Self {
        let outcome = match enqueued.outcome {
            EnqueueOutcome::Existing => EnqueuedAs::Existing,
            EnqueueOutcome::Replaced => EnqueuedAs::Replaced,
            _ => EnqueuedAs::Created,
        };
        Self { name: None, id: enqueued.id, outcome, repeated: enqueued.repeated }
    }
}

impl From<&EnqueuedShape> for Enqueued {
    fn from(shape: &EnqueuedShape) -> Self {
        let outcome = match shape.outcome {
            EnqueuedAs::Created => EnqueueOutcome::Created,
            EnqueuedAs::Existing => EnqueueOutcome::Existing,
            EnqueuedAs::Replaced => EnqueueOutcome::Replaced,
        };
        Self { id: shape.id, outcome, repeated: shape.repeated }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(text: &str) -> Result<BatchRequest, Invalid> {
        let mut batch = BatchRequest::from_body(text)?;
        let mut drawn = 0;
        batch.resolve(|| {
            drawn += 1;
            JobId::from_bytes([drawn; 16])
        })?;
        Ok(batch)
    }

    #[test]
    fn members_of_a_batch_name_each_other() {
        let batch = batch(r#"{"jobs":[{"kind":"a","ref":"first"},{"kind":"b","after":["first"]}]}"#).unwrap();

        let child = batch.jobs[1].clone().into_new_job(JobId::from_bytes([9; 16]));

        assert_eq!(
            (child.after[0].parent, child.id),
            (JobId::from_bytes([1; 16]), JobId::from_bytes([2; 16]))
        );
    }

    #[test]
    fn a_fault_is_named_by_its_place() {
        for (text, field) in [
            (r#"{"jobs":[{"kind":"a"},{"knd":"b"}]}"#, "jobs[1].knd"),
            (r#"{"jobs":[{"kind":"a","after":["nobody"]}]}"#, "jobs[0].after[0]"),
            (r#"{"jobs":[{"kind":"a","ref":"r"},{"kind":"a","ref":"r"}]}"#, "jobs[1].ref"),
            (r#"{"jobs":[7]}"#, "jobs[0]"),
            (r#"{"jobs":7}"#, "jobs"),
            ("{}", "jobs"),
            ("[]", "body"),
        ] {
            assert_eq!(batch(text).unwrap_err().field, field, "{text}");
        }
    }
}
