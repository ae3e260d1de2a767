//! How the values of options are read.

use std::time::Duration;

use windlass_core::{Due, Invalid, Timestamp};

pub(super) fn problem(invalid: Invalid) -> String {
    invalid.problem
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    windlass_core::span::parse(text).map_err(problem)
}

pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(problem)
}

/// The place in a list that a footer named.
pub(super) fn cursor(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| "is no place in a list: give the number that the last page ended with".to_owned())
}

pub(super) fn due(text: &str) -> Result<Due, String> {
    windlass_wire::request::instant_or_span("", text).map_err(problem)
}
