//! `windlass jobs run-now`

use windlass_core::{BulkVerb, JobState};

use crate::args::VerbArgs;
use crate::commands::bulk::{self, Verb};
use crate::commands::verb::actor;
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

const RUN_NOW: Verb = Verb {
    name: "run now",
    bulk: Some(BulkVerb::RunNow),
    states: &[JobState::Scheduled, JobState::Retryable],
};

pub(crate) async fn run(args: VerbArgs, context: &Context) -> Result<Output, CliError> {
    let by = actor(&args);
    bulk::run(&RUN_NOW, (args.which, &by), context, |store, id| {
        let by = by.clone();
        async move { store.run_now(id, by).await.map(|()| "due now") }
    })
    .await
}
