//! Spans of time as text: `30s`, `5m`, `1h30m`.

use std::time::Duration;

use crate::Invalid;

/// Reads a span such as `250ms`, `30s`, `5m` or `1h30m`. Never negative, never calendar-dependent (no months).
///
/// # Errors
///
/// [`Invalid`] with the field `duration` when the text is no span, is negative, or does not fit.
pub fn parse(text: &str) -> Result<Duration, Invalid> {
    let span: jiff::SignedDuration = text.parse().map_err(|_| {
        Invalid::new(
            "duration",
            format!("{text:?} is not a duration: expected such as \"30s\", \"5m\" or \"1h30m\""),
        )
    })?;
    Duration::try_from(span)
        .map_err(|_| Invalid::new("duration", format!("{text:?} is negative: a duration is zero or more")))
}

/// Writes a span the way [`parse`] reads it, in its shortest exact form.
#[must_use]
pub fn format(span: Duration) -> String {
    let printer = jiff::fmt::friendly::SpanPrinter::new();
    let span = jiff::SignedDuration::try_from(span).unwrap_or(jiff::SignedDuration::MAX);
    printer.duration_to_string(&span).replace(' ', "")
}

/// Serde adapter: a [`Duration`] as text.
pub mod text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the span as [`super::format`] does.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format(*span))
    }

    /// Reads the span as [`super::parse`] does.
    ///
    /// # Errors
    ///
    /// What [`super::parse`] refuses.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse(&text).map_err(|error| serde::de::Error::custom(error.problem))
    }
}

/// Serde adapter: an optional [`Duration`] as text.
pub mod text_option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the span as [`super::format`] does, or null.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => serializer.serialize_some(&super::format(*span)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the span as [`super::parse`] does, or null.
    ///
    /// # Errors
    ///
    /// What [`super::parse`] refuses.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::parse(&text).map_err(|error| serde::de::Error::custom(error.problem)))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_back_from_their_own_text() {
        for span in ["0s", "250ms", "30s", "5m", "1h30m", "48h", "1h0m1s"] {
            let parsed = parse(span).unwrap();
            assert_eq!(parse(&format(parsed)), Ok(parsed), "{span}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused_by_name() {
        for text in ["", "soon", "-5s", "5", "1 month", "99999999999999999999h"] {
            assert_eq!(parse(text).unwrap_err().field, "duration", "{text}");
        }
    }
}
