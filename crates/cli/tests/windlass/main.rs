//! The command itself, run as people run it.

mod jobs;
mod output;
mod postgres;
#[cfg(test)]
mod promote;
mod run;
#[cfg(test)]
mod shelf;
mod stores;
mod work;
