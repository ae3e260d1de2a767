//! What every command is given: where the store is, and how to print.

use std::io::{IsTerminal, Write};

use windlass::Address;
use windlass_store::{Clock, SharedStore, SystemClock};
use windlass_wire::nearest::suggestion;

use crate::args::{Color, Global, TimeForm};
use crate::error::{CliError, ErrorCode};
use crate::output::{Form, Output, Style};
use crate::store;

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    store: Address,
    form: Form,
    time: TimeForm,
    stdout_terminal: bool,
    stderr_terminal: bool,
}

impl Context {
    /// Reads how to print; `fields` are those that the command's JSON has, if it has any.
    ///
    /// # Errors
    ///
    /// When JSON is asked for with a field that there is not, before anything is done.
    pub(crate) fn new(global: &Global, fields: &[&str]) -> Result<Self, CliError> {
        let store = Address::new(&global.store).map_err(|invalid| {
            CliError::new(ErrorCode::Invalid, format!("--store: {}", invalid.problem))
                .with_help("`windlass help stores` shows how stores are named")
        })?;
        let stdout_terminal = std::io::stdout().is_terminal();
        let form = match (&global.json, &global.jsonl) {
            (Some(names), _) => Form::Json(chosen(names, fields)?),
            (None, Some(names)) => Form::JsonLines(chosen(names, fields)?),
            (None, None) if global.quiet => Form::Ids,
            (None, None) if stdout_terminal => Form::People,
            (None, None) => Form::Tsv,
        };
        Ok(Self {
            store,
            form,
            time: global.time,
            stdout_terminal,
            stderr_terminal: std::io::stderr().is_terminal(),
        })
    }

    /// The store, which must be there.
    pub(crate) async fn store(&self) -> Result<SharedStore, CliError> {
        store::open(&self.store).await
    }

    /// The store, made if there is none.
    pub(crate) async fn store_or_make(&self) -> Result<SharedStore, CliError> {
        store::open_or_make(&self.store).await
    }

    /// Where the store is. Shown without secrets.
    pub(crate) const fn address(&self) -> &Address {
        &self.store
    }

    /// Whether a person looks at stderr.
    pub(crate) const fn stderr_terminal(&self) -> bool {
        self.stderr_terminal
    }

    /// Says what a person may want to do next, where one looks at both.
    pub(crate) fn hint(&self, hint: &str) {
        if self.stderr_terminal && self.form == Form::People {
            self.tell(hint);
        }
    }

    /// In which form to print.
    pub(crate) const fn form(&self) -> &Form {
        &self.form
    }

    /// Prints what a command has to say, or the next part of it.
    ///
    /// # Errors
    ///
    /// When stdout takes no more.
    pub(crate) fn print(&self, output: &Output) -> Result<(), CliError> {
        let style = Style {
            form: self.form.clone(),
            time: self.time,
            terminal: self.stdout_terminal,
            now: SystemClock.now(),
            width: None,
        };
        let mut text = Vec::new();
        output.print(&style, &mut text).map_err(CliError::output)?;
        let mut stdout = anstream::stdout().lock();
        stdout.write_all(&text).and_then(|()| stdout.flush()).map_err(CliError::output)?;
        if self.stdout_terminal && self.form == Form::People {
            output.notes().iter().for_each(|note| self.tell(note));
        }
        Ok(())
    }

    /// Says on stderr what is going on, unless ids are all that is wanted.
    pub(crate) fn tell(&self, note: &str) {
        if self.form != Form::Ids {
            let _ = writeln!(anstream::stderr(), "{note}");
        }
    }
}

/// Decides once, for stdout and stderr, whether colours are wanted.
pub(crate) fn set_colour(colour: Color) {
    match colour {
        // `NO_COLOR`, `CLICOLOR_FORCE`, `TERM` and the kind of the stream decide.
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

fn chosen(names: &str, fields: &[&str]) -> Result<Option<Vec<String>>, CliError> {
    if fields.is_empty() {
        return Err(CliError::new(ErrorCode::Invalid, "this command has no JSON form"));
    }
    if names.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().find(|name| !fields.contains(&name.as_str())) {
        None => Ok(Some(names)),
        Some(unknown) => {
            let meant = suggestion(unknown, fields.iter().copied())
                .map_or(String::new(), |meant| format!("{meant}\n"));
            Err(CliError::new(ErrorCode::Invalid, format!("--json: there is no field `{unknown}`"))
                .with_help(format!("{meant}the fields are {}", fields.join(", "))))
        }
    }
}
