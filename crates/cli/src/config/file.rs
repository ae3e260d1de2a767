//! One configuration file: what it may say, and what is wrong with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use windlass_wire::nearest::suggestion;

use super::paths::beside;
use crate::args::{Color, TimeForm};
use crate::error::{CliError, ErrorCode};

/// What a file may say at its top.
const KEYS: &[&str] = &["store", "url", "context", "color", "time", "contexts"];

/// What it may say of one context.
const CONTEXT_KEYS: &[&str] = &["store", "url", "token_command", "ca_certificate", "production", "color"];

/// What one configuration file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    /// The store, if neither a server nor a context is named.
    pub(crate) store: Option<PathBuf>,
    /// The server, if neither a store nor a context is named.
    pub(crate) url: Option<String>,
    /// The context that holds unless another is named.
    pub(crate) context: Option<String>,
    pub(crate) color: Option<Color>,
    pub(crate) time: Option<TimeForm>,
    pub(crate) contexts: BTreeMap<String, ContextEntry>,
}

/// A place with a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ContextEntry {
    pub(crate) store: Option<PathBuf>,
    pub(crate) url: Option<String>,
    /// A shell command that prints the token for the server.
    pub(crate) token_command: Option<String>,
    /// The authorities that are believed about the server, in PEM.
    pub(crate) ca_certificate: Option<PathBuf>,
    /// Whether what changes or removes jobs there has to be confirmed.
    pub(crate) production: bool,
    pub(crate) color: Option<Color>,
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// This user's own.
    User,
    /// That of the folder the command was started in, which may be anybody's: it names no commands to be run, and no contexts.
    Project,
}

impl ConfigFile {
    /// Reads the file at `path`, if there is one.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or says something that means nothing: with its line, and what was probably meant.
    pub(crate) fn read(path: &Path, whose: Whose) -> Result<Option<Self>, CliError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text, whose).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CliError::unreadable(path, error)),
        }
    }

    /// Reads `text` as the content of the file at `path`.
    ///
    /// # Errors
    ///
    /// As [`ConfigFile::read`].
    pub(super) fn parse(path: &Path, text: &str, whose: Whose) -> Result<Self, CliError> {
        let reading = Reading { path, text };
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            reading.wrong(at, &format!("is not TOML: {}", error.message()))
        })?;
        let mut file = Self { path: path.to_owned(), ..Self::default() };
        for (name, value) in document.get_ref() {
            match &**name.get_ref() {
                "store" => file.store = Some(beside(path, reading.text(name, value)?)),
                "url" => file.url = Some(reading.text(name, value)?.to_owned()),
                "context" => file.context = Some(reading.text(name, value)?.to_owned()),
                "color" => file.color = Some(reading.word(name, value)?),
                "time" => file.time = Some(reading.word(name, value)?),
                "contexts" if whose == Whose::Project => {
                    let problem =
                        "contexts: are for your own configuration file: `windlass config path` says where";
                    return Err(reading.wrong(name.span().start, problem));
                }
                "contexts" => file.contexts = reading.contexts(name, value)?,
                _ => return Err(reading.unknown(name, "", KEYS)),
            }
        }
        Ok(file)
    }
}

/// A file that is being read.
struct Reading<'a> {
    path: &'a Path,
    text: &'a str,
}

type Name<'a> = Spanned<std::borrow::Cow<'a, str>>;

