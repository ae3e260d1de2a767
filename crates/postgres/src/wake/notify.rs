//! Telling other processes.
//!
//! Never inside the transaction that has something to tell, and never from a trigger: a transaction that notifies takes a
//! lock of the whole server from before its flush until after it, and with one in each insert eight callers come down to
//! a third. A notification goes alone, in a transaction that writes nothing and so flushes nothing, after what it tells
//! of was committed; whoever made the hint does not wait for it. Where a statement that makes work is a transaction by itself,
//! it goes right behind that on the same connection, which spares another process a wake-up or two of ours.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
#[derive(Debug)]
pub(super) struct Outbox {
    address: Address,
    pending: AtomicU8,
    schedule: Mutex<Schedule>,
    /// Something was put into it that was not there.
    changed: Notify,
    closed: Notify,
}

/// A bit beside those of the hints: nothing more will come.
const CLOSED: u8 = 0x80;

impl Outbox {
    fn new(address: Address) -> Self {
        let schedule = Mutex::new(Schedule::new(Instant::now()));
        Self { address, pending: AtomicU8::new(0), schedule, changed: Notify::new(), closed: Notify::new() }
    }

    /// The statement that tells others, if they may be told now: by the caller, who takes that on.
    pub(super) fn say_now(&self, hints: Hints) -> Option<String> {
        let (mut schedule, now) = (self.schedule(), Instant::now());
        if schedule.due_at(hints)? > now {
            return None;
        }
        schedule.sent(hints, now);
        Some(self.statement(hints))
    }

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
    async fn next(&self) -> Option<Hints> {
        loop {
            let bits = self.pending.load(Ordering::Acquire);
            let pending = Hints::of_bits(bits);
            if bits & CLOSED != 0 {
                return (!pending.is_empty()).then(|| self.take(pending));
            }
            let due_at = match self.due(pending) {
                Ok(due) => return Some(self.take(due)),
                Err(due_at) => due_at,
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = at(due_at) => {}
            }
        }
    }

    /// What of `pending` goes now; else when the first of it may, if there is any.
    fn due(&self, pending: Hints) -> Result<Hints, Option<Instant>> {
        let (mut schedule, now) = (self.schedule(), Instant::now());
        let due_at = schedule.due_at(pending);
        if due_at.is_none_or(|due_at| due_at > now) {
            return Err(due_at);
        }
        let due = schedule.due(pending, now);
        schedule.sent(due, now);
        Ok(due)
    }

    fn statement(&self, hints: Hints) -> String {
        let (channel, payload) = (self.address.channel_quoted(), self.address.payload(hints));
        // sql: the name of a channel cannot be bound
        format!("NOTIFY {channel}, '{payload}'")
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
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
    outbox: Arc<Outbox>,
}

impl Notifier {
    /// Starts it. It ends when its outbox is closed.
    pub(super) fn start(database: Arc<Database>, address: Address) -> Arc<Outbox> {
        let (runtime, outbox) = (database.runtime.clone(), Arc::new(Outbox::new(address)));
        let notifier = Self { database, outbox: Arc::clone(&outbox) };
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
        let mut failing = false;
        while let Some(hints) = self.outbox.next().await {
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
        let session = self.database.call(NAME).await?;
        session.run(&self.outbox.statement(hints)).await.during(NAME)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_callers_say_themselves_counts_with_what_is_sent_for_them() {
        let outbox = Outbox::new(Address::new("a"));

        let said: Vec<String> = (0..10).map_while(|_| outbox.say_now(Hints::WORK)).collect();

        assert_eq!(said.len(), 4, "as many as may follow one another after a rest");
        assert!(said[0].starts_with("NOTIFY \"windlass_a\", 'w "), "{}", said[0]);
        assert!(outbox.due(Hints::WORK).is_err_and(|due_at| due_at.is_some_and(|at| at > Instant::now())));
    }
}
