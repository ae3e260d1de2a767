//! Who may do what: verbs, queues, and who decides.
//!
//! The route table says of every route which verb it is and which queue it concerns. Here is what that means, and the
//! [`Authorizer`] that says who a caller is. What a caller may do is a value, [`Caller`], that goes with the request.

use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;
use axum::http::HeaderMap;
use windlass_core::{JobId, QueueName, Timestamp};
use windlass_store::{Actor, Via};

/// What a route does, as far as it matters to who may call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// Nothing that anybody must not know: liveness, and what the API is.
    Open,
    /// Hears that something may have happened, and not what.
    Listen,
    /// Looks at jobs, queues, workers and what became of them.
    Read,
    /// Makes jobs.
    Enqueue,
    /// Claims jobs and says how they went.
    Work,
    /// Changes by hand what becomes of jobs: retry, cancel, pause, bulk operations.
    Operate,
    /// Decides about what is in review.
    Review,
    /// Changes what holds for all: schedules, limits, retention, duties of the store.
    Admin,
}

impl Verb {
    /// Every one of them.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Listen,
        Self::Read,
        Self::Enqueue,
        Self::Work,
        Self::Operate,
        Self::Review,
        Self::Admin,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Listen => "listen",
            Self::Read => "read",
            Self::Enqueue => "enqueue",
            Self::Work => "work",
            Self::Operate => "operate",
            Self::Review => "review",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of verbs. [`Verb::Open`] is in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verbs(u8);

impl Verbs {
    /// None but what is open.
    pub const NONE: Self = Self(Verb::Open.bit());

    /// All of them.
    pub const ALL: Self = Self(u8::MAX);

    /// The same, and all of those.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The same, and this one.
    #[must_use]
    pub const fn and(self, verb: Verb) -> Self {
        Self(self.0 | verb.bit())
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn has(self, verb: Verb) -> bool {
        self.0 & verb.bit() != 0
    }
}

/// Queues by a name, or by the beginning of one that ends in `*`: `billing.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueGlob(String);

impl QueueGlob {
    /// The queues that `text` names.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether `queue` is one of them.
    #[must_use]
    pub fn matches(&self, queue: &QueueName) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => queue.as_str().starts_with(start),
            None => queue.as_str() == self.0,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who asks, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// What stands with everything that they change.
    pub name: String,
    /// What they may do.
    pub verbs: Verbs,
    /// To which queues; none for all of them.
    pub queues: Option<Vec<QueueGlob>>,
    /// Whether they may change things in the name of others: a program that knows its own users.
    pub speaks_for_others: bool,
    /// Whether they see what is in jobs: their args and results.
    pub sees_payloads: bool,
    /// Whether they see no job that they have not enqueued themselves.
    pub own_jobs_only: bool,
    /// How they came; kept in the audit with everything that they change. The server adds the address and the request.
    pub via: Via,
}

impl Caller {
    /// One who may do nothing yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            verbs: Verbs::NONE,
            queues: None,
            speaks_for_others: false,
            sees_payloads: true,
            own_jobs_only: false,
            via: Via::default(),
        }
    }

    /// The same, who may do these.
    #[must_use]
    pub fn with_verbs(self, verbs: Verbs) -> Self {
        Self { verbs, ..self }
    }

    /// The same, in these queues alone.
    #[must_use]
    pub fn in_queues(self, queues: Vec<QueueGlob>) -> Self {
        Self { queues: Some(queues), ..self }
    }

    /// The same, who may speak for others.
    #[must_use]
    pub fn speaking_for_others(self) -> Self {
        Self { speaks_for_others: true, ..self }
    }

    /// Whether they may see and change what is in `queue`.
    #[must_use]
    pub fn reaches(&self, queue: &QueueName) -> bool {
        self.queues.as_ref().is_none_or(|globs| globs.iter().any(|glob| glob.matches(queue)))
    }

    /// Whether every queue is theirs.
    #[must_use]
    pub const fn reaches_all(&self) -> bool {
        self.queues.is_none()
    }

