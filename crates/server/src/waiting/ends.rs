//! Those who wait for the end of a job.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use windlass_core::{Job, JobId};
use windlass_store::{SharedStore, Signal, StoreError};

use super::LOOK_EVERY;

/// The shortest time between two looks: where many jobs end, one look serves for several.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// A look takes at most this part of the time: the rest is for everybody else.
const SHARE: u32 = 4;

/// How many may be on their way.
const INBOX: usize = 1024;

/// Those who wait for the end of a job.
pub(crate) struct Ends {
    store: SharedStore,
    inbox: OnceLock<Inbox>,
    places: Arc<tokio::sync::Semaphore>,
}

struct Inbox {
    watches: mpsc::Sender<Watch>,
    /// Ends with the app.
    _task: AbortOnDropHandle<()>,
}

struct Watch {
    id: JobId,
    answer: oneshot::Sender<Result<Job, StoreError>>,
    _place: tokio::sync::OwnedSemaphorePermit,
}

impl Ends {
    pub(crate) fn new(store: SharedStore, most: usize) -> Self {
        Self { store, inbox: OnceLock::new(), places: Arc::new(tokio::sync::Semaphore::new(most)) }
    }

    /// The job once it is final, or as it is at `until`.
    pub(crate) async fn wait(&self, id: JobId, until: Instant) -> Result<Job, StoreError> {
        let job = self.store.job(id).await?;
        if job.state.is_final() {
            return Ok(job);
        }
        // Where too many wait already, one is told how it is, and may ask again.
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return Ok(job) };
        let (answer, answered) = oneshot::channel();
        let watch = Watch { id, answer, _place: place };
        let ended = async {
            self.inbox().watches.send(watch).await.ok()?;
            answered.await.ok()
        };
        match tokio::time::timeout_at(until, ended).await {
            Ok(Some(ended)) => ended,
            _ => self.store.job(id).await,
        }
    }

    fn inbox(&self) -> &Inbox {
        self.inbox.get_or_init(|| {
            let (watches, inbox) = mpsc::channel(INBOX);
            let task = TaskTracker::new().spawn(watch_all(Arc::clone(&self.store), inbox));
            Inbox { watches, _task: AbortOnDropHandle::new(task) }
        })
    }
}

type Watched = HashMap<JobId, Vec<Watch>>;

async fn watch_all(store: SharedStore, mut inbox: mpsc::Receiver<Watch>) {
    let mut watched = Watched::new();
    while let Some(watch) = inbox.recv().await {
        let mut hints = store.signals().ended();
        let mut fresh = vec![watch.id];
        watched.entry(watch.id).or_default().push(watch);
        while !watched.is_empty() {
            let began = Instant::now();
            look(&store, &mut watched, fresh).await;
            let pause = (began.elapsed() * (SHARE - 1)).max(PAUSE_MIN);
            match next(&mut inbox, &mut hints, pause).await {
                // It has looked itself a moment ago, but before it was listened for: looked at once more.
                Some(Event::Came(watch)) => {
                    fresh = vec![watch.id];
                    watched.entry(watch.id).or_default().push(watch);
                }
                Some(Event::Look) => fresh = watched.keys().copied().collect(),
                None => return,
            }
        }
    }
}

enum Event {
    Came(Watch),
    Look,
}

async fn next(inbox: &mut mpsc::Receiver<Watch>, hints: &mut Signal, pause: Duration) -> Option<Event> {
    let now = Instant::now();
    tokio::select! {
        watch = inbox.recv() => watch.map(Event::Came),
        () = async { sleep_until(now + pause).await; hints.next().await } => Some(Event::Look),
        () = sleep_until(now + LOOK_EVERY) => Some(Event::Look),
    }
}

async fn look(store: &SharedStore, watched: &mut Watched, ids: Vec<JobId>) {
    for id in ids {
        let Some(waiting) = watched.get_mut(&id) else { continue };
        waiting.retain(|watch| !watch.answer.is_closed());
        if waiting.is_empty() {
            watched.remove(&id);
            continue;
        }
        match store.job(id).await {
            Ok(job) if !job.state.is_final() => {}
            Err(error) if error.is_transient() => {}
            ended => tell(watched.remove(&id).unwrap_or_default(), &ended),
        }
    }
}

fn tell(watches: Vec<Watch>, ended: &Result<Job, StoreError>) {
    for watch in watches {
        let answer = ended.as_ref().cloned().map_err(|error| error.share("wait for the job"));
        // Who has gone needs no answer.
        let _ = watch.answer.send(answer);
    }
}
