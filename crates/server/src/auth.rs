//! The door of a server of one's own: who is let in, from where, and over what.
//!
//! [`Tokens`] is the [`Authorizer`](crate::Authorizer) that knows tokens of access by the hashes that the store keeps;
//! [`Door`] turns away what a web page in somebody's browser could send; [`Tls`] encrypts; [`Exposure`] refuses to listen
//! where others could listen in. An application that nests the router has doors of its own, and needs none of these.

mod door;
mod exposure;
mod first;
mod forwarded;
mod pace;
mod roles;
mod tls;
mod tokens;
mod veil;

pub use door::Door;
pub use exposure::Exposure;
pub use first::{FirstToken, FirstTokenError};
pub use tls::{Tls, TlsError};
pub use tokens::Tokens;

pub(crate) use veil::veiled;

#[cfg(test)]
mod matrix;
