//! A job as a type: the contract between who enqueues it and who handles it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use windlass_core::{LockTemplate, NewJob};

/// Data that is a job's args.
///
/// A contract on data, not on behaviour: whoever enqueues needs only this type, not the handler and what it depends
/// on. Usually derived; by hand it is a few lines.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job",
    label = "this type does not implement `Job`",
    note = "derive it: `#[derive(Serialize, Deserialize, Job)] #[job(kind = \"send_email\")]`"
)]
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// Which handler it is for. A stable string that is never changed once jobs exist; not the name of the type.
    const KIND: &'static str;

    /// The version of its args, raised when their meaning changes. Workers leave versions newer than they know.
    const VERSION: u32 = 1;

    /// The resources that every job of this kind needs while it runs, with fields of its args in their names.
    const LOCKS: &'static [LockTemplate] = &[];

    /// What its handler makes; `()` where nobody asks.
    type Output: Serialize + DeserializeOwned + Send + 'static;

    /// Sets what every job of this kind has: its queue, its attempts, its timeout. Called before the caller's own wishes.
    ///
    /// # Errors
    ///
    /// [`windlass_core::Invalid`] when a name or number written in the program is not allowed.
    fn defaults(job: &mut NewJob) -> Result<(), windlass_core::Invalid> {
        let _ = job;
        Ok(())
    }

    /// Turns args of an older `version` into those of [`VERSION`](Self::VERSION). Called once per step, from the
    /// stored version up, until the current one is reached.
    ///
    /// # Errors
    ///
    /// Why that version cannot be read any more; the job is then `dead(undecodable)`.
    fn upcast(version: u32, args: serde_json::Value) -> Result<serde_json::Value, String> {
        let _ = args;
        Err(format!("version {version} of its args is no longer understood"))
    }
}
