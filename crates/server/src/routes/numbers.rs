//! Numbers: how full everything is, once and live; what a caller may do; metrics.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use windlass_core::{JobState, Timestamp};
use windlass_wire::QueueShape;
use windlass_wire::answers::{Capabilities, ServerBounds};

use crate::access::{Caller, Verb};
use crate::answer::{Answer, Failure, Reply};
use crate::app::{App, Shared};
use crate::guard::InLane;
use crate::input::By;
use crate::numbers::Snapshot;

/// How often live numbers are sent, if they have changed.
const LIVE_EVERY: Duration = Duration::from_secs(1);

/// How long a stream may last. Whoever looks on opens another, and its rights are checked again.
const STREAM_MAX: Duration = Duration::from_secs(15 * 60);

/// How full everything is.
#[derive(Debug, Serialize, PartialEq, Eq, utoipa::ToSchema)]
pub(crate) struct Stats {
    /// How many jobs are in each state.
    counts: BTreeMap<JobState, u64>,
    queues: Vec<QueueShape>,
    workers: WorkerCounts,
    /// Since when the job is due that waits longest, of any queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_ready_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, PartialEq, Eq, utoipa::ToSchema)]
struct WorkerCounts {
    count: usize,
    slots: u64,
    running: u64,
}

fn stats_for(snapshot: &Snapshot, caller: &Caller) -> Stats {
    let queues: Vec<QueueShape> = snapshot
        .queues
        .iter()
        .filter(|queue| caller.reaches(&queue.name))
        .map(|queue| QueueShape::from(queue.clone()))
        .collect();
    let mut counts: BTreeMap<JobState, u64> = JobState::ALL.iter().map(|state| (*state, 0)).collect();
    for (state, count) in queues.iter().flat_map(|queue| &queue.counts) {
        *counts.entry(*state).or_default() += count;
    }
    let workers = WorkerCounts {
        count: snapshot.workers.len(),
        slots: snapshot.workers.iter().map(|worker| u64::from(worker.registered.slots)).sum(),
        running: snapshot.workers.iter().map(|worker| worker.running).sum(),
    };
    let oldest_ready_at = queues.iter().filter_map(|queue| queue.oldest_ready_at).min();
    Stats { counts, queues, workers, oldest_ready_at }
}

pub(crate) async fn stats(State(app): State<Shared>, By(caller): By) -> Reply<Stats> {
    let snapshot = app.numbers.snapshot().await?;
    Ok(Answer::ok(stats_for(&snapshot, &caller)))
}

/// Numbers as they change: an event `stats` for each change.
pub(crate) async fn live(
    State(app): State<Shared>,
    By(caller): By,
    lane: InLane,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let place = Arc::clone(&app.streams).try_acquire_owned();
    let place =
        place.map_err(|_| Failure::new("rate_limited", "too many look on already").retry_after(10))?;
    lane.leave();
    let first = Live { app, caller, last: None, ends_at: Instant::now() + STREAM_MAX, _place: place };
    let events =
        stream::unfold(first, |mut live| async move { live.next().await.map(|event| (Ok(event), live)) });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

struct Live {
    app: Shared,
    caller: Caller,
    last: Option<Stats>,
    ends_at: Instant,
    _place: tokio::sync::OwnedSemaphorePermit,
}

#[derive(Serialize)]
struct Stamped<'a> {
    server_time: Timestamp,
    #[serde(flatten)]
    stats: &'a Stats,
}

impl Live {
    /// The next event, once something has changed; none when the stream is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.last.is_some() && !self.rest().await {
                return None;
            }
            // A store that does not answer has no new numbers.
            let Ok(snapshot) = self.app.numbers.snapshot().await else {
                self.rest().await.then_some(())?;
                continue;
            };
            let stats = stats_for(&snapshot, &self.caller);
            if self.last.as_ref() != Some(&stats) {
                let stamped = Stamped { server_time: self.app.now(), stats: &stats };
                let event = serde_json::to_string(&stamped)
                    .ok()
                    .map(|text| Event::default().event("stats").data(text));
                self.last = Some(stats);
                return event;
            }
        }
    }

    /// Waits a moment. Whether the stream goes on.
    async fn rest(&self) -> bool {
        let until = Instant::now() + LIVE_EVERY;
        tokio::select! {
            () = sleep_until(until) => until < self.ends_at,
            () = self.app.stopping.cancelled() => false,
        }
    }
}

pub(crate) async fn capabilities(State(app): State<Shared>, By(caller): By) -> Answer<Capabilities> {
    let limits = app.limits();
    let all = || vec!["*".to_owned()];
    let queues = caller.queues.as_ref();
    Answer::ok(Capabilities {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        verbs: Verb::ALL.iter().filter(|verb| caller.verbs.has(**verb)).map(ToString::to_string).collect(),
        queues: queues.map_or_else(all, |globs| globs.iter().map(|glob| glob.as_str().to_owned()).collect()),
        speaks_for_others: caller.speaks_for_others,
        limits: ServerBounds {
            body_bytes_max: limits.body_bytes_max,
            batch_bytes_max: limits.batch_bytes_max,
            batch_jobs_max: limits.batch_jobs_max,
            page_max: windlass_core::limits::PAGE_MAX,
            wait_max: windlass_core::span::format(limits.wait_max),
        },
        name: caller.name,
    })
}

pub(crate) async fn metrics(State(app): State<Shared>) -> Result<Response, Failure> {
    Ok(([(CONTENT_TYPE, windlass_metrics::CONTENT_TYPE)], written(&app).await?).into_response())
}

async fn written(app: &App) -> Result<String, Failure> {
    let snapshot = app.numbers.snapshot().await?;
    app.metrics.write(&snapshot, (app.now(), app.claims.waiting())).map_err(|_| Failure::internal())
}
