//! The audit: who did what by hand, for ever.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use async_trait::async_trait;
use windlass_core::{Invalid, Timestamp, Whole};

use crate::{Actor, Change, Page, PageRequest, StoreError, TokenId};

/// Longest id of a request that is kept, in bytes.
const REQUEST_BYTES_MAX: usize = 128;

/// How a change came to the store, if a door knows more of who makes it than a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Via {
    /// The token that was shown.
    pub token: Option<TokenId>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The request, as the door's log calls it: without spaces.
    pub request: Option<String>,
}

impl Via {
    /// Refuses what could not be told from something else once it is written.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `by.via.request`.
    pub fn validate(&self) -> Result<(), Invalid> {
        let Some(request) = &self.request else { return Ok(()) };
        if request.is_empty() || request.len() > REQUEST_BYTES_MAX {
            let problem = format!("is not between 1 and {REQUEST_BYTES_MAX} bytes long");
            return Err(Invalid::new("by.via.request", problem));
        }
        if request == "-" || request.chars().any(|one| one.is_whitespace() || one.is_control()) {
            return Err(Invalid::new("by.via.request", "is no word"));
        }
        Ok(())
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// As stores keep it: the token, the address and the request, and `-` for what is not known.
impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.map_or_else(|| "-".to_owned(), |token| token.to_string());
        let address = self.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
        write!(f, "{token} {address} {}", self.request.as_deref().unwrap_or("-"))
    }
}

impl FromStr for Via {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("by.via", format!("{text:?} is not a token, an address and a request"));
        let parts: Vec<&str> = text.split(' ').collect();
        let [token, address, request] = parts.as_slice() else { return Err(wrong()) };
        let said = |text: &str| (text != "-").then(|| text.to_owned());
        Ok(Self {
            token: said(token).map(|token| token.parse()).transpose()?,
            address: said(address).map(|address| address.parse()).transpose().map_err(|_| wrong())?,
            request: said(request),
        })
    }
}

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Noun {
    /// A job, by its id.
    Job,
    /// A queue, by its name.
    Queue,
    /// A kind, by its name.
    Kind,
    /// A schedule, by its name.
    Schedule,
    /// A token of access, by its id.
    Token,
    /// An operation on many jobs, by its id.
    Operation,
}

impl Noun {
    /// Every one of them.
    pub const ALL: &'static [Self] =
        &[Self::Job, Self::Queue, Self::Kind, Self::Schedule, Self::Token, Self::Operation];

    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Queue => "queue",
            Self::Kind => "kind",
            Self::Schedule => "schedule",
            Self::Token => "token",
            Self::Operation => "operation",
        }
    }

    /// What a queue or a kind as a whole is called here.
    #[must_use]
    pub fn of_whole(whole: &Whole) -> (Self, &str) {
        match whole {
            Whole::Queue(queue) => (Self::Queue, queue.as_str()),
            Whole::Kind(kind) => (Self::Kind, kind.as_str()),
        }
    }

    /// The noun of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|noun| noun.as_str() == name)
    }
}

/// A change that somebody made.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Its number. Later changes have larger ones, but for changes that were made at the same time.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who did it, why, and how they came.
    pub by: Actor,
    /// What was done, as in `cancel`, `pause`, `backfill` or `create`.
    pub verb: String,
    /// What it was done to.
    pub noun: Noun,
    /// Which one.
    pub subject: String,
    /// What of it was changed, as far as it is told.
    pub change: Option<Change>,
}

/// Which entries a list is about. Every field that is not empty must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By somebody of this name.
    pub actor: Option<String>,
    /// This verb.
    pub verb: Option<String>,
    /// Things of this sort.
    pub noun: Option<Noun>,
    /// This thing.
    pub subject: Option<String>,
    /// At or after this instant.
    pub since: Option<Timestamp>,
}

/// The audit as those see it who look after others.
///
/// Every method that takes an [`Actor`] and changes something leaves one entry for each thing that it changed, in the same
/// commit (G21); where it changes nothing it leaves none. Entries outlive what they are about, are never changed, and are
/// not pruned. What nobody does leaves none: reminders, attempts, ticks. The default of a review that was taken because its
/// time was over has one, by [`REVIEWER`](crate::reviews::REVIEWER).
///
/// | noun | verbs |
/// | --- | --- |
/// | job | `cancel`, `retry`, `run_now`, `snooze`, `edit`, `rerun`, `accept`, `decline`, `delete` |
/// | queue | `pause`, `resume`, `keep`, `bound` |
/// | kind | `bound` |
/// | schedule | `put`, `pause`, `resume`, `run`, `backfill`, `delete` |
/// | token | `create`, `revoke` |
/// | operation | `begin`, `pause`, `resume`, `abort` |
///
/// What becomes of a flow is told for each of its jobs.
///
/// Entries of jobs, queues and kinds tell what was changed: how it was before, and how it is since; a decision is told in full by
/// the [review](crate::ReviewStore) itself. Args are told by their digest alone.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// What was done, the newest first.
    async fn audit(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_door_is_read_as_it_was_written() {
        let token = Some(TokenId::from_number(7));
        let address = Some("::1".parse().unwrap());
        let all = [
            Via::default(),
            Via { token, ..Via::default() },
            Via { token, address, request: Some("r-1".to_owned()) },
            Via { request: Some("r".to_owned()), ..Via::default() },
        ];

        for via in all {
            assert_eq!(via.to_string().parse::<Via>().unwrap(), via);
        }
        assert!("- -".parse::<Via>().is_err() && "- x -".parse::<Via>().is_err());
    }

    #[test]
    fn a_request_is_one_word() {
        let via = |request: &str| Via { request: Some(request.to_owned()), ..Via::default() };

        assert!(via("r1").validate().is_ok());
        for wrong in ["", "-", "a b", "a\n", &"x".repeat(129)] {
            assert_eq!(via(wrong).validate().unwrap_err().field, "by.via.request", "{wrong:?}");
        }
    }
}
