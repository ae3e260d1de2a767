//! The worker's sign of life: one beat for the whole process, on a thread of its own.
//!
//! A busy or blocked async runtime must not cost jobs their leases, so the thread brings a runtime of its own and
//! shares nothing with the other but the store (W7).
//!
//! A beat is trusted from when it was *sent*, by the monotonic clock: an answer that was long on its way extends
//! nothing (W8). When the trust ends, everything the worker holds is given up before its lease ends in the store: handlers
//! are asked to stop, and whatever they say is dropped. Then the worker registers under a fresh id and goes on.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use windlass_core::WorkerId;
use windlass_store::observe::Operation;
use windlass_store::{Beat, ErrorKind, StoreError};

use crate::engine::Engine;
use crate::pace::Backoff;

/// How long a registration may take: as long as a lease within these bounds. The least is what it may take to connect; the
/// most, how long a worker does nothing because an answer is lost.
const REGISTER_MIN: Duration = Duration::from_secs(2);
const REGISTER_MAX: Duration = Duration::from_secs(10);

/// The beating heart of a worker, as its owner holds it.
#[derive(Debug)]
pub(crate) struct Heart {
    stop: CancellationToken,
    stopped: oneshot::Receiver<WorkerId>,
    thread: JoinHandle<()>,
}

impl Heart {
    /// Begins to beat for `member`, which registered within the call that was sent at `sent`.
    pub(crate) fn start(engine: Arc<Engine>, member: WorkerId, sent: Instant) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = engine.working.child_token();
        let (tell, stopped) = oneshot::channel();
        let beating =
            Beating { trust_until: sent + engine.trust(), engine, member, backoff: Backoff::default() };
        let stopping = stop.clone();
        let thread = std::thread::Builder::new().name("windlass-heart".to_owned()).spawn(move || {
            let member = runtime.block_on(beating.run(stopping));
            // Whoever waits may be gone, and then needs no answer.
            let _ = tell.send(member);
        })?;
        Ok(Self { stop, stopped, thread })
    }

    /// Waits until the heart has panicked: nothing else ends it before it is stopped.
    pub(crate) async fn panicked(&mut self) {
        let _ = (&mut self.stopped).await;
    }

    /// Stops beating. The id under which the worker was known last.
    pub(crate) async fn stop(self) -> Option<WorkerId> {
        self.stop.cancel();
        let member = self.stopped.await.ok();
        // The answer is the last thing the thread does, so this does not wait.
        if self.thread.join().is_err() {
            tracing::error!("the heart of a worker panicked");
        }
        member
    }
}

struct Beating {
    engine: Arc<Engine>,
    member: WorkerId,
    /// Until when nobody else can have been given what this worker holds.
    trust_until: Instant,
    backoff: Backoff,
}

/// Why to look again.
enum Wake {
    Stop,
    Beat,
    Expired,
}

impl Beating {
    async fn run(mut self, stop: CancellationToken) -> WorkerId {
        // At once, as its answer also tells what time it is in the store.
        let mut beat_at = Instant::now();
        loop {
            match self.wait(&stop, beat_at).await {
                Wake::Stop => return self.member,
                // A pool may have told of a registration that a beat found lost too, and that was renewed since.
                Wake::Expired if !self.engine.has_joined(self.member) => self.renew(&stop).await,
                Wake::Expired | Wake::Beat => {}
            }
            let sent = Instant::now();
            let beat = timeout_at(self.trust_until, self.engine.store.beat(self.member));
            let Some(beat) = stop.run_until_cancelled(beat).await else { return self.member };
            match &beat {
                Ok(answer) => self.engine.observe(Operation::Beat, sent, answer.as_ref().err()),
                Err(_) => self.engine.observe(Operation::Beat, sent, Some(&unanswered())),
            }
            beat_at = match beat {
                Ok(Ok(beat)) => self.beaten(sent, &beat),
                Ok(Err(error)) if matches!(error.kind(), ErrorKind::NotFound) => {
                    self.renew(&stop).await;
                    Instant::now()
                }
                Ok(Err(error)) => self.missed(&error),
                Err(_) => Instant::now(),
            };
            if Instant::now() >= self.trust_until {
                self.renew(&stop).await;
            }
        }
    }

