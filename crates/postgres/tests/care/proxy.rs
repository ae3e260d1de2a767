//! A network between a store and its server, which may lose what it is given.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) struct Proxy {
    port: u16,
    /// How often it has forgotten what it knew.
    forgotten: Arc<watch::Sender<u32>>,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    /// To the server at a port.
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let forgotten = Arc::new(watch::Sender::new(0));
        let accepting = Handle::current().spawn(accept(listener, server, Arc::clone(&forgotten)));
        Self { port, forgotten, accepting }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Forgets the connections that there are: nothing passes on them any more, and neither end is told.
    pub(crate) fn forget(&self) {
        self.forgotten.send_modify(|times| *times += 1);
    }
}

async fn accept(listener: TcpListener, server: u16, forgotten: Arc<watch::Sender<u32>>) {
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        for (from, to) in [(from_client, to_server), (from_server, to_client)] {
            Handle::current().spawn(pass(from, to, forgotten.subscribe()));
        }
    }
}

/// Passes on what comes until it is forgotten, and swallows it from then on.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut forgotten: watch::Receiver<u32>,
) -> io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        tokio::select! {
            biased;
            changed = forgotten.changed() => {
                changed.map_err(io::Error::other)?;
                break;
            }
            read = from.read(&mut bytes) => match read? {
                0 => return to.shutdown().await,
                count => to.write_all(&bytes[..count]).await?,
            },
        }
    }
    while from.read(&mut bytes).await? > 0 {}
    // Keeps its own end open for as long as the other one is.
    drop(to);
    Ok(())
}
