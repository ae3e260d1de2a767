//! The HTTP API of Windlass: what a store can do, for programs in any language.
//!
//! [`serve`] answers on a listener until it is told to stop; [`router`] is the same as a router of `axum`, to nest in an
//! application of one's own:
//!
//! ```
//! # fn nested(store: windlass_store::SharedStore) -> axum::Router {
//! use windlass_server::{Config, router};
//!
//! axum::Router::new().nest("/queue", router(store, Config::default()))
//! # }
//! ```
//!
//! Every route is one line of one table (`routes`), which says what it is, who may call it, which queue it concerns, what
//! it takes and what it answers. The router, the authorization and the `OpenAPI` document are made of that table, so a route
//! that is not in it does not exist, and one that does not say who may call it does not compile.
//!
//! **Invariant:** a handler reads what was sent, calls the port, and turns the answer into a shape of `windlass-wire`. No
//! rule is decided here.
//!
//! **Invariant:** what waits costs nothing: long polls hold no slot, ask no store, and are woken one by one.

mod access;
mod answer;
mod app;
mod attempts;
mod auth;
mod config;
mod guard;
mod input;
mod lanes;
mod metrics;
mod names;
mod numbers;
mod openapi;
mod operations;
mod owners;
mod query;
mod route;
mod routes;
mod serving;
mod trace;
mod waiting;

pub use access::{AllowAll, Asked, Authorizer, Caller, QueueGlob, Refusal, Verb, Verbs};
pub use auth::{Door, Exposure, FirstToken, FirstTokenError, Tls, TlsError, Tokens};
pub use config::{Config, Limits};
pub use openapi::document as openapi;
pub use serving::{Served, serve, serve_encrypted};

use axum::Router;
use windlass_store::SharedStore;

/// The API over `store`, as a router to nest anywhere.
///
/// What waits in it is ended with the router itself.
pub fn router(store: SharedStore, config: Config) -> Router {
    route::router(&std::sync::Arc::new(app::App::new(store, config)))
}
