//! One value, as people and pipes see it.

use std::time::Duration;

use comfy_table::Color;
use windlass_core::{AttemptError, JobState, Timestamp, span};

use super::Style;
use crate::args::TimeForm;

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// There is none.
    Empty,
    /// Any text, however hostile.
    Text(String),
    /// A number.
    Number(u64),
    /// What a job is doing.
    State(JobState),
    /// An instant.
    Time(Timestamp),
    /// A span of time.
    Span(Duration),
    /// How a check went.
    Check(Check),
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// All is well.
    Passed,
    /// Someone should look.
    Warned,
    /// It is broken.
    Failed,
}

impl Check {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Warned => "warning",
            Self::Failed => "failed",
        }
    }
}

impl Cell {
    #[expect(clippy::needless_pass_by_value, reason = "ids, names and words are given as they come")]
    pub(crate) fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    /// What went wrong and why, as one line.
    pub(crate) fn error(error: &AttemptError) -> Self {
        let parts = std::iter::once(&error.message).chain(&error.chain).map(String::as_str);
        Self::Text(parts.collect::<Vec<_>>().join(": "))
    }

    pub(crate) fn maybe<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Empty, cell)
    }

    /// The value as pipes get it: nothing relative, nothing cut, on one line.
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => escaped(text),
            Self::Number(number) => number.to_string(),
            Self::State(state) => state.to_string(),
            Self::Time(time) => time.to_string(),
            Self::Span(span) => span::format(*span),
            Self::Check(check) => check.as_str().to_owned(),
        }
    }

    /// The value as people see it.
    pub(crate) fn pretty(&self, style: &Style) -> String {
        match self {
            Self::Text(text) => shown(text),
            Self::State(state) => format!("{} {state}", glyph(*state)),
            Self::Time(time) if style.time == TimeForm::Relative => relative(*time, style.now),
            Self::Span(span) => roughly(*span),
            Self::Check(Check::Passed) => "✓ ok".to_owned(),
            Self::Check(Check::Warned) => "! warning".to_owned(),
            Self::Check(Check::Failed) => "✗ failed".to_owned(),
            other => other.plain(),
        }
    }

    pub(crate) const fn color(&self) -> Option<Color> {
        match self {
            Self::State(JobState::Completed) | Self::Check(Check::Passed) => Some(Color::Green),
            Self::State(JobState::Dead) | Self::Check(Check::Failed) => Some(Color::Red),
            Self::State(JobState::Running) => Some(Color::Cyan),
            Self::State(JobState::Retryable) | Self::Check(Check::Warned) => Some(Color::Yellow),
            Self::State(JobState::Cancelled) | Self::Time(_) => Some(Color::DarkGrey),
            _ => None,
        }
    }
}

const fn glyph(state: JobState) -> char {
    match state {
        JobState::Scheduled => '◷',
        JobState::Ready => '○',
        JobState::Retryable => '↻',
        JobState::Blocked => '◌',
        JobState::InReview => '?',
        JobState::Running => '●',
        JobState::Completed => '✓',
        JobState::Cancelled => '⊘',
        JobState::Dead => '✗',
        _ => '·',
    }
}

fn relative(time: Timestamp, now: Timestamp) -> String {
    if time > now {
        format!("in {}", roughly(time.since(now)))
    } else {
        format!("{} ago", roughly(now.since(time)))
    }
}

/// `1 job`, `2 jobs`.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// A span of time in its largest unit, as one says it.
pub(crate) fn roughly(span: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match span.as_secs() {
        0 => format!("{}ms", span.as_millis()),
        seconds @ 1..MINUTE => format!("{seconds}s"),
        seconds @ MINUTE..HOUR => format!("{}m", seconds / MINUTE),
        seconds @ HOUR..DAY => format!("{}h", seconds / HOUR),
        seconds => format!("{}d", seconds / DAY),
    }
}

/// Whether a terminal would do something else with `c` than show it: control characters of both sets, and those
/// that turn the direction of what follows.
pub(super) fn hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// `text` on one line, with what a terminal or a table could not show written out.
pub(crate) fn shown(text: &str) -> String {
    written_out(text, hostile)
}

/// The same for programs that read lines and tabs: a backslash is doubled, so that the original can be told again.
fn escaped(text: &str) -> String {
    written_out(text, |c| hostile(c) || c == '\\')
}

fn written_out(text: &str, must: impl Fn(char) -> bool) -> String {
    if !text.contains(&must) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\\' | '\t' | '\n' | '\r' if must(c) => safe.extend(c.escape_default()),
            c if must(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_their_largest_unit() {
        let said = |seconds: u64| roughly(Duration::from_secs(seconds));

        assert_eq!(
            ["59s", "1m", "59m", "1h", "23h", "1d"].map(str::to_owned),
            [59, 60, 3599, 3600, 86_399, 86_400].map(said)
        );
        assert_eq!(roughly(Duration::from_millis(250)), "250ms");
    }

    #[test]
    fn the_future_is_ahead() {
        let (now, later) = (Timestamp::MIN, Timestamp::from_micros(90_000_000));

        assert_eq!((relative(later, now), relative(now, later)), ("in 1m".to_owned(), "1m ago".to_owned()));
    }
}
