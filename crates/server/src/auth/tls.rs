//! TLS, with a certificate that may be renewed while the server goes on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A certificate and its key, as they stood in their files when they were last read.
#[derive(Debug, Clone)]
pub struct Tls {
    files: Arc<Files>,
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

#[derive(Debug)]
struct Files {
    certificates: PathBuf,
    key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file holds none.
    #[error("could not read {what} in {}", path.display())]
    Unreadable {
        /// Of what.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The certificate and the key are not those of one another, or of no form that is known.
    #[error("could not use the certificate in {} with the key in {}", certificates.display(), key.display())]
    Unusable {
        /// The certificate's file.
        certificates: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

impl Tls {
    /// The certificates and the key in these files, in PEM: that of the server first, then those that lead to a root.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub fn read(certificates: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files { certificates: certificates.to_owned(), key: key.to_owned() };
        let current = Arc::new(RwLock::new(files.read()?));
        Ok(Self { files: Arc::new(files), current })
    }

    /// Reads the files again. Connections from now on have what stands there; if it is no good, what they had.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub fn renew(&self) -> Result<(), TlsError> {
        let fresh = self.files.read()?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Agrees on keys with whoever has connected.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(current).accept(stream).await
    }
}

impl Files {
    fn read(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let unreadable = |what, path: &Path| {
            let path = path.to_owned();
            move |source| TlsError::Unreadable { what, path, source }
        };
        let certificates = CertificateDer::pem_file_iter(&self.certificates)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .and_then(|all| if all.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(all) })
            .map_err(unreadable("a certificate", &self.certificates))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(unreadable("a key", &self.key))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(certificates, key));
        config.map(Arc::new).map_err(|source| TlsError::Unusable {
            certificates: self.certificates.clone(),
            key: self.key.clone(),
            source,
        })
    }
}