    /// Who stands with a change.
    pub(crate) fn actor(&self, by: Option<String>, reason: Option<String>) -> Actor {
        let name = by.filter(|_| self.speaks_for_others).unwrap_or_else(|| self.name.clone());
        Actor { name, why: reason, via: None }.via(self.via.clone())
    }
}

/// Which queue a route concerns, and so where a caller needs its rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concerns {
    /// None in particular: the answer names nothing of a queue.
    Nothing,
    /// All of them at once. Who is not given every queue may not call it.
    Everything,
    /// The queue of the path.
    Queue,
    /// The queue of the job of the path.
    Job,
    /// The queue of the job whose attempt the path names.
    Lease,
    /// Those that the request names, or that its answer shows: the handler asks for each, or leaves out what is not the
    /// caller's.
    Named,
}

/// What the table says of a route: which verb it is, and which queue it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) verb: Verb,
    pub(crate) concerns: Concerns,
}

impl Access {
    pub(crate) const fn new(verb: Verb, concerns: Concerns) -> Self {
        Self { verb, concerns }
    }
}

/// A request, as far as it matters to who asks.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Asked<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// What it is going to do.
    pub verb: Verb,
    /// Its path, as the table writes it.
    pub route: &'a str,
    /// Where it comes from, if that is known: behind a proxy that is believed, whoever came to that.
    pub client: Option<IpAddr>,
    /// What time it is.
    pub now: Timestamp,
}

impl<'a> Asked<'a> {
    pub(crate) const fn new(
        headers: &'a HeaderMap,
        (verb, route): (Verb, &'a str),
        (client, now): (Option<IpAddr>, Timestamp),
    ) -> Self {
        Self { headers, verb, route, client, now }
    }
}

/// Why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody knows who asks. Says what to do.
    Unauthorized(String),
    /// Who asks is known, and may not.
    Forbidden(String),
    /// Who asks has asked too often; come back after this long.
    TooOften(std::time::Duration),
    /// It could not be looked up.
    Unavailable(String),
}

/// Says who asks. What they may then do is checked against the route table by the server.
#[async_trait]
pub trait Authorizer: Send + Sync + 'static {
    /// Who asks, and what they may do.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when they are not let in at all. Asked for open routes too, where a refusal is left aside.
    async fn admit(&self, asked: Asked<'_>) -> Result<Caller, Refusal>;
}

/// Everybody may do everything, and speak for whom they like: for an application that nests the router behind a door of its
/// own, and for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

#[async_trait]
impl Authorizer for AllowAll {
    async fn admit(&self, _: Asked<'_>) -> Result<Caller, Refusal> {
        Ok(Caller::new("http").with_verbs(Verbs::ALL).speaking_for_others())
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The job of an attempt that a path names, or of a job.
pub(crate) fn job_of(text: &str, concerns: Concerns) -> Option<JobId> {
    match concerns {
        Concerns::Job => text.parse().ok(),
        Concerns::Lease => text.parse::<windlass_core::AttemptToken>().ok().map(|token| token.job),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_names_one_queue_or_all_that_begin_so() {
        let queue = |name: &str| QueueName::new(name).unwrap();

        assert!(QueueGlob::new("billing.*").matches(&queue("billing.eu")));
        assert!(!QueueGlob::new("billing.*").matches(&queue("billing")));
        assert!(QueueGlob::new("*").matches(&queue("mail")));
        assert!(!QueueGlob::new("mail").matches(&queue("mail2")));
    }

    #[test]
    fn a_set_of_verbs_has_what_was_put_into_it() {
        let verbs = Verbs::NONE.and(Verb::Work);

        assert!(verbs.has(Verb::Open) && verbs.has(Verb::Work) && !verbs.has(Verb::Read));
        assert!(Verb::ALL.iter().all(|verb| Verbs::ALL.has(*verb)));
    }

    #[test]
    fn only_who_may_speak_for_others_does() {
        let caller = Caller::new("ada");
        let other = || Some("bob".to_owned());

        assert_eq!(caller.actor(other(), None).name, "ada");
        assert_eq!(caller.speaking_for_others().actor(other(), None).name, "bob");
    }
}
