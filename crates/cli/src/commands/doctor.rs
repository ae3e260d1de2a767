//! `windlass doctor`

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use windlass_core::limits::PAGE_MAX;
use windlass_core::{JobState, KindName};
use windlass_store::{JobFilter, PageRequest, QueueSummary, SharedStore, StoreError, StoreStatus, Worker};

use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::output::cell::{Check, counted, roughly};
use crate::output::{Cell, Column, Output, Row, fields};

pub(crate) const FIELDS: &[&str] = &["check", "status", "detail", "cure"];

const COLUMNS: &[Column] =
    &[Column::new("STATUS"), Column::whole("CHECK"), Column::new("DETAIL"), Column::new("WHAT TO DO")];

/// How many ready jobs are looked at for kinds that nobody runs: the first pages tell.
const READY_PAGES: usize = 10;

#[derive(Serialize)]
struct Finding {
    check: &'static str,
    #[serde(skip)]
    verdict: Check,
    status: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<String>,
}

/// Checks everything; a store that cannot be opened is a finding, not an error.
pub(crate) async fn run(context: &Context) -> Result<Output, CliError> {
    let findings = match context.store().await {
        Ok(store) => examine(&store).await.unwrap_or_else(|error| vec![store_failed(&CliError::from(error))]),
        Err(error) => vec![store_failed(&error)],
    };
    let failed = findings.iter().any(|finding| finding.verdict == Check::Failed);
    let exit = if failed { ErrorCode::Unhealthy.exit_code() } else { ExitCode::Done };
    let note = format!("checked {}", context.store_path().display());
    Ok(Output::list(COLUMNS, findings.into_iter().map(row).collect()).with_note(note).with_exit(exit))
}

async fn examine(store: &SharedStore) -> Result<Vec<Finding>, StoreError> {
    let status = store.status().await?;
    let mut findings = vec![opened(&status)];
    findings.extend(status.warnings.iter().map(|warning| Finding::warned("store", warning.clone(), None)));
    findings.extend(integrity(&store.check().await?));
    let workers = store.workers(Duration::ZERO).await?;
    let queues = store.queues().await?;
    findings.extend(silent(&workers, &status));
    findings.extend(paused(&queues));
    findings.extend(unhandled(&ready_kinds(store).await?, &workers));
    Ok(findings)
}

fn opened(status: &StoreStatus) -> Finding {
    let size = indicatif::HumanBytes(status.size_bytes);
    let (engine, durability, schema) = (&status.engine, status.durability.as_str(), status.schema_version);
    Finding::passed("store", format!("{engine}, {durability}, schema {schema}, {size}"))
}

fn store_failed(error: &CliError) -> Finding {
    Finding::new(Check::Failed, "store", error.what(), error.help().map(str::to_owned))
}

fn integrity(problems: &[String]) -> Vec<Finding> {
    let cure = || Some("stop all workers, keep a copy of the file, and restore a backup".to_owned());
    if problems.is_empty() {
        return vec![Finding::passed("integrity", "everything that is stored fits together".to_owned())];
    }
    problems.iter().map(|problem| Finding::new(Check::Failed, "integrity", problem.clone(), cure())).collect()
}

fn silent(workers: &[Worker], status: &StoreStatus) -> Vec<Finding> {
    let quiet = |worker: &&Worker| status.now.since(worker.seen_at) > worker.registered.lease;
    let findings: Vec<Finding> = workers
        .iter()
        .filter(quiet)
        .map(|worker| {
            let (name, jobs) = (&worker.registered.name, counted(worker.running, "job"));
            let since = roughly(status.now.since(worker.seen_at));
            let detail = format!("{name} has been silent for {since}, with {jobs}");
            Finding::warned(
                "workers",
                detail,
                Some("its jobs go to the next worker that runs: `windlass work`"),
            )
        })
        .collect();
    match (findings.is_empty(), workers.len()) {
        (false, _) => findings,
        (true, 0) => vec![Finding::passed("workers", "none are registered".to_owned())],
        (true, count) => vec![Finding::passed("workers", format!("{count} alive"))],
    }
}

fn paused(queues: &[QueueSummary]) -> Vec<Finding> {
    let backlog = |queue: &QueueSummary| queue.counts.of(JobState::Ready);
    queues
        .iter()
        .filter(|queue| backlog(queue) > 0)
        .filter_map(|queue| Some((queue, queue.pause.as_ref()?)))
        .map(|(queue, pause)| {
            let (name, by, waiting) = (&queue.name, &pause.by.name, backlog(queue));
            let detail = format!("{name} is paused by {by} since {}, with {waiting} ready", pause.since);
            Finding::warned("queues", detail, Some(&format!("windlass queues resume {name}")))
        })
        .collect()
}

/// How many jobs of each kind are ready, as far as was looked.
async fn ready_kinds(store: &SharedStore) -> Result<BTreeMap<KindName, u64>, StoreError> {
    let filter = JobFilter { states: vec![JobState::Ready], ..JobFilter::default() };
    let (mut kinds, mut after) = (BTreeMap::new(), None);
    for _ in 0..READY_PAGES {
        let page = store.jobs(filter.clone(), PageRequest::first(PAGE_MAX).after(after)).await?;
        for job in page.items {
            *kinds.entry(job.kind).or_default() += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(kinds)
}

fn unhandled(ready: &BTreeMap<KindName, u64>, workers: &[Worker]) -> Vec<Finding> {
    // A worker that names no kind takes every one.
    if workers.iter().any(|worker| worker.registered.kinds.is_empty()) {
        return Vec::new();
    }
    let handled: BTreeSet<&KindName> = workers
        .iter()
        .flat_map(|worker| worker.registered.kinds.iter().map(|support| &support.kind))
        .collect();
    ready
        .iter()
        .filter(|(kind, _)| !handled.contains(kind))
        .map(|(kind, count)| {
            let detail =
                format!("{} of kind {kind} ready, and no live worker has it", counted(*count, "job"));
            let cure = format!("start one: windlass work --kind {kind} --exec CMD");
            let cure = if kind.as_str() == "exec" { "start one: windlass work" } else { &cure };
            Finding::warned("kinds", detail, Some(cure))
        })
        .collect()
}

impl Finding {
    fn new(verdict: Check, check: &'static str, detail: String, cure: Option<String>) -> Self {
        Self { check, verdict, status: verdict.as_str(), detail, cure }
    }

    fn passed(check: &'static str, detail: String) -> Self {
        Self::new(Check::Passed, check, detail, None)
    }

    fn warned(check: &'static str, detail: String, cure: Option<&str>) -> Self {
        Self::new(Check::Warned, check, detail, cure.map(str::to_owned))
    }
}

fn row(finding: Finding) -> Row {
    Row {
        id: finding.check.to_owned(),
        fields: fields(&finding),
        cells: vec![
            Cell::Check(finding.verdict),
            Cell::text(finding.check),
            Cell::Text(finding.detail),
            Cell::maybe(finding.cure, Cell::Text),
        ],
    }
}
