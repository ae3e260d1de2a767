//! One request over HTTP and its answer, for what speaks to others than a server of Windlass: collectors and web services.
//!
//! A connection for each request, which is what few requests need. No redirect is followed and no proxy is asked: what was named
//! is who is spoken to.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Why there is no answer.
pub(crate) type Unanswered = Box<dyn std::error::Error + Send + Sync>;

/// Who is spoken to.
#[derive(Clone)]
pub(crate) struct Peer {
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Peer {
    /// Whom `uri` names.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as what follows its name.
    pub(crate) fn at(uri: &Uri) -> Result<Self, String> {
        let host = uri.host().ok_or("names no host")?;
        let (tls, port) = match uri.scheme_str() {
            Some("http") => (None, 80),
            Some("https") => (Some(trusting()?), 443),
            _ => return Err("begins with neither http:// nor https://".to_owned()),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port: uri.port_u16().unwrap_or(port), tls })
    }

    /// Sends a request and reads its answer, of at most so many bytes.
    ///
    /// # Errors
    ///
    /// When there is no connection, or no answer, or one that is longer: then [`is_too_long`] says so.
    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
        bytes_max: usize,
    ) -> Result<Response<Bytes>, Unanswered> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        match &self.tls {
            None => exchange(stream, request, bytes_max).await,
            Some(tls) => {
                let name = ServerName::try_from(self.host.clone())?;
                exchange(tls.connect(name, stream).await?, request, bytes_max).await
            }
        }
    }
}

/// Whether the answer was longer than it may be.
pub(crate) fn is_too_long(error: &Unanswered) -> bool {
    error.downcast_ref::<LengthLimitError>().is_some()
}

/// A client that trusts whom this machine trusts.
fn trusting() -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("cannot be trusted: this machine has no certificates of authorities".to_owned());
    }
    Ok(TlsConnector::from(Arc::new(
        ClientConfig::builder().with_root_certificates(roots).with_no_client_auth(),
    )))
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    mut request: Request<Bytes>,
    bytes_max: usize,
) -> Result<Response<Bytes>, Unanswered> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let host = request.uri().authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    if let Some(host) = host {
        request.headers_mut().insert(HOST, host?);
    }
    // A server is asked for a path; the rest of the address was for whoever connected.
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    let answer = async {
        let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
        let body = Limited::new(body, bytes_max).collect().await?;
        Ok::<_, Unanswered>(Response::from_parts(head, body.to_bytes()))
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // What the connection carried may be answered already when it ends.
        ended = connection => { ended?; answer.await }
    }
}
