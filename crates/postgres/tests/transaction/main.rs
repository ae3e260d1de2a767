//! In transactions of the caller: enqueueing, settling, roles, and the function for triggers.

mod enqueue;
mod function;
mod role;
mod scene;
mod settle;
mod unique;
