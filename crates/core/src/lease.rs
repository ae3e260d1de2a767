//! The right to run one attempt, and the token that fences everything written under it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{Invalid, JobId};

/// Names one attempt of one job, and fences every write made for it.
///
/// The number only grows per job, so a successor's token is always the larger one; the nonce keeps tokens apart
/// that were handed out from a store and from an older copy of it. A token carries its job, so whoever holds
/// nothing else can still ask which job it is.
///
/// # Guarantee
///
/// A store accepts a write only under the token of the job's open attempt (G6). A worker whose lease expired may
/// still be running; it can no longer record anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptToken {
    /// The job.
    pub job: JobId,
    /// Which attempt of it, 1 the first. Every claim counts, also those that cost the job nothing.
    pub number: u64,
    /// Drawn at the claim; never zero.
    pub nonce: u64,
}

const PREFIX: &str = "wlt_";

impl fmt::Display for AttemptToken {
    /// `wlt_`, then job, number and nonce in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}{:016x}{:x}", self.job.as_uuid().as_simple(), self.nonce, self.number)
    }
}

impl FromStr for AttemptToken {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        parse(text).ok_or_else(|| {
            Invalid::new("token", "is not an attempt token: expected wlt_ and 49 or more digits")
        })
    }
}

fn parse(text: &str) -> Option<AttemptToken> {
    let digits = text.strip_prefix(PREFIX)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let job = Uuid::try_parse(digits.get(..32)?).ok()?;
    let nonce = u64::from_str_radix(digits.get(32..48)?, 16).ok()?;
    let number = u64::from_str_radix(digits.get(48..)?, 16).ok()?;
    Some(AttemptToken { job: JobId::from_uuid(job), number, nonce })
}

impl Serialize for AttemptToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AttemptToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_from_its_own_text() {
        let token = AttemptToken { job: JobId::from_bytes([9; 16]), number: 3, nonce: u64::MAX };

        assert_eq!(token.to_string().parse(), Ok(token));
    }

    #[test]
    fn a_mangled_token_is_refused() {
        let token = AttemptToken { job: JobId::from_bytes([9; 16]), number: 3, nonce: 1 }.to_string();

        for text in ["", "wlt_", &token[4..], &token[..40], &token.replace('0', "g"), "wlt_é"] {
            assert!(text.parse::<AttemptToken>().is_err(), "{text}");
        }
    }
}
