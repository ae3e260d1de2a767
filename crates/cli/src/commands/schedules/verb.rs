//! `windlass schedules pause`, `resume` and `remove`: they take names, and some may be refused.

use windlass_core::ScheduleName;
use windlass_store::StoreError;

use super::{actor, named};
use crate::args::ScheduleVerbArgs;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::output::{Column, Output, Row};

pub(super) const FIELDS: &[&str] = &["name", "outcome"];

const COLUMNS: &[Column] = &[Column::whole("SCHEDULE"), Column::new("OUTCOME")];

pub(super) async fn pause(args: ScheduleVerbArgs, context: &Context) -> Result<Output, CliError> {
    let (store, by, mut answers) = (context.store().await?, actor(args.by, args.reason), Answers::default());
    for name in args.names {
        answers.add(&name, store.pause_schedule(&name, by.clone()).await.map(|()| "paused"));
    }
    answers.into_output()
}

pub(super) async fn resume(args: ScheduleVerbArgs, context: &Context) -> Result<Output, CliError> {
    let (store, by, mut answers) = (context.store().await?, actor(args.by, args.reason), Answers::default());
    for name in args.names {
        answers.add(&name, store.resume_schedule(&name, by.clone()).await.map(|()| "resumed"));
    }
    answers.into_output()
}

pub(super) async fn remove(args: ScheduleVerbArgs, context: &Context) -> Result<Output, CliError> {
    let (store, by, mut answers) = (context.store().await?, actor(args.by, args.reason), Answers::default());
    for name in args.names {
        answers.add(&name, store.delete_schedule(&name, by.clone()).await.map(|()| "removed"));
    }
    answers.into_output()
}

/// The answers to one verb, asked of several schedules.
#[derive(Default)]
struct Answers {
    rows: Vec<Row>,
    refused: Vec<CliError>,
}

impl Answers {
    fn add(&mut self, name: &ScheduleName, answer: Result<&'static str, StoreError>) {
        match answer {
            Ok(outcome) => {
                let (cells, fields) = named(name, outcome);
                self.rows.push(Row { id: name.to_string(), cells, fields });
            }
            Err(error) => self.refused.push(CliError::from(error)),
        }
    }

    /// What to print. Of one schedule, its refusal is the error; of several, each is told and the whole is done in part.
    fn into_output(mut self) -> Result<Output, CliError> {
        if self.rows.is_empty() && self.refused.len() == 1 {
            return Err(self.refused.remove(0));
        }
        for error in &self.refused {
            error.print();
        }
        let exit = match self.refused.first() {
            None => ExitCode::Done,
            Some(first) if self.rows.is_empty() => first.code.exit_code(),
            Some(_) => ErrorCode::Partial.exit_code(),
        };
        Ok(Output::list(COLUMNS, self.rows).with_exit(exit))
    }
}
