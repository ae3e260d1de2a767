//! How urgent a job is among those of its queue.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// How urgent a job is; stores keep 1 to 5, low first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Before everything else.
    Critical = 1,
    /// Before ordinary work.
    High = 2,
    /// Ordinary work.
    #[default]
    Normal = 3,
    /// After ordinary work.
    Low = 4,
    /// When there is nothing else to do.
    Idle = 5,
}

impl Priority {
    /// Every priority, most urgent first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Normal, Self::Low, Self::Idle];

    /// The number stores keep, 1 to 5.
    #[must_use]
    pub const fn as_number(self) -> u8 {
        self as u8
    }

    /// The priority that stores keep as `number`, if there is one.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Critical),
            2 => Some(Self::High),
            3 => Some(Self::Normal),
            4 => Some(Self::Low),
            5 => Some(Self::Idle),
            _ => None,
        }
    }

    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
            Self::Idle => "idle",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Priority {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == text).ok_or_else(|| {
            Invalid::new("priority", format!("{text:?} is not one of critical, high, normal, low, idle"))
        })
    }
}
