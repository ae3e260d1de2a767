//! A connection to the host of a webhook, at an address that was judged before.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use windlass_core::Invalid;

use crate::config::Standing;
use crate::failure::Failure;
use crate::guard::is_public;
use crate::resolve::Resolve;

/// How many addresses of one host are tried: a receiver with more than this has more than one way in.
const ADDRESSES_MAX: usize = 4;

/// What a request is written to and its answer read from.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Where a webhook goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// A name in lower case, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encrypted: bool,
}

/// The addresses of the host, of which every one may be connected to. The name is looked up this once.
///
/// One closed address among them closes the host: which of them is meant is for its owner to say, not for us to guess.
pub(crate) async fn judged(
    place: &Place,
    standing: Standing,
    resolver: &dyn Resolve,
) -> Result<Vec<SocketAddr>, Failure> {
    let host = &place.host;
    let found = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => resolver
            .resolve(host)
            .await
            .map_err(|error| Failure::passing(format!("the host {host:?} was not found")).because(&error))?,
    };
    if found.is_empty() {
        return Err(Failure::passing(format!("the host {host:?} has no address")));
    }
    let closed = found.iter().find(|address| standing != Standing::Internal && !is_public(**address));
    if let Some(address) = closed {
        return Err(Failure::fatal(format!(
            "the host {host:?} has the address {address}, which is not public: if it is one of yours, allow it by \
             `allow_internal({host:?})`, or `--allow-internal-host {host}` of the command"
        )));
    }
    Ok(found.into_iter().take(ADDRESSES_MAX).map(|address| SocketAddr::new(address, place.port)).collect())
}

/// Connects to the first of `addresses` that answers.
pub(crate) async fn connect(
    place: &Place,
    addresses: &[SocketAddr],
    tls: &TlsConnector,
) -> Result<Box<dyn Stream>, Failure> {
    let stream = TcpStream::connect(addresses).await.map_err(|error| {
        Failure::passing(format!("could not connect to {:?}", place.host)).because(&error)
    })?;
    if !place.encrypted {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(place.host.clone()).map_err(|error| {
        Failure::fatal(format!("{:?} cannot have a certificate", place.host)).because(&error)
    })?;
    let encrypted = tls.connect(name, stream).await.map_err(|error| {
        Failure::passing(format!("could not speak TLS with {:?}", place.host)).because(&error)
    })?;
    Ok(Box::new(encrypted))
}

/// What makes encrypted connections: it trusts whom the system trusts, and the authorities in `more`.
pub(crate) fn tls(more: &[Vec<u8>]) -> Result<TlsConnector, Invalid> {
    let mut roots = RootCertStore::empty();
    // Some systems keep certificates that nobody can read; the others are as good. With none, no server is believed.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in certificates(more)? {
        roots.add(certificate).map_err(|error| roots_at_fault(&error))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| roots_at_fault(&error))?;
    Ok(TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth())))
}

fn certificates(texts: &[Vec<u8>]) -> Result<Vec<CertificateDer<'static>>, Invalid> {
    let mut found = Vec::new();
    for text in texts {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        let read = read.map_err(|error| roots_at_fault(&error))?;
        if read.is_empty() {
            return Err(Invalid::new("notices.root_certificates", "have no certificate in them"));
        }
        found.extend(read);
    }
    Ok(found)
}

fn roots_at_fault(error: &dyn std::error::Error) -> Invalid {
    Invalid::new("notices.root_certificates", format!("cannot be used: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;
    use windlass_core::Verdict;

    use super::*;

    /// Answers with these addresses, and with others the next time.
    #[derive(Default)]
    struct Rebinding {
        first: Vec<IpAddr>,
        asked: AtomicUsize,
    }

    impl Resolve for Rebinding {
        fn resolve<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
            let asked = self.asked.fetch_add(1, Ordering::Relaxed);
            let answer = if asked == 0 { self.first.clone() } else { vec![IpAddr::from([127, 0, 0, 1])] };
            Box::pin(async move { Ok(answer) })
        }
    }

    fn place(host: &str) -> Place {
        Place { host: host.to_owned(), port: 443, encrypted: true }
    }

    fn judge(host: &str, standing: Standing, answers: &[&str]) -> (Result<Vec<SocketAddr>, Verdict>, usize) {
        let first = answers.iter().map(|address| address.parse().unwrap()).collect();
        let resolver = Rebinding { first, asked: AtomicUsize::new(0) };
        let judged = judged(&place(host), standing, &resolver).now_or_never().unwrap();
        (judged.map_err(Failure::into_verdict), resolver.asked.into_inner())
    }

    #[test]
    fn a_name_is_looked_up_once_and_what_was_judged_is_what_is_connected_to() {
        let (judged, asked) = judge("hooks.example.com", Standing::Public, &["1.1.1.1", "2606:4700::1"]);

        assert_eq!(judged.unwrap(), ["1.1.1.1:443", "[2606:4700::1]:443"].map(|text| text.parse().unwrap()));
        assert_eq!(asked, 1);
    }

    #[test]
    fn one_closed_address_closes_the_host() {
        let (judged, _) = judge("hooks.example.com", Standing::Public, &["1.1.1.1", "169.254.169.254"]);

        let Err(Verdict::Fatal { error }) = judged else { panic!("{judged:?}") };
        assert!(error.message.contains("169.254.169.254, which is not public"), "{}", error.message);
        assert!(error.message.contains("--allow-internal-host hooks.example.com"), "{}", error.message);
    }

    #[test]
    fn an_address_in_place_of_a_name_is_judged_and_not_looked_up() {
        for host in ["127.0.0.1", "::1", "::ffff:10.0.0.1"] {
            let (judged, asked) = judge(host, Standing::Public, &["1.1.1.1"]);
            assert!(matches!(judged, Err(Verdict::Fatal { .. })), "{host}");
            assert_eq!(asked, 0);
        }
    }

    #[test]
    fn a_host_that_is_said_to_be_internal_may_be_anywhere() {
        let (judged, _) = judge("box.corp", Standing::Internal, &["10.0.0.7"]);

        assert_eq!(judged.unwrap(), ["10.0.0.7:443".parse().unwrap()]);
    }

    #[test]
    fn a_host_without_an_address_may_have_one_later() {
        let (judged, _) = judge("hooks.example.com", Standing::Public, &[]);

        assert!(matches!(judged, Err(Verdict::Failed { .. })));
    }
}
