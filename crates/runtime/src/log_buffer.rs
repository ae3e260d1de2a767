//! Log lines of one attempt on their way to the store: gathered, and stored a batch at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use windlass_core::LogLevel;
use windlass_store::{ErrorKind, NewLogLine, StoreError};

use crate::open_attempt::OpenAttempt;

/// How long a line may wait for others: a reader who follows sees it within the second.
const GATHER: Duration = Duration::from_millis(400);

/// Lines that are kept while the store does not take any. What is more is counted, and dropped.
const LINES_MAX: usize = 2_000;

/// Bytes that are kept likewise. The store keeps no more than a megabyte of a job in all.
const BYTES_MAX: usize = 1024 * 1024;

/// How often a batch is offered to a store that is away before it is dropped.
const TRIES_MAX: u32 = 3;

/// What was logged and is not stored yet.
#[derive(Debug, Default)]
pub(crate) struct LogBuffer {
    lines: Mutex<Lines>,
    first: Notify,
    ending: Notify,
}

#[derive(Debug, Default)]
struct Lines {
    waiting: Vec<NewLogLine>,
    bytes: usize,
    dropped: u64,
}

impl LogBuffer {
    /// Adds a line. Never waits: past a bound, lines are dropped and their number is told instead.
    pub(crate) fn push(&self, level: LogLevel, message: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.waiting.len() >= LINES_MAX || lines.bytes + message.len() > BYTES_MAX {
            lines.dropped += 1;
            return;
        }
        lines.bytes += message.len();
        lines.waiting.push(NewLogLine { level, message });
        if lines.waiting.len() == 1 {
            self.first.notify_one();
        }
    }

    /// Waits until there is a line.
    pub(crate) async fn filled(&self) {
        self.first.notified().await;
    }

    /// Ends the wait of [`gather`]: no more lines will come.
    pub(crate) fn hurry(&self) {
        self.ending.notify_one();
    }

    fn take(&self) -> Vec<NewLogLine> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Lines { mut waiting, dropped, .. } = std::mem::take(&mut *lines);
        if dropped > 0 {
            let message = format!("{dropped} lines were dropped: the store did not take them in time");
            waiting.push(NewLogLine { level: LogLevel::Warn, message });
        }
        waiting
    }
}

/// Waits for more lines for a moment, then stores them.
pub(crate) async fn gather(attempt: Arc<OpenAttempt>) {
    // Either there are more by now, or there will be no more.
    let _ = tokio::time::timeout(GATHER, attempt.log.ending.notified()).await;
    flush(&attempt).await;
}

/// Stores what an attempt has logged so far. Does not fail: a log is not worth an attempt.
pub(crate) async fn flush(attempt: &OpenAttempt) {
    let lines = attempt.log.take();
    let Some(store) = attempt.store.as_ref().filter(|_| !lines.is_empty()) else { return };
    let mut tries = 1;
    loop {
        let answer = attempt.heed(store.log(attempt.token(), lines.clone()).await);
        match answer {
            Ok(()) => return,
            Err(error) if error.is_transient() && tries < TRIES_MAX => tries += 1,
            Err(error) => return tell_dropped(attempt, &lines, &error),
        }
        tokio::time::sleep_until(tokio::time::Instant::now() + GATHER).await;
    }
}

fn tell_dropped(attempt: &OpenAttempt, lines: &[NewLogLine], error: &StoreError) {
    // Whoever lost the attempt is told by its settle.
    let lost = matches!(error.kind(), ErrorKind::LeaseLost | ErrorKind::NotRunning | ErrorKind::Cancelled);
    if !lost {
        tracing::warn!(job.id = %attempt.leased.id(), lines = lines.len(), %error, "log lines of a job were dropped");
    }
}
