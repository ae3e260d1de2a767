//! Staying awake for who comes back.
//!
//! A caller that does one thing after the other would be put to sleep and woken for each, and so would the writer:
//! beside a flush of 0.2 ms that is a third. While someone is so brisk, both stay awake, the writer until the next wish
//! and its only caller until the answer. What that costs is processor time that nobody else wants: both let all others go
//! first, threads and tasks alike. Neither stays for long: not for a caller that pauses, not on a slow disk, and not in a
//! crowd, which has other things to do and shares a flush better when nobody hurries.

use std::sync::mpsc::Receiver;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How soon after an answer the next wish must come to be brisk, and how long the writer stays awake for it.
pub(super) const MOMENT: Duration = Duration::from_micros(200);

/// How long a caller stays awake for an answer, and how long the group before may have taken for that: beside longer
/// waits it matters little to be woken. A flush of a disk without moving parts is shorter, most of the time.
const SHORT: Duration = Duration::from_millis(1);

/// When the last answer was given, if it was given to one caller alone and soon.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Option<Instant>>);

impl Pace {
    /// Notes that `callers` are about to be answered, whose group was begun at `begun`.
    pub(super) fn answering(&self, callers: usize, begun: Instant) {
        let now = Instant::now();
        let soon = now.saturating_duration_since(begun) < SHORT;
        *self.last() = (callers == 1 && soon).then_some(now);
    }

    /// Stays awake as long as somebody brisk `waits_alone`, and no longer than is worth it.
    pub(super) async fn stay_awake(&self, waits_alone: impl Fn() -> bool) {
        let asked_at = Instant::now();
        if !waits_alone() || !self.is_brisk(asked_at) {
            return;
        }
        while waits_alone() && asked_at.elapsed() < SHORT {
            // Tasks before threads: another that is about to ask is to be in the same group.
            tokio::task::yield_now().await;
            std::thread::yield_now();
        }
    }

    fn is_brisk(&self, asked_at: Instant) -> bool {
        self.last().is_some_and(|last| asked_at.saturating_duration_since(last) < MOMENT)
    }

    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wish that comes within a moment of the last answer.
pub(super) fn soon<T>(waiting: &Receiver<T>, idle_since: Instant) -> Option<T> {
    loop {
        match waiting.try_recv() {
            Ok(wish) => return Some(wish),
            Err(_) if idle_since.elapsed() >= MOMENT => return None,
            Err(_) => std::thread::yield_now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the group of an answer must have begun to be as short as can be, however slow the test is.
    fn just_now() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn only_who_asks_within_a_moment_of_its_answer_is_brisk() {
        let pace = Pace::default();
        assert!(!pace.is_brisk(Instant::now()), "there was no answer yet");

        pace.answering(1, just_now());

        let answered_at = pace.last().expect("a short group of one");
        assert!(pace.is_brisk(answered_at + MOMENT / 2));
        assert!(!pace.is_brisk(answered_at + MOMENT));
    }

    #[test]
    fn nobody_is_brisk_after_a_crowd_or_a_long_wait() {
        let pace = Pace::default();

        pace.answering(1, just_now());
        pace.answering(2, just_now());
        assert!(pace.last().is_none(), "a crowd");

        pace.answering(1, just_now());
        pace.answering(1, Instant::now().checked_sub(SHORT).unwrap());
        assert!(pace.last().is_none(), "a long wait");
    }
}
