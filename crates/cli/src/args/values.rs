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

/// The time between two, of so many in a time.
pub(super) fn rate(text: &str) -> Result<Duration, String> {
    let wrong = || "is no rate: write it as 20/s or 100/1m".to_owned();
    let (count, span) = text.split_once('/').ok_or_else(wrong)?;
    let count: u32 = count.parse().ok().filter(|count| *count > 0).ok_or_else(wrong)?;
    let counted = span.starts_with(|c: char| c.is_ascii_digit());
    let span = if counted { duration(span)? } else { duration(&format!("1{span}"))? };
    Ok(span / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_so_many_in_a_time() {
        assert_eq!(rate("20/s"), Ok(Duration::from_millis(50)));
        assert_eq!(rate("100/1m"), Ok(Duration::from_millis(600)));
        for text in ["20", "0/s", "x/s", "20/"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
