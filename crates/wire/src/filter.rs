//! Which jobs are meant: `state:dead queue:mail args.user.id:42 error:"timeout" age:<1h`.
//!
//! One language for the API, the command line and whatever else asks for jobs. A term is a field, a colon and a value;
//! values that are separated by commas are alternatives, terms are all to hold. Values with spaces stand in quotes.
//!
//! What a store has an index for becomes a [`JobFilter`]; the rest is asked of each job ([`Filter::admits`]), so whoever
//! lists jobs has to bound how many of them it looks at.

mod read;
mod test;

use windlass_core::{Invalid, Job, JobState, Timestamp};
use windlass_store::JobFilter;

use test::Test;

/// The fields of a filter.
pub const FIELDS: &[&str] = &[
    "id",
    "kind",
    "queue",
    "state",
    "reason",
    "tag",
    "priority",
    "version",
    "worker",
    "submitted_by",
    "error",
    "age",
    "created",
    "finished",
    "is",
    "args.*",
    "meta.*",
];

/// Longest filter that is read, in bytes.
const FILTER_BYTES_MAX: usize = 4096;

/// Most terms of a filter.
const TERMS_MAX: usize = 32;

/// Which jobs are meant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// What a store finds by itself.
    pub indexed: JobFilter,
    /// What is asked of each job that it finds.
    rest: Vec<Vec<Test>>,
}

impl Filter {
    /// Reads a filter; `now` is the time from which ages are counted.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `filter`, and what was probably meant.
    pub fn read(text: &str, now: Timestamp) -> Result<Self, Invalid> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(Invalid::new("filter", format!("is longer than {FILTER_BYTES_MAX} bytes")));
        }
        let terms = read::terms(text)?;
        if terms.len() > TERMS_MAX {
            return Err(Invalid::new("filter", format!("has more than {TERMS_MAX} terms")));
        }
        let mut filter = Self::default();
        for term in &terms {
            read::apply(&mut filter, term, now)?;
        }
        Ok(filter)
    }

    /// Whether a store finds exactly these by itself.
    #[must_use]
    pub const fn is_indexed(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether everything is meant.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.rest.is_empty() && self.indexed == JobFilter::default()
    }

    /// Whether a job that the store found is one of those that are meant.
    #[must_use]
    pub fn admits(&self, job: &Job) -> bool {
        self.rest.iter().all(|alternatives| alternatives.iter().any(|test| test.admits(job)))
    }

    /// The filter that a store is asked by, as text: what a client writes who has a [`JobFilter`].
    #[must_use]
    pub fn of(indexed: &JobFilter) -> String {
        let mut terms = Vec::new();
        let list = |name: &str, values: Vec<String>| {
            (!values.is_empty()).then(|| format!("{name}:{}", values.join(",")))
        };
        terms.extend(list("state", indexed.states.iter().map(JobState::to_string).collect()));
        terms.extend(list("queue", indexed.queues.iter().map(ToString::to_string).collect()));
        terms.extend(list("kind", indexed.kinds.iter().map(ToString::to_string).collect()));
        terms.extend(indexed.tag.as_ref().map(|tag| format!("tag:{}", quoted(tag.as_str()))));
        terms.extend(indexed.created_since.map(|since| format!("created:>={since}")));
        terms.extend(indexed.finished_since.map(|since| format!("finished:>={since}")));
        terms.extend(indexed.fingerprint.map(|group| format!("error:{group}")));
        terms.extend(indexed.roots.then(|| "is:root".to_owned()));
        terms.join(" ")
    }

    fn also(&mut self, alternatives: Vec<Test>) {
        self.rest.push(alternatives);
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use windlass_core::{Args, Fingerprint, KindName, QueueName, Tag};

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(10_000_000_000);

    fn read(text: &str) -> Filter {
        Filter::read(text, NOW).unwrap()
    }

    #[test]
    fn what_a_store_has_an_index_for_is_asked_of_the_store() {
        let filter = read(
            "state:dead,cancelled queue:mail kind:send tag:\"a b\" created:>=1970-01-01T01:00:00Z is:root",
        );

        assert!(filter.is_indexed());
        assert_eq!(filter.indexed.states, [JobState::Dead, JobState::Cancelled]);
        assert_eq!(filter.indexed.tag, Some(Tag::new("a b").unwrap()));
        assert_eq!(read(&Filter::of(&filter.indexed)), filter);
    }

    #[test]
    fn every_filter_of_a_store_reads_back() {
        let indexed = JobFilter {
            states: vec![JobState::Ready],
            queues: vec![QueueName::new("a:b/c").unwrap()],
            kinds: vec![KindName::new("k").unwrap()],
            tag: Some(Tag::new(r#"with "quotes", and \ more"#).unwrap()),
            created_since: Some(NOW),
            roots: true,
            finished_since: Some(Timestamp::MIN),
            fingerprint: Some("00000000000000ff".parse::<Fingerprint>().unwrap()),
        };

        assert_eq!(read(&Filter::of(&indexed)).indexed, indexed);
    }

    #[test]
    fn an_age_is_counted_from_now() {
        assert_eq!(read("age:<1h").indexed.created_since, Some(NOW.before(Duration::from_secs(3600))));
        assert!(!read("age:>1h").is_indexed());
    }

    #[test]
    fn what_was_meant_is_suggested() {
        let refused = |text: &str| Filter::read(text, NOW).unwrap_err();

        assert_eq!(refused("que:mail").field, "filter");
        assert!(refused("que:mail").problem.contains("did you mean `queue`?"));
        assert!(refused("state:ded").problem.contains("state"));
        for wrong in ["mail", "queue:", "queue:\"a", "age:1x", "created:soon", "is:leaf", ":x", "args:1"] {
            assert_eq!(refused(wrong).field, "filter", "{wrong}");
        }
        assert_eq!(refused(&"x".repeat(5000)).field, "filter");
        assert_eq!(refused(&"is:root ".repeat(40)).field, "filter");
    }

    #[test]
    fn the_rest_is_asked_of_each_job() {
        let job = test::job(Args::json(r#"{"user":{"id":42},"big":9007199254740993}"#).unwrap());

        for text in [
            "args.user.id:42",
            "args.big:9007199254740993",
            "priority:high,low",
            "worker:w1",
            "meta.tenant:7",
            "error:TIMEOUT",
            "age:>1h",
            "version:1",
        ] {
            assert!(read(text).admits(&job), "{text}");
        }
        for text in [
            "args.user.id:43",
            "args.user:42",
            "args.big:9007199254740992",
            "priority:low",
            "worker:w2",
            "error:other",
            "version:2",
            "age:>3h",
        ] {
            assert!(!read(text).admits(&job), "{text}");
        }
    }
}
