//! `windlass jobs run-now`

use crate::args::VerbArgs;
use crate::commands::verb::{Answers, actor};
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

pub(crate) async fn run(args: VerbArgs, context: &Context) -> Result<Output, CliError> {
    let (store, by, mut answers) = (context.store().await?, actor(&args), Answers::default());
    for id in args.ids {
        answers.add(id, store.run_now(id, by.clone()).await.map(|()| "due now"));
    }
    answers.into_output()
}
