//! The one writer: a thread that owns the only connection that writes.
//!
//! Callers hand it operations. It takes all that are waiting, runs them in one transaction, commits once, and answers
//! all. While a commit is being flushed the next group gathers, so a lone caller waits for one flush and a crowd
//! shares it: group commit without a timer.
//!
//! An operation answers its caller's mistakes before it writes, so it has nothing to undo. When the database itself
//! fails an operation, the whole group is rolled back and each of its operations is run again alone: the innocent
//! ones succeed, and nobody needs a savepoint on the way that everyone takes. An operation that panics is such a
//! failure too, and costs nobody else the writer.

mod failure;
mod pace;
mod wish;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};
use windlass_core::{Limits, Timestamp};
use windlass_store::{Clock, Signals, StoreError};

use crate::error::During;
use crate::flows::Untold;
use crate::lanes::Lanes;
use crate::open::Opener;
use crate::wal::Wal;
use failure::{Failure, Stage, panicked};
use pace::{MOMENT, Pace, soon};
use wish::{Answer, Operation, Wish, received, stopped};

/// Most operations in one transaction: more would delay the first of them for no further gain.
const GROUP_MAX: usize = 1024;

/// Operations that may wait for the writer. Callers beyond it wait for room, which is the back-pressure.
const WAITING_MAX: usize = 4096;

/// How often the writer looks whether another process has committed, while somebody waits for hints.
const LOOK_EVERY: Duration = Duration::from_millis(30);

/// How often it looks whether somebody waits for hints.
const LOOK_FOR_LISTENERS_EVERY: Duration = Duration::from_secs(1);

/// What an operation sees of the transaction it runs in.
pub(crate) struct Tx<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) lanes: &'a mut Lanes,
    pub(crate) limits: &'a Limits,
    /// The time of the whole group.
    pub(crate) now: Timestamp,
    /// What the operation has still to tell to jobs that depend on those it ended.
    pub(crate) untold: Untold,
    hints: &'a mut Hints,
}

/// What to tell waiters once the group is committed.
#[derive(Debug, Default, Clone, Copy)]
struct Hints {
    work: bool,
    ended: bool,
}

impl Tx<'_> {
    /// Says that there may be something to claim, or an attempt to stop.
    pub(crate) fn hint_work(&mut self) {
        self.hints.work = true;
    }

    /// Says that a job may have ended.
    pub(crate) fn hint_ended(&mut self) {
        self.hints.ended = true;
    }
}

/// The way to the writer.
#[derive(Debug)]
pub(crate) struct Writer {
    wishes: Option<Sender<Box<dyn Operation>>>,
    places: Arc<Semaphore>,
    pace: Arc<Pace>,
    thread: Option<JoinHandle<()>>,
}

/// What the writer needs besides its connection.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) opener: Opener,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) signals: Arc<Signals>,
}

impl Writer {
    /// Starts the thread. It ends when this value is dropped, after what was waiting is done.
    pub(crate) fn start(connection: Connection, surroundings: Surroundings) -> std::io::Result<Self> {
        let (wishes, waiting) = channel();
        let desk = Desk::new(connection, surroundings);
        let pace = Arc::clone(&desk.pace);
        let thread =
            std::thread::Builder::new().name("windlass-sqlite".into()).spawn(move || desk.work(&waiting))?;
        let places = Arc::new(Semaphore::new(WAITING_MAX));
        Ok(Self { wishes: Some(wishes), places, pace, thread: Some(thread) })
    }

    /// Runs `body` in a transaction, and returns what it said once that is committed.
    ///
    /// Dropped before it is handed over, nothing happens; afterwards it happens, whoever waits for it.
    pub(crate) async fn run<T, F>(&self, name: &'static str, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let answer = self.ask(name, body).await?;
        received(name, answer).await
    }

    /// Like [`run`](Self::run), for what a caller may do again and again with nothing else to do meanwhile: one that
    /// does is not put to sleep and woken for each.
    pub(crate) async fn run_awake<T, F>(&self, name: &'static str, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let answer = self.ask(name, body).await?;
        self.pace.stay_awake(|| answer.is_empty() && self.is_one()).await;
        received(name, answer).await
    }

    /// Hands an operation over, once there is room.
    async fn ask<T, F>(&self, name: &'static str, body: F) -> Result<Answer<T>, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| stopped(name))?;
        let (reply, answer) = oneshot::channel();
        let wish = Box::new(Wish { name, body, outcome: None, reply, place });
        self.wishes.as_ref().ok_or_else(|| stopped(name))?.send(wish).map_err(|_| stopped(name))?;
        Ok(answer)
    }

    /// Whether one wish at most is waiting or being done.
    fn is_one(&self) -> bool {
        self.places.available_permits() + 1 >= WAITING_MAX
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.wishes = None;
        if let Some(thread) = self.thread.take() {
            // The thread ends by itself; if it panicked, its callers have been told.
            let _ = thread.join();
        }
    }
}

/// What the thread works with.
struct Desk {
    connection: Connection,
    surroundings: Surroundings,
    lanes: Lanes,
    wal: Wal,
    pace: Arc<Pace>,
    data_version: i64,
    /// When it was last compared.
    looked_at: Instant,
    /// Whether the connection must be opened anew before it is used again.
    suspect: bool,
    /// Whether the last transaction failed: a full disk is told of once, not at every try.
    failing: bool,
}