    /// Waits until it is time for a beat, or somebody asks for one.
    async fn wait(&self, stop: &CancellationToken, beat_at: Instant) -> Wake {
        tokio::select! {
            () = stop.cancelled() => Wake::Stop,
            () = self.engine.expired.notified() => Wake::Expired,
            () = self.engine.beat.notified() => Wake::Beat,
            () = sleep_until(beat_at.min(self.trust_until)) => Wake::Beat,
        }
    }

    /// Takes in the answer to a beat. When to beat next.
    fn beaten(&mut self, sent: Instant, beat: &Beat) -> Instant {
        if self.backoff.succeeded() > 0 {
            tracing::info!("the store answers the worker's beats again");
        }
        let lease = self.engine.config.lease;
        self.trust_until = sent + self.engine.trust();
        self.engine.clock.heard(beat.lease_until.before(lease));
        self.engine.cancel(&beat.cancelled);
        sent + lease / 3
    }

    /// Takes note that a beat failed. When to try again.
    fn missed(&mut self, error: &StoreError) -> Instant {
        let wait = self.backoff.after_failure(self.engine.config.lease / 10);
        if self.backoff.is_first() {
            tracing::warn!(%error, "could not extend the worker's lease, will try again");
        }
        Instant::now() + wait
    }

    /// Gives up everything the worker holds and makes it known under a fresh id.
    async fn renew(&mut self, stop: &CancellationToken) {
        self.engine.lose();
        tracing::warn!(worker = %self.member, "the worker's lease is lost: its attempts were given up");
        let registered = stop.run_until_cancelled(register(&self.engine)).await;
        let Some((member, sent)) = registered else { return };
        self.member = member;
        self.trust_until = sent + self.engine.trust();
        tracing::info!(worker = %member, "the worker registered anew");
        self.engine.join(member);
    }
}

fn unanswered() -> StoreError {
    StoreError::new("beat", ErrorKind::Unknown)
}

/// Makes the worker known under a fresh id, however long it takes. The id, and when the call was sent that did it.
///
/// An id whose registration may or may not have happened is not used again; if it happened, it expires by itself.
async fn register(engine: &Engine) -> (WorkerId, Instant) {
    let mut backoff = Backoff::default();
    loop {
        let error = match try_register(engine).await {
            Ok(registered) => return registered,
            Err(error) => error,
        };
        let wait = backoff.after_failure(Duration::MAX);
        if backoff.is_first() {
            tracing::warn!(%error, "could not register the worker, will try again");
        }
        sleep_until(Instant::now() + wait).await;
    }
}

/// Makes the worker known under a fresh id. The id, and when the call was sent.
pub(crate) async fn try_register(engine: &Engine) -> Result<(WorkerId, Instant), StoreError> {
    let worker = engine.introduction();
    let (id, sent) = (worker.id, Instant::now());
    let register_max = engine.config.lease.clamp(REGISTER_MIN, REGISTER_MAX);
    // Whoever waits longer has lost most of the lease; under another id and perhaps on another connection it may be quicker.
    let registered = timeout(register_max, engine.store.register(worker)).await;
    registered.unwrap_or_else(|_| Err(StoreError::new("register the worker", ErrorKind::Unknown)))?;
    Ok((id, sent))
}

#[cfg(test)]
mod tests {
    use windlass_memory::MemoryStore;

    use super::*;
    use crate::config::Config;
    use crate::registry::Registry;

    // A turn and a beat learned at the same time that the worker was not known. The beat registered anew; what the turn
    // had left behind then gave up that registration too, with all that had been claimed under it.
    #[tokio::test(start_paused = true)]
    async fn a_loss_that_was_mended_is_not_mended_again() {
        let config = Config::default().checked().unwrap();
        let engine = Engine::new(Arc::new(MemoryStore::new()), config, Registry::default()).unwrap();
        let (member, sent) = try_register(&engine).await.unwrap();
        engine.join(member);
        let trust_until = sent + engine.trust();
        let heart = Beating { engine: Arc::clone(&engine), member, trust_until, backoff: Backoff::default() };
        let stop = CancellationToken::new();
        engine.expired.notify_one();

        let stopped = async {
            sleep_until(sent + Duration::from_secs(1)).await;
            stop.cancel();
        };
        let (last, ()) = tokio::join!(heart.run(stop.clone()), stopped);

        assert_eq!(last, member);
    }
}
