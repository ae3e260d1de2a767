//! `windlass jobs retry` and `windlass jobs redrive`

use windlass_core::{BulkVerb, JobState};

use crate::args::VerbArgs;
use crate::commands::bulk::{self, Verb};
use crate::commands::verb::actor;
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

const RETRY: Verb = Verb {
    name: "retry",
    bulk: Some(BulkVerb::Retry),
    states: &[JobState::Dead, JobState::Cancelled, JobState::Retryable],
};

const REDRIVE: Verb = Verb { name: "redrive", bulk: Some(BulkVerb::Retry), states: &[JobState::Dead] };

pub(crate) async fn run(args: VerbArgs, context: &Context) -> Result<Output, CliError> {
    retry(&RETRY, args, context).await
}

pub(crate) async fn redrive(args: VerbArgs, context: &Context) -> Result<Output, CliError> {
    retry(&REDRIVE, args, context).await
}

async fn retry(verb: &Verb, args: VerbArgs, context: &Context) -> Result<Output, CliError> {
    let by = actor(&args);
    bulk::run(verb, (args.which, &by), context, |store, id| {
        let by = by.clone();
        async move { store.retry(id, by).await.map(|()| "retried") }
    })
    .await
}
