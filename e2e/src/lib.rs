//! Black-box tests: real worker processes on a real store, killed, stopped, cut off and made to share it.
//!
//! Two logs are held against each other. The *witness* is written by the handlers themselves, a line for each start and
//! end, by one `write` to a file opened for appending: it is the world's view, and it survives a `kill -9`. The *store* is
//! what Windlass says. Jobs are matched by their identity and attempts by their token's number, never by counts, so two
//! mistakes cannot cancel out.
//!
//! No scenario waits for the clock, but for the one that is about it. Random moments are chosen by waiting for the n-th line
//! of a witness.
//!
//! On either store:
//!
//! - [`kill`]: workers are killed at random moments, while jobs are enqueued and run.
//! - [`zombie`]: a worker is stopped past its lease, its job is given to another, and then it goes on.
//! - [`pair`]: two processes share one store.
//! - [`recovery`]: a worker is killed at work, and the time is taken until another has its job.
//! - [`pause`]: workers stand still past their lease under load, one after the other.
//! - [`fire`]: leaders are killed at random moments while a schedule of every second fires.
//! - [`gates`]: workers and producers are killed at random moments, while jobs share locks, limits, rates, order keys and
//!   unique keys.
//! - [`review`]: workers are killed at random moments, while they carry out what a person decided.
//! - [`block`]: handlers keep every thread of their worker busy for longer than its lease.
//!
//! On `windlass serve`:
//!
//! - [`overload`]: more is asked of it than it can do, by many who are slow and some who never stop; and many wait for work.
//!
//! On a server of their own:
//!
//! - [`crash`]: the server is killed under load; and on one that does not flush, jobs must be seen to get lost.
//! - [`cut`]: connections are cut around the message that commits.
//! - [`evict`]: the server ends connections, and a crowd shares one.
//! - [`partition`]: of two hosts, the link of one is cut and mended.
//! - [`stall`]: all connections of a worker fall silent, and none is closed.
//! - [`orphan`]: a claim reaches the server after its worker has asked what it holds.

pub mod address;
pub mod block;
pub mod crash;
pub mod cut;
pub mod evict;
pub mod failure;
pub mod fire;
pub mod gates;
pub mod host;
pub mod kill;
pub mod load;
pub mod meter;
pub mod orphan;
pub mod overload;
pub mod pair;
pub mod partition;
pub mod pause;
pub mod process;
pub mod producer;
pub mod proxy;
pub mod random;
pub mod recovery;
pub mod review;
pub mod scene;
pub mod script;
pub mod served;
pub mod stall;
pub mod timely;
pub mod verdict;
pub mod witness;
pub mod worker;
pub mod zombie;

pub use failure::Failure;
