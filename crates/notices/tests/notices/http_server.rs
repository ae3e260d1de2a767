//! A web server that answers everyone the same, and keeps what it was told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::PATIENCE;

/// What it was told.
#[derive(Debug)]
pub(crate) struct Request {
    /// `POST /path HTTP/1.1`
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = found.next().unwrap_or_else(|| panic!("no {name} in {:?}", self.headers));
        assert!(found.next().is_none(), "{name} is there twice");
        value
    }
}

/// Listens until the program ends: a test is a process of its own.
pub(crate) struct HttpServer {
    pub(crate) port: u16,
    requests: Receiver<Request>,
}

/// What to do once a request was read.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Send these bytes and hang up.
    Bytes(Vec<u8>),
    /// Say nothing, and do not hang up.
    Nothing,
    /// Go on sending headers until the other side has enough.
    Endless,
}

impl Answer {
    pub(crate) fn status(status: &str) -> Self {
        Self::Bytes(format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok").into_bytes())
    }
}

impl HttpServer {
    pub(crate) fn on(address: &str, answer: Answer) -> Self {
        Self::listen(address, answer, None)
    }

    pub(crate) fn answering(answer: Answer) -> Self {
        Self::on("127.0.0.1:0", answer)
    }

    pub(crate) fn encrypted(answer: Answer, config: Arc<ServerConfig>) -> Self {
        Self::listen("127.0.0.1:0", answer, Some(config))
    }

    fn listen(address: &str, answer: Answer, config: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                match &config {
                    None => serve(stream, &answer, &tell),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        serve(StreamOwned::new(connection, stream), &answer, &tell);
                    }
                }
            }
        });
        Self { port, requests }
    }

    pub(crate) fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/hook?of=jobs", self.port)
    }

    /// The next request it was sent.
    pub(crate) fn request(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).expect("somebody asks")
    }

    /// Whether nobody has asked for anything. What was asked before has been noted before it was answered.
    pub(crate) fn is_untouched(&self) -> bool {
        self.requests.try_recv().is_err()
    }

    /// An address at which nobody listens.
    pub(crate) fn nowhere() -> u16 {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }
}

/// Whether somebody has connected to a listener that nobody serves.
pub(crate) fn was_connected_to(listener: &TcpListener) -> bool {
    listener.set_nonblocking(true).unwrap();
    listener.accept().is_ok()
}

fn serve<S: Read + Write>(stream: S, answer: &Answer, tell: &Sender<Request>) {
    let mut reader = BufReader::new(stream);
    let Some(request) = read(&mut reader) else { return };
    let _ = tell.send(request);
    let mut stream = reader.into_inner();
    match answer {
        Answer::Bytes(bytes) => {
            let _ = stream.write_all(bytes).and_then(|()| stream.flush());
        }
        // Until the other side hangs up.
        Answer::Nothing => drop(stream.read(&mut [0])),
        Answer::Endless => {
            let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            while sent.is_ok() {
                sent = stream.write_all(b"x: more and more\r\n");
            }
        }
    }
}

/// None where the other side broke off, as one does that does not believe the certificate.
fn read<S: Read>(reader: &mut BufReader<S>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let line = lines.remove(0);
    let pair = |line: String| {
        let (name, value) = line.split_once(':').expect("a header has a colon");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let headers: Vec<(String, String)> = lines.into_iter().map(pair).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line, headers, body })
}
