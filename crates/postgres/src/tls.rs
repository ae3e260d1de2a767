//! Encrypted connections.
//!
//! `sslmode` means what it means everywhere: `require` encrypts and believes whatever certificate the server shows, so it
//! keeps out those who listen and not those who stand between. Only `verify-full` does, and `verify-ca` where the authority
//! gives certificates to nobody else. With `sslrootcert` the authority is checked in every mode, as `libpq` does.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;
use windlass_core::Invalid;

/// How much of a server's certificate is checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Verify {
    /// Nothing: it encrypts, for whoever answers.
    #[default]
    Nothing,
    /// That an authority we trust gave it.
    Authority,
    /// That, and that it is for the host we asked for.
    Name,
}

/// Who is trusted to say who a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Whom the system trusts.
    System,
    /// Those in this file.
    File(PathBuf),
}

/// How servers show who they are to us, and we to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trust {
    pub(crate) verify: Verify,
    pub(crate) roots: Option<Roots>,
    /// Our own certificate, for servers that ask for one.
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

impl Trust {
    /// What makes encrypted connections. Reads the files that were named.
    pub(crate) fn connector(&self) -> Result<MakeRustlsConnect, Invalid> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| url(&error))?;
        let verifier = self.verifier(&provider)?;
        // Not dangerous where it checks what it is asked to; and where it checks nothing, that was asked for.
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let config = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate)?;
                let key =
                    PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("sslkey", key, &error))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| url(&error))?
            }
            (None, None) => builder.with_no_client_auth(),
            _ => return Err(Invalid::new("url", "sslcert and sslkey are of no use without each other")),
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Verifier, Invalid> {
        let algorithms = provider.signature_verification_algorithms;
        let roots = match (&self.roots, self.verify) {
            (None, Verify::Nothing) => return Ok(Verifier { chain: None, name: false, algorithms }),
            (Some(Roots::File(path)), _) => roots_in(path)?,
            (Some(Roots::System) | None, _) => roots_of_the_system()?,
        };
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let chain = chain.build().map_err(|error| url(&error))?;
        Ok(Verifier { chain: Some(chain), name: self.verify == Verify::Name, algorithms })
    }
}

fn roots_in(path: &Path) -> Result<RootCertStore, Invalid> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| unreadable("sslrootcert", path, &error))?;
    }
    Ok(roots)
}

fn roots_of_the_system() -> Result<RootCertStore, Invalid> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    // Some systems keep certificates that nobody can read; the others are as good.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = "this system trusts no authority to check a certificate by: name one by sslrootcert";
        return Err(Invalid::new("url", why));
    }
    Ok(roots)
}

/// The certificates of a file, of which there is at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Invalid> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unreadable("certificate", path, &error))?;
    if found.is_empty() {
        return Err(unreadable("certificate", path, &io::Error::other("there is none in it")));
    }
    Ok(found)
}

fn unreadable(what: &str, path: &Path, error: &dyn std::error::Error) -> Invalid {
    Invalid::new("url", format!("the {what} in {} cannot be read: {error}", path.display()))
}

fn url(error: &dyn std::error::Error) -> Invalid {
    Invalid::new("url", format!("asks for TLS that cannot be had: {error}"))
}

/// Checks a server's certificate as far as was asked.
#[derive(Debug)]
struct Verifier {
    /// Checks everything; none to check nothing.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// Whether the name has to be right, too.
    name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end, between, server, ocsp, now) {
            // The name is looked at last, when all else is in order.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.name => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
