//! What somebody did by hand, as it is shown.

use serde::{Deserialize, Serialize};
use windlass_core::Timestamp;
use windlass_store::AuditEntry;

/// A change that somebody made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct AuditShape {
    /// Its number.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// Why, if they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was done.
    pub verb: String,
    /// What it was done to: `job`, `queue`, `kind`, `schedule` or `token`.
    pub noun: String,
    /// Which one.
    pub subject: String,
    /// The token that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Where the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The request, as the server's log calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl AuditShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] =
        &["number", "at", "by", "reason", "verb", "noun", "subject", "token", "address", "request"];
}

impl From<AuditEntry> for AuditShape {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { number, at, by, verb, noun, subject } = entry;
        let via = by.via.unwrap_or_default();
        Self {
            number,
            at,
            by: by.name,
            reason: by.why,
            verb,
            noun: noun.as_str().to_owned(),
            subject,
            token: via.token.map(|token| token.to_string()),
            address: via.address.map(|address| address.to_string()),
            request: via.request,
        }
    }
}
