//! Workers that are known by no more than a name: whoever claims with `curl` registers nowhere.
//!
//! The port knows only registered workers. So a name is registered here, when it first claims, under an id of its own, with
//! what it claims for its scope: then `explain` knows that somebody takes such jobs. The registration lasts a while after
//! the last claim. What it claims it holds job by job, so nothing hangs on that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::WorkerId;
use windlass_store::{Kinds, NewWorker, Scope, SharedStore, StoreError, ids};

/// How long a name is taken to be at work after a claim: longer than any long poll, and short enough that nobody takes it
/// for a live worker for long.
const LEASE: Duration = Duration::from_secs(5 * 60);

/// Where a worker is said to be that is known by no more than a name.
pub(crate) const HOST: &str = "http";

/// Most names that are known at a time. Beyond it those are forgotten that are oldest, and register once more.
const NAMES_MAX: usize = 10_000;

/// Names and the ids they are registered under.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<HashMap<(String, String), Known>>);

#[derive(Debug, Clone)]
struct Known {
    id: WorkerId,
    scope: Arc<Scope>,
    until: Instant,
}

impl Names {
    /// The worker of this name and scope, registered; and its scope, the same value each time, for stores that keep what
    /// they worked out for it.
    pub(crate) async fn worker(
        &self,
        store: &SharedStore,
        (name, scope): (&str, Scope),
        slots: u32,
    ) -> Result<(WorkerId, Arc<Scope>), StoreError> {
        let key = (name.to_owned(), format!("{scope:?}"));
        let known = self.lock().get(&key).cloned();
        let now = Instant::now();
        let known = match known {
            Some(known) if known.until > now + LEASE / 2 => return Ok((known.id, known.scope)),
            // One that is over may have been forgotten by the store, and then is to be another.
            Some(known) if known.until > now => known,
            _ => Known { id: ids::worker_id(), scope: Arc::new(scope), until: now },
        };
        store.register(new_worker(name, &known, slots)).await?;
        let (id, scope) = (known.id, Arc::clone(&known.scope));
        self.remember(key, Known { until: now + LEASE, ..known });
        Ok((id, scope))
    }

    /// Forgets a name whose worker the store does not know any more.
    pub(crate) fn forget(&self, id: WorkerId) {
        self.lock().retain(|_, known| known.id != id);
    }

    fn remember(&self, key: (String, String), known: Known) {
        let mut names = self.lock();
        if names.len() >= NAMES_MAX {
            let now = Instant::now();
            names.retain(|_, known| known.until > now + LEASE / 2);
            if names.len() >= NAMES_MAX {
                names.clear();
            }
        }
        names.insert(key, known);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_worker(name: &str, known: &Known, slots: u32) -> NewWorker {
    let kinds = match &known.scope.kinds {
        Kinds::Any => Vec::new(),
        Kinds::Only(kinds) => kinds.clone(),
    };
    NewWorker {
        id: known.id,
        name: name.to_owned(),
        host: HOST.to_owned(),
        version: String::new(),
        queues: known.scope.queues.clone(),
        kinds,
        slots: slots.max(1),
        lease: LEASE,
        owner: None,
    }
}
