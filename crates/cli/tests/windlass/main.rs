//! The command itself, run as people run it.

mod dead_letters;
#[cfg(test)]
mod flows;
mod gates;
mod jobs;
#[cfg(test)]
mod notices;
mod output;
mod postgres;
#[cfg(test)]
mod promote;
mod reviews;
mod run;
mod schedules;
#[cfg(test)]
mod shelf;
mod stores;
mod work;
