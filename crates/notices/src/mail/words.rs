//! What a person reads in a mail.

use windlass_core::Tag;
use windlass_core::notice::{About, EndedJob, ReviewedJob};

use crate::failure::Failure;

/// What a mail says.
pub(super) struct Words {
    pub(super) subject: String,
    pub(super) text: String,
}

/// What is said of it.
pub(super) fn of(about: &About) -> Result<Words, Failure> {
    match about {
        About::Job(job) => Ok(Words { subject: subject(job), text: text(job) }),
        About::Review(job) => Ok(reminder(job)),
        _ => Err(Failure::fatal("this version does not know what the notice is about")),
    }
}

fn reminder(job: &ReviewedJob) -> Words {
    let (id, kind, of) = (job.id, &job.kind, job.of.as_str());
    let mut lines = vec![
        format!("Job {id} ({kind}) waits for a person to decide about its {of}."),
        String::new(),
        format!("queue:     {}", job.queue),
        format!("since:     {}", job.asked_at),
    ];
    if let (Some(decide_by), Some(otherwise)) = (job.decide_by, job.otherwise) {
        lines.push(format!("until:     {decide_by}, then: {}", otherwise.as_str()));
    }
    lines.extend(job.submitted_by.as_ref().map(|name| format!("for:       {name}")));
    let decide = format!("Decide: windlass reviews show {id}, then accept or decline it");
    lines.extend([format!("reminder:  {}", job.reminder), String::new(), decide, String::new()]);
    Words { subject: format!("[windlass] {kind} {id} in review"), text: lines.join("\n") }
}

fn subject(job: &EndedJob) -> String {
    format!("[windlass] {} {} {}", job.kind, job.id, job.state)
}

/// One thing a line, so that it can be read on a telephone at night.
fn text(job: &EndedJob) -> String {
    let mut lines = vec![
        format!("Job {} ({}) is {}.", job.id, job.kind, job.state),
        String::new(),
        format!("queue:     {}", job.queue),
        format!("attempts:  {}", job.attempt),
        format!("enqueued:  {}", job.created_at),
    ];
    let mut tell = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{:<11}{value}", format!("{name}:"))));
    };
    tell("started", job.started_at.map(|instant| instant.to_string()));
    tell("finished", Some(job.finished_at.to_string()));
    tell("reason", job.reason.map(|reason| reason.to_string()));
    tell("error", job.error.clone());
    tell("result", job.result_bytes.map(|bytes| format!("{bytes} bytes")));
    tell("for", job.submitted_by.clone());
    let tags: Vec<&str> = job.tags.iter().map(Tag::as_str).collect();
    tell("tags", (!tags.is_empty()).then(|| tags.join(", ")));
    lines.extend([String::new(), format!("More of it: windlass jobs show {}", job.id), String::new()]);
    lines.join("\n")
}

#[cfg(test)]
pub(super) mod tests {
    use windlass_core::{KindName, QueueName, Timestamp};

    use super::*;

    pub(crate) fn ended() -> About {
        About::Job(job())
    }

    fn job() -> EndedJob {
        let text = r#"{"id":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11","kind":"report.build","queue":"reports",
            "state":"dead","reason":"exhausted","attempt":8,"created_at":"2026-11-21T08:00:00Z",
            "started_at":"2026-11-21T09:00:00Z","finished_at":"2026-11-21T09:00:01Z",
            "error":"no room\nleft on device","result_bytes":null,"tags":["nightly","eu"]}"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_person_reads_what_has_happened() {
        assert_eq!(subject(&job()), "[windlass] report.build 0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11 dead");
        assert_eq!(
            text(&job()),
            "Job 0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11 (report.build) is dead.\n\n\
             queue:     reports\nattempts:  8\nenqueued:  2026-11-21T08:00:00Z\nstarted:   2026-11-21T09:00:00Z\n\
             finished:  2026-11-21T09:00:01Z\nreason:    exhausted\nerror:     no room\nleft on device\n\
             tags:      nightly, eu\n\nMore of it: windlass jobs show 0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11\n"
        );
    }

    #[test]
    fn a_person_is_reminded_of_what_is_to_be_decided() {
        let text = r#"{"id":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11","kind":"report.build","queue":"reports",
            "of":"outcome","round":1,"asked_at":"2026-11-21T08:00:00Z","reminder":2,
            "reminded_at":"2026-11-21T10:00:00Z","decide_by":"2026-11-22T08:00:00Z","otherwise":"decline",
            "submitted_by":"ada"}"#;

        let said = of(&About::Review(serde_json::from_str(text).unwrap())).ok().unwrap();

        assert_eq!(said.subject, "[windlass] report.build 0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11 in review");
        assert_eq!(
            said.text,
            "Job 0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11 (report.build) waits for a person to decide about its outcome.\n\n\
             queue:     reports\nsince:     2026-11-21T08:00:00Z\n\
             until:     2026-11-22T08:00:00Z, then: decline\nfor:       ada\nreminder:  2\n\n\
             Decide: windlass reviews show 0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11, then accept or decline it\n"
        );
    }

    #[test]
    fn a_job_that_was_never_started_says_nothing_of_it() {
        let job = EndedJob {
            started_at: None,
            error: None,
            reason: None,
            tags: Vec::new(),
            finished_at: Timestamp::MIN,
            kind: KindName::new("x").unwrap(),
            queue: QueueName::default(),
            result_bytes: Some(7),
            submitted_by: Some("ada".to_owned()),
            ..job()
        };

        let text = text(&job);

        assert!(!text.contains("started:") && !text.contains("error:") && !text.contains("tags:"), "{text}");
        assert!(text.contains("result:    7 bytes\nfor:       ada\n"), "{text}");
    }
}
