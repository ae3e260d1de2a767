//! Whose worker a worker is: who may beat it, claim for it, ask what it holds and let it leave.
//!
//! The ids of workers are no secret, so knowing one gives no right to it. It belongs to the token that registered it, at whatever
//! server: the store keeps that. One that was registered at no server is no caller's. Administrators may do it all.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::WorkerId;
use windlass_store::{NewWorker, Queues};

use crate::access::{Caller, Verb};
use crate::answer::Failure;
use crate::app::App;

/// Most workers whose owners are remembered. Beyond it those are forgotten that have been silent for [`SILENT`], or else all.
const KNOWN_MAX: usize = 20_000;

/// How long a worker may be silent before it may be forgotten here: as long as the longest lease.
const SILENT: Duration = Duration::from_secs(60 * 60);

/// Who owns the workers that were met here, so that the store is asked once.
#[derive(Debug, Default)]
pub(crate) struct Owners(Mutex<HashMap<WorkerId, Owner>>);

#[derive(Debug)]
struct Owner {
    name: String,
    seen: Instant,
}

impl Owners {
    /// Whether it is the caller's; nothing where it is not known whose it is.
    fn is_of(&self, worker: WorkerId, caller: &Caller) -> Option<bool> {
        let mut owners = self.lock();
        let owner = owners.get_mut(&worker)?;
        owner.seen = Instant::now();
        Some(owner.name == identity(caller))
    }

    fn keep(&self, worker: WorkerId, name: String) {
        let (mut owners, now) = (self.lock(), Instant::now());
        if owners.len() >= KNOWN_MAX {
            owners.retain(|_, owner| now.duration_since(owner.seen) < SILENT);
        }
        if owners.len() >= KNOWN_MAX {
            owners.clear();
        }
        owners.insert(worker, Owner { name, seen: now });
    }

    /// It is gone.
    pub(crate) fn forget(&self, worker: WorkerId) {
        self.lock().remove(&worker);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<WorkerId, Owner>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The token that was shown; the name of those who show none.
fn identity(caller: &Caller) -> String {
    caller.via.token.map_or_else(|| format!("- {}", caller.name), |token| token.to_string())
}

/// Refuses a worker that is not the caller's, as if it were not there.
pub(crate) async fn check(app: &App, caller: &Caller, worker: WorkerId) -> Result<(), Failure> {
    if caller.verbs.has(Verb::Admin) {
        return Ok(());
    }
    let is_own = match app.owners.is_of(worker, caller) {
        Some(is_own) => is_own,
        None => look_up(app, caller, worker).await?,
    };
    if is_own { Ok(()) } else { Err(Failure::not_found("there is no such worker")) }
}

/// Asks the store whose it is. Of one that is not there, the store says so itself.
async fn look_up(app: &App, caller: &Caller, worker: WorkerId) -> Result<bool, Failure> {
    let all = app.store.workers(Duration::ZERO).await?;
    let Some(found) = all.into_iter().find(|one| one.registered.id == worker) else { return Ok(true) };
    let Some(owner) = found.registered.owner else { return Ok(false) };
    app.owners.keep(worker, owner);
    Ok(app.owners.is_of(worker, caller).unwrap_or_default())
}

/// Makes the worker the caller's, if it is nobody else's and is for queues of theirs.
pub(crate) async fn own(app: &App, caller: &Caller, worker: &mut NewWorker) -> Result<(), Failure> {
    if !reaches(caller, &worker.queues) {
        let problem = "the caller is given some queues alone: register the worker for those";
        return Err(Failure::forbidden(problem));
    }
    if check(app, caller, worker.id).await.is_err() {
        return Err(Failure::forbidden("a worker of this id is registered by somebody else"));
    }
    worker.owner = Some(identity(caller));
    Ok(())
}

/// The worker is registered.
pub(crate) fn registered(app: &App, worker: WorkerId, owner: Option<String>) {
    if let Some(owner) = owner {
        app.owners.keep(worker, owner);
    }
}

fn reaches(caller: &Caller, queues: &Queues) -> bool {
    match queues {
        Queues::Only(queues) => queues.iter().all(|queue| caller.reaches(queue)),
        Queues::Any => caller.reaches_all(),
    }
}
