//! `windlass jobs edit`, `snooze` and `move`

use windlass_core::{Args, Invalid, JobState};
use windlass_store::{Actor, JobEdit};

use crate::args::{EditArgs, EditOptions, MoveArgs, SnoozeArgs};
use crate::commands::bulk::{self, Verb};
use crate::commands::enqueue::read;
use crate::commands::verb::{Answers, actor};
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

const WAITING: &[JobState] = &[JobState::Scheduled, JobState::Ready, JobState::Retryable, JobState::Blocked];

const SNOOZE: Verb = Verb { name: "snooze", bulk: None, states: WAITING };

const MOVE: Verb = Verb { name: "move", bulk: None, states: WAITING };

pub(crate) async fn snooze(args: SnoozeArgs, context: &Context) -> Result<Output, CliError> {
    let (by, until) = (actor(&args.verb), args.until);
    bulk::run(&SNOOZE, (args.verb.which, &by), context, |store, id| {
        let by = by.clone();
        async move { store.snooze(id, until, by).await.map(|()| "put off") }
    })
    .await
}

pub(crate) async fn to_queue(args: MoveArgs, context: &Context) -> Result<Output, CliError> {
    let (by, edit) = (actor(&args.verb), JobEdit::moving(args.to));
    bulk::run(&MOVE, (args.verb.which, &by), context, |store, id| {
        let (by, edit) = (by.clone(), edit.clone());
        async move { store.edit(id, edit, by).await.map(|()| "moved") }
    })
    .await
}

pub(crate) async fn run(args: EditArgs, context: &Context) -> Result<Output, CliError> {
    let (edit, by) = (edit(args.edit)?, Actor::new(&args.by.by));
    let by = args.reason.iter().fold(by, Actor::because);
    let (store, mut answers) = (context.store().await?, Answers::default());
    for id in args.ids {
        answers.add(id, store.edit(id, edit.clone(), by.clone()).await.map(|()| "changed"));
    }
    answers.into_output()
}

fn edit(options: EditOptions) -> Result<JobEdit, CliError> {
    let meta = options.meta.map(|meta| serde_json::from_str(&meta)).transpose();
    Ok(JobEdit {
        queue: options.queue,
        priority: options.priority,
        due: options.due,
        args: options.args.map(|args| read(&args)).transpose()?.map(Args::Json),
        tags: (options.no_tags || !options.tags.is_empty()).then_some(options.tags),
        meta: meta.map_err(|error| {
            CliError::invalid(&Invalid::new("meta", format!("must be a JSON object: {error}")))
        })?,
        snoozes: false,
    })
}
