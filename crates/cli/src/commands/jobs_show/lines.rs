//! What `jobs show` prints of the job itself.

use windlass_core::notice::Target;
use windlass_core::{FiredBy, Job, Json, Phase, Unique, UniqueScope, Within};
use windlass_store::ReviewRecord;

use crate::commands::queues_bound::told;
use crate::commands::reviews;
use crate::output::Cell;

/// What is told of a job above its lists, and of what a person was asked about it.
pub(in crate::commands) fn of(job: &Job, review: Option<&ReviewRecord>) -> Vec<(&'static str, Cell)> {
    let mut lines = asked_for(job);
    lines.extend(review.map_or_else(|| terms(job), reviews::question));
    lines.extend(review.map(reviews::answer).unwrap_or_default());
    lines.extend(become_of(job));
    lines
}

/// What was asked for.
fn asked_for(job: &Job) -> Vec<(&'static str, Cell)> {
    let text = |bytes: &[u8]| Cell::text(String::from_utf8_lossy(bytes));
    let tags: Vec<&str> = job.options.tags.iter().map(windlass_core::Tag::as_str).collect();
    vec![
        ("id", Cell::text(job.id)),
        ("state", Cell::State(job.state)),
        ("reason", Cell::maybe(job.reason, Cell::text)),
        ("phase", if job.phase == Phase::Run { Cell::Empty } else { Cell::text(job.phase.as_str()) }),
        ("kind", Cell::text(&job.kind)),
        ("version", Cell::Number(job.version.into())),
        ("queue", Cell::text(&job.queue)),
        ("priority", Cell::text(job.priority)),
        ("args", text(job.args.as_bytes())),
        ("attempt", Cell::text(attempts(job))),
        ("losses", Cell::text(format!("{} of {}", job.losses, job.losses_max))),
        ("run at", Cell::Time(job.run_at)),
        ("deadline", Cell::maybe(job.deadline, Cell::Time)),
        ("timeout", Cell::maybe(job.options.timeout, Cell::Span)),
        ("tags", if tags.is_empty() { Cell::Empty } else { Cell::text(tags.join(", ")) }),
        ("unique", Cell::maybe(job.options.unique.as_ref(), unique)),
        ("notify", Cell::maybe(notify(job), Cell::Text)),
        ("locks", listed(job.options.locks.iter().map(lock))),
        (
            "limits",
            listed(job.options.limits.iter().map(|limit| format!("{} at most {}", limit.key, limit.max))),
        ),
        ("rates", listed(job.options.rates.iter().map(|rate| format!("{} {}", rate.key, told(rate.pace))))),
        ("order key", Cell::maybe(job.options.order_key.as_ref(), Cell::text)),
        ("submitted by", Cell::maybe(job.options.submitted_by.as_ref(), Cell::text)),
        ("fired by", Cell::maybe(job.options.fired_by.as_ref(), fired_by)),
        ("rerun of", Cell::maybe(job.options.rerun_of, Cell::text)),
        ("cleans up behind", Cell::maybe(job.options.cleans, Cell::text)),
    ]
}

/// On which terms a person will be asked, of a job that has not come so far.
fn terms(job: &Job) -> Vec<(&'static str, Cell)> {
    let Some(review) = &job.options.review else { return Vec::new() };
    let otherwise = review.decide_within.map(|_| review.otherwise.as_str());
    vec![
        ("review of", Cell::text(review.of.as_str())),
        ("decide within", Cell::maybe(review.decide_within, Cell::Span)),
        ("otherwise", Cell::maybe(otherwise, Cell::text)),
    ]
}

/// What has become of it.
fn become_of(job: &Job) -> Vec<(&'static str, Cell)> {
    let text = |json: &Json| Cell::text(String::from_utf8_lossy(json.as_bytes()));
    let progress = job.progress.as_ref().map(|progress| {
        let message = progress.message.as_deref().map_or(String::new(), |message| format!(" {message}"));
        format!("{} %{message}", progress.percent)
    });
    vec![
        ("progress", Cell::maybe(progress, Cell::Text)),
        ("checkpoint", Cell::maybe(job.checkpoint.as_ref(), text)),
        ("result", Cell::maybe(job.result.as_ref(), text)),
        ("error", Cell::maybe(job.error.as_ref(), Cell::error)),
        ("worker", Cell::maybe(job.worker.as_ref(), Cell::text)),
        ("created", Cell::Time(job.created_at)),
        ("started", Cell::maybe(job.started_at, Cell::Time)),
        ("finished", Cell::maybe(job.finished_at, Cell::Time)),
    ]
}

fn fired_by(fired: &FiredBy) -> Cell {
    let schedule = &fired.schedule;
    Cell::text(match fired.tick {
        Some(tick) => format!("{schedule} at {tick}"),
        None => format!("{schedule}, by hand"),
    })
}

/// What there is to be only one of, as it was asked for.
fn unique(unique: &Unique) -> Cell {
    let key = unique.key.as_deref().map_or_else(|| "its args".to_owned(), |key| format!("{key:?}"));
    let within = match unique.within {
        Within::Queue => " in its queue",
        Within::Global => " anywhere",
        _ => "",
    };
    let scope = match unique.scope {
        UniqueScope::Waiting => " until it is started".to_owned(),
        UniqueScope::For(span) => format!(" for {}", windlass_core::span::format(span)),
        _ => String::new(),
    };
    Cell::text(format!("by {key}{within}{scope}"))
}

/// Who is told, and when if not always.
fn notify(job: &Job) -> Option<String> {
    let told = job.options.notify.iter().map(|notify| {
        let states: Vec<&str> = notify.on.iter().map(|state| state.as_str()).collect();
        let when = if states.is_empty() { String::new() } else { format!(" if {}", states.join(" or ")) };
        format!("{}{when}", address(&notify.target))
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join(", "))
}

pub(super) fn address(target: &Target) -> &str {
    match target {
        Target::Mail(address) => address,
        Target::Webhook(url) => url,
        _ => "?",
    }
}

fn lock(lock: &windlass_core::Lock) -> String {
    format!("{} {}", lock.resource, lock.mode.as_str())
}

/// What most jobs have none of.
fn listed(items: impl Iterator<Item = String>) -> Cell {
    let items: Vec<String> = items.collect();
    if items.is_empty() { Cell::Empty } else { Cell::text(items.join(", ")) }
}

fn attempts(job: &Job) -> String {
    match job.attempts_max {
        windlass_core::limits::ATTEMPTS_UNLIMITED => format!("{} of any number", job.attempt),
        most => format!("{} of {most}", job.attempt),
    }
}
