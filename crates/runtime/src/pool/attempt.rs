//! One attempt, from its start to what is said of it.
//!
//! Most attempts of a busy queue end at the first poll of their handler, so nothing is made ready for those that do
//! not before one does not: no timer, no task, no entry anywhere.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use windlass_core::{AttemptError, Verdict, span};
use windlass_store::Settlement;

use super::slot::Slot;
use super::watch::{self, Watch};
use super::work::GuardedWork;
use crate::halt::CancelReason;
use crate::log_buffer;
use crate::open_attempt::OpenAttempt;

/// Runs an attempt in `slot`. None if its end has been told already, or is no longer to be told.
pub(super) async fn run(slot: &Slot, attempt: Arc<OpenAttempt>) -> Option<Settlement> {
    let watch = Watch::start(&slot.pool().engine);
    let verdict = match attempt.halt.reason() {
        Some(CancelReason::LeaseLost) => return None,
        Some(_) => Some(Verdict::Released),
        None if deadline_passed(&attempt) => Some(judge(&attempt, CancelReason::Deadline, None)),
        None => start(slot, &watch, &attempt).await,
    };
    log_buffer::flush(&attempt).await;
    let settlement = Settlement { token: attempt.token(), verdict: verdict? };
    watch.tell(&attempt, &settlement.verdict);
    Some(settlement)
}

async fn start(slot: &Slot, watch: &Watch, attempt: &Arc<OpenAttempt>) -> Option<Verdict> {
    let span = watch::span(&attempt.leased);
    let begun = span.in_scope(|| slot.pool().engine.registry.start(attempt));
    let mut work = match begun {
        Ok(work) => GuardedWork::new(work, span),
        Err(verdict) => return Some(cleaned(slot, attempt, verdict).await),
    };
    let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut work).poll(cx))).await;
    match first {
        Poll::Ready(verdict) => Some(cleaned(slot, attempt, considered(attempt, verdict)).await),
        Poll::Pending => attend(slot, (watch, attempt), work).await,
    }
}

/// The same verdict, once what the attempt leaves behind has been cleaned up.
async fn cleaned(slot: &Slot, attempt: &Arc<OpenAttempt>, verdict: Verdict) -> Verdict {
    let hooks = &slot.pool().engine.registry.hooks;
    if hooks.clean() {
        slot.yields();
        hooks.clean_up(attempt, &verdict).await;
    }
    verdict
}

/// What happens while a handler runs.
enum Event {
    Ended(Verdict),
    /// The time of the attempt, or of its grace, is over.
    Alarm,
    /// It has logged something.
    Logged,
    /// What it had logged is stored.
    Flushed,
}

/// Waits for a handler that did not end at once.
async fn attend(
    slot: &Slot,
    (watch, attempt): (&Watch, &Arc<OpenAttempt>),
    work: GuardedWork,
) -> Option<Verdict> {
    slot.yields();
    let mut attended = Attended { watch, attempt, alarm: alarm(attempt), flush: None };
    let mut work = pin!(work);
    let mut told = false;
    loop {
        match attended.next(work.as_mut()).await {
            Event::Ended(verdict) if told => {
                tracing::info!(job.id = %attempt.leased.id(), ?verdict, "a handler ended after its attempt was settled");
                cleaned(slot, attempt, considered(attempt, verdict)).await;
                return None;
            }
            Event::Ended(verdict) => {
                attended.flush_now().await;
                return Some(cleaned(slot, attempt, considered(attempt, verdict)).await);
            }
            Event::Logged => attended.flush = Some(Box::pin(log_buffer::gather(Arc::clone(attempt)))),
            Event::Flushed => attended.flush = None,
            Event::Alarm => told = attended.time_is_over(slot).await,
        }
    }
}

