//! `windlass jobs rerun`

use windlass_store::Actor;
use windlass_store::ids::job_id;

use crate::args::RerunArgs;
use crate::commands::verb::Answers;
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

/// The ids that are printed are those of the copies: they are what the next command needs.
pub(crate) async fn run(args: RerunArgs, context: &Context) -> Result<Output, CliError> {
    let by = args.reason.iter().fold(Actor::new(&args.by.by), Actor::because);
    let (store, mut answers) = (context.store().await?, Answers::default());
    for id in args.ids {
        let copy = job_id();
        match store.rerun(id, copy, by.clone()).await {
            Ok(enqueued) => answers.add(enqueued.id, Ok("enqueued as a copy")),
            Err(error) => answers.add(id, Err(error)),
        }
    }
    answers.into_output()
}
