//! [`RemoteStore`]: the port, one request for each call.

mod flows;
mod jobs;
mod leases;
mod maintenance;
mod operations;
mod queues;
mod reviews;
mod schedules;
mod tokens;
mod workers;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use windlass_core::{Invalid, Limits};
use windlass_store::{Actor, Cursor, Page, Signals, Store, StoreError};
use windlass_wire::VerbRequest;

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::unreadable;
use crate::wakes::Wakes;
use crate::{AccessToken, RemoteOptions, Server};

/// A store behind a server. Cheap to clone; all clones share its connections.
#[derive(Clone)]
pub struct RemoteStore(Arc<Inner>);

struct Inner {
    client: Arc<Client>,
    wakes: Wakes,
    handle: Handle,
}

impl RemoteStore {
    /// Connects to the server at this address with this token, and waits for it as long as is usual.
    ///
    /// # Errors
    ///
    /// Those of [`RemoteOptions::connect`].
    pub async fn connect(url: impl Into<String>, token: impl Into<AccessToken>) -> Result<Self, StoreError> {
        RemoteOptions::new(url).token(token).connect().await
    }

    pub(crate) fn over(client: Client, handle: Handle) -> Self {
        Self(Arc::new(Inner { client: Arc::new(client), wakes: Wakes::new(), handle }))
    }

    /// Where the server is.
    #[must_use]
    pub fn server(&self) -> &Server {
        self.client().server()
    }

    fn client(&self) -> &Client {
        &self.0.client
    }

    /// Asks, and reads the answer as the model has it.
    async fn get<S, M>(&self, operation: &'static str, ask: Result<Ask, Invalid>) -> Result<M, StoreError>
    where
        S: DeserializeOwned,
        M: TryFrom<S>,
        M::Error: fmt::Display,
    {
        read(operation, self.client().ask::<S>(operation, ask).await?)
    }

    /// Asks, and answers no more than that it was done.
    async fn done(&self, operation: &'static str, ask: Result<Ask, Invalid>) -> Result<(), StoreError> {
        self.client().ask::<windlass_wire::answers::Done>(operation, ask).await.map(drop)
    }
}

impl Store for RemoteStore {
    fn signals(&self) -> &Signals {
        self.0.wakes.signals(&self.0.client, &self.0.handle)
    }
}

impl fmt::Debug for RemoteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteStore").field("server", self.server()).finish_non_exhaustive()
    }
}

/// A shape as the model has it.
fn read<S, M>(operation: &'static str, shape: S) -> Result<M, StoreError>
where
    M: TryFrom<S>,
    M::Error: fmt::Display,
{
    M::try_from(shape).map_err(|why| unreadable(operation, why))
}

/// Shapes as the model has them.
fn all<S, M>(operation: &'static str, shapes: Vec<S>) -> Result<Vec<M>, StoreError>
where
    M: TryFrom<S>,
    M::Error: fmt::Display,
{
    shapes.into_iter().map(|shape| read(operation, shape)).collect()
}

/// A page of shapes as the model has it.
fn page<S, M>(
    operation: &'static str,
    (shapes, next): (Vec<S>, Option<String>),
) -> Result<Page<M>, StoreError>
where
    M: TryFrom<S>,
    M::Error: fmt::Display,
{
    Ok(Page { items: all(operation, shapes)?, next: cursor(operation, next)? })
}

fn cursor(operation: &'static str, next: Option<String>) -> Result<Option<Cursor>, StoreError> {
    let read = |text: String| text.parse().map(Cursor::at).map_err(|why| unreadable(operation, why));
    next.map(read).transpose()
}

/// How large things may be is for the store to say.
fn any_size() -> Limits {
    let mut limits = Limits::default();
    limits.args_bytes_max = usize::MAX;
    limits
}

/// Who changes something, as it is said; refused where no server would take it.
fn verb(by: &Actor) -> Result<VerbRequest, Invalid> {
    by.validate()?;
    Ok(VerbRequest::new(Some(by.name.clone()), by.why.clone()))
}

/// The request, made by `by`.
fn by(ask: Ask, by: &Actor) -> Result<Ask, Invalid> {
    ask.with(&verb(by)?).map(|ask| ask.named_by(by))
}
