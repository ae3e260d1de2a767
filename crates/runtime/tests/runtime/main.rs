//! The runtime against the memory store: what a user writes, and what becomes of it when things go wrong.

#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    clippy::items_after_statements,
    reason = "tests: a failure is a panic, and a handler takes its arguments as handlers do, beside the test it is for"
)]

mod beside;
mod building;
mod cancel;
mod context;
mod faults;
mod faulty;
mod handlers;
mod held;
mod leader;
mod panics;
mod review;
mod schedules;
mod shutdown;
mod slots;
mod support;
mod time;
