//! Hearing other processes.
//!
//! One connection for each store that somebody waits on, for as long as the store lives. Hints sent while it is away are
//! lost, so whenever it comes back all are woken once.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_postgres::{AsyncMessage, Client, Error};
use windlass_store::ids;

use super::Sleepers;
use super::message::{Address, Hints};
use crate::connect::Route;

/// How long a connection may take to be made, wherever the server is among several, and to be told what to listen to.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first wait after a connection was lost, and the longest: a server that is back is found within five seconds.
const BACKOFF_BASE: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// A connection that lived so long was a good one: the next wait is the first again.
const STEADY: Duration = Duration::from_secs(10);

/// Listens for one store.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    route: Route,
    address: Address,
    sleepers: Sleepers,
    runtime: Handle,
}

/// What the server says without being asked.
type Messages = BoxStream<'static, Result<AsyncMessage, Error>>;

/// Why a connection is not there any more.
type Lost = Box<dyn std::error::Error + Send + Sync>;

impl Listener {
    /// `route` leads to the server itself: behind a pooler the connection that listens is another one each time.
    pub(super) fn new(mut route: Route, address: Address, sleepers: Sleepers, runtime: Handle) -> Self {
        // So that a person who looks at the server's connections knows why this one is idle.
        let name = format!("{} listener", route.config.get_application_name().unwrap_or("windlass"));
        route.config.application_name(name);
        Self { route, address, sleepers, runtime }
    }

    /// Starts to listen, until the task is aborted.
    pub(super) fn start(&self) -> AbortHandle {
        self.runtime.spawn(self.clone().run()).abort_handle()
    }

    async fn run(self) {
        let (mut failures, mut away) = (0, false);
        loop {
            let begun = Instant::now();
            let error = self.listen_once(&mut away).await;
            if !std::mem::replace(&mut away, true) {
                tracing::warn!(
                    channel = self.address.channel(), %error,
                    "does not hear of other processes' work, and finds it by polling; will try again"
                );
            }
            failures = if begun.elapsed() >= STEADY { 1 } else { failures + 1 };
            sleep_until(Instant::now() + backoff(failures)).await;
        }
    }

    /// Listens for as long as a connection lasts. No longer `away` once it does.
    async fn listen_once(&self, away: &mut bool) -> Lost {
        let (client, messages) = match timeout(PATIENCE, connect(&self.route)).await {
            Ok(Ok(made)) => made,
            Ok(Err(error)) => return error.into(),
            Err(elapsed) => return elapsed.into(),
        };
        // It also drives what is asked on the connection.
        let mut hearing = pin!(self.hear(messages));
        tokio::select! {
            begun = timeout(PATIENCE, self.begin(&client)) => match begun {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error.into(),
                Err(elapsed) => return elapsed.into(),
            },
            lost = &mut hearing => return lost,
        }
        if std::mem::take(away) {
            tracing::info!(channel = self.address.channel(), "hears of other processes' work again");
        }
        self.sleepers.wake(Hints::ALL);
        hearing.await
    }

    /// Asks to be told, on a connection that may be idle for as long as there is nothing to tell.
    fn begin(&self, client: &Client) -> impl Future<Output = Result<(), Error>> {
        let text = format!(
            // sql: the name of a channel cannot be bound; and a server without that setting is not asked to set it
            "SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name = 'idle_session_timeout'; LISTEN {}",
            self.address.channel_quoted(),
        );
        async move { client.batch_execute(&text).await }
    }

    /// Wakes whom the messages are for, until there are no more.
    async fn hear(&self, mut messages: Messages) -> Lost {
        loop {
            match messages.next().await {
                Some(Ok(AsyncMessage::Notification(said))) => {
                    self.sleepers.wake(self.address.heard(said.payload()));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return error.into(),
                None => return "the server closed the connection".into(),
            }
        }
    }
}

async fn connect(route: &Route) -> Result<(Client, Messages), Error> {
    route.care.pause().await;
    let made = route.config.connect(route.tls.clone()).await;
    let (client, mut connection) = made.inspect_err(|error| route.care.missed(error))?;
    route.care.reached();
    let messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
    Ok((client, messages.boxed()))
}

/// How long to wait after so many failures in a row: longer each time, and another span for each of those that lost the same
/// server, lest they come back together.
fn backoff(failures: u32) -> Duration {
    let most = BACKOFF_BASE.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(BACKOFF_MAX);
    let thousandths = u32::try_from(ids::nonce() % 500).unwrap_or(0) + 500;
    most * thousandths / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_bounded() {
        assert!((1..100).all(|failures| backoff(failures) <= BACKOFF_MAX));
        assert!(backoff(1) >= BACKOFF_BASE / 2 && backoff(1) <= BACKOFF_BASE);
        assert!(backoff(50) >= BACKOFF_MAX / 2);
    }
}
