//! How far an attempt has come.

use std::sync::Arc;

use windlass_store::StoreError;

use crate::open_attempt::OpenAttempt;

/// Where a handler says how far it has come.
#[derive(Debug, Clone)]
pub struct Progress(pub(crate) Arc<OpenAttempt>);

impl Progress {
    /// Stores that the attempt has come to `percent`, 0 to 100, doing `message`; the empty message is none.
    ///
    /// Each call is a write to the store: call it when a person would care to know.
    ///
    /// # Errors
    ///
    /// `Invalid` above 100; `LeaseLost` or `Cancelled` when the attempt should stop, which its
    /// [`Cancel`](crate::Cancel) then says too.
    pub async fn set(&self, percent: u8, message: impl AsRef<str>) -> Result<(), StoreError> {
        let message = Some(message.as_ref()).filter(|message| !message.is_empty());
        let progress = windlass_core::Progress::new(percent, message)
            .map_err(|invalid| StoreError::invalid("store progress", invalid))?;
        let Some(store) = &self.0.store else { return Ok(()) };
        self.0.heed(store.progress(self.0.token(), progress).await)
    }

    /// [`set`](Self::set) for a blocking handler, which has no `await`.
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    ///
    /// # Panics
    ///
    /// Outside a blocking handler: an async one must not block.
    pub fn set_blocking(&self, percent: u8, message: impl AsRef<str>) -> Result<(), StoreError> {
        tokio::runtime::Handle::current().block_on(self.set(percent, message))
    }
}
