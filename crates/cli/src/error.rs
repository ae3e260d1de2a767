//! What went wrong, where, why, and what to do next.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use windlass_core::{Invalid, JobId};
use windlass_store::{ErrorKind, StoreError};

use crate::exit_code::ExitCode;
use crate::output::shown;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $title:literal, $exit:ident, $manual:literal;)+) => {
        /// The stable code of an error, which `windlass help` explains. Numbers are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ErrorCode { $($name = $number),+ }

        impl ErrorCode {
            const ALL: &'static [Self] = &[$(Self::$name),+];

            const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            /// How the command ends that meets it.
            pub(crate) const fn exit_code(self) -> ExitCode {
                match self { $(Self::$name => ExitCode::$exit),+ }
            }

            const fn explanation(self) -> &'static str {
                match self { $(Self::$name => $manual),+ }
            }
        }
    };
}

codes! {
    Invalid = 1, "an option, an id or a job is not as it must be", Usage,
        "Nothing was done. The message names the field at fault and what is expected there.";
    JobFile = 2, "a job file has an error", Usage,
        "Nothing of the file was enqueued. The message names the file, the line and the field.";
    NoStore = 3, "there is no store", Unavailable,
        "The file named by --store or WINDLASS_STORE does not exist, or the database has no schema for jobs. `windlass \
         enqueue`, `run` and `work` make it; other commands do not, so that a misspelt path or the wrong database is not \
         mistaken for an empty store.";
    StoreUnavailable = 4, "the store cannot be used now", Unavailable,
        "A file cannot be opened or is busy: its folder is missing or read-only, or another program holds it. A server \
         cannot be reached, lets nobody in by this name and password, or has no such database. Nothing happened.";
    StoreFull = 5, "the store is full", Unavailable,
        "There is no room on the disk, or on that of the server. What is stored is safe; work goes on when there is room again.";
    StoreCorrupt = 6, "the store is damaged, or is no store", Failed,
        "The file is no SQLite database, is damaged, or belongs to another program; or what the schema holds is not what \
         was written. Nothing was changed. Check the path or the address; restore a backup, or move the file away.";
    StoreIncompatible = 7, "the store was made by a newer version", Failed,
        "Nothing was written. Use a version of windlass that is at least as new as the one that made it.";
    NotFound = 8, "there is no such job, queue or worker", NotFound,
        "The id or name is misspelt, the job was pruned or deleted, or it is in another store.";
    WrongState = 9, "its state does not allow it", Conflict,
        "A finished job cannot be cancelled, a waiting one cannot be retried, a running one cannot be deleted. \
         `windlass jobs show ID` says what state it is in.";
    Conflict = 10, "something else stands in the way", Conflict,
        "Someone changed the same thing at the same time, or another job holds the unique key. Try again.";
    Unknown = 11, "it is not known whether it happened", TimedOut,
        "The answer was lost. Asking again with the same id is safe.";
    Unreadable = 12, "a file cannot be read", Usage,
        "The file that was named on the command line does not exist or may not be read.";
    NoHandler = 13, "nothing here runs jobs of this kind", Usage,
        "`windlass run` runs the built-in kind `exec` by itself, and every other kind with the command given by --exec.";
    JobsFailed = 14, "a job that was waited for did not complete", JobFailed,
        "It is dead or cancelled. `windlass jobs show ID` says why, `windlass jobs retry ID` tries again.";
    TimedOut = 15, "it took too long", TimedOut,
        "What was waited for did not happen in the time given by --timeout. It may still happen.";
    Partial = 16, "it was done in part", Partial,
        "Some ids were dealt with and some were not; each of the latter is reported on stderr.";
    Unhealthy = 17, "a check failed", Failed,
        "`windlass doctor` found something that keeps jobs from being kept or run. Each failed check says what to do.";
    Local = 18, "this machine did not do its part", Failed,
        "A process could not be started, or output could not be written.";
    Interrupted = 19, "stopped by a signal", Interrupted,
        "Jobs that were running were given back, and are run again by the next worker.";
    StoreMoved = 20, "the jobs were moved to another store", Failed,
        "`windlass promote` moved the jobs of this file, or has begun to; the message says where. Name the new store with \
         --store or WINDLASS_STORE. The file is kept as it was; `windlass promote FILE --undo` makes it a queue again.";
    StoreOutdated = 21, "the store's schema is older than this program", Failed,
        "Commands that only look do not change the schema. `windlass migrate up` brings it up to date, as do `enqueue`, \
         `run` and `work`; `windlass migrate sql` prints the script.";
    InUse = 22, "jobs are still being run", Refused,
        "Jobs are moved while nobody runs them. Stop the workers, or let `windlass promote --wait` hold them back. A \
         worker that died without a word counts until its lease ends.";
    Occupied = 23, "the new store has other jobs", Conflict,
        "Jobs are moved into an empty store, or into one that has a part of them from the same move before. Nothing was \
         changed. Name another database or schema: postgres://host/database?schema=NAME.";
    Unverified = 24, "what was copied is not what was there", Failed,
        "The file was not given up: it can be made a queue again with `windlass promote FILE --undo`. Please report it.";
    NotUndone = 25, "undoing it has to be confirmed", Refused,
        "The jobs may have been run in the new store since. In the file they are as they were before the move, and would \
         be run again. --yes does it all the same.";
    Configuration = 26, "what is configured is not as it must be", Usage,
        "A configuration file has a key that means nothing, or a context is named that there is not. Nothing was done. \
         `windlass config path` says which files are read, `windlass config show --origin` what follows from them.";
    Unconfirmed = 27, "it has to be confirmed", Refused,
        "The context is marked as production, or many jobs are meant: nothing was done. Run it in a terminal and answer, or add \
         --yes; --dry-run shows what would be done.";
    Forbidden = 28, "the server does not allow it", NotAllowed,
        "The server knows no such token, or the token may not do this. WINDLASS_TOKEN or the token_command of the context says \
         which token is shown; `windlass tokens create` makes one, for whoever may.";
    Unreachable = 29, "the server cannot be reached", Unavailable,
        "Nothing answers at the address, or what answers is no server of windlass. Nothing happened. `windlass dev` starts one to \
         try out, `windlass serve` one to keep; --url, WINDLASS_URL or a context say where yours is.";
}

