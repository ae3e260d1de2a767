//! What the verbs on jobs have in common: they take ids, and some may be refused.

use serde::Serialize;
use windlass_core::JobId;
use windlass_store::{Actor, StoreError};

use crate::args::VerbArgs;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::output::cell::counted;
use crate::output::{Cell, Column, Form, Output, Row, fields};

pub(crate) const FIELDS: &[&str] = &["id", "outcome"];

const COLUMNS: &[Column] = &[Column::whole("ID"), Column::new("OUTCOME")];

#[derive(Serialize)]
struct Dealt {
    id: JobId,
    outcome: &'static str,
}

/// The answers to one verb, asked of several jobs.
#[derive(Default)]
pub(super) struct Answers {
    rows: Vec<Row>,
    refused: Vec<CliError>,
}

impl Answers {
    /// Takes down what became of one job.
    pub(super) fn add(&mut self, id: JobId, answer: Result<&'static str, StoreError>) {
        match answer {
            Ok(outcome) => self.rows.push(Row {
                id: id.to_string(),
                cells: vec![Cell::text(id), Cell::text(outcome)],
                fields: fields(&Dealt { id, outcome }),
            }),
            Err(error) => self.refused.push(CliError::about(id, error)),
        }
    }

    /// How many were refused so far.
    pub(super) const fn refusals(&self) -> usize {
        self.refused.len()
    }

    /// Says of the first that were refused why.
    pub(super) fn tell_refusals(&self) {
        const TOLD: usize = 10;
        self.refused.iter().take(TOLD).for_each(CliError::print);
    }

    /// What to print of many jobs: how many, for people; each of them, for programs.
    pub(super) fn into_summary(self, verb: &str, form: &Form) -> Output {
        let (done, refused) = (self.rows.len() as u64, self.refused.len());
        self.tell_refusals();
        let exit = if refused == 0 { ExitCode::Done } else { ErrorCode::Partial.exit_code() };
        let others = if refused == 0 { String::new() } else { format!(", and {refused} were refused") };
        let output = match form {
            form if form.is_for_people() => {
                Output::text(format!("{verb}: {}{others}\n", counted(done, "job")))
            }
            _ => Output::list(COLUMNS, self.rows),
        };
        output.with_exit(exit)
    }

    /// What to print. Of one job, its refusal is the error; of several, each is told and the whole is done in part.
    pub(super) fn into_output(mut self) -> Result<Output, CliError> {
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

/// Who does it, and why.
pub(super) fn actor(args: &VerbArgs) -> Actor {
    let actor = Actor::new(&args.by.by);
    match &args.reason {
        Some(reason) => actor.because(reason),
        None => actor,
    }
}
