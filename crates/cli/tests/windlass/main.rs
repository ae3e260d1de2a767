//! The command itself, run as people run it.

mod jobs;
mod output;
mod run;
#[cfg(test)]
mod shelf;
mod stores;
mod work;
