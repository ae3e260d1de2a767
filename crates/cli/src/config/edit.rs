//! Changes the user's configuration file, and leaves everything else that stands in it as it is, comments too.

use std::fmt::Write as _;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{ConfigFile, ContextEntry, Whose};
use crate::error::{CliError, ErrorCode};

/// Makes the context `name` the one that holds unless another is named.
///
/// # Errors
///
/// When there is no such context, when the file says another place besides, or when it cannot be written.
pub(crate) fn use_context(path: &Path, name: &str) -> Result<(), CliError> {
    let text = read(path)?;
    let before = ConfigFile::parse(path, &text, Whose::User)?;
    if !before.contexts.contains_key(name) {
        return Err(CliError::new(ErrorCode::Configuration, format!("there is no context `{name}`"))
            .with_help("`windlass config contexts list` shows which there are"));
    }
    if before.store.is_some() || before.url.is_some() {
        let problem = format!(
            "{} names a store or a url at its top, which would hold beside the context",
            path.display()
        );
        return Err(CliError::new(ErrorCode::Configuration, problem)
            .with_help("make a context of it, or take the line out"));
    }
    let after = with_line(&text, &format!("context = {}", quoted(name)));
    let wanted = ConfigFile { context: Some(name.to_owned()), ..before };
    write(path, &after, &wanted)
}

/// Adds the context `name`.
///
/// # Errors
///
/// When its name cannot be one, when there is one of this name, or when the file cannot be written.
pub(crate) fn add_context(path: &Path, name: &str, entry: &ContextEntry) -> Result<(), CliError> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
        let problem = format!("`{name}` cannot be the name of a context");
        return Err(
            CliError::new(ErrorCode::Invalid, problem).with_help("letters, digits, - and _ make a name")
        );
    }
    let text = read(path)?;
    let mut wanted = ConfigFile::parse(path, &text, Whose::User)?;
    if wanted.contexts.insert(name.to_owned(), entry.clone()).is_some() {
        return Err(CliError::new(ErrorCode::Conflict, format!("there is a context `{name}` already"))
            .with_help(format!("change it in {}", path.display())));
    }
    let gap = if text.is_empty() || text.ends_with("\n\n") { "" } else { "\n" };
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    write(path, &format!("{text}{end}{gap}{}", section(name, entry)), &wanted)
}

fn section(name: &str, entry: &ContextEntry) -> String {
    let mut text = format!("[contexts.{name}]\n");
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
    for (key, value) in [
        ("url", entry.url.clone()),
        ("store", path(&entry.store)),
        ("token_command", entry.token_command.clone()),
        ("ca_certificate", path(&entry.ca_certificate)),
    ] {
        if let Some(value) = &value {
            let _ = writeln!(text, "{key} = {}", quoted(value));
        }
    }
    if entry.production {
        text += "production = true\n";
    }
    text
}

/// The text with this line for `context`: in place of the one there is, or as the first.
fn with_line(text: &str, line: &str) -> String {
    let is_context = |line: &&str| {
        line.trim_start().strip_prefix("context").is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let mut top = text.lines().take_while(|line| !line.trim_start().starts_with('['));
    match top.position(|line| is_context(&line)) {
        None => format!("{line}\n{}{text}", if text.starts_with('[') { "\n" } else { "" }),
        Some(at) => {
            let mut lines: Vec<&str> = text.lines().collect();
            lines[at] = line;
            lines.join("\n") + "\n"
        }
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn read(path: &Path) -> Result<String, CliError> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| CliError::unreadable(path, error)),
    }
}

/// Writes the file anew, if it then says what is wanted and nothing else.
fn write(path: &Path, text: &str, wanted: &ConfigFile) -> Result<(), CliError> {
    if ConfigFile::parse(path, text, Whose::User).ok().as_ref() != Some(wanted) {
        let problem =
            format!("{} is written in a way that is not understood well enough to change it", path.display());
        return Err(CliError::new(ErrorCode::Configuration, problem).with_help("change it by hand"));
    }
    let written = replace(path, text);
    written.map_err(|error| {
        CliError::new(ErrorCode::Local, format!("could not write {}", path.display())).with_source(error)
    })
}

/// At once: who reads meanwhile reads the old or the new.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // Where a link leads is written to, and the link stays.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    let done = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    done.and_then(|()| std::fs::rename(&beside, &path)).inspect_err(|_| {
        let _ = std::fs::remove_file(&beside);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("windlass/config.toml");
        if !text.is_empty() {
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        }
        (folder, path)
    }

    fn entry(url: &str) -> ContextEntry {
        ContextEntry { url: Some(url.to_owned()), production: true, ..ContextEntry::default() }
    }

    #[test]
    fn contexts_are_added_and_taken_into_use() {
        let (_folder, path) = at("");

        add_context(&path, "prod", &entry("https://jobs.example.com")).unwrap();
        add_context(&path, "test", &entry("https://test.example.com/\"x")).unwrap();
        use_context(&path, "prod").unwrap();
        use_context(&path, "test").unwrap();

        let file = ConfigFile::read(&path, Whose::User).unwrap().unwrap();
        assert_eq!(file.context.as_deref(), Some("test"));
        assert_eq!(file.contexts["prod"], entry("https://jobs.example.com"));
        assert_eq!(file.contexts.len(), 2);
    }

    #[test]
    fn what_else_stands_in_the_file_stays() {
        let text = "# mine\ncontext = 'a' # for now\ncolor = 'never'\n\n[contexts.a]\nurl = 'http://a' # here\n[contexts.b]\nurl = 'http://b'\n";
        let (_folder, path) = at(text);

        use_context(&path, "b").unwrap();

        let expected = text.replace("context = 'a' # for now", "context = \"b\"");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn what_would_not_hold_is_refused_and_nothing_is_written() {
        let text = "url = 'http://x'\n[contexts.a]\nurl = 'http://a'\n";
        let (_folder, path) = at(text);

        let refused = |answer: Result<(), CliError>| answer.unwrap_err().to_string();
        assert!(refused(use_context(&path, "a")).contains("names a store or a url at its top"));
        assert_eq!(refused(use_context(&path, "b")), "there is no context `b`");
        assert_eq!(refused(add_context(&path, "a", &entry("http://a"))), "there is a context `a` already");
        assert_eq!(
            refused(add_context(&path, "a b", &entry("http://a"))),
            "`a b` cannot be the name of a context"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
