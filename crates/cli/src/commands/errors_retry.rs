//! `windlass errors retry`: once what was wrong is mended, the jobs that met it are tried again.
//!
//! With `--canary`, a few go first, and the rest only if each of them ends well: what is not mended after all costs a few
//! attempts, and not thousands.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use windlass_core::{BulkVerb, Fingerprint, JobId, JobState};
use windlass_store::{Actor, SharedStore};
use windlass_wire::filter::Filter;

use super::bulk::{self, Verb};
use crate::args::{ErrorsRetryArgs, ProgressWhen};
use crate::confirm;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::output::cell::counted;
use crate::output::{Cell, Output, Record, fields};
use crate::progress::ProgressShow;
use crate::tracker::Tracker;

pub(crate) const FIELDS: &[&str] =
    &["fingerprint", "jobs", "canaries", "retried", "refused", "completed", "failed", "open"];

const RETRY: Verb =
    Verb { name: "retry", bulk: Some(BulkVerb::Retry), states: &[JobState::Dead, JobState::Retryable] };

/// How often to look what has become of them.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Default, Serialize)]
struct Report {
    fingerprint: String,
    /// How many there were to be retried.
    jobs: usize,
    /// How many of them went first.
    canaries: usize,
    retried: usize,
    refused: usize,
    /// Of those that were waited for.
    completed: usize,
    failed: usize,
    open: usize,
}

pub(crate) async fn run(args: ErrorsRetryArgs, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let mut filter = Filter::default();
    filter.indexed.fingerprint = Some(args.fingerprint);
    filter.indexed.states = RETRY.states.to_vec();
    let ids = bulk::matching(&store, &filter).await?;
    if args.dry_run {
        return bulk::preview(&store, ids, &filter, &RETRY).await;
    }
    if ids.is_empty() {
        return Err(nothing(args.fingerprint));
    }
    confirm::many(&format!("retry {}", counted(ids.len() as u64, "job")), context)?;
    let mut report =
        Report { fingerprint: args.fingerprint.to_string(), jobs: ids.len(), ..Report::default() };
    let canaries = args.canary.map_or(0, |canaries| ids.len().min(canaries as usize));
    let (first, rest) = ids.split_at(canaries);
    if !first.is_empty() {
        report.canaries = first.len();
        retry(&store, first, (&args, &mut report), context).await;
        follow(&store, first, (args.timeout, &mut report), context).await?;
        let all = first.len();
        let good = report.completed;
        if good < all {
            return Ok(stopped(&report, rest.len()));
        }
        context.tell(&format!("{good} of {all} went well{}", pace(&args, rest.len())));
    }
    retry(&store, rest, (&args, &mut report), context).await;
    if args.wait {
        follow(&store, rest, (args.timeout, &mut report), context).await?;
    }
    Ok(told(&report, args.wait))
}

/// What comes next.
fn pace(args: &ErrorsRetryArgs, rest: usize) -> String {
    match (rest, args.rate) {
        (0, _) => String::new(),
        (rest, None) => format!("; going on with the other {rest}"),
        (rest, Some(every)) => {
            let every = windlass_core::span::format(every);
            format!("; going on with the other {rest}, one each {every}")
        }
    }
}

fn nothing(fingerprint: Fingerprint) -> CliError {
    let what = format!("no job is dead or waits for another attempt that ended with error {fingerprint}");
    CliError::new(ErrorCode::NotFound, what).with_help("`windlass errors` lists which errors there are")
}

/// Gives each a new budget, one after the other, no faster than was said.
async fn retry(
    store: &SharedStore,
    ids: &[JobId],
    (args, report): (&ErrorsRetryArgs, &mut Report),
    context: &Context,
) {
    let actor = Actor::new(&args.by.by);
    let by = args.reason.as_ref().map_or(actor.clone(), |reason| actor.because(reason));
    let show = ProgressShow::new(ProgressWhen::Auto, context.stderr_terminal(), "retry");
    let answers = bulk::each(ids, (args.rate, Some(show)), |id| {
        let by = by.clone();
        async move { store.retry(id, by).await.map(|()| "retried") }
    });
    let answers = answers.await;
    report.refused += answers.refusals();
    report.retried += ids.len() - answers.refusals();
    answers.tell_refusals();
}

/// Waits until each of them is final, waits for a further attempt or for a person, or the time is over.
async fn follow(
    store: &SharedStore,
    ids: &[JobId],
    (timeout, report): (Duration, &mut Report),
    context: &Context,
) -> Result<(), CliError> {
    let until = Instant::now() + timeout;
    let (mut tracker, mut ended) = (Tracker::new(ids.to_vec()), store.signals().ended());
    let mut show = ProgressShow::new(ProgressWhen::Auto, context.stderr_terminal(), "done");
    loop {
        tracker.look_at_all(store).await?;
        let counts = tracker.counts();
        show.update(counts);
        // One that failed once more waits for its next attempt: that may be far away, and is answer enough.
        if counts.done + counts.retrying == counts.total || Instant::now() >= until {
            break;
        }
        let _ = tokio::time::timeout(LOOK, ended.next()).await;
    }
    let counts = tracker.counts();
    report.completed += tracker.found.completed;
    report.failed += counts.failed + counts.retrying;
    report.open += counts.total - counts.done - counts.retrying;
    Ok(())
}

/// What is said when the first ones did not all end well: the others are left as they are.
fn stopped(report: &Report, rest: usize) -> Output {
    let Report { canaries, completed, .. } = report;
    let note =
        format!("{completed} of the first {canaries} went well: the other {rest} are left as they are");
    record(report).with_note(note).with_exit(ErrorCode::JobsFailed.exit_code())
}

fn told(report: &Report, waited: bool) -> Output {
    let exit = match report {
        Report { refused: 1.., .. } => ErrorCode::Partial.exit_code(),
        Report { failed: 1.., .. } if waited => ErrorCode::JobsFailed.exit_code(),
        Report { open: 1.., .. } if waited => ErrorCode::TimedOut.exit_code(),
        _ => ExitCode::Done,
    };
    record(report).with_exit(exit)
}

fn record(report: &Report) -> Output {
    let count = |count: usize| Cell::Number(count as u64);
    let lines = vec![
        ("fingerprint", Cell::text(&report.fingerprint)),
        ("jobs", count(report.jobs)),
        ("canaries", count(report.canaries)),
        ("retried", count(report.retried)),
        ("refused", count(report.refused)),
        ("completed", count(report.completed)),
        ("failed", count(report.failed)),
        ("open", count(report.open)),
    ];
    Output::record(Record {
        id: report.fingerprint.clone(),
        lines,
        sections: Vec::new(),
        fields: fields(report),
    })
}
