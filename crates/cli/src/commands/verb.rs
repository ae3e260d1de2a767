//! What the verbs on jobs have in common: they take ids, and some may be refused.

use serde::Serialize;
use windlass_core::JobId;
use windlass_store::{Actor, StoreError};

use crate::args::VerbArgs;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::output::{Cell, Column, Output, Row, fields};

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
