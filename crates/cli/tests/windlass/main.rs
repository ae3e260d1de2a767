//! The command itself, run as people run it.

#[cfg(test)]
mod config;
mod dead_letters;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod first_minutes;
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
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod promote;
#[cfg(test)]
mod push;
mod reviews;
mod run;
mod schedules;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod shelf;
mod stores;
#[cfg(test)]
mod traces;
mod work;
