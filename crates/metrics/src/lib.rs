//! What is counted, and what it is called where Prometheus reads it: `docs/metrics.md`.
//!
//! [`Metrics`] is an [`Observer`](windlass_store::Observer): a worker tells it of what it does, and a server of what is done
//! through it. [`Fullness`] is how full the store is, as its queues and workers say. Both are registered where
//! `prometheus-client` writes them from.
//!
//! **Invariant:** how many series there are is bounded, however many queues and kinds there are.

mod fullness;
mod metrics;
mod series;

pub use fullness::Fullness;
pub use metrics::Metrics;
pub use series::{OTHER, PAIRS_MAX, QUEUES_MAX};

/// What `prometheus-client` writes, as a browser or a monitor is told what it is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What all names begin with.
pub const PREFIX: &str = "windlass";
