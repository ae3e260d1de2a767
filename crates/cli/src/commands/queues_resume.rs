//! `windlass queues resume`

use windlass_core::QueueName;
use windlass_store::{Actor, SharedStore};

use crate::args::By;
use crate::commands::queues_list;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::output::Output;

pub(crate) async fn run(queue: QueueName, by: By, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    store.resume(&queue, Actor::new(by.by)).await.map_err(|error| {
        let error = CliError::from(error);
        match error.code {
            ErrorCode::NotFound => {
                CliError::new(ErrorCode::NotFound, format!("there is no queue \"{queue}\""))
                    .with_help("`windlass queues list` shows which there are")
            }
            _ => error,
        }
    })?;
    shown(&store, &queue).await
}

/// The queue as it is now.
pub(super) async fn shown(store: &SharedStore, queue: &QueueName) -> Result<Output, CliError> {
    let queues = store.queues().await?.into_iter().filter(|one| one.name == *queue);
    Ok(Output::list(queues_list::COLUMNS, queues.map(queues_list::row).collect()))
}
