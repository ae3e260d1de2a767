//! `windlass jobs cancel`

use windlass_store::CancelOutcome;

use crate::args::VerbArgs;
use crate::commands::verb::{Answers, actor};
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

pub(crate) async fn run(args: VerbArgs, context: &Context) -> Result<Output, CliError> {
    let (store, by, mut answers) = (context.store().await?, actor(&args), Answers::default());
    for id in args.ids {
        answers.add(id, store.cancel(id, by.clone()).await.map(said));
    }
    answers.into_output()
}

const fn said(outcome: CancelOutcome) -> &'static str {
    match outcome {
        CancelOutcome::Cancelled => "cancelled",
        CancelOutcome::Requested => "cancelled, its worker is being told",
        CancelOutcome::AlreadyCancelled => "was cancelled before",
    }
}
