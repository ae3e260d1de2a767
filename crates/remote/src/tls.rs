//! Whom a client believes to be a server.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use windlass_core::Invalid;

/// What makes encrypted connections: it trusts whom the system trusts, or else the authorities in `only`, in PEM.
pub(crate) fn connector(only: Option<&[u8]>) -> Result<TlsConnector, Invalid> {
    let mut roots = RootCertStore::empty();
    match only {
        Some(text) => {
            for certificate in certificates(text)? {
                roots.add(certificate).map_err(|error| at_fault(&error))?;
            }
        }
        // Some systems keep certificates that nobody can read; the others are as good. With none, no server is believed.
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| at_fault(&error))?;
    Ok(TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth())))
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Invalid> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let read = read.map_err(|error| at_fault(&error))?;
    if read.is_empty() {
        return Err(Invalid::new("ca_certificate", "has no certificate in it"));
    }
    Ok(read)
}

fn at_fault(error: &dyn std::error::Error) -> Invalid {
    Invalid::new("ca_certificate", format!("cannot be used: {error}"))
}
