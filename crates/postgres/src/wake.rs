//! Wake-ups between processes: what one of them wrote, the others hear of.
//!
//! Within a process hints go straight to its [`Signals`]. Between processes they travel as notifications on one channel,
//! sent by [`notify`] and heard by [`listen`]. They are hints there too: late, lost or spurious, and whoever waits for one
//! also looks by itself from time to time. So nothing here is ever waited for, and no failure here is a caller's.

mod listen;
mod message;
mod notify;
mod pace;

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use tokio::task::AbortHandle;
use windlass_store::Signals;

use crate::connect::Route;
use crate::database::Database;
use crate::floors::FloorMap;
use listen::Listener;
use message::{Address, Hints};
use notify::{Notifier, Outbox};

/// What of a process may be woken.
#[derive(Debug, Clone, Default)]
struct Sleepers {
    signals: Arc<Signals>,
    floors: Arc<FloorMap>,
}

impl Sleepers {
    fn wake(&self, hints: Hints) {
        if hints.has(Hints::FORGET) {
            // Before anyone claims because of it.
            self.floors.forget();
        }
        if hints.has(Hints::WORK) || hints.has(Hints::FORGET) {
            self.signals.notify_work();
        }
        if hints.has(Hints::ENDED) {
            self.signals.notify_ended();
        }
    }
}

/// Wakes those who wait in this process, and by way of the server those in others.
#[derive(Debug)]
pub(crate) struct Wake {
    sleepers: Sleepers,
    /// None where other processes are not told.
    outbox: Option<Arc<Outbox>>,
    /// None where other processes are not heard.
    listener: Option<Listener>,
    /// The listener's task, once somebody waits for hints.
    listening: OnceLock<AbortHandle>,
}

/// How this process and others hear of one another.
#[derive(Debug)]
pub(crate) struct Ways {
    /// Whether others are told.
    pub(crate) notify: bool,
    /// Where they are heard: a server that is spoken to without a pooler between.
    pub(crate) listen: Option<Route>,
}

impl Wake {
    pub(crate) fn new(database: &Arc<Database>, schema: &str, ways: Ways) -> Self {
        let (address, sleepers) = (Address::new(schema), Sleepers::default());
        let runtime = database.runtime.clone();
        let outbox = ways.notify.then(|| Notifier::start(Arc::clone(database), address.clone()));
        let listener = ways.listen.map(|route| Listener::new(route, address, sleepers.clone(), runtime));
        Self { sleepers, outbox, listener, listening: OnceLock::new() }
    }

    /// The hints of this process. Who asks for them may wait for one, and from then on other processes are heard: one that
    /// only enqueues need not keep a connection for it.
    pub(crate) fn signals(&self) -> &Signals {
        if let Some(listener) = &self.listener {
            self.listening.get_or_init(|| listener.start());
        }
        &self.sleepers.signals
    }

    /// Says that there may be something to claim, or an attempt to stop.
    pub(crate) fn work(&self) {
        self.tell(Hints::WORK);
    }

    /// The statement that tells other processes of work, for whoever makes some by a statement of their own, to be sent right
    /// behind it; none where they are not told, or not so soon.
    pub(crate) fn say_work(&self) -> Option<String> {
        self.outbox.as_ref()?.say_now(Hints::WORK)
    }

    /// As [`work`](Self::work), in this process alone.
    pub(crate) fn work_here(&self) {
        self.sleepers.wake(Hints::WORK);
    }

    /// As [`work`](Self::work), in other processes alone.
    pub(crate) fn work_elsewhere(&self) {
        self.tell_others(Hints::WORK);
    }

    /// Says that a job may have ended.
    pub(crate) fn ended(&self) {
        self.tell(Hints::ENDED);
    }

    /// The floors of this process, in which others have a say.
    pub(crate) fn floors(&self) -> SharedFloors {
        SharedFloors { own: Arc::clone(&self.sleepers.floors), outbox: self.outbox.clone() }
    }

    fn tell(&self, hints: Hints) {
        self.sleepers.wake(hints);
        self.tell_others(hints);
    }

    fn tell_others(&self, hints: Hints) {
        if let Some(outbox) = &self.outbox {
            outbox.put(hints);
        }
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.get() {
            listening.abort();
        }
        if let Some(outbox) = &self.outbox {
            // The notifier sends what is left and ends by itself, in a second at most.
            outbox.close();
        }
    }
}

/// Floors that are forgotten in all processes if in one.
#[derive(Debug)]
pub(crate) struct SharedFloors {
    own: Arc<FloorMap>,
    outbox: Option<Arc<Outbox>>,
}

impl SharedFloors {
    /// As [`FloorMap::forget`], in other processes too.
    pub(crate) fn forget(&self) {
        self.own.forget();
        if let Some(outbox) = &self.outbox {
            outbox.put(Hints::FORGET);
        }
    }
}

impl Deref for SharedFloors {
    type Target = FloorMap;

    fn deref(&self) -> &FloorMap {
        &self.own
    }
}
