//! The client alone, over a store in memory. What workers do is done by hand.

#![expect(clippy::unwrap_used, reason = "a test whose helpers fail has failed")]

mod enqueue;
mod hand;
mod handle;
mod operate;
mod reviews;
