//! The server itself: connections, how long they may take, and an orderly end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::task::TaskTracker;
use windlass_store::SharedStore;

use crate::app::App;
use crate::auth::Tls;
use crate::config::{Config, Limits};
use crate::guard::Peer;
use crate::route;

/// How long requests that are being answered have when the server stops. Longer than any that does not wait, and those
/// that do are answered at once.
const FAREWELL: Duration = Duration::from_secs(35);

/// How long to wait when the machine has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What came of serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served {
    /// How many connections were accepted.
    pub connections: u64,
    /// Whether every request that had begun was answered. Else some were cut off.
    pub complete: bool,
}

/// Answers on `listener` until `stop` is ready, then in an orderly way ends: nothing more is accepted, who waits is told that
/// nothing came, and what is being answered is answered.
///
/// # Errors
///
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    store: SharedStore,
    config: Config,
    stop: impl Future<Output = ()>,
) -> io::Result<Served> {
    serve_encrypted(listener, None, (store, config), stop).await
}

/// The same, over TLS if there is a certificate.
///
/// # Errors
///
/// As [`serve`].
pub async fn serve_encrypted(
    listener: TcpListener,
    tls: Option<Tls>,
    (store, config): (SharedStore, Config),
    stop: impl Future<Output = ()>,
) -> io::Result<Served> {
    let app = Arc::new(App::new(store, config));
    let router = route::router(&app);
    let limits = app.limits().clone();
    let (tasks, graceful) = (TaskTracker::new(), GracefulShutdown::new());
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let mut connections = 0;
    tokio::pin!(stop);
    loop {
        let (place, stream, peer) = tokio::select! {
            accepted = accept(&listener, &places) => accepted?,
            () = &mut stop => break,
        };
        connections += 1;
        let (tls, router, limits, watcher) =
            (tls.clone(), router.clone(), limits.clone(), graceful.watcher());
        tasks.spawn(async move {
            let _place = place;
            let Some(stream) = opened(stream, tls, limits.head_time).await else { return };
            let connection = connection(stream, router, (peer, &limits));
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%peer, %error, "a connection ended badly");
            }
        });
    }
    drop(listener);
    app.stopping.cancel();
    tasks.close();
    let farewell = tokio::time::timeout(FAREWELL, graceful.shutdown());
    let (farewell, ()) = tokio::join!(farewell, app.operations.stop());
    Ok(Served { connections, complete: farewell.is_ok() })
}

/// The next connection, as soon as there is room for it: those beyond wait where the machine keeps them.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Ok((place, stream, peer)),
            Err(error) if is_of_one(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection, will try again");
                tokio::time::sleep_until(Instant::now() + ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the error is about one connection, which went away before it was accepted.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// What is read from and written to: the connection, or TLS over it once both have agreed on keys.
async fn opened(
    stream: TcpStream,
    tls: Option<Tls>,
    patience: Duration,
) -> Option<Either<TcpStream, TlsStream<TcpStream>>> {
    // An answer is written whole: nothing is gained by waiting for more of it.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return Some(Either::Left(stream)) };
    match tokio::time::timeout(patience, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(Either::Right(stream)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a connection was not encrypted");
            None
        }
        Err(_) => None,
    }
}

fn connection(
    stream: Either<TcpStream, TlsStream<TcpStream>>,
    router: Router,
    (peer, limits): (SocketAddr, &Limits),
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send + 'static {
    let service = service_fn(move |request: Request<Incoming>| answer(router.clone(), request, peer));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes_max)
        .serve_connection(TokioIo::new(stream), service)
}

async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Peer(peer));
    TowerToHyperService::new(router).call(request).await
}
