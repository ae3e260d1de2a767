//! Servers over TLS: whom a client believes.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use windlass_memory::MemoryStore;
use windlass_remote::RemoteOptions;
use windlass_server::{Config, Tls, serve_encrypted};
use windlass_store::{ErrorKind, Maintenance, SharedStore};

/// A certificate that signs itself, and its key, in this folder.
fn certificate(folder: &Path) {
    let words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let about = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    let files = ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "its.key", "-out", "its.crt"];
    let mut command = Command::new("openssl");
    let made = command.args(words).args(about).args(files).current_dir(folder).output().unwrap();
    assert!(made.status.success(), "{made:?}");
}

#[tokio::test]
async fn a_server_is_believed_whose_authority_was_named_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let tls = Tls::read(&folder.path().join("its.crt"), &folder.path().join("its.key")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let store: SharedStore = Arc::new(MemoryStore::new());
    let serving = async move {
        let served = serve_encrypted(listener, Some(tls), (store, Config::default()), std::future::pending());
        served.await.unwrap();
    };
    let _served = AbortOnDropHandle::new(TaskTracker::new().spawn(serving));

    let stranger = RemoteOptions::new(url.as_str()).connect().await.unwrap_err();
    let pem = std::fs::read(folder.path().join("its.crt")).unwrap();
    let known = RemoteOptions::new(url.as_str()).ca_certificate(pem).connect().await.unwrap();
    let no_pem = RemoteOptions::new(url.as_str()).ca_certificate("none").connect().await.unwrap_err();

    assert_eq!(*stranger.kind(), ErrorKind::Unavailable, "{stranger:?}");
    assert_eq!(known.status().await.unwrap().engine, "memory");
    assert!(matches!(no_pem.kind(), ErrorKind::Invalid(invalid) if invalid.field == "ca_certificate"));
}
