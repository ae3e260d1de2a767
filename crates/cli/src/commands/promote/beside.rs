//! What lies beside the jobs: unique keys, what was answered, how long queues keep their jobs, what went wrong, how queues and
//! kinds are bounded, and how far their rates have come.

use windlass_core::limits::PAGE_MAX;
use windlass_postgres::PostgresStore;
use windlass_sqlite::SqliteStore;
use windlass_store::{Actor, ErrorFilter, ErrorStore, PageRequest, QueueStore, StoreError};

use super::MOVER;

/// Copies it. What is there already stays, so it may be done again.
pub(super) async fn copy(source: &SqliteStore, target: &PostgresStore) -> Result<(), StoreError> {
    copy_keys(source, target).await?;
    copy_answers(source, target).await?;
    for (queue, retention) in source.retentions().await? {
        target.keep(&queue, retention, Actor::new(MOVER)).await?;
    }
    copy_errors(source, target).await?;
    copy_gates(source, target).await
}

/// The bounds of queues and kinds, how far rates have come, and the numbers of exclusive grants, which go on from where they
/// were.
async fn copy_gates(source: &SqliteStore, target: &PostgresStore) -> Result<(), StoreError> {
    for (whole, bounds) in source.bounds().await? {
        target.bound(&whole, bounds, Actor::new(MOVER)).await?;
    }
    let mut after = None;
    loop {
        let arrivals = source.rate_arrivals(after, PAGE_MAX).await?;
        let Some((last, _)) = arrivals.last() else { break };
        after = Some(last.clone());
        target.import_arrivals(&arrivals).await?;
    }
    target.continue_fences(source.last_fence().await?).await
}

async fn copy_keys(source: &SqliteStore, target: &PostgresStore) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let taken = source.taken_keys(after, PAGE_MAX).await?;
        let Some((last, _)) = taken.last() else { return Ok(()) };
        after = Some(*last);
        target.import_keys(&taken).await?;
    }
}

async fn copy_answers(source: &SqliteStore, target: &PostgresStore) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let answers = source.remembered_answers(after, PAGE_MAX).await?;
        let Some((last, ..)) = answers.last() else { return Ok(()) };
        after = Some(*last);
        target.import_answers(&answers).await?;
    }
}

async fn copy_errors(source: &SqliteStore, target: &PostgresStore) -> Result<(), StoreError> {
    let mut ahead = Some(PageRequest::first(PAGE_MAX));
    while let Some(request) = ahead {
        let page = source.error_groups(ErrorFilter::default(), request).await?;
        ahead = page.next.map(|next| request.after(Some(next)));
        target.import_errors(&page.items).await?;
    }
    Ok(())
}
