//! Hints, for stores that are used from afar: that a claim may find something, and that a job may have ended.
//!
//! They say nothing of a queue or a job, so whoever is let in may hear them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use tokio::time::{Instant, sleep_until};
use windlass_store::Signal;

use crate::answer::Failure;
use crate::app::Shared;
use crate::guard::InLane;

/// The shortest time between two hints of a stream: they come by the thousand, and one is as good as many.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// How long a stream may last. Whoever goes on opens another, and its rights are checked again.
const STREAM_MAX: Duration = Duration::from_secs(15 * 60);

/// An event `work` or `ended` for each hint, or for several that came together.
pub(crate) async fn stream(
    State(app): State<Shared>,
    lane: InLane,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let place = Arc::clone(&app.listeners).try_acquire_owned();
    let place =
        place.map_err(|_| Failure::new("rate_limited", "too many wait for hints already").retry_after(10))?;
    lane.leave();
    let signals = app.store.signals();
    let (work, ended) = (signals.work(), signals.ended());
    let now = Instant::now();
    let first = Hints { app, work, ended, next_at: now, ends_at: now + STREAM_MAX, _place: place };
    let events =
        stream::unfold(first, |mut hints| async move { hints.next().await.map(|event| (Ok(event), hints)) });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

struct Hints {
    app: Shared,
    work: Signal,
    ended: Signal,
    /// Not before then.
    next_at: Instant,
    ends_at: Instant,
    _place: tokio::sync::OwnedSemaphorePermit,
}

impl Hints {
    /// The next hint; none when the stream is over.
    async fn next(&mut self) -> Option<Event> {
        sleep_until(self.next_at).await;
        let name = tokio::select! {
            () = self.work.next() => "work",
            () = self.ended.next() => "ended",
            () = sleep_until(self.ends_at) => return None,
            () = self.app.stopping.cancelled() => return None,
        };
        self.next_at = Instant::now() + PAUSE_MIN;
        Some(Event::default().event(name).data(""))
    }
}
