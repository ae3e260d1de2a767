//! The service itself, as processes: what is staged, decided and published, and what is left when it is killed.

#![expect(clippy::unwrap_used, reason = "a test whose helpers fail has failed")]

mod decisions;
mod guide;
mod kills;
mod locks;
mod notices;
mod office;
