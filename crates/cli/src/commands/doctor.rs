//! `windlass doctor`

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::Serialize;
use windlass::Address;
use windlass_core::limits::PAGE_MAX;
use windlass_core::{JobState, KindName};
use windlass_store::ids::job_id;
use windlass_store::{
    ErrorKind, JobFilter, PageRequest, QueueSummary, SharedStore, StoreError, StoreStatus, Worker,
};

use crate::config::Place;
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

/// How often the server is asked: the first time, statements are prepared.
const ROUND_TRIPS: usize = 5;

/// A question that takes longer crosses a continent, or meets a server that is busy with something else.
const FAR: Duration = Duration::from_millis(50);

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
    let begun = Instant::now();
    let findings = match context.store().await {
        Ok(store) => {
            let far = !matches!(context.place(), Place::Store(Address::File(_)));
            let took = far.then(|| begun.elapsed());
            examine(&store, took).await.unwrap_or_else(|error| vec![store_failed(&CliError::from(error))])
        }
        Err(error) => vec![store_failed(&error)],
    };
    let failed = findings.iter().any(|finding| finding.verdict == Check::Failed);
    let exit = if failed { ErrorCode::Unhealthy.exit_code() } else { ExitCode::Done };
    let note = format!("checked {}", context.place());
    Ok(Output::list(COLUMNS, findings.into_iter().map(row).collect()).with_note(note).with_exit(exit))
}

/// Looks at everything; `took` is how long it took to connect, where that was to be done.
async fn examine(store: &SharedStore, took: Option<Duration>) -> Result<Vec<Finding>, StoreError> {
    let status = store.status().await?;
    let mut findings = vec![opened(&status)];
    if let Some(took) = took {
        findings.push(connection(store, took).await?);
    }
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

/// How long the server takes to answer the smallest question, which is what every claim and every enqueue waits for.
async fn connection(store: &SharedStore, took: Duration) -> Result<Finding, StoreError> {
    let mut quickest = Duration::MAX;
    for _ in 0..ROUND_TRIPS {
        let asked = Instant::now();
        match store.job(job_id()).await {
            Err(error) if *error.kind() != ErrorKind::NotFound => return Err(error),
            _ => quickest = quickest.min(asked.elapsed()),
        }
    }
    let detail = format!("connected in {}, a question takes {}", milliseconds(took), milliseconds(quickest));
    Ok(if quickest < FAR {
        Finding::passed("connection", detail)
    } else {
        Finding::warned(
            "connection",
            detail,
            Some("run workers nearer to the server: every claim takes as long"),
        )
    })
}

fn milliseconds(span: Duration) -> String {
    format!("{:.1} ms", span.as_secs_f64() * 1_000.0)
}

fn store_failed(error: &CliError) -> Finding {
    Finding::new(Check::Failed, "store", error.what(), error.help().map(str::to_owned))
}

fn integrity(problems: &[String]) -> Vec<Finding> {
    let cure = || Some("stop all workers, keep a copy of the store, and restore a backup".to_owned());
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
