//! Making connections.

use std::time::Duration;

use deadpool_postgres::{Connect, Manager, ManagerConfig, Pool, RecyclingMethod};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls};

/// How long a caller waits for a connection, and a connection to be made.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long one statement may take, a wait for a lock included. What takes longer was stuck, and is asked again.
const STATEMENT_MAX: Duration = Duration::from_secs(60);

/// How long a transaction may stand idle between two statements: longer than a pause of our process is taken for its
/// death, and what it locked is let go.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// Makes connections whose tasks live on the store's own runtime, whoever asks for one.
struct Connector(Handle);

impl Connect for Connector {
    fn connect(
        &self,
        config: &Config,
    ) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), tokio_postgres::Error>> {
        let (config, runtime) = (config.clone(), self.0.clone());
        let connecting = self.0.spawn(async move {
            let (client, connection) = config.connect(NoTls).await?;
            let task = runtime.spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection to the database has ended");
                }
            });
            Ok((client, task))
        });
        // The runtime is gone only together with the store's callers.
        async move { connecting.await.expect("the runtime of the store lives as long as its callers") }
            .boxed()
    }
}

/// Settings that our statements rely on, sent when a connection is made. Not through a pooler, which may refuse them.
pub(crate) fn with_settings(config: &mut Config) {
    let settings = format!(
        "{} -c jit=off -c plan_cache_mode=force_generic_plan -c search_path=pg_catalog -c statement_timeout={} -c \
         idle_in_transaction_session_timeout={}",
        config.get_options().unwrap_or_default(),
        STATEMENT_MAX.as_millis(),
        IDLE_MAX.as_millis(),
    );
    config.options(settings.trim_start().to_owned());
}

/// A pool of at most `size` connections, none of which is made before it is needed.
pub(crate) fn pool(config: &Config, size: usize, runtime: &Handle) -> Pool {
    let manager = Manager::from_connect(
        config.clone(),
        Connector(runtime.clone()),
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    Pool::builder(manager)
        .max_size(size)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(PATIENCE))
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .build()
        .expect("a pool with timeouts is given its runtime")
}
