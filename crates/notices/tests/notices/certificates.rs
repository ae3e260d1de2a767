//! A certificate for `localhost`, from an authority nobody has heard of.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

pub(crate) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Certificates> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let new_key = ["req", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
        let authority = ["-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "authority.key"];
        openssl(folder.path(), &[&new_key[..], &authority, &["-out", "authority.crt"]].concat());
        let server = ["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"];
        openssl(folder.path(), &[&new_key[..], &server].concat());
        fs::write(folder.path().join("names"), "subjectAltName=DNS:localhost\n").unwrap();
        let sign =
            ["x509", "-req", "-days", "2", "-in", "server.csr", "-out", "server.crt", "-extfile", "names"];
        let by = ["-CA", "authority.crt", "-CAkey", "authority.key", "-CAcreateserial"];
        openssl(folder.path(), &[&sign[..], &by].concat());
        Self { folder }
    }

    /// The authority, for a client to trust.
    pub(crate) fn authority(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("authority.crt")).unwrap()
    }

    /// What a server shows.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let chain = CertificateDer::pem_file_iter(self.folder.path().join("server.crt")).unwrap();
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(self.folder.path().join("server.key")).unwrap();
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    }
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    let output = output.expect("openssl makes the certificates of this test: install it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
