//! Claims that wait for work.
//!
//! Claims of the same scope stand in line: what the first of them does not find, the others would not find either, so one
//! look is enough for all. What was claimed for somebody who has gone away meanwhile is given back at once.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use windlass_core::{Timestamp, Verdict};
use windlass_store::{ClaimRequest, Claimed, Scope, Settlement, SharedStore, Signal, StoreError};

use super::LOOK_EVERY;

/// The shortest time between two looks that found nothing: hints come by the thousand.
const PAUSE_MIN: Duration = Duration::from_millis(2);

/// How much longer it may take until all are looked for, where there are very many different ones: each is a look of its own.
const LOOK_EVERY_EACH: Duration = Duration::from_millis(20);

/// How many may be on their way to stand in line.
const INBOX: usize = 1024;

/// Claims that wait for work.
pub(crate) struct Claims {
    store: SharedStore,
    most: usize,
    inbox: OnceLock<Inbox>,
    places: Arc<tokio::sync::Semaphore>,
}

struct Inbox {
    parked: mpsc::Sender<Parked>,
    /// Ends with the app.
    _task: AbortOnDropHandle<()>,
}

/// One who waits.
struct Parked {
    request: ClaimRequest,
    /// What was hinted since before its own look. A hint that came in between must not be lost.
    hints: Signal,
    answer: oneshot::Sender<Result<Claimed, StoreError>>,
    _place: tokio::sync::OwnedSemaphorePermit,
}

/// Why a claim got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// There are too many already.
    TooMany,
    /// Nothing came in time.
    InTime,
}

impl Claims {
    pub(crate) fn new(store: SharedStore, most: usize) -> Self {
        let places = Arc::new(tokio::sync::Semaphore::new(most));
        Self { store, most, inbox: OnceLock::new(), places }
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.most - self.places.available_permits()
    }

    /// What the claim finds before `until`. `hints` is from before the look that found nothing.
    pub(crate) async fn wait(
        &self,
        (request, hints): (ClaimRequest, Signal),
        until: Instant,
    ) -> Result<Result<Claimed, StoreError>, Unanswered> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Unanswered::TooMany)?;
        let (answer, answered) = oneshot::channel();
        let parked = Parked { request, hints, answer, _place: place };
        let waited = async {
            // Who cannot stand in line has not been answered in time.
            self.inbox().parked.send(parked).await.map_err(|_| Unanswered::InTime)?;
            answered.await.map_err(|_| Unanswered::InTime)
        };
        tokio::time::timeout_at(until, waited).await.unwrap_or(Err(Unanswered::InTime))
    }

    fn inbox(&self) -> &Inbox {
        self.inbox.get_or_init(|| {
            let (parked, inbox) = mpsc::channel(INBOX);
            let task = TaskTracker::new().spawn(look_for_all(Arc::clone(&self.store), inbox));
            Inbox { parked, _task: AbortOnDropHandle::new(task) }
        })
    }
}

/// Those who want the same, in the order in which they came.
struct Line {
    scope: Arc<Scope>,
    parked: VecDeque<Parked>,
    /// When to look next, if nothing is hinted at.
    look_at: Instant,
}

async fn look_for_all(store: SharedStore, mut inbox: mpsc::Receiver<Parked>) {
    let mut lines = Vec::new();
    while let Some(parked) = inbox.recv().await {
        // Listened to as long as somebody waits, and no longer: a store may have to look for hints itself.
        let mut hints = store.signals().work();
        queue_up(&mut lines, parked);
        while !lines.is_empty() {
            look(&store, &mut lines).await;
            let Some(event) = next_event(&mut inbox, &mut hints, &lines).await else { return };
            match event {
                Event::Came(parked) => queue_up(&mut lines, parked),
                Event::Hint => lines.iter_mut().for_each(|line| line.look_at = Instant::now()),
                Event::Time => {}
            }
        }
    }
}

enum Event {
    Came(Parked),
    Hint,
    Time,
}

async fn next_event(inbox: &mut mpsc::Receiver<Parked>, hints: &mut Signal, lines: &[Line]) -> Option<Event> {
    let next = lines.iter().map(|line| line.look_at).min().unwrap_or_else(Instant::now);
    let pause = Instant::now() + PAUSE_MIN;
    tokio::select! {
        parked = inbox.recv() => parked.map(Event::Came),
        () = async { sleep_until(pause).await; hints.next().await } => Some(Event::Hint),
        () = sleep_until(next.max(pause)) => Some(Event::Time),
    }
}

fn queue_up(lines: &mut Vec<Line>, mut parked: Parked) {
    let now = Instant::now();
    let was_hinted = parked.hints.next().now_or_never().is_some();
    let look_at = if was_hinted { now } else { now + LOOK_EVERY };
    let same =
        |line: &Line| Arc::ptr_eq(&line.scope, &parked.request.scope) || line.scope == parked.request.scope;
    if let Some(index) = lines.iter().position(same) {
        lines[index].look_at = lines[index].look_at.min(look_at);
        lines[index].parked.push_back(parked);
    } else {
        let scope = Arc::clone(&parked.request.scope);
        lines.push(Line { scope, parked: VecDeque::from([parked]), look_at });
    }
}

/// Looks for those whose time it is.
async fn look(store: &SharedStore, lines: &mut Vec<Line>) {
    let rest = LOOK_EVERY.max(LOOK_EVERY_EACH * u32::try_from(lines.len()).unwrap_or(u32::MAX));
    for line in lines.iter_mut().filter(|line| line.look_at <= Instant::now()) {
        let due = serve(store, line).await;
        line.look_at = Instant::now() + due.map_or(rest, |due| due.min(rest));
    }
    lines.retain(|line| !line.parked.is_empty());
}

/// Claims for one after the other until nothing is found. How long it is until something is due, if that is known.
async fn serve(store: &SharedStore, line: &mut Line) -> Option<Duration> {
    line.parked.retain(|parked| !parked.answer.is_closed());
    while let Some(parked) = line.parked.pop_front() {
        if parked.answer.is_closed() {
            continue;
        }
        match store.claim(parked.request.clone()).await {
            Ok(claimed) if claimed.jobs.is_empty() => {
                line.parked.push_front(parked);
                return until_due(store, claimed.next_due).await;
            }
            // Whoever waits is not told of what may be over in a moment.
            Err(error) if error.is_transient() => {
                line.parked.push_front(parked);
                return None;
            }
            answer => give(store, parked, answer).await,
        }
    }
    None
}

/// How long it is until `due` by the clock of the store. Asked only where something is due later, which is rare.
async fn until_due(store: &SharedStore, due: Option<Timestamp>) -> Option<Duration> {
    let due = due?;
    let now = store.status().await.ok()?.now;
    Some(due.since(now).max(PAUSE_MIN))
}

async fn give(store: &SharedStore, parked: Parked, answer: Result<Claimed, StoreError>) {
    let Err(Ok(unheard)) = parked.answer.send(answer) else { return };
    let released =
        |job: windlass_store::LeasedJob| Settlement { token: job.token, verdict: Verdict::Released };
    let settlements = unheard.jobs.into_iter().map(released).collect();
    if let Err(error) = store.settle(settlements).await {
        tracing::warn!(%error, "could not give back what was claimed for one who has gone; its lease will end");
    }
}
