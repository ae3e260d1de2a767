//! A server that can be stopped.

use tokio::sync::oneshot;
use windlass_server::Config;
use windlass_store::SharedStore;

use crate::afar::{self, Serving};

/// A server that runs.
pub(crate) struct Served {
    pub(crate) url: String,
    stop: oneshot::Sender<()>,
    serving: Serving,
}

impl Served {
    /// Serves the store on a port of its own.
    pub(crate) async fn over(store: SharedStore, config: Config) -> Self {
        Self::at("127.0.0.1:0", store, config).await
    }

    /// Serves the store at this address.
    pub(crate) async fn at(address: &str, store: SharedStore, config: Config) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            let _ = stopped.await;
        };
        let (url, serving) = afar::serve(address, (store, config), stopped).await;
        Self { url, stop, serving }
    }

    /// Stops it, and waits until it has.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.serving.await.expect("it stops");
    }
}