impl ErrorCode {
    /// The code as it is written, such as WL0003.
    fn label(self) -> String {
        format!("WL{:04}", self as u16)
    }

    /// The page about the code that is written `text`, if there is one.
    pub(crate) fn manual(text: &str) -> Option<String> {
        let code = Self::ALL.iter().find(|code| code.label().eq_ignore_ascii_case(text))?;
        let exit = code.exit_code().as_number();
        Some(format!("{}: {}\n\n{}\n\nExit code {exit}.\n", code.label(), code.title(), code.explanation()))
    }
}

/// What went wrong, where, why, and what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct CliError {
    pub(crate) code: ErrorCode,
    message: String,
    help: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl CliError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, source: None }
    }

    /// The same error, saying what to do next.
    #[must_use]
    pub(crate) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    #[must_use]
    pub(crate) fn with_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// A value on the command line that cannot be what it is.
    pub(crate) fn invalid(invalid: &Invalid) -> Self {
        Self::new(ErrorCode::Invalid, invalid.to_string())
    }

    /// A file that was named and cannot be read.
    pub(crate) fn unreadable(path: &Path, error: io::Error) -> Self {
        Self::new(ErrorCode::Unreadable, format!("could not read {}", path.display())).with_source(error)
    }

    /// Output that could not be written.
    pub(crate) fn output(error: io::Error) -> Self {
        Self::new(ErrorCode::Local, "could not write to stdout").with_source(error)
    }

    /// Whether it is only that the reader of the output went away.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        let cause = self.source.as_ref().and_then(|source| source.downcast_ref::<io::Error>());
        cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What the store answered about this job.
    pub(crate) fn about(id: JobId, error: StoreError) -> Self {
        let error = Self::from(error);
        let message = match error.code {
            ErrorCode::NotFound => format!("there is no job {id}"),
            _ => format!("job {id}: {}", error.message),
        };
        let help = match error.code {
            ErrorCode::NotFound => Some("`windlass jobs list` shows what there is in this store".to_owned()),
            ErrorCode::WrongState => Some(format!("`windlass jobs show {id}` says what state it is in")),
            _ => error.help,
        };
        Self { message, help, ..error }
    }

    /// Says it on stderr.
    pub(crate) fn print(&self) {
        let _ = write!(anstream::stderr(), "{}", self.render());
    }

    /// What happened and why, without the code and what to do.
    pub(crate) fn what(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        text
    }

    /// What to do next, if that is known.
    pub(crate) fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The error as it is shown, ending with a line break.
    pub(crate) fn render(&self) -> String {
        let label = self.code.label();
        let word = if self.code.exit_code() == ExitCode::Refused { "refused" } else { "error" };
        let mut text = format!("{ERROR}{word}[{label}]{ERROR:#}: {}\n", shown(&self.what()));
        for line in self.help.iter().flat_map(|help| help.lines()) {
            let _ = writeln!(text, "  {HELP}help{HELP:#}: {}", shown(line));
        }
        text
    }
}

