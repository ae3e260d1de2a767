//! In transactions of the caller: enqueueing, settling, roles, and the function for triggers.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

mod after;
mod enqueue;
mod function;
mod review;
mod role;
mod scene;
mod settle;
mod unique;
