//! Telling other processes.
//!
//! Never inside the transaction that has something to tell, and never from a trigger: a transaction that notifies takes a
//! lock of the whole server from before its flush until after it, and with one in each insert eight callers come down to
//! a third. A notification goes alone, in a transaction that writes nothing and so flushes nothing, after what it tells
//! of was committed; whoever made the hint does not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use windlass_store::{ErrorKind, StoreError};

use super::message::{Address, Hints};
use super::pace::Schedule;
use crate::database::Database;
use crate::error::During;

const NAME: &str = "tell other processes of work";

/// How long a closed store may take for its last words.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What other processes are to be told.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pending: AtomicU8,
    /// Something was put into it that was not there.
    changed: Notify,
    closed: Notify,
}

/// A bit beside those of the hints: nothing more will come.
const CLOSED: u8 = 0x80;

impl Outbox {
    /// Adds to what is to be told. Costs a caller no more than that: what is there already needs no word to anyone.
    pub(super) fn put(&self, hints: Hints) {
        let before = self.pending.fetch_or(hints.bits(), Ordering::AcqRel);
        if !Hints::of_bits(before).has(hints) {
            self.changed.notify_one();
        }
    }

    /// Says that nothing more will come.
    pub(super) fn close(&self) {
        self.pending.fetch_or(CLOSED, Ordering::AcqRel);
        self.changed.notify_one();
        self.closed.notify_one();
    }

    /// Waits for something to tell that may be told now; none once it is closed and empty.
    async fn next(&self, schedule: &mut Schedule) -> Option<Hints> {
        loop {
            let bits = self.pending.load(Ordering::Acquire);
            let (pending, now) = (Hints::of_bits(bits), Instant::now());
            let due_at = schedule.due_at(pending);
            if bits & CLOSED != 0 {
                return (!pending.is_empty()).then(|| self.take(pending));
            }
            if due_at.is_some_and(|due_at| due_at <= now) {
                let due = schedule.due(pending, now);
                schedule.sent(due, now);
                return Some(self.take(due));
            }
            tokio::select! {
                () = self.changed.notified() => {}
                () = at(due_at) => {}
            }
        }
    }

    /// Before it is told: what is put in from now on may be about something later.
    fn take(&self, hints: Hints) -> Hints {
        self.pending.fetch_and(!hints.bits(), Ordering::AcqRel);
        hints
    }
}

/// Sends what is in the outbox.
pub(super) struct Notifier {
    database: Arc<Database>,
    address: Address,
    outbox: Arc<Outbox>,
}

impl Notifier {
    /// Starts it. It ends when its outbox is closed.
    pub(super) fn start(database: Arc<Database>, address: Address) -> Arc<Outbox> {
        let (runtime, outbox) = (database.runtime.clone(), Arc::<Outbox>::default());
        let notifier = Self { database, address, outbox: Arc::clone(&outbox) };
        runtime.spawn(notifier.run());
        outbox
    }

    async fn run(self) {
        tokio::select! {
            () = self.send_all() => {}
            () = self.outlive() => {}
        }
    }

    async fn send_all(&self) {
        let mut schedule = Schedule::new(Instant::now());
        let mut failing = false;
        while let Some(hints) = self.outbox.next(&mut schedule).await {
            match self.send(hints).await {
                Ok(()) => failing = false,
                // That the server is away is told by whoever looks after the connections.
                Err(error) if failing || *error.kind() == ErrorKind::Unavailable => {
                    tracing::debug!(%error, "could not tell other processes of work");
                }
                Err(error) => {
                    failing = true;
                    tracing::warn!(
                        %error,
                        "could not tell other processes of work, which find it by polling; until it succeeds, no more is said"
                    );
                }
            }
        }
    }

    async fn send(&self, hints: Hints) -> Result<(), StoreError> {
        let (channel, payload) = (self.address.channel_quoted(), self.address.payload(hints));
        let session = self.database.call(NAME).await?;
        // sql: the name of a channel cannot be bound
        session.run(&format!("NOTIFY {channel}, '{payload}'")).await.during(NAME)
    }

    /// Returns a little after the outbox was closed, however stuck the last words are.
    async fn outlive(&self) {
        self.outbox.closed.notified().await;
        sleep_until(Instant::now() + LAST_WORDS).await;
    }
}

/// Waits until `instant`, or for ever.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
