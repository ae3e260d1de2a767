//! A store behind a server: the port, spoken over HTTP.
//!
//! ```no_run
//! # async fn connect() -> Result<(), windlass_store::StoreError> {
//! use windlass_remote::{AccessToken, RemoteStore};
//!
//! let token = AccessToken::new("wl_…");
//! let store = RemoteStore::connect("https://jobs.example.com", token).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What has it has a store: workers run on it, jobs are enqueued to it, operators look after it, and whatever they may do is
//! for the server to say, by their token.
//!
//! **Invariant:** nothing is decided here. A call becomes a request, its answer becomes what the store behind the server would
//! have answered; kinds of errors are those that it gave.
//!
//! # When the connection fails
//!
//! A request that was not sent is sent again, and so is one that does no more when it is done twice; a few times, and then
//! the call fails:
//!
//! | what is known | kind | what to do |
//! | --- | --- | --- |
//! | the request never left, or it only reads | `Unavailable` | nothing happened: try later |
//! | the request was sent, its answer was lost | `Unknown` | it may have happened: ask again with the same ids and tokens |
//! | the token lets nobody in, or does not allow it | `Invalid(token)` | mend the token |
//!
//! - **An enqueue** names its ids, so it is repeated, and answers what became of it the first time (G2).
//! - **A settle** is repeated. `NotRunning` then says that the first one had closed the attempt, and is answered with where
//!   the job is now.
//! - **A claim** is not repeated, for it would claim twice: it is `Unknown`. What it brought is told by
//!   [`held`](windlass_store::WorkerStore::held), which is what workers ask to give it back.
//! - **A change by hand** is not repeated either: who makes it has to look.
//!
//! # What differs from a store nearby
//!
//! - **How somebody came** ([`Via`](windlass_store::Via)): the token, the address and the request are those that the server
//!   saw. Only the name of the request goes with a call.
//! - **Who did something by hand** is whom the token is for, unless it may speak for others.
//! - **Blanks around a JSON value** (args, results, checkpoints) are none of it: it stands among others in one text.
//! - **How much is taken at once**: a server may take fewer jobs at once than its store would.

mod access_token;
mod ask;
mod client;
mod connector;
mod failure;
mod options;
mod server;
mod store;
mod tls;
mod wakes;

pub use access_token::AccessToken;
pub use options::RemoteOptions;
pub use server::Server;
pub use store::RemoteStore;