impl Desk {
    fn new(connection: Connection, surroundings: Surroundings) -> Self {
        let wal = Wal::default();
        let data_version = data_version(&connection).unwrap_or(0);
        let (lanes, looked_at) = (Lanes::default(), Instant::now());
        Self {
            connection,
            surroundings,
            lanes,
            wal,
            pace: Arc::default(),
            data_version,
            looked_at,
            suspect: false,
            failing: false,
        }
    }

    fn work(mut self, waiting: &Receiver<Box<dyn Operation>>) {
        let mut group = Vec::new();
        let (mut brisk, mut idle_since) = (false, Instant::now());
        loop {
            let soon = if brisk { soon(waiting, idle_since) } else { None };
            match soon.map_or_else(|| waiting.recv_timeout(self.patience()), Ok) {
                Ok(first) => {
                    brisk = idle_since.elapsed() < MOMENT;
                    group.push(first);
                    group.extend(waiting.try_iter().take(GROUP_MAX - 1));
                    self.serve(&mut group);
                    self.wal.keep_short(&mut self.connection);
                    // Callers who never pause must not keep us from hearing of other processes.
                    if self.looked_at.elapsed() >= LOOK_EVERY {
                        self.look_around();
                    }
                    idle_since = Instant::now();
                }
                Err(RecvTimeoutError::Timeout) => self.look_around(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    }

    /// How long to sleep before looking at what other processes have done.
    fn patience(&self) -> Duration {
        if self.surroundings.signals.listeners() > 0 { LOOK_EVERY } else { LOOK_FOR_LISTENERS_EVERY }
    }

    /// Runs a group and answers everyone in it.
    fn serve(&mut self, group: &mut Vec<Box<dyn Operation>>) {
        let begun = Instant::now();
        match self.transact(group) {
            Ok(hints) => {
                self.pace.answering(group.len(), begun);
                for wish in group.drain(..) {
                    wish.answer(Ok(()));
                }
                self.tell(hints);
            }
            Err(Failure { error, stage }) if stage != Stage::Running || group.len() == 1 => {
                for wish in group.drain(..) {
                    wish.answer(Err(&error));
                }
            }
            Err(_) => {
                for wish in std::mem::take(group) {
                    self.serve(&mut vec![wish]);
                }
            }
        }
    }

    fn transact(&mut self, group: &mut [Box<dyn Operation>]) -> Result<Hints, Failure> {
        let mut hints = Hints::default();
        let outcome =
            self.begin().and_then(|()| self.run_all(group, &mut hints)).and_then(|()| self.commit());
        match &outcome {
            Ok(()) => self.failing = false,
            Err(failure) => self.abandon(failure),
        }
        outcome.map(|()| hints)
    }

    fn begin(&mut self) -> Result<(), Failure> {
        let begun = self
            .reopen_if_suspect()
            .and_then(|()| self.connection.execute_batch("BEGIN IMMEDIATE").during("begin a transaction"));
        begun.map_err(|error| Failure { error, stage: Stage::Beginning })
    }

    fn run_all(&mut self, group: &mut [Box<dyn Operation>], hints: &mut Hints) -> Result<(), Failure> {
        // What a panic leaves half done is rolled back or made anew by `abandon`.
        let run = catch_unwind(AssertUnwindSafe(|| {
            let mut tx = Tx {
                connection: &self.connection,
                lanes: &mut self.lanes,
                limits: &self.surroundings.limits,
                now: self.surroundings.clock.now(),
                untold: Untold::default(),
                hints,
            };
            group.iter_mut().try_for_each(|wish| wish.run(&mut tx))
        }));
        let outcome = run.unwrap_or_else(|panic| Err(panicked(&*panic)));
        outcome.map_err(|error| Failure { error, stage: Stage::Running })
    }

    fn commit(&self) -> Result<(), Failure> {
        self.connection.execute_batch("COMMIT").map_err(Failure::at_commit)
    }

    /// Leaves nothing of a failed group behind.
    fn abandon(&mut self, failure: &Failure) {
        if !self.connection.is_autocommit() && self.connection.execute_batch("ROLLBACK").is_err() {
            self.suspect = true;
        }
        // Lanes made in the transaction are gone with it.
        self.lanes = Lanes::default();
        // After a failed flush the pages in memory prove nothing about the disk: look at the file afresh.
        self.suspect |= failure.stage == Stage::Committing;
        if self.failing {
            tracing::debug!(error = %failure.error, "a transaction was rolled back again");
        } else {
            tracing::warn!(error = %failure.error, "a transaction was rolled back; until one succeeds, no more is said");
        }
        self.failing = true;
    }

    fn reopen_if_suspect(&mut self) -> Result<(), StoreError> {
        if self.suspect {
            self.connection = self.surroundings.opener.open_writer()?;
            self.suspect = false;
            // The version is the connection's own: what others did meanwhile cannot be told from it.
            self.data_version = data_version(&self.connection).unwrap_or(0);
            self.tell(Hints { work: true, ended: true });
        }
        Ok(())
    }

    /// Wakes local waiters when another process has committed: it may have enqueued, cancelled, or finished a job.
    fn look_around(&mut self) {
        self.looked_at = Instant::now();
        if self.surroundings.signals.listeners() == 0 {
            return;
        }
        let Ok(version) = data_version(&self.connection) else { return };
        if version != self.data_version {
            self.data_version = version;
            self.tell(Hints { work: true, ended: true });
            self.wal.keep_short(&mut self.connection);
        }
    }

    fn tell(&self, hints: Hints) {
        if hints.work {
            self.surroundings.signals.notify_work();
        }
        if hints.ended {
            self.surroundings.signals.notify_ended();
        }
    }
}

/// Changes whenever another connection commits, and never for our own commits.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

#[cfg(test)]
mod tests;