impl Reading<'_> {
    fn contexts(
        &self,
        name: &Name<'_>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<BTreeMap<String, ContextEntry>, CliError> {
        let DeValue::Table(tables) = value.get_ref() else {
            return Err(self.wrong(name.span().start, "contexts: are written as [contexts.NAME]"));
        };
        let entry = |(name, value): (&Name<'_>, &Spanned<DeValue<'_>>)| {
            Ok((name.get_ref().to_string(), self.context(name, value)?))
        };
        tables.iter().map(entry).collect()
    }

    fn context(&self, name: &Name<'_>, value: &Spanned<DeValue<'_>>) -> Result<ContextEntry, CliError> {
        let (at, place) = (name.span().start, format!("contexts.{}", name.get_ref()));
        let DeValue::Table(fields) = value.get_ref() else {
            return Err(self.wrong(at, &format!("{place}: is written as [{place}]")));
        };
        let mut entry = ContextEntry::default();
        for (name, value) in fields {
            match &**name.get_ref() {
                "store" => entry.store = Some(beside(self.path, self.text(name, value)?)),
                "url" => entry.url = Some(self.text(name, value)?.to_owned()),
                "token_command" => entry.token_command = Some(self.text(name, value)?.to_owned()),
                "ca_certificate" => {
                    entry.ca_certificate = Some(beside(self.path, self.text(name, value)?));
                }
                "production" => entry.production = self.truth(name, value)?,
                "color" => entry.color = Some(self.word(name, value)?),
                _ => return Err(self.unknown(name, &format!("{place}."), CONTEXT_KEYS)),
            }
        }
        match (&entry.store, &entry.url) {
            (Some(_), None) | (None, Some(_)) => Ok(entry),
            (None, None) => {
                Err(self.wrong(at, &format!("{place}: names no place: give it a url or a store")))
            }
            (Some(_), Some(_)) => {
                Err(self.wrong(at, &format!("{place}: names a url and a store: one is one place")))
            }
        }
    }

    fn text<'v>(&self, name: &Name<'_>, value: &'v Spanned<DeValue<'_>>) -> Result<&'v str, CliError> {
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => Ok(text),
            _ => {
                Err(self.wrong(value.span().start, &format!("{}: must be a text in quotes", name.get_ref())))
            }
        }
    }

    fn truth(&self, name: &Name<'_>, value: &Spanned<DeValue<'_>>) -> Result<bool, CliError> {
        match value.get_ref() {
            DeValue::Boolean(truth) => Ok(*truth),
            _ => Err(self.wrong(value.span().start, &format!("{}: must be true or false", name.get_ref()))),
        }
    }

    fn word<W: ValueEnum>(&self, name: &Name<'_>, value: &Spanned<DeValue<'_>>) -> Result<W, CliError> {
        let text = self.text(name, value)?;
        W::from_str(text, false).map_err(|_| {
            let words = W::value_variants().iter().filter_map(ValueEnum::to_possible_value);
            let words: Vec<String> = words.map(|word| word.get_name().to_owned()).collect();
            self.wrong(
                value.span().start,
                &format!("{}: must be one of {}", name.get_ref(), words.join(", ")),
            )
        })
    }

    fn unknown(&self, name: &Name<'_>, within: &str, known: &[&str]) -> CliError {
        let meant = suggestion(name.get_ref(), known.iter().copied());
        let meant = meant.unwrap_or_else(|| format!("the keys are {}", known.join(", ")));
        self.wrong(name.span().start, &format!("{within}{}: is not known here: {meant}", name.get_ref()))
    }

    fn wrong(&self, at: usize, problem: &str) -> CliError {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        let line = before.split(|byte| *byte == b'\n').count();
        CliError::new(ErrorCode::Configuration, format!("{}:{line}: {problem}", self.path.display()))
            .with_help("`windlass help environment` says what can be set, and where")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConfigFile, String> {
        ConfigFile::parse(Path::new("/etc/c.toml"), text, Whose::User).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_says_what_it_says() {
        let file = read(
            "context = 'prod'\ncolor = 'never'\ntime = 'iso'\n[contexts.prod]\nurl = 'https://jobs.example.com'\n\
             token_command = 'pass show jobs'\nproduction = true\n[contexts.here]\nstore = 'jobs.db'\n",
        );

        let file = file.unwrap();
        assert_eq!((file.context.as_deref(), file.color), (Some("prod"), Some(Color::Never)));
        assert_eq!(file.time, Some(TimeForm::Iso));
        let prod = &file.contexts["prod"];
        assert!(prod.production && prod.token_command.as_deref() == Some("pass show jobs"));
        assert_eq!(file.contexts["here"].store.as_deref(), Some(Path::new("/etc/jobs.db")));
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_line_and_what_was_meant() {
        for (text, said) in [
            ("\ncontex = 'x'", "/etc/c.toml:2: contex: is not known here: did you mean `context`?"),
            (
                "[contexts.a]\nurl = 'http://x'\ntoken = 'secret'\n",
                "/etc/c.toml:3: contexts.a.token: is not known here: did you mean `token_command`?",
            ),
            (
                "password = 'x'",
                "/etc/c.toml:1: password: is not known here: the keys are store, url, context, color, time, contexts",
            ),
            ("[contexts.a]\n", "/etc/c.toml:1: contexts.a: names no place: give it a url or a store"),
            ("color = 'red'", "/etc/c.toml:1: color: must be one of auto, always, never"),
            (
                "[contexts.a]\nurl = 'x'\nproduction = 'yes'",
                "/etc/c.toml:3: production: must be true or false",
            ),
            ("url = 7", "/etc/c.toml:1: url: must be a text in quotes"),
            ("url", "/etc/c.toml:1: is not TOML: key with no value, expected `=`"),
        ] {
            assert_eq!(read(text).unwrap_err(), said);
        }
    }

    #[test]
    fn a_project_runs_no_commands() {
        let text = "[contexts.a]\nurl = 'http://x'\ntoken_command = 'rm -rf ~'\n";

        let refused = ConfigFile::parse(Path::new("windlass.toml"), text, Whose::Project).unwrap_err();

        assert!(refused.to_string().contains("are for your own configuration file"), "{refused}");
    }
}
