//! Copying the jobs, newest first, a batch in one transaction.

use std::collections::BTreeMap;

use windlass_core::limits::PAGE_MAX;
use windlass_core::{Job, JobId, QueueName, StateGroup, Timestamp};
use windlass_postgres::{PostgresStore, Record};
use windlass_sqlite::SqliteStore;
use windlass_store::{
    FlowStore, JobFilter, JobStore, Maintenance, PageRequest, QueueStore, Relative, ReviewStore, StateCounts,
    StoreError,
};

use super::source::Source;
use super::{beside, schedules};
use crate::args::Finished;
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::pages;
use crate::progress::{Counts, ProgressShow};

/// Jobs in one transaction.
const BATCH: usize = 1_000;

/// Bytes in one transaction, as far as they count: jobs may have a log of a megabyte each.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Of how many jobs everything is compared afterwards.
const SAMPLES: u64 = 200;

/// Which jobs are copied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Finished ones that ended before are not; none where none of them is.
    finished_since: Option<Timestamp>,
}

impl Wanted {
    pub(super) async fn new(finished: Finished, source: &SqliteStore) -> Result<Self, CliError> {
        Ok(Self {
            finished_since: match finished {
                Finished::All => Some(Timestamp::MIN),
                Finished::None => None,
                Finished::Within(span) => Some(source.status().await?.now.before(span)),
            },
        })
    }

    fn takes(self, job: &Job) -> bool {
        match job.finished_at.filter(|_| job.state.group() == StateGroup::Final) {
            None => true,
            Some(finished_at) => self.finished_since.is_some_and(|since| finished_at >= since),
        }
    }
}

/// What was copied.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// Jobs that are in the new store by this run.
    pub(super) moved: u64,
    /// Jobs that were there before it.
    pub(super) there: u64,
    /// Jobs that were not wanted.
    pub(super) left: u64,
    /// How many jobs of each queue ought to be there, by their state.
    pub(super) queues: BTreeMap<QueueName, StateCounts>,
    /// Some of them, spread over all, as they were read.
    pub(super) samples: Vec<Record>,
}

/// A copy under way.
#[derive(Debug)]
pub(super) struct Copying<'a> {
    source: &'a Source,
    target: &'a PostgresStore,
    wanted: Wanted,
    batch: Vec<Record>,
    batch_bytes: usize,
    total: u64,
    seen: u64,
    copied: Copied,
}

impl<'a> Copying<'a> {
    pub(super) fn new(source: &'a Source, target: &'a PostgresStore, wanted: Wanted) -> Self {
        Self {
            source,
            target,
            wanted,
            batch: Vec::new(),
            batch_bytes: 0,
            total: 0,
            seen: 0,
            copied: Copied::default(),
        }
    }

    /// Copies everything; nothing is answered when it was interrupted.
    pub(super) async fn run(
        mut self,
        interrupt: &Interrupt,
        show: &mut ProgressShow,
    ) -> Result<Option<Copied>, CliError> {
        self.total = self.source.store.queues().await?.iter().map(|queue| queue.counts.total()).sum();
        self.target.reserve_places(self.total).await?;
        let mut ahead = Some(PageRequest::first(PAGE_MAX));
        while let Some(request) = ahead {
            let page = self.source.store.jobs(JobFilter::default(), request).await?;
            ahead = page.next.map(|next| request.after(Some(next)));
            for job in page.items {
                if interrupt.is_asked() {
                    return Ok(None);
                }
                self.take(job).await?;
            }
            show.update(self.counts());
        }
        self.write().await?;
        self.target.forget_missing_parents().await?;
        self.target.order_reviews().await?;
        schedules::copy(&self.source.store, self.target).await?;
        beside::copy(&self.source.store, self.target).await?;
        Ok(Some(self.copied))
    }

    fn counts(&self) -> Counts {
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let written = self.copied.moved + self.copied.there + self.copied.left;
        Counts { total: count(self.total), done: count(written), ..Counts::default() }
    }

    /// Takes one job along. The file holds still, so its place among all is the same however often it is copied.
    async fn take(&mut self, job: Job) -> Result<(), CliError> {
        let place = self.total.saturating_sub(self.seen).max(1);
        self.seen += 1;
        self.copied.queues.entry(job.queue.clone()).or_default();
        if !self.wanted.takes(&job) && !is_needed(&self.source.store, job.id).await? {
            self.copied.left += 1;
            return Ok(());
        }
        self.copied.queues.entry(job.queue.clone()).or_default().add(job.state, 1);
        let record = read(&self.source.store, job, place).await?;
        if self.seen.is_multiple_of((self.total / SAMPLES).max(1)) {
            self.copied.samples.push(record.clone());
        }
        self.batch_bytes += bytes(&record);
        self.batch.push(record);
        if self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES {
            self.write().await?;
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), CliError> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let made = self.target.import(&batch).await?;
        self.copied.moved += made;
        self.copied.there += batch.len() as u64 - made;
        Ok(())
    }
}

/// Everything that a store tells of a job.
pub(super) async fn read<S: FlowStore + ReviewStore>(
    store: &S,
    job: Job,
    place: u64,
) -> Result<Record, StoreError> {
    let id = job.id;
    let (attempts, events) = tokio::join!(store.attempts(id), store.events(id));
    let (mut log, mut after) = (Vec::new(), None);
    loop {
        let page = store.logs(id, PageRequest::first(PAGE_MAX).after(after)).await?;
        let is_last = page.items.len() < PAGE_MAX as usize;
        log.extend(page.items);
        after = page.next;
        if is_last {
            break;
        }
    }
    let (parents, awaited) = (parents(store, id).await?, !children(store, id, 1).await?.is_empty());
    let review = match job.options.review {
        Some(_) => store.review(id).await?,
        None => None,
    };
    Ok(Record { place, job, attempts: attempts?, log, events: events?, parents, awaited, review })
}

async fn parents(store: &dyn FlowStore, id: JobId) -> Result<Vec<Relative>, StoreError> {
    pages::all(async |page| store.parents(id, page).await).await
}

/// Whether an unfinished job depends on one that has ended: it goes where its child goes.
async fn is_needed(store: &dyn FlowStore, id: JobId) -> Result<bool, StoreError> {
    let mut request = PageRequest::first(PAGE_MAX);
    loop {
        let page = store.children(id, request).await?;
        if page.items.iter().any(|child| !child.state.is_final()) {
            return Ok(true);
        }
        match page.next {
            Some(next) => request = request.after(Some(next)),
            None => return Ok(false),
        }
    }
}

/// The first children of a job.
async fn children(store: &dyn FlowStore, id: JobId, count: u32) -> Result<Vec<Relative>, StoreError> {
    Ok(store.children(id, PageRequest::first(count)).await?.items)
}

/// Roughly how much is sent for it.
fn bytes(Record { job, log, parents, .. }: &Record) -> usize {
    let json = |json: &Option<windlass_core::Json>| json.as_ref().map_or(0, |json| json.as_bytes().len());
    let lines: usize = log.iter().map(|line| line.message.len() + 32).sum();
    512 + 40 * parents.len() + job.args.as_bytes().len() + json(&job.result) + json(&job.checkpoint) + lines
}