const ERROR: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
const HELP: anstyle::Style = anstyle::AnsiColor::Cyan.on_default().bold();

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let code = match error.kind() {
            // Of a server only: no store asks for one.
            ErrorKind::Invalid(invalid) if invalid.field == "token" => ErrorCode::Forbidden,
            ErrorKind::Invalid(_) => ErrorCode::Invalid,
            ErrorKind::NotFound => ErrorCode::NotFound,
            ErrorKind::NotReady | ErrorKind::Finished | ErrorKind::Cancelled | ErrorKind::NotRunning => {
                ErrorCode::WrongState
            }
            ErrorKind::Duplicate(_) | ErrorKind::Conflict | ErrorKind::LeaseLost => ErrorCode::Conflict,
            ErrorKind::Unknown => ErrorCode::Unknown,
            ErrorKind::Full => ErrorCode::StoreFull,
            ErrorKind::Incompatible => ErrorCode::StoreIncompatible,
            ErrorKind::Corrupt => ErrorCode::StoreCorrupt,
            // A kind that is not known yet is one that this version has no better word for.
            _ => ErrorCode::StoreUnavailable,
        };
        let mut made = Self::new(code, error.to_string());
        made.help = match code {
            ErrorCode::StoreUnavailable => Some("try again; `windlass doctor` looks closer"),
            ErrorCode::StoreFull => Some("make room on the disk and try again; what is stored is safe"),
            ErrorCode::StoreCorrupt => {
                Some("check the path or the address, or restore a backup; `windlass help WL0006` says more")
            }
            ErrorCode::StoreIncompatible => Some("use a version of windlass as new as the one that made it"),
            ErrorCode::Conflict if matches!(error.kind(), ErrorKind::Duplicate(_)) => {
                Some("wait for that job to end, or cancel it; `windlass jobs show ID` says more of it")
            }
            ErrorCode::Conflict => Some("try again"),
            ErrorCode::Forbidden => Some("the token that is shown may not do this: `windlass help WL0028`"),
            ErrorCode::Unknown => Some("ask again with the same id; that is safe"),
            _ => None,
        }
        .map(str::to_owned);
        made.source = std::error::Error::source(&error).map(|source| chained(source).into());
        made
    }
}

/// An error with all that caused it, outermost first. Drivers say the least in the outermost.
fn chained(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_and_a_number_of_its_own() {
        let labels: std::collections::BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.label()).collect();

        assert_eq!(labels.len(), ErrorCode::ALL.len());
        assert!(labels.iter().all(|label| ErrorCode::manual(&label.to_lowercase()).is_some()));
        assert_eq!(ErrorCode::manual("WL9999"), None);
    }

    #[test]
    fn an_error_says_what_happened_why_and_what_to_do() {
        let error = CliError::new(ErrorCode::StoreFull, "could not enqueue jobs: the store is full")
            .with_source(std::io::Error::other("no space \u{1b}[31mleft"))
            .with_help("make room");

        let text = anstream::adapter::strip_str(&error.render()).to_string();

        assert_eq!(
            text,
            "error[WL0005]: could not enqueue jobs: the store is full: no space \\u{1b}[31mleft\n  help: make room\n"
        );
    }
}
