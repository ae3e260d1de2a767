//! A server on a port of its own, and a caller that speaks no more HTTP than it has to.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use windlass_memory::MemoryStore;
use windlass_postgres::PostgresOptions;
use windlass_postgres_testing::{Database, shared};
use windlass_server::{Config, Served};
use windlass_sqlite::SqliteOptions;
use windlass_store::SharedStore;

/// Nothing here takes as long; what does is not coming.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs, and what it needs.
pub(crate) struct Server {
    pub(crate) at: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<std::io::Result<Served>>>,
    _kept: Kept,
}

/// What goes with the store.
enum Kept {
    Nothing,
    Folder(#[expect(dead_code, reason = "kept for its drop")] tempfile::TempDir),
    Database(#[expect(dead_code, reason = "kept for its drop")] Box<Database>),
}

impl Server {
    pub(crate) async fn memory() -> Self {
        Self::over(Arc::new(MemoryStore::new()), Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::over(Arc::new(MemoryStore::new()), config).await
    }

    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteOptions::new(folder.path().join("jobs.db")).open().await.unwrap();
        Self { _kept: Kept::Folder(folder), ..Self::over(Arc::new(store), Config::default()).await }
    }

    pub(crate) async fn postgres() -> Self {
        let database = Database::create(shared().unwrap()).unwrap();
        let store = PostgresOptions::new(database.url()).open().await.unwrap();
        Self {
            _kept: Kept::Database(Box::new(database)),
            ..Self::over(Arc::new(store), Config::default()).await
        }
    }

    pub(crate) async fn over(store: SharedStore, config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = windlass_server::serve(listener, store, config, async move {
            let _ = stopped.await;
        });
        let served = Some(TaskTracker::new().spawn(serving));
        Self { at, stop: Some(stop), served, _kept: Kept::Nothing }
    }

    /// Stops it, and says how that went.
    pub(crate) async fn stop(&mut self) -> Served {
        drop(self.stop.take());
        self.served.take().unwrap().await.unwrap().unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.call("POST", path, body).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        self.call_with(method, (path, ""), body).await
    }

    /// With more headers, each with its line's end.
    pub(crate) async fn call_with(&self, method: &str, (path, headers): (&str, &str), body: &str) -> Answer {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}",
            self.at
        );
        Answer::of(&self.raw(request.as_bytes()).await)
    }

    /// What comes back for these bytes until the server closes the connection.
    pub(crate) async fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.at).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The id of a job that was just enqueued.
    pub(crate) async fn enqueue(&self, body: &str) -> String {
        let answer = self.post("/api/v1/jobs", body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.text("id")
    }

    /// The token of a lease that was just claimed.
    pub(crate) async fn claim(&self) -> String {
        let answer = self.post("/api/v1/leases", r#"{"worker":"w1"}"#).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["leases"][0]["token"].as_str().expect("a lease").to_owned()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn of(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A field that is a text; empty if there is none.
    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_default().to_owned()
    }

    /// The status, the code and the field of a problem.
    pub(crate) fn problem(&self) -> (u16, String, String) {
        assert!(self.head.contains("application/problem+json"), "{self:?}");
        assert!(!self.text("server_time").is_empty() && self.json()["status"] == self.status, "{self:?}");
        (self.status, self.text("code"), self.text("field"))
    }
}

/// A test on every store.
macro_rules! everywhere {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::server::Server::memory().await).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::server::Server::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::server::Server::postgres().await).await;
            })+
        }
    };
}

pub(crate) use everywhere;

/// Runs both at once.
pub(crate) async fn both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    tokio::join!(one, other)
}
