//! Encrypted connections, to a server with a certificate for `localhost`.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;
use windlass_postgres::PostgresOptions;
use windlass_postgres_testing::{Cluster, Config};
use windlass_store::ErrorKind;

use crate::scene::{refusal, unique};

/// A server that speaks TLS, and the authority that says it is `localhost`.
struct Town {
    cluster: Cluster,
    folder: TempDir,
}

impl Town {
    fn shared() -> &'static Self {
        static TOWN: OnceLock<Town> = OnceLock::new();
        TOWN.get_or_init(Self::new)
    }

    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        make_authority(folder.path(), "authority");
        make_authority(folder.path(), "stranger");
        make_certificate(folder.path());
        let cluster = Cluster::start(Config::quick().password("sesame")).expect("a server can be started");
        for name in ["server.crt", "server.key"] {
            install(&folder.path().join(name), &cluster.data_folder().join(name));
        }
        cluster.query("ALTER SYSTEM SET ssl = on").expect("it can be set");
        cluster.query("SELECT pg_reload_conf()").expect("it is read again");
        Self { cluster, folder }
    }

    fn authority(&self, name: &str) -> String {
        self.folder.path().join(format!("{name}.crt")).display().to_string()
    }

    /// The server by a name, with options, for one schema.
    fn url(&self, host: &str, options: &str) -> String {
        let port = self.cluster.port();
        format!(
            "postgres://postgres:sesame@{host}:{port}/postgres?application_name={}&{options}",
            unique("app")
        )
    }

    /// Opens a store and says whether its connections are encrypted.
    async fn is_encrypted(&self, host: &str, options: &str) -> bool {
        let url = self.url(host, options);
        let store =
            PostgresOptions::new(&url).open().await.unwrap_or_else(|error| panic!("{options}: {error:?}"));
        let (_, name) = url.split_once("application_name=").expect("it has one");
        let name = name.split('&').next().expect("there is something");
        let text = format!(
            "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = '{name}'"
        );
        let answer = self.cluster.query(&text).expect("the server tells");
        drop(store);
        answer == "t"
    }
}

#[tokio::test]
async fn what_is_sent_is_encrypted_when_it_was_asked_for_or_can_be() {
    let town = Town::shared();

    assert!(!town.is_encrypted("127.0.0.1", "sslmode=disable").await);
    assert!(town.is_encrypted("127.0.0.1", "").await);
    assert!(town.is_encrypted("127.0.0.1", "sslmode=prefer").await);
    assert!(town.is_encrypted("127.0.0.1", "sslmode=require").await);
    // Ties the password to this very connection, so that nobody can stand between.
    assert!(town.is_encrypted("127.0.0.1", "sslmode=require&channel_binding=require").await);
}

#[tokio::test]
async fn a_server_is_believed_as_far_as_it_was_asked_to_show_itself() {
    let town = Town::shared();
    let (good, bad) = (town.authority("authority"), town.authority("stranger"));

    assert!(town.is_encrypted("localhost", &format!("sslmode=verify-full&sslrootcert={good}")).await);
    assert!(town.is_encrypted("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={good}")).await);
    for (host, options) in [
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={good}")),
        ("localhost", format!("sslmode=verify-full&sslrootcert={bad}")),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={bad}")),
        ("127.0.0.1", format!("sslmode=require&sslrootcert={bad}")),
    ] {
        let (error, text) = refusal(PostgresOptions::new(town.url(host, &options))).await;

        assert_eq!(*error.kind(), ErrorKind::Unavailable, "{text}");
        assert!(text.contains(&format!("{host}:{} could not be trusted: ", town.cluster.port())), "{text}");
        assert!(!text.contains("sesame"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_no_authority_of_the_system_knows_is_not_believed() {
    let town = Town::shared();

    let (_, text) = refusal(PostgresOptions::new(town.url("localhost", "sslmode=verify-full"))).await;

    assert!(text.contains("sslrootcert"), "{text}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_refused_when_tls_was_asked_for() {
    let url = windlass_postgres_testing::shared().expect("a server can be started");

    let (error, text) = refusal(PostgresOptions::new(format!("{url}?sslmode=require"))).await;

    assert_eq!(*error.kind(), ErrorKind::Unavailable);
    assert!(text.contains("does not speak TLS, which sslmode asks for"), "{text}");
}

#[tokio::test]
async fn files_that_cannot_be_read_are_named() {
    for option in ["sslrootcert=/nowhere.crt", "sslcert=/nowhere.crt&sslkey=/nowhere.key"] {
        let options = PostgresOptions::new(format!("postgres://app:sesame@db/app?{option}"));

        let (error, text) = refusal(options).await;

        assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{text}");
        assert!(text.contains("/nowhere.crt") && !text.contains("sesame"), "{text}");
    }
}

fn make_authority(folder: &Path, name: &str) {
    let subject = format!("/CN={name}");
    let [key, certificate] = ["key", "crt"].map(|kind| format!("{name}.{kind}"));
    openssl(
        folder,
        &[
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-newkey",
            "rsa:2048",
            "-subj",
            &subject,
            "-keyout",
            &key,
            "-out",
            &certificate,
        ],
    );
}

fn make_certificate(folder: &Path) {
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").expect("there is room");
    openssl(
        folder,
        &[
            "req",
            "-nodes",
            "-newkey",
            "rsa:2048",
            "-subj",
            "/CN=localhost",
            "-keyout",
            "server.key",
            "-out",
            "server.csr",
        ],
    );
    let sign = ["x509", "-req", "-days", "2", "-in", "server.csr", "-out", "server.crt", "-extfile", "names"];
    let by = ["-CA", "authority.crt", "-CAkey", "authority.key", "-CAcreateserial"];
    openssl(folder, &[&sign[..], &by].concat());
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    let output = output.expect("openssl makes the certificates of this test: install it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Copies a file to where the server keeps its own, as one of its own.
fn install(from: &PathBuf, to: &PathBuf) {
    let folder = fs::metadata(to.parent().expect("it is in a folder")).expect("the folder is there");
    fs::copy(from, to).expect("it can be copied");
    fs::set_permissions(to, fs::Permissions::from_mode(0o600)).expect("it is ours");
    chown(to, Some(folder.uid()), Some(folder.gid())).expect("it can be given away");
}
