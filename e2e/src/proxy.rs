//! A proxy between a store and its server that cuts a connection at the very message that commits, or falls silent.
//!
//! It understands as much of PostgreSQL's protocol as that takes: where a message begins and ends, which of them commits,
//! and which answer is the last.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Where the cut is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The message that commits does not reach the server.
    Before,
    /// It reaches the server, and nobody waits for what comes of it.
    Between,
    /// The server has committed, and its answer is not delivered.
    After,
    /// The connection is cut first, and the message reaches the server much later.
    Late,
}

/// How much later: long enough for the client to ask on another connection what has happened.
pub const LATE: Duration = Duration::from_secs(1);

/// The orders of a proxy: what to do with the next message that commits.
#[derive(Debug, Clone, Default)]
pub struct Orders(Arc<Mutex<Option<(Cut, &'static str)>>>);

impl Orders {
    /// Cuts the next connection that commits.
    pub fn give(&self, cut: Cut) {
        self.give_for(cut, "");
    }

    /// Cuts the next connection that commits what a statement did with this text in it.
    pub fn give_for(&self, cut: Cut, text: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((cut, text));
    }

    /// Whether an order was carried out, or taken back by this.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().is_none()
    }

    /// The order, if it is for this statement.
    fn take(&self, statement: &str) -> Option<Cut> {
        let taken = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take_if(|(_, text)| statement.contains(*text));
        taken.map(|(cut, _)| cut)
    }
}

/// A running proxy. Dropped, it cuts all connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    /// What to cut.
    pub orders: Orders,
    /// Changes when all connections that there are fall silent.
    stalls: watch::Sender<()>,
    _listening: JoinSet<()>,
}

impl Proxy {
    /// Listens on some port of `host`, and passes everything on to the server at `port` of this machine.
    ///
    /// # Errors
    ///
    /// When there is no port to be had.
    pub async fn start(host: Ipv4Addr, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((host, 0)).await?;
        let (address, orders) = (listener.local_addr()?, Orders::default());
        let mut listening = JoinSet::new();
        let (stalls, stalled) = watch::channel(());
        listening.spawn(listen(listener, port, (orders.clone(), stalled)));
        Ok(Self { address, orders, stalls, _listening: listening })
    }

    /// Carries nothing more on the connections that there are, and closes none of them: as if the network had swallowed
    /// them. Those that are made from now on are carried.
    pub fn stall(&self) {
        self.stalls.send_replace(());
    }

    /// The URL of the server's one database, by way of this proxy.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address)
    }
}

