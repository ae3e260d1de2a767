//! `windlass queues pause`

use windlass_core::QueueName;
use windlass_store::Actor;

use crate::args::By;
use crate::commands::queues_resume;
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

pub(crate) async fn run(
    queue: QueueName,
    reason: Option<String>,
    by: By,
    context: &Context,
) -> Result<Output, CliError> {
    let by = Actor::new(by.by);
    let by = match reason {
        Some(reason) => by.because(reason),
        None => by,
    };
    let store = context.store().await?;
    store.pause(&queue, by).await?;
    let output = queues_resume::shown(&store, &queue).await?;
    Ok(output.with_note(format!("until `windlass queues resume {queue}`")))
}
