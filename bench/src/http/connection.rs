//! A caller that speaks no more HTTP than it has to: what is measured is the server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

/// One connection, on which one request follows the other.
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
    at: String,
}

impl Connection {
    pub(super) fn to(at: &str) -> Self {
        let stream = TcpStream::connect(at).expect("a server");
        stream.set_nodelay(true).expect("a socket");
        Self { stream: BufReader::new(stream), at: at.to_owned() }
    }

    /// The body of the answer, which must be a good one.
    pub(super) fn ask(&mut self, line: &str, body: &str) -> String {
        let (at, length) = (&self.at, body.len());
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes()).expect("it listens");
        let (mut length, mut line, mut status) = (0, String::new(), String::new());
        while line != "\r\n" {
            line.clear();
            self.stream.read_line(&mut line).expect("an answer");
            if status.is_empty() {
                status.clone_from(&line);
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("the whole answer");
        let body = String::from_utf8(body).expect("text");
        assert!(status.starts_with("HTTP/1.1 2"), "{status}{body}");
        body
    }
}
