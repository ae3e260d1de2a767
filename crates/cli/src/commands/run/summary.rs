//! What a run has to say when it is over, or was stopped.

use std::time::Duration;

use serde::Serialize;
use windlass_core::{AttemptError, JobId, JobState, KindName, Reason, span};

use crate::error::ErrorCode;
use crate::exit_code::ExitCode;
use crate::job_file::{Generation, JobFile};
use crate::output::{Cell, Column, List, Output, Record, Row, fields};
use crate::tracker::{Failure, Found, Tracker};

pub(crate) const FIELDS: &[&str] = &[
    "file",
    "digest",
    "generation",
    "total",
    "completed",
    "dead",
    "cancelled",
    "gone",
    "unfinished",
    "resumed",
    "took",
    "slowest",
    "failures",
    "failures_untold",
];

/// A run that is over, or was stopped.
pub(super) struct Ran<'a> {
    pub(super) file: &'a JobFile,
    pub(super) generation: Generation,
    pub(super) resumed: usize,
    pub(super) tracker: &'a Tracker,
    pub(super) took: Duration,
}

#[derive(Serialize)]
struct Summary<'a> {
    file: &'a str,
    digest: String,
    generation: u32,
    total: usize,
    completed: usize,
    dead: usize,
    cancelled: usize,
    gone: usize,
    unfinished: usize,
    resumed: usize,
    took: String,
    slowest: Vec<Slow>,
    failures: Vec<Failed<'a>>,
    failures_untold: usize,
}

#[derive(Serialize)]
struct Slow {
    id: JobId,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    took: String,
}

#[derive(Serialize)]
struct Failed<'a> {
    id: JobId,
    kind: &'a KindName,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    state: JobState,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a AttemptError>,
}

const FAILURES: &[Column] = &[
    Column::whole("ID"),
    Column::new("LINE"),
    Column::new("KIND"),
    Column::whole("STATE"),
    Column::new("REASON"),
    Column::new("ERROR"),
];

const SLOWEST: &[Column] =
    &[Column::whole("ID"), Column::new("LINE"), Column::new("KIND"), Column::new("TOOK")];

impl Ran<'_> {
    pub(super) fn exit(&self) -> ExitCode {
        if self.tracker.found.completed == self.tracker.counts().total {
            ExitCode::Done
        } else {
            ErrorCode::JobsFailed.exit_code()
        }
    }

    pub(super) fn output(&self) -> Output {
        let Found { completed, dead, cancelled, gone, failures, slowest } = &self.tracker.found;
        let counts = self.tracker.counts();
        let count = |count: usize| if count == 0 { Cell::Empty } else { number(count) };
        let untold = self.tracker.found.failures_untold();
        let summary = Summary {
            file: &self.file.name,
            digest: self.file.digest(),
            generation: self.generation.0,
            total: counts.total,
            completed: *completed,
            dead: *dead,
            cancelled: *cancelled,
            gone: *gone,
            unfinished: counts.total - counts.done,
            resumed: self.resumed,
            took: span::format(whole_millis(self.took)),
            slowest: slowest.iter().map(|(took, id, kind)| self.slow(*took, *id, kind)).collect(),
            failures: failures.iter().map(|failure| self.failed(failure)).collect(),
            failures_untold: untold,
        };
        let lines = vec![
            ("file", Cell::text(&self.file.name)),
            ("jobs", number(counts.total)),
            ("completed", number(*completed)),
            ("dead", count(*dead)),
            ("cancelled", count(*cancelled)),
            ("deleted", count(*gone)),
            ("unfinished", count(summary.unfinished)),
            ("took", Cell::Span(whole_millis(self.took))),
        ];
        let failed = summary.failures.iter().map(failure_row).collect();
        let slow = if counts.total > 1 { summary.slowest.iter().map(slow_row).collect() } else { Vec::new() };
        let sections = vec![
            ("slowest", List { columns: SLOWEST, rows: slow }),
            ("failed", List { columns: FAILURES, rows: failed }),
        ];
        let output =
            Output::record(Record { id: summary.digest.clone(), lines, sections, fields: fields(&summary) });
        let output = if untold == 0 {
            output
        } else {
            output.with_note(format!("and {untold} more: windlass jobs list --state dead,cancelled"))
        };
        match failures.first() {
            None => output,
            Some(Failure { job }) => output.with_note(next(job.id)),
        }
    }

    fn slow(&self, took: Duration, id: JobId, kind: &str) -> Slow {
        let line = self.file.line(self.generation, id);
        Slow { id, kind: kind.to_owned(), line, took: span::format(whole_millis(took)) }
    }

    fn failed<'f>(&self, Failure { job }: &'f Failure) -> Failed<'f> {
        let line = self.file.line(self.generation, job.id);
        Failed {
            id: job.id,
            kind: &job.kind,
            line,
            state: job.state,
            reason: job.reason,
            error: job.error.as_ref(),
        }
    }
}

/// What to do about what failed.
fn next(id: JobId) -> String {
    format!(
        "why: windlass jobs show {id}, windlass jobs logs {id}; once more: windlass jobs retry ID, then the same run"
    )
}

fn slow_row(slow: &Slow) -> Row {
    Row {
        id: slow.id.to_string(),
        cells: vec![
            Cell::text(slow.id),
            Cell::maybe(slow.line, number),
            Cell::text(&slow.kind),
            Cell::text(&slow.took),
        ],
        fields: fields(slow),
    }
}

fn failure_row(failure: &Failed<'_>) -> Row {
    Row {
        id: failure.id.to_string(),
        cells: vec![
            Cell::text(failure.id),
            Cell::maybe(failure.line, number),
            Cell::text(failure.kind),
            Cell::State(failure.state),
            Cell::maybe(failure.reason, Cell::text),
            Cell::maybe(failure.error, Cell::error),
        ],
        fields: fields(failure),
    }
}

fn number(count: usize) -> Cell {
    Cell::Number(count as u64)
}

/// Nobody reads the nanoseconds of a run.
fn whole_millis(span: Duration) -> Duration {
    Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}
