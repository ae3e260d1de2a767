//! `windlass jobs delete`

use windlass_core::JobId;

use crate::commands::verb::Answers;
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

pub(crate) async fn run(ids: Vec<JobId>, context: &Context) -> Result<Output, CliError> {
    let (store, mut answers) = (context.store().await?, Answers::default());
    for id in ids {
        answers.add(id, store.delete(id).await.map(|()| "deleted"));
    }
    answers.into_output()
}
