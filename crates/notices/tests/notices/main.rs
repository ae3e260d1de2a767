//! Notices, sent to real servers of the test's own.

#![expect(clippy::unwrap_used, reason = "a test whose helpers fail has failed")]

mod certificates;
mod http_server;
mod mail;
mod support;
mod webhook;
mod worker;
