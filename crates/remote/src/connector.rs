//! Connections to a server.
//!
//! They belong to the runtime that the store was opened in, whoever asks for one: a caller whose own runtime ends takes no
//! connection away from the others.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::rt::{Executor, Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;
use tokio_util::task::TaskTracker;
use tower_service::Service;

/// Runs what keeps connections going on one runtime.
#[derive(Debug, Clone)]
pub(crate) struct OnRuntime {
    handle: Handle,
    tasks: TaskTracker,
}

impl OnRuntime {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle, tasks: TaskTracker::new() }
    }
}

impl<F> Executor<F> for OnRuntime
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        // Ends with its connection, which ends with the client that it belongs to.
        drop(self.tasks.spawn_on(future, &self.handle));
    }
}

/// Connects to the server.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) tls: Option<TlsConnector>,
    pub(crate) patience: Duration,
    pub(crate) on: OnRuntime,
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Connecting {
        let (tls, patience) = (self.tls.clone(), self.patience);
        let connecting = async move {
            let late = |_| io::Error::new(io::ErrorKind::TimedOut, "nobody answered in time");
            tokio::time::timeout(patience, connect(to, tls)).await.map_err(late)?
        };
        let task = self.on.tasks.spawn_on(connecting, &self.on.handle);
        Box::pin(async move { task.await.map_err(io::Error::other)? })
    }
}

async fn connect(to: Uri, tls: Option<TlsConnector>) -> io::Result<Stream> {
    let host = to.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = to.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    // A request is written whole: nothing is gained by waiting for more of it.
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return Ok(Stream::over(stream)) };
    let name =
        ServerName::try_from(host).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    Ok(Stream::over(tls.connect(name, stream).await?))
}

/// What is read from and written to.
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

/// A connection, be it encrypted or not.
pub(crate) struct Stream(TokioIo<Box<dyn Duplex>>);

impl Stream {
    fn over(stream: impl Duplex + 'static) -> Self {
        Self(TokioIo::new(Box::new(stream)))
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