/// A running handler and what is waited for beside it.
struct Attended<'a> {
    watch: &'a Watch,
    attempt: &'a Arc<OpenAttempt>,
    alarm: Option<Pin<Box<Sleep>>>,
    flush: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Attended<'_> {
    async fn next(&mut self, mut work: Pin<&mut GuardedWork>) -> Event {
        let mut logged = pin!(self.attempt.log.filled());
        poll_fn(|cx| {
            if let Poll::Ready(verdict) = work.as_mut().poll(cx) {
                return Poll::Ready(Event::Ended(verdict));
            }
            if self.alarm.as_mut().is_some_and(|alarm| alarm.as_mut().poll(cx).is_ready()) {
                return Poll::Ready(Event::Alarm);
            }
            match &mut self.flush {
                Some(flush) => flush.as_mut().poll(cx).map(|()| Event::Flushed),
                None => logged.as_mut().poll(cx).map(|()| Event::Logged),
            }
        })
        .await
    }

    /// Stores what is logged without waiting for more.
    async fn flush_now(&mut self) {
        if let Some(flush) = self.flush.take() {
            self.attempt.log.hurry();
            flush.await;
        }
    }

    /// Asks the handler to stop, or, when it was asked before and its grace is over, settles without it. Says whether
    /// the attempt is settled now.
    async fn time_is_over(&mut self, slot: &Slot) -> bool {
        let reason =
            if deadline_passed(self.attempt) { CancelReason::Deadline } else { CancelReason::TimedOut };
        if self.attempt.halt.ask(reason) {
            let grace = slot.pool().engine.config.grace;
            self.alarm = Instant::now().checked_add(grace).map(|at| Box::pin(tokio::time::sleep_until(at)));
            return false;
        }
        self.alarm = None;
        let Some(reason) = self.attempt.halt.reason().filter(|reason| is_about_time(*reason)) else {
            return false;
        };
        self.flush_now().await;
        log_buffer::flush(self.attempt).await;
        let verdict = judge(self.attempt, reason, None);
        self.watch.tell(self.attempt, &verdict);
        slot.settle_early(Settlement { token: self.attempt.token(), verdict });
        true
    }
}

/// When the attempt has to be asked to stop, if ever.
fn alarm(attempt: &OpenAttempt) -> Option<Pin<Box<Sleep>>> {
    let times_out = timeout(attempt).and_then(|timeout| Instant::now().checked_add(timeout));
    let at = times_out.into_iter().chain(attempt.deadline_at()).min()?;
    Some(Box::pin(tokio::time::sleep_until(at)))
}

fn timeout(attempt: &OpenAttempt) -> Option<Duration> {
    attempt.leased.options.as_ref()?.timeout
}

fn deadline_passed(attempt: &OpenAttempt) -> bool {
    attempt.deadline_at().is_some_and(|at| at <= Instant::now())
}

const fn is_about_time(reason: CancelReason) -> bool {
    matches!(reason, CancelReason::TimedOut | CancelReason::Deadline)
}

/// What is said of an attempt whose handler ended with `verdict`, in view of whether it had been asked to stop.
fn considered(attempt: &OpenAttempt, verdict: Verdict) -> Verdict {
    match attempt.halt.reason() {
        Some(reason) if is_about_time(reason) => judge(attempt, reason, Some(&verdict)),
        // That it failed is most likely due to being stopped, and costs the job nothing.
        Some(CancelReason::Shutdown) if matches!(verdict, Verdict::Failed { .. }) => Verdict::Interrupted,
        _ => verdict,
    }
}

/// The verdict on an attempt that took too long. Whatever its handler says after it was asked to stop does not change
/// that: "done" may as well mean that it gave up.
fn judge(attempt: &OpenAttempt, reason: CancelReason, said: Option<&Verdict>) -> Verdict {
    let message = match (reason, timeout(attempt)) {
        (CancelReason::TimedOut, Some(timeout)) => {
            format!("took longer than its timeout of {}", span::format(timeout))
        }
        _ => "did not finish by its deadline".to_owned(),
    };
    let said = said.and_then(Verdict::error).map(|error| error.message.clone());
    Verdict::TimedOut { error: AttemptError::new(message).with_chain(said) }
}
