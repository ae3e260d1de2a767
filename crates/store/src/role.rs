//! Roles: what tokens of access are made for.

use std::fmt;
use std::str::FromStr;

use windlass_core::Invalid;

/// What somebody may do: a set of verbs with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Sees jobs, without what is in them.
    Viewer,
    /// Enqueues jobs, and sees its own.
    Producer,
    /// Claims jobs and says how they went.
    Worker,
    /// Sees and enqueues jobs, and changes what becomes of them.
    Operator,
    /// Sees jobs, and decides about those in review.
    Reviewer,
    /// Everything but work.
    Admin,
}

impl Role {
    /// Every one of them.
    pub const ALL: &'static [Self] =
        &[Self::Viewer, Self::Producer, Self::Worker, Self::Operator, Self::Reviewer, Self::Admin];

    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Producer => "producer",
            Self::Worker => "worker",
            Self::Operator => "operator",
            Self::Reviewer => "reviewer",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|role| role.as_str()).collect();
            Invalid::new("roles", format!("{text:?} is no role: they are {}", known.join(", ")))
        })
    }
}
