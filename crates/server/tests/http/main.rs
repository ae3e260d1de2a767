//! The API as callers see it: a real server on a port of its own, and requests as text.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

mod access;
mod hostile;
mod jobs;
mod leases;
mod limits;
mod monitored;
mod operations;
mod operators;
mod refusals;
mod server;
mod traces;
mod waiting;
