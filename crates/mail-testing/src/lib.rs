//! A mail server that takes everything down: SMTP, as far as a client needs it. For the tests of whatever sends mail.
//!
//! ```
//! use windlass_mail_testing::MailServer;
//!
//! let server = MailServer::plain();
//! assert!(server.url("127.0.0.1").starts_with("smtp://127.0.0.1:"));
//! ```

#![expect(clippy::unwrap_used, reason = "a server of a test that fails has failed the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long it is waited for what must come at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a server behaves.
#[derive(Debug, Clone, Default)]
pub struct Manners {
    /// What it answers to commands that begin so, instead of taking them.
    pub refuse: Option<(&'static str, &'static str)>,
    /// With what it offers to encrypt.
    pub start_tls: Option<Arc<ServerConfig>>,
    /// Whether it wants to be greeted in TLS.
    pub implicit_tls: Option<Arc<ServerConfig>>,
}

/// Listens until the program ends: a test is a process of its own.
#[derive(Debug)]
pub struct MailServer {
    port: u16,
    lines: Receiver<String>,
}

impl MailServer {
    /// One that behaves so, on a port of its own of this machine.
    ///
    /// # Panics
    ///
    /// Where there is no free port.
    #[must_use]
    pub fn with(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                match &manners.implicit_tls {
                    None => converse(stream, &manners, &tell),
                    Some(config) => converse(encrypted(stream, config), &manners, &tell),
                }
                tell.send("(gone)".to_owned()).unwrap();
            }
        });
        Self { port, lines }
    }

    /// One that takes everything, unencrypted.
    #[must_use]
    pub fn plain() -> Self {
        Self::with(Manners::default())
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How it is named to who sends mail by it, unencrypted, on this machine under the name `host`.
    #[must_use]
    pub fn url(&self, host: &str) -> String {
        format!("smtp://{host}:{}?tls=none", self.port)
    }

    /// All that the next client said, line by line. `(encrypted)` stands where encryption began.
    ///
    /// # Panics
    ///
    /// When nobody calls for half a minute.
    #[must_use]
    pub fn conversation(&self) -> Vec<String> {
        let lines = std::iter::from_fn(|| Some(self.lines.recv_timeout(PATIENCE).expect("somebody calls")));
        lines.take_while(|line| line != "(gone)").collect()
    }
}

/// What a conversation goes over.
trait Wire: Read + Write {}

impl<S: Read + Write> Wire for S {}

fn encrypted<S: Wire>(stream: S, config: &Arc<ServerConfig>) -> StreamOwned<ServerConnection, S> {
    StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream)
}

/// Greets, and talks until the client leaves. Whoever breaks off is gone too.
fn converse(mut stream: impl Wire, manners: &Manners, tell: &Sender<String>) {
    if say(&mut stream, "220 mail.example.com ESMTP").is_some() {
        talk(&mut stream, manners, tell);
    }
}

fn talk(stream: &mut dyn Wire, manners: &Manners, tell: &Sender<String>) {
    let mut reader = BufReader::new(stream);
    let mut in_text = false;
    loop {
        let mut line = String::new();
        if !matches!(reader.read_line(&mut line), Ok(1..)) {
            return;
        }
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        tell.send(line.clone()).unwrap();
        if in_text && line != "." {
            continue;
        }
        let answer = if in_text { "250 taken".to_owned() } else { answer(&line, manners) };
        in_text = answer.starts_with("354");
        if say(reader.get_mut(), &answer).is_none() {
            return;
        }
        if let (Some(config), "STARTTLS") = (&manners.start_tls, line.as_str()) {
            tell.send("(encrypted)".to_owned()).unwrap();
            let inside = Manners { start_tls: None, ..manners.clone() };
            return talk(&mut encrypted(reader.into_inner(), config), &inside, tell);
        }
    }
}

fn answer(line: &str, manners: &Manners) -> String {
    let refused = manners.refuse.filter(|(command, _)| line.starts_with(command));
    match (refused, line.split(' ').next().unwrap_or_default()) {
        (Some((_, answer)), _) => answer.to_owned(),
        (None, "EHLO") if manners.start_tls.is_some() => "250-mail.example.com\r\n250 STARTTLS".to_owned(),
        (None, "EHLO") => "250-mail.example.com\r\n250 AUTH PLAIN".to_owned(),
        (None, "DATA") => "354 go on".to_owned(),
        (None, "AUTH") => "235 welcome".to_owned(),
        (None, "QUIT") => "221 bye".to_owned(),
        (None, _) => "250 ok".to_owned(),
    }
}

/// None where nobody listens any more.
fn say(stream: &mut dyn Wire, answer: &str) -> Option<()> {
    stream.write_all(format!("{answer}\r\n").as_bytes()).and_then(|()| stream.flush()).ok()
}
