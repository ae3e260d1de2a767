//! Ctrl-C: once to stop when it suits, twice to stop now.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::exit_code::ExitCode;

/// Whether somebody wants this process to stop. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(CancellationToken);

impl Interrupt {
    /// Listens for SIGINT and SIGTERM from now on. The second one ends the process at once.
    pub(crate) fn listen() -> io::Result<Self> {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let token = CancellationToken::new();
        let seen = token.clone();
        // Nobody waits for it: it has nothing to finish, and ends with the process.
        TaskTracker::new().spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if seen.is_cancelled() {
                    // What still runs is ended by the guard.
                    std::process::exit(i32::from(ExitCode::Interrupted.as_number()));
                }
                seen.cancel();
            }
        });
        Ok(Self(token))
    }

    /// Waits until somebody wants it to stop.
    pub(crate) async fn asked(&self) {
        self.0.cancelled().await;
    }

    /// Whether somebody wants it to stop.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.is_cancelled()
    }
}
