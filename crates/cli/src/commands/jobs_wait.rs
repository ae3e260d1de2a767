//! `windlass jobs wait`

use tokio::time::Instant;

use crate::args::JobsWaitArgs;
use crate::commands::{jobs_list, wait};
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

pub(crate) async fn run(args: JobsWaitArgs, context: &Context) -> Result<Output, CliError> {
    let until = args.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let store = context.store().await?;
    let mut jobs = Vec::new();
    for id in args.ids {
        jobs.push(wait::until_final(&store, id, until).await?);
    }
    let exit = wait::exit(&jobs);
    Ok(Output::list(jobs_list::COLUMNS, jobs.into_iter().map(jobs_list::row).collect()).with_exit(exit))
}
