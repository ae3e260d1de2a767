//! A server in front of a store, and the store that it is from afar.

use std::future::{Future, pending};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use windlass_remote::{RemoteOptions, RemoteStore};
use windlass_server::{Config, Limits};
use windlass_store::{Clock, SharedStore};

/// A server, for as long as this is kept.
pub(crate) type Serving = AbortOnDropHandle<()>;

/// Serves the store at this address until it is to stop. Where that is, and the server.
pub(crate) async fn serve(
    at: &str,
    (store, config): (SharedStore, Config),
    stop: impl Future<Output = ()> + Send + 'static,
) -> (String, Serving) {
    let listener = TcpListener::bind(at).await.expect("the port is free");
    let url = format!("http://{}", listener.local_addr().expect("it has an address"));
    let serving = async move {
        windlass_server::serve(listener, store, config, stop).await.expect("the server serves");
    };
    (url, AbortOnDropHandle::new(TaskTracker::new().spawn(serving)))
}

/// The store from afar. Its server takes as much at once as the store does, and goes by its clock.
pub(crate) async fn remote(store: SharedStore, clock: Arc<dyn Clock>) -> (RemoteStore, Serving) {
    let mut limits = Limits::default();
    limits.batch_jobs_max = usize::MAX;
    limits.body_bytes_max = limits.batch_bytes_max;
    // Nobody but the cases themselves takes up operations.
    let config = Config::default().with_clock(clock).with_limits(limits).with_operations(false);
    let (url, serving) = serve("127.0.0.1:0", (store, config), pending()).await;
    (RemoteOptions::new(url).connect().await.expect("the server answers"), serving)
}
