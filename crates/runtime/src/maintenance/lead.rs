//! Who does the duties that are enough done once.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use windlass_core::Timestamp;
use windlass_store::{ErrorKind, LEADER_LEASE, Leadership, StoreError};

use super::{Voice, is_for_others};
use crate::engine::Engine;
use crate::pace::spread;

/// How often the leader asks: in time to keep the lead, and seldom enough that an idle worker leaves its store in peace.
const KEEP_EVERY: Duration = Duration::from_secs(4);

/// How long the lead is trusted after the call that was answered with it was sent; a little less than it lasts.
const TRUST: Duration = Duration::from_millis(4_800);

/// When those who do not lead ask after the end of the lead, so that they do not come together.
const STAGGER: Duration = Duration::from_millis(250);

/// The shortest wait before asking again.
const WAIT_MIN: Duration = Duration::from_secs(1);

/// Whether this worker leads, as far as it knows, and what it was told beside it.
#[derive(Debug, Default)]
pub(super) struct Lead {
    /// Until when it does.
    until: watch::Sender<Option<Instant>>,
    /// When there is something to fire, by the store's clock.
    look_at: watch::Sender<Option<Timestamp>>,
}

impl Lead {
    /// Whether this worker leads now. Nobody depends on it: two that do the duties do no harm.
    pub(super) fn is_held(&self) -> bool {
        is_future(*self.until.borrow())
    }

    /// Waits until this worker leads.
    pub(super) async fn held(&self) {
        // Cannot fail: the sender is here.
        let _ = self.until.subscribe().wait_for(|until| is_future(*until)).await;
    }

    /// When there is something to fire, as answers tell of it: told whenever that changes.
    pub(super) fn looks(&self) -> watch::Receiver<Option<Timestamp>> {
        self.look_at.subscribe()
    }

    /// Asks for the lead again and again, unless this worker may not lead.
    pub(super) async fn seek(&self, engine: &Engine) {
        let mut seeker = Seeker { lead: self, engine, term: None, voice: Voice::new("ask who leads") };
        while let Some(wait) = seeker.ask().await {
            tokio::time::sleep_until(Instant::now() + wait).await;
        }
    }
}

struct Seeker<'a> {
    lead: &'a Lead,
    engine: &'a Engine,
    /// The term this worker leads in.
    term: Option<u64>,
    voice: Voice,
}

impl Seeker<'_> {
    /// Asks once. How long to wait before asking again; nothing if it is refused for good.
    async fn ask(&mut self) -> Option<Duration> {
        // A worker that is about to register anew asks under its new name.
        let Some(member) = self.engine.member() else { return Some(WAIT_MIN) };
        let sent = Instant::now();
        let answer = timeout(LEADER_LEASE, self.engine.store.lead(member)).await;
        let answer = answer.unwrap_or_else(|_| Err(StoreError::new("ask who leads", ErrorKind::Unknown)));
        if answer.as_ref().is_err_and(is_for_others) {
            return None;
        }
        self.voice.tell(answer.as_ref().err());
        let Ok(leadership) = answer else { return Some(WAIT_MIN) };
        let leads = leadership.leader == member;
        if let Some(observer) = &self.engine.config.observer {
            observer.led(&leadership, leads);
        }
        self.note(leads, leadership);
        self.lead.until.send_replace(leads.then(|| sent + TRUST));
        if leads {
            let look_at = leadership.look_at;
            self.lead.look_at.send_if_modified(|last| std::mem::replace(last, look_at) != look_at);
        }
        Some(if leads { spread(KEEP_EVERY, 0.025) } else { self.until_free(leadership) })
    }

    /// Takes note of who leads, and tells of a change.
    fn note(&mut self, leads: bool, Leadership { leader, term, .. }: Leadership) {
        if leads && self.term != Some(term) {
            tracing::info!(term, "this worker leads: it fires schedules, prunes and tidies the store");
        } else if !leads && self.term.is_some() {
            tracing::info!(%leader, term, "another worker leads now");
        }
        self.term = leads.then_some(term);
    }

    fn until_free(&self, leadership: Leadership) -> Duration {
        let left = self.engine.clock.now().map_or(LEADER_LEASE, |now| leadership.until.since(now));
        left.clamp(WAIT_MIN, LEADER_LEASE) + STAGGER + spread(STAGGER, 1.0)
    }
}

fn is_future(until: Option<Instant>) -> bool {
    until.is_some_and(|until| until > Instant::now())
}
