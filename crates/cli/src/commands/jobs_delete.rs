//! `windlass jobs delete`

use windlass_core::{BulkVerb, JobState};
use windlass_store::Actor;

use crate::args::DeleteArgs;
use crate::commands::bulk::{self, Verb};
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

/// Where nothing is said of states, nothing is deleted that is still to be done.
const DELETE: Verb = Verb {
    name: "delete",
    bulk: Some(BulkVerb::Delete),
    states: &[JobState::Completed, JobState::Cancelled, JobState::Dead],
};

pub(crate) async fn run(args: DeleteArgs, context: &Context) -> Result<Output, CliError> {
    let by = Actor::new(args.by.by);
    bulk::run(&DELETE, (args.which, &by), context, |store, id| {
        let by = by.clone();
        async move { store.delete(id, by).await.map(|()| "deleted") }
    })
    .await
}
