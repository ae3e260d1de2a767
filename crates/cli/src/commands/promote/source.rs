//! The file that the jobs come from, held still.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use windlass::Address;
use windlass_sqlite::SqliteStore;
use windlass_store::{Actor, ErrorKind, Maintenance, QueueStore, WorkerStore};

use super::MOVER;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::interrupt::Interrupt;
use crate::output::cell::counted;
use crate::store;

/// How often to look whether what runs has ended.
const LOOK: Duration = Duration::from_millis(100);

/// The file that the jobs come from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) store: SqliteStore,
    pub(super) path: PathBuf,
}

impl Source {
    pub(super) async fn open(path: &Path) -> Result<Self, CliError> {
        if let Ok(Address::Postgres(_)) | Err(_) = Address::new(path) {
            return Err(CliError::new(ErrorCode::Invalid, "what is moved is a file, and this is none")
                .with_help("as in: windlass promote app.db postgres://user@host/database"));
        }
        Ok(Self { store: store::open_file(path).await?, path: path.to_owned() })
    }

    /// Refuses a file whose jobs go, or went, somewhere else than `to`.
    pub(super) async fn refuse_elsewhere(&self, to: &Address) -> Result<(), CliError> {
        let Some(moved) = self.store.moved().await? else { return Ok(()) };
        if moved.address == to.to_string() {
            return Ok(());
        }
        let place = self.path.display();
        let how = if moved.done { "were moved" } else { "are being moved" };
        let what = format!("the jobs of {place} {how} to {}", moved.address);
        Err(CliError::new(ErrorCode::StoreMoved, what)
            .with_help(format!("`windlass promote {place} --undo` makes it a queue again")))
    }

    /// Whether all jobs have been moved.
    pub(super) async fn is_done(&self) -> Result<bool, CliError> {
        Ok(self.store.moved().await?.is_some_and(|moved| moved.done))
    }

    /// Sees to it that nothing changes in the file any more: that nobody works on it, enqueues to it, or does anything to
    /// its jobs by hand.
    pub(super) async fn hold_still(
        &self,
        to: &Address,
        (wait, interrupt): (bool, &Interrupt),
        context: &Context,
    ) -> Result<(), CliError> {
        if self.store.moved().await?.is_some() {
            return Ok(());
        }
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = false;
        loop {
            looks.tick().await;
            // What dead workers held goes back into its queue first.
            self.store.rescue().await?;
            if !wait {
                self.refuse_workers().await?;
            } else if !told {
                context.tell(&format!(
                    "pausing the queues of {}, and waiting until nothing runs",
                    self.path.display()
                ));
                told = true;
            }
            if wait {
                self.pause_all(to).await?;
            }
            match self.store.begin_move(&to.to_string()).await {
                Ok(()) => return Ok(()),
                Err(error) if *error.kind() != ErrorKind::NotReady => return Err(error.into()),
                // Without a worker, an attempt is open only until its own lease ends.
                Err(_) if !wait => return Err(self.in_use().await?),
                Err(_) => {}
            }
            if interrupt.is_asked() {
                self.resume_ours().await?;
                return Err(CliError::new(ErrorCode::Interrupted, "stopped before anything was moved")
                    .with_help("the queues are as they were"));
            }
        }
    }

    async fn refuse_workers(&self) -> Result<(), CliError> {
        if self.store.workers(Duration::ZERO).await?.is_empty() { Ok(()) } else { Err(self.in_use().await?) }
    }

    /// That there is someone who works, or has just done so.
    async fn in_use(&self) -> Result<CliError, CliError> {
        let workers = self.store.workers(Duration::ZERO).await?;
        let running = self.store.leases(Duration::ZERO).await?.len() as u64;
        let names: Vec<&str> = workers.iter().map(|worker| worker.registered.name.as_str()).collect();
        let what = format!(
            "{} on {}, with {} ({})",
            counted(workers.len() as u64, "worker"),
            self.path.display(),
            counted(running, "running job"),
            names.join(", "),
        );
        Ok(CliError::new(ErrorCode::InUse, what)
            .with_help("stop them first, or add --wait: it pauses the queues and waits until nothing runs"))
    }

    /// Pauses every queue that is not. Also one that was made since the last time.
    async fn pause_all(&self, to: &Address) -> Result<(), CliError> {
        let by = Actor::new(MOVER).because(format!("the jobs are being moved to {to}"));
        for queue in self.store.queues().await? {
            if queue.pause.is_none() {
                self.store.pause(&queue.name, by.clone()).await?;
            }
        }
        Ok(())
    }

    /// Resumes the queues that were paused for the move, now or by a run before.
    pub(super) async fn resume_ours(&self) -> Result<(), CliError> {
        for queue in self.store.queues().await? {
            if queue.pause.is_some_and(|pause| pause.by.name == MOVER) {
                self.store.resume(&queue.name, Actor::new(MOVER)).await?;
            }
        }
        Ok(())
    }
}
