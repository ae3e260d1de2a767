//! Sends notices: tells people, by mail and by signed webhooks, that a job has ended.
//!
//! A notice is a job of the kind [`windlass_core::notice::KIND`], which a store makes in the transaction that ends the job
//! it tells of. Here is what does such jobs: a worker becomes their sender by [`WorkerNotices::notices`]. What is sent
//! where, and what a receiver may rely on, is told in `docs/notices.md`.
//!
//! Nothing is sent anywhere until it is allowed: whoever may enqueue a job names the targets, and must not thereby be able
//! to make this machine speak to any other. So a [`NoticeConfig`] names the hosts; a host that is not said to be internal
//! must have a public address; and the address that was judged is the one that is connected to (`guard`).

mod config;
mod connect;
mod failure;
mod guard;
mod mail;
mod resolve;
mod sender;
mod signature;
mod webhook;
mod worker;

pub use config::NoticeConfig;
pub use resolve::Resolve;
pub use sender::Sender;
pub use signature::{Secret, Signed};
pub use worker::WorkerNotices;
