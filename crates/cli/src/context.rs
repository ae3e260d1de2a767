//! What every command is given: where the store is, and how to print.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use tokio::sync::OnceCell;
use windlass::Address;
use windlass_store::{Clock, SharedStore, SystemClock};
use windlass_wire::nearest::suggestion;

use crate::args::{Color, Global, OutputForm};
use crate::config::{Folders, Origin, Place, STORE_DEFAULT, Settings};
use crate::error::{CliError, ErrorCode};
use crate::output::{Form, Output, Style};
use crate::store;

/// What every command is given.
pub(crate) struct Context {
    folders: Folders,
    settings: Settings,
    /// Opened once, however often it is asked for.
    opened: OnceCell<SharedStore>,
    form: Form,
    /// Whether everything that would be asked is answered already.
    yes: bool,
    stdout_terminal: bool,
    stderr_terminal: bool,
}

impl Context {
    /// Reads how to print; `fields` are those that the command's JSON has, if it has any.
    ///
    /// # Errors
    ///
    /// When JSON is asked for with a field that there is not, before anything is done.
    pub(crate) fn new(
        global: &Global,
        (folders, settings): (Folders, Settings),
        fields: &[&str],
    ) -> Result<Self, CliError> {
        let stdout_terminal = std::io::stdout().is_terminal();
        let form = match (&global.json, &global.jsonl) {
            (Some(names), _) => Form::Json(chosen(names, fields)?),
            (None, Some(names)) => Form::JsonLines(chosen(names, fields)?),
            (None, None) if global.quiet => Form::Ids,
            (None, None) => match global.output {
                Some(OutputForm::Wide) => Form::Wide,
                Some(OutputForm::Csv) => Form::Csv,
                Some(OutputForm::Json) => Form::Json(chosen("", fields)?),
                Some(OutputForm::Jsonl) => Form::JsonLines(chosen("", fields)?),
                None if stdout_terminal => Form::People,
                Some(OutputForm::Tsv) | None => Form::Tsv,
            },
        };
        Ok(Self {
            folders,
            settings,
            opened: OnceCell::new(),
            form,
            yes: global.yes,
            stdout_terminal,
            stderr_terminal: std::io::stderr().is_terminal(),
        })
    }

    /// The store, which must be there.
    pub(crate) async fn store(&self) -> Result<SharedStore, CliError> {
        self.opened.get_or_try_init(|| store::open(&self.settings)).await.cloned()
    }

    /// The store, made if there is none.
    pub(crate) async fn store_or_make(&self) -> Result<SharedStore, CliError> {
        self.opened.get_or_try_init(|| store::open_or_make(&self.settings)).await.cloned()
    }

    /// Where the jobs are. Shown without secrets.
    pub(crate) const fn place(&self) -> &Place {
        &self.settings.place.value
    }

    /// The store itself, for what a server does not do for others. Where nothing was said, it is the one of this folder.
    ///
    /// # Errors
    ///
    /// When a server was named.
    pub(crate) fn address(&self) -> Result<Address, CliError> {
        match (&self.settings.place.value, &self.settings.place.origin) {
            (Place::Store(address), _) => Ok(address.clone()),
            (Place::Server(_), Origin::Running) => Ok(Address::File(STORE_DEFAULT.into())),
            (Place::Server(url), _) => {
                let what = format!("this is done on the store itself, and {url} is a server");
                Err(CliError::new(ErrorCode::Invalid, what)
                    .with_help("run it where the store is, and name that with --store"))
            }
        }
    }

    /// The store itself, made if there is none.
    ///
    /// # Errors
    ///
    /// As [`Context::address`], and when it cannot be opened.
    pub(crate) async fn store_itself(&self) -> Result<SharedStore, CliError> {
        store::make(&self.address()?).await
    }

    /// The store as a file can name it that lies elsewhere.
    ///
    /// # Errors
    ///
    /// When it is a server, or the working folder cannot be told.
    pub(crate) fn store_said(&self) -> Result<PathBuf, CliError> {
        match self.address()? {
            Address::File(path) => std::path::absolute(&path).map_err(|error| {
                CliError::new(ErrorCode::Local, "there is no working folder").with_source(error)
            }),
            Address::Postgres(url) => Ok(url.into()),
            other => Ok(other.to_string().into()),
        }
    }

    /// All that was said before the command.
    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where configuration lies.
    pub(crate) const fn folders(&self) -> &Folders {
        &self.folders
    }

    /// Whether everything that would be asked is answered already.
    pub(crate) const fn yes(&self) -> bool {
        self.yes
    }

    /// Whether a person looks at stderr.
    pub(crate) const fn stderr_terminal(&self) -> bool {
        self.stderr_terminal
    }

    /// Whether what was printed before is to be wiped away: by a person it was read.
    pub(crate) const fn clears(&self) -> bool {
        self.stdout_terminal && self.form.is_for_people()
    }

    /// Says what a person may want to do next, where one looks at both.
    pub(crate) fn hint(&self, hint: &str) {
        if self.stderr_terminal && self.form.is_for_people() {
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
            time: self.settings.time.value,
            terminal: self.stdout_terminal,
            now: SystemClock.now(),
            width: None,
        };
        let mut text = Vec::new();
        output.print(&style, &mut text).map_err(CliError::output)?;
        let mut stdout = anstream::stdout().lock();
        stdout.write_all(&text).and_then(|()| stdout.flush()).map_err(CliError::output)?;
        if self.stdout_terminal && self.form.is_for_people() {
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
