//! What a job asks for, written down by who has it as a value: a program that enqueues from afar.

use windlass_core::{Args, Due, NewJob};

use super::JobRequest;
use crate::flow::AfterShape;

impl From<NewJob> for JobRequest {
    /// What the job asks for, in full. What made it by a schedule is for the store to say, and left out.
    fn from(job: NewJob) -> Self {
        let (args, args_base64) = match job.args {
            Args::Json(json) => (Some(json), None),
            Args::Bytes(bytes) => (None, Some(bytes)),
        };
        let (run_at, delay) = match job.due {
            Due::Now => (None, None),
            Due::At(instant) => (Some(instant), None),
            Due::In(delay) => (None, Some(delay)),
        };
        let options = job.options;
        Self {
            id: Some(job.id),
            version: Some(job.version),
            args,
            args_base64,
            queue: Some(job.queue),
            priority: Some(job.priority),
            run_at,
            delay,
            deadline: job.deadline,
            timeout: options.timeout,
            attempts_max: Some(job.attempts_max),
            losses_max: Some(job.losses_max),
            retry: Some(options.retry),
            tags: options.tags,
            meta: options.meta,
            notify: options.notify,
            unique: options.unique,
            locks: options.locks,
            limits: options.limits,
            rates: options.rates,
            order_key: options.order_key,
            review: options.review,
            submitted_by: options.submitted_by,
            rerun_of: options.rerun_of,
            after: job.after.iter().map(AfterShape::of).collect(),
            ..Self::new(job.kind)
        }
    }
}

#[cfg(test)]
mod tests {
    use windlass_core::JobId;

    use super::*;

    #[test]
    fn what_a_job_asks_for_reads_back_in_full() {
        let text = concat!(
            r#"{"kind":"k","args_base64":"/wA=","delay":"5s","deadline":"1h","unique":"u","#,
            r#""rerun_of":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11","#,
            r#""after":[{"job":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a12","on":"on_finish"}],"tags":["t"]}"#
        );
        let job = JobRequest::from_json(text).unwrap().into_new_job(JobId::from_bytes([9; 16]));

        let written = serde_json::to_string(&JobRequest::from(job.clone())).unwrap();

        assert_eq!(JobRequest::from_json(&written).unwrap().into_new_job(JobId::from_bytes([1; 16])), job);
    }

    #[test]
    fn bytes_are_given_in_one_way() {
        let refused = |text: &str| JobRequest::from_json(text).unwrap_err().field;

        assert_eq!(refused(r#"{"kind":"k","args":1,"args_base64":"/wA="}"#), "args_base64");
        assert_eq!(refused(r#"{"kind":"k","args_base64":"?"}"#), "args_base64");
    }
}
