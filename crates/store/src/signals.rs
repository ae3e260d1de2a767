//! Wake-ups: "something may be ready", "something ended".
//!
//! A hint, never a fact. Hints may be spurious, and may be lost; whoever waits for one also looks by itself from
//! time to time.

use tokio::sync::watch;

/// The hints a store gives to those in its own process.
#[derive(Debug)]
pub struct Signals {
    work: watch::Sender<u64>,
    ended: watch::Sender<u64>,
}

impl Default for Signals {
    fn default() -> Self {
        Self { work: watch::Sender::new(0), ended: watch::Sender::new(0) }
    }
}

impl Signals {
    /// Hints that a claim may find something, or that a running job was asked to stop.
    #[must_use]
    pub fn work(&self) -> Signal {
        Signal(self.work.subscribe())
    }

    /// Hints that a job may have ended.
    #[must_use]
    pub fn ended(&self) -> Signal {
        Signal(self.ended.subscribe())
    }

    /// Wakes all who wait for work.
    pub fn notify_work(&self) {
        self.work.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Wakes all who wait for the end of a job.
    pub fn notify_ended(&self) {
        if self.ended.receiver_count() > 0 {
            self.ended.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// How many wait for hints of any kind. A store that has to look for them need not while it is zero.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.work.receiver_count() + self.ended.receiver_count()
    }
}

/// A stream of hints; those that come together are one.
#[derive(Debug, Clone)]
pub struct Signal(watch::Receiver<u64>);

impl Signal {
    /// Waits for the next hint since the last call; returns at once if there was one. Waits for ever once the store is gone.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a hint that was not returned is returned by the next call.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
