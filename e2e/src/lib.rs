//! Black-box tests: real worker processes on a real file, killed, stopped and made to share it.
//!
//! Two logs are held against each other. The *witness* is written by the handlers themselves, a line for each start and
//! end, by one `write` to a file opened for appending: it is the world's view, and it survives a `kill -9`. The *store* is
//! what Windlass says. Jobs are matched by their identity and attempts by their token's number, never by counts, so two
//! mistakes cannot cancel out.
//!
//! No scenario waits for the clock. Random moments are chosen by waiting for the n-th line of a witness.
//!
//! - [`kill`]: workers are killed at random moments, while jobs are enqueued and run.
//! - [`zombie`]: a worker is stopped past its lease, its job is given to another, and then it goes on.
//! - [`pair`]: two processes share one file.
//! - [`recovery`]: a worker is killed at work, and the time is taken until another has its job.

pub mod failure;
pub mod kill;
pub mod pair;
pub mod process;
pub mod random;
pub mod recovery;
pub mod scene;
pub mod verdict;
pub mod witness;
pub mod worker;
pub mod zombie;

pub use failure::Failure;
