//! What a person had before them, as one number that no other thing has.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Subject;
use crate::{Args, Invalid, Json};

/// The SHA-256 of what is reviewed. A decision names it, so that nobody decides about what they have not seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of what is reviewed of a job: its args, and for its outcome its result too.
    #[must_use]
    pub fn of(subject: Subject, args: &Args, staged: Option<&Json>) -> Self {
        let form = match args {
            Args::Json(_) => "json",
            Args::Bytes(_) => "bytes",
        };
        let mut hash = Sha256::new();
        // Each part with its length before it: no two different things may read the same one after the other.
        for part in
            ["windlass review 1".as_bytes(), subject.as_str().as_bytes(), form.as_bytes(), args.as_bytes()]
        {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        // No result is another thing than any result.
        if let Some(staged) = staged.filter(|_| subject == Subject::Outcome) {
            hash.update(staged.as_bytes());
        } else {
            hash.update([0xff]);
        }
        Self(hash.finalize().into())
    }

    /// Its bytes, as stores keep it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest made of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refused = || Invalid::new("digest", format!("{text:?} is not 64 hexadecimal digits"));
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(refused());
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).map_err(|_| refused())?;
        }
        Ok(Self(bytes))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}
