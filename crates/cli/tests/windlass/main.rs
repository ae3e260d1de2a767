//! The command itself, run as people run it.

mod dead_letters;
#[cfg(test)]
mod flows;
mod gates;
#[cfg(test)]
mod inputs;
mod jobs;
#[cfg(test)]
mod notices;
mod output;
#[cfg(test)]
mod pipeline;
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
