//! `windlass jobs cancel`

use windlass_core::{BulkVerb, JobState};
use windlass_store::CancelOutcome;

use crate::args::VerbArgs;
use crate::commands::bulk::{self, Verb};
use crate::commands::verb::actor;
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

const CANCEL: Verb = Verb {
    name: "cancel",
    bulk: Some(BulkVerb::Cancel),
    states: &[
        JobState::Scheduled,
        JobState::Ready,
        JobState::Retryable,
        JobState::Blocked,
        JobState::InReview,
        JobState::Running,
    ],
};

pub(crate) async fn run(args: VerbArgs, context: &Context) -> Result<Output, CliError> {
    let by = actor(&args);
    bulk::run(&CANCEL, (args.which, &by), context, |store, id| {
        let by = by.clone();
        async move { store.cancel(id, by).await.map(said) }
    })
    .await
}

const fn said(outcome: CancelOutcome) -> &'static str {
    match outcome {
        CancelOutcome::Cancelled => "cancelled",
        CancelOutcome::Requested => "cancelled, its worker is being told",
        CancelOutcome::AlreadyCancelled => "was cancelled before",
    }
}
