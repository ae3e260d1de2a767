//! Readers: a few connections that only read, so that nothing a person asks stands in the writer's way.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use windlass_store::{ErrorKind, StoreError};

use crate::error::{During, is_fault};
use crate::open::Opener;

/// Most reads at a time. More would wait for the same disk.
const READERS_MAX: usize = 4;

#[derive(Debug)]
pub(crate) struct Readers {
    opener: Opener,
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(opener: Opener) -> Self {
        Self { opener, idle: Arc::default(), places: Arc::new(Semaphore::new(READERS_MAX)) }
    }

    /// Runs `read` on a thread where it may block, in one snapshot of the file.
    pub(crate) async fn run<T, F>(&self, name: &'static str, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let gone = |_| StoreError::new(name, ErrorKind::Unavailable).with_detail("the store is closed");
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(gone)?;
        let (opener, idle) = (self.opener.clone(), Arc::clone(&self.idle));
        let reading = tokio::task::spawn_blocking(move || {
            let _place = place;
            let connection = take(&idle).map_or_else(|| opener.open_reader(), Ok)?;
            let found = in_snapshot(&connection, read);
            // One that failed is closed: a fresh one is opened instead.
            if !found.as_ref().is_err_and(is_fault) {
                give_back(&idle, connection);
            }
            found
        });
        reading.await.unwrap_or_else(|panic| {
            Err(StoreError::new(name, ErrorKind::Unavailable)
                .with_detail("the read was abandoned")
                .with_source(panic))
        })
    }
}

fn take(idle: &Mutex<Vec<Connection>>) -> Option<Connection> {
    idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn give_back(idle: &Mutex<Vec<Connection>>, connection: Connection) {
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
}

fn in_snapshot<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.unchecked_transaction().during("read")?;
    let found = read(&transaction);
    transaction.finish().during("read")?;
    found
}