async fn listen(listener: TcpListener, port: u16, (orders, mut stalled): (Orders, watch::Receiver<()>)) {
    let mut connections = JoinSet::new();
    // What cannot be accepted is the end of the test, which finds nobody to talk to.
    while let Ok((client, _)) = listener.accept().await {
        let orders = orders.clone();
        // Only what comes after this moment is about this connection.
        stalled.mark_unchanged();
        let stalled = stalled.clone();
        connections.spawn(async move {
            // However a connection ends, both of its ends are closed by it.
            let _ = carry(client, port, (orders, stalled)).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(
    client: TcpStream,
    port: u16,
    (orders, stalled): (Orders, watch::Receiver<()>),
) -> std::io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut connection = Connection {
        asked: Messages::of(from_client),
        answered: Messages::of(from_server),
        to_client,
        to_server,
        orders,
        stalled,
        statements: HashMap::new(),
        statement: String::new(),
        open: false,
        owed: 0,
    };
    connection.begin().await?;
    connection.carry().await
}

/// What stands in a first message in place of a version, from those who wish for encryption.
const ENCRYPTION: [u8; 4] = 80_877_103_u32.to_be_bytes();

struct Connection {
    asked: Messages,
    answered: Messages,
    to_client: OwnedWriteHalf,
    to_server: OwnedWriteHalf,
    orders: Orders,
    stalled: watch::Receiver<()>,
    /// The texts of statements, by the names that the client gave them.
    statements: HashMap<String, String>,
    /// The text of the one that is about to be run.
    statement: String,
    /// Whether the client has opened a transaction.
    open: bool,
    /// How many times the server will yet say that it is ready.
    owed: usize,
}

impl Connection {
    /// Passes on the first message, which has no letter. The server answers it by being ready. A wish for encryption comes
    /// before it, and is refused: we could read nothing.
    async fn begin(&mut self) -> std::io::Result<()> {
        self.owed = 1;
        let mut startup = self.asked.next_bare().await?;
        while startup.get(4..8) == Some(&ENCRYPTION) {
            self.to_client.write_all(b"N").await?;
            startup = self.asked.next_bare().await?;
        }
        self.to_server.write_all(&startup).await
    }

    async fn carry(&mut self) -> std::io::Result<()> {
        loop {
            tokio::select! {
                // Both ends stay open, until the proxy itself goes.
                Ok(()) = self.stalled.changed() => std::future::pending().await,
                message = self.asked.next() => {
                    let message = message?;
                    if let Some(cut) = self.commits(&message).then(|| self.orders.take(&self.statement)).flatten() {
                        return self.cut(cut, message).await;
                    }
                    self.pass_on(message).await?;
                }
                message = self.answered.next() => {
                    let message = message?;
                    self.owed -= usize::from(message.is_ready()).min(self.owed);
                    self.to_client.write_all(&message.0).await?;
                }
            }
        }
    }

    /// Whether something is kept once the server has this message.
    fn commits(&self, message: &Message) -> bool {
        match message.letter() {
            b'E' => !self.open,
            b'Q' => message.says(b"COMMIT"),
            _ => false,
        }
    }

    async fn pass_on(&mut self, message: Message) -> std::io::Result<()> {
        match message.letter() {
            b'P' => _ = self.statements.insert(message.word(0), message.word(1)),
            b'B' => self.statement = self.statements.get(&message.word(1)).cloned().unwrap_or_default(),
            _ => {}
        }
        if message.letter() == b'Q' {
            self.open =
                message.says(b"BEGIN") || self.open && !message.says(b"COMMIT") && !message.says(b"ROLLBACK");
        }
        self.owed += usize::from(message.asks_for_answer());
        self.to_server.write_all(&message.0).await
    }

    /// Ends the connection around the `message` that commits.
    async fn cut(&mut self, cut: Cut, message: Message) -> std::io::Result<()> {
        if cut == Cut::Before {
            return Ok(());
        }
        let mut whole = vec![message];
        while !whole.last().is_some_and(Message::asks_for_answer) {
            whole.push(self.asked.next().await?);
        }
        if cut == Cut::Late {
            self.to_client.shutdown().await?;
            sleep_until(Instant::now() + LATE).await;
        }
        for message in whole {
            self.pass_on(message).await?;
        }
        while cut != Cut::Between && self.owed > 0 {
            self.owed -= usize::from(self.answered.next().await?.is_ready());
        }
        Ok(())
    }
}

/// A message with its letter and its length.
#[derive(Debug, PartialEq, Eq)]
struct Message(Vec<u8>);

impl Message {
    fn letter(&self) -> u8 {
        self.0[0]
    }

    /// Whether the server says that it is ready once it has done all up to here: `Sync`, or a simple query.
    fn asks_for_answer(&self) -> bool {
        matches!(self.letter(), b'S' | b'Q')
    }

    /// `ReadyForQuery`, the end of an answer.
    fn is_ready(&self) -> bool {
        self.letter() == b'Z'
    }

    /// One of the texts that it begins with, each of which ends with a zero.
    fn word(&self, number: usize) -> String {
        let words = self.0[5..].split(|byte| *byte == 0);
        words.map(String::from_utf8_lossy).nth(number).unwrap_or_default().into_owned()
    }

    /// Whether it is a simple query that begins so.
    fn says(&self, text: &[u8]) -> bool {
        self.letter() == b'Q' && self.0[5..].starts_with(text)
    }
}

/// One direction of a connection, by whole messages.
struct Messages {
    from: OwnedReadHalf,
    /// What was read and is no message yet. Kept here, so that whoever stops waiting loses nothing.
    read: Vec<u8>,
}

impl Messages {
    const fn of(from: OwnedReadHalf) -> Self {
        Self { from, read: Vec::new() }
    }

    /// The next message. An error at the end of the stream.
    async fn next(&mut self) -> std::io::Result<Message> {
        self.take(1).await.map(Message)
    }

    /// The next message, which has no letter.
    async fn next_bare(&mut self) -> std::io::Result<Vec<u8>> {
        self.take(0).await
    }

    /// What stands up to the end that the length tells, which stands behind `letters` bytes and does not count them.
    async fn take(&mut self, letters: usize) -> std::io::Result<Vec<u8>> {
        loop {
            if let Some(length) = length(self.read.get(letters..).unwrap_or_default())
                && self.read.len() >= letters + length
            {
                let rest = self.read.split_off(letters + length);
                return Ok(std::mem::replace(&mut self.read, rest));
            }
            if self.from.read_buf(&mut self.read).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

fn length(bytes: &[u8]) -> Option<usize> {
    let bytes = bytes.first_chunk()?;
    usize::try_from(u32::from_be_bytes(*bytes)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_are_whole_however_they_arrive() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut messages = Messages::of(listener.accept().await.unwrap().0.into_split().0);

        client.write_all(b"\0\0\0\x05xQ\0\0\0\x0bCOM").await.unwrap();
        assert_eq!(messages.next_bare().await.unwrap(), b"\0\0\0\x05x");
        client.write_all(b"MIT\0S\0\0\0\x04").await.unwrap();
        let commit = messages.next().await.unwrap();

        assert!(commit.says(b"COMMIT") && commit.asks_for_answer());
        assert_eq!(messages.next().await.unwrap(), Message(b"S\0\0\0\x04".to_vec()));
        drop(client);
        assert!(messages.next().await.is_err());
    }
}
