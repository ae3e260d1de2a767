//! Opening a store: the schema it makes, whom it speaks to, and what it says when it cannot.

mod migrate;
mod refused;
mod scene;
mod tls;
