//! Lists of jobs, by a filter.
//!
//! What the store has an index for, it finds by itself. The rest is asked of each job that it finds, of a bounded number;
//! the answer says what it cost, so that whoever shows it can say that there may be more.

use axum::extract::State;
use windlass_core::{Invalid, Job};
use windlass_store::{Cursor, JobFilter, Page, PageRequest};
use windlass_wire::answers::{Cost, Listed, Redriven, Refused};
use windlass_wire::{Filter, JobShape, RedriveRequest};

use crate::access::Caller;
use crate::answer::{Answer, Failure, Reply};
use crate::app::{App, Shared};
use crate::input::{By, Sent};
use crate::query::{Query, write_cursor};

/// Most jobs that one request looks at for what no index knows.
const LOOKED_AT_MAX: u32 = 10_000;

/// How many are looked at together.
const STEP: u32 = 500;

pub(crate) async fn list(State(app): State<Shared>, By(caller): By, query: Query) -> Reply<Listed> {
    let filter = read(&app, &caller, query.get("filter").unwrap_or_default())?;
    let (page, cost) = find(&app, (&filter, &caller), query.page()?).await?;
    let jobs = page.items.into_iter().map(JobShape::from).collect();
    Ok(Answer::ok(Listed { jobs, next: write_cursor(page.next), cost }))
}

/// The filter. A queue that is named and not the caller's is refused.
fn read(app: &App, caller: &Caller, text: &str) -> Result<Filter, Failure> {
    let filter = Filter::read(text, app.now())?;
    match filter.indexed.queues.iter().find(|queue| !caller.reaches(queue)) {
        Some(queue) => Err(Failure::forbidden(format!("{} may not see queue \"{queue}\"", caller.name))),
        None => Ok(filter),
    }
}

/// The filter of something that is to be changed. Who is given some queues names those they mean: no index knows globs.
pub(super) fn filter(app: &App, caller: &Caller, text: &str) -> Result<Filter, Failure> {
    let filter = read(app, caller, text)?;
    if filter.indexed.queues.is_empty() && !caller.reaches_all() {
        let problem = "the caller is given some queues alone: name those that are meant, as in queue:mail";
        return Err(Failure::forbidden(problem));
    }
    Ok(filter)
}

/// A page of those that are meant.
async fn find(
    app: &App,
    (filter, caller): (&Filter, &Caller),
    page: PageRequest,
) -> Result<(Page<Job>, Cost), Failure> {
    if filter.is_indexed() && (caller.reaches_all() || !filter.indexed.queues.is_empty()) {
        let found = app.store.jobs(filter.indexed.clone(), page).await?;
        let looked_at = u32::try_from(found.items.len()).unwrap_or(u32::MAX);
        return Ok((found, Cost { class: "indexed".to_owned(), looked_at }));
    }
    scan(app, (filter, caller), page).await
}

async fn scan(
    app: &App,
    (filter, caller): (&Filter, &Caller),
    page: PageRequest,
) -> Result<(Page<Job>, Cost), Failure> {
    let most = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    let (mut items, mut at, mut looked_at) = (Vec::new(), page.cursor(), 0);
    loop {
        let step = app.store.jobs(filter.indexed.clone(), PageRequest::first(STEP).after(at)).await?;
        let mut seen = 0;
        for job in step.items {
            seen += 1;
            if filter.admits(&job) && caller.reaches(&job.queue) {
                items.push(job);
            }
            if items.len() == most {
                break;
            }
        }
        looked_at += seen;
        let full = items.len() == most;
        at = if full { behind(app, &filter.indexed, (at, seen)).await? } else { step.next };
        if full || at.is_none() || looked_at >= LOOKED_AT_MAX {
            return Ok((Page { items, next: at }, Cost { class: "scan".to_owned(), looked_at }));
        }
    }
}

/// Where the list goes on behind the first `seen` from `at` on.
async fn behind(
    app: &App,
    indexed: &JobFilter,
    (at, seen): (Option<Cursor>, u32),
) -> Result<Option<Cursor>, Failure> {
    Ok(app.store.jobs(indexed.clone(), PageRequest::first(seen).after(at)).await?.next)
}

pub(crate) async fn redrive(
    State(app): State<Shared>,
    By(caller): By,
    query: Query,
    Sent(request): Sent<RedriveRequest>,
) -> Reply<Redriven> {
    let filter = filter(&app, &caller, &request.filter)?;
    if !filter.is_indexed() {
        let problem = "names what no index knows; make it an operation, which looks at each job";
        return Err(Invalid::new("filter", problem).into());
    }
    let by = caller.actor(request.verb.by, request.verb.reason);
    let redriven = app.store.redrive(filter.indexed, query.page()?, by).await?;
    let refused =
        redriven.refused.iter().map(|(job, error)| Refused { job: *job, problem: error.into() }).collect();
    Ok(Answer::ok(Redriven { jobs: redriven.jobs, refused, next: write_cursor(redriven.next) }))
}
