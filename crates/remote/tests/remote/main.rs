//! A store from afar: who is let in, what is known when answers are lost, and that it answers as one nearby does.

#![expect(clippy::unwrap_used, reason = "what cannot go on has failed, and says where")]

#[path = "../afar/mod.rs"]
mod afar;

mod access;
mod errors;
mod lost;
mod random;
mod server;
mod tls;
