//! What somebody did by hand, as it is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use windlass_core::Timestamp;
use windlass_store::AuditEntry;

/// A change that somebody made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// What it was done to: `job`, `queue`, `kind`, `schedule`, `token` or `operation`.
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
    /// What of it was changed, as far as it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeShape>,
}

/// What was changed, by the names of the fields. What stayed as it was is in neither.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeShape {
    /// As it was.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub before: BTreeMap<String, serde_json::Value>,
    /// As it is since.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub after: BTreeMap<String, serde_json::Value>,
}

impl AuditShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] =
        &["number", "at", "by", "reason", "verb", "noun", "subject", "token", "address", "request", "change"];
}

impl From<AuditEntry> for AuditShape {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { number, at, by, verb, noun, subject, change } = entry;
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
            change: change.map(|change| ChangeShape { before: change.before, after: change.after }),
        }
    }
}
