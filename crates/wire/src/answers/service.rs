//! What a server says of itself.

use serde::{Deserialize, Serialize};

/// What a caller may do, and what the server takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Capabilities {
    /// The version of the server's program.
    pub version: String,
    /// What the caller is called.
    pub name: String,
    /// The verbs that the caller may use.
    pub verbs: Vec<String>,
    /// `*`, or the queues the caller is given.
    pub queues: Vec<String>,
    /// Whether the caller may change things in the name of others.
    pub speaks_for_others: bool,
    /// How much the server takes at once.
    pub limits: ServerBounds,
}

/// How much a server takes at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Bounds))]
pub struct ServerBounds {
    /// Largest body of a request, in bytes.
    pub body_bytes_max: usize,
    /// Largest body of a request that brings many things, in bytes.
    pub batch_bytes_max: usize,
    /// Most jobs in one request.
    pub batch_jobs_max: usize,
    /// Most rows of a page.
    pub page_max: u32,
    /// Longest wait.
    pub wait_max: String,
}
