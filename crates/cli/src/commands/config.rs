//! `windlass config`

use serde::Serialize;

use crate::args::{ConfigCommand, ContextAddArgs, ContextsCommand};
use crate::config::{ConfigFile, ContextEntry, Folders, Origin, Settings, Whose, edit};
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::output::{Cell, Column, Output, Row, fields};

const SHOWN: &[Column] = &[Column::whole("KEY"), Column::new("VALUE")];
const ORIGINS: &[Column] = &[Column::whole("KEY"), Column::new("VALUE"), Column::new("FROM")];
const FILES: &[Column] = &[Column::new("FILE"), Column::whole("PATH"), Column::new("THERE")];
const CONTEXTS: &[Column] =
    &[Column::whole("CONTEXT"), Column::new("PLACE"), Column::new("PRODUCTION"), Column::new("TAKEN")];

#[derive(Serialize)]
struct Said {
    key: &'static str,
    value: Option<String>,
    origin: String,
}

#[derive(Serialize)]
struct Found {
    file: &'static str,
    path: String,
    there: bool,
}

#[derive(Serialize)]
struct Named {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    production: bool,
    taken: bool,
}

/// The fields of the JSON that a command prints.
pub(crate) const fn json_fields(command: &ConfigCommand) -> &'static [&'static str] {
    match command {
        ConfigCommand::Show { .. } => &["key", "value", "origin"],
        ConfigCommand::Path => &["file", "path", "there"],
        ConfigCommand::Contexts { .. } => &["name", "url", "store", "production", "taken"],
    }
}

pub(crate) fn run(command: ConfigCommand, context: &Context) -> Result<Output, CliError> {
    match command {
        ConfigCommand::Show { origin } => Ok(show(context.settings(), origin)),
        ConfigCommand::Path => paths(context.folders()),
        ConfigCommand::Contexts { command } => match command.unwrap_or(ContextsCommand::List) {
            ContextsCommand::List => list(context),
            ContextsCommand::Use { name } => {
                edit::use_context(&context.folders().user_file_needed()?, &name)?;
                Ok(list_anew(context.folders(), &name)?.with_note(format!("`{name}` holds from now on")))
            }
            ContextsCommand::Add(args) => add(args, context),
        },
    }
}

/// Nothing of it is a secret: of a token it is said where it comes from.
fn show(settings: &Settings, origins: bool) -> Output {
    let (token, ca_certificate) = (settings.token.as_ref(), settings.ca_certificate.as_ref());
    let values = [
        of("context", settings.context.as_ref().map(|it| (it.value.clone(), &it.origin))),
        of("place", Some((settings.place.value.to_string(), &settings.place.origin))),
        of("token", token.map(|it| (it.value.shown(), &it.origin))),
        of("ca_certificate", ca_certificate.map(|it| (it.value.display().to_string(), &it.origin))),
        of("production", Some((settings.production.value.to_string(), &settings.production.origin))),
        of("color", Some((settings.color.value.as_str().to_owned(), &settings.color.origin))),
        of("time", Some((settings.time.value.as_str().to_owned(), &settings.time.origin))),
    ];
    let row = |value: Said| {
        let mut cells = vec![Cell::text(value.key), Cell::maybe(value.value.as_ref(), Cell::text)];
        if origins {
            cells.push(Cell::text(&value.origin));
        }
        Row { id: value.key.to_owned(), cells, fields: fields(&value) }
    };
    Output::list(if origins { ORIGINS } else { SHOWN }, values.into_iter().map(row).collect())
}

fn of(key: &'static str, said: Option<(String, &Origin)>) -> Said {
    let (value, origin) = said.unzip();
    Said { key, value, origin: origin.unwrap_or(&Origin::Default).to_string() }
}

fn paths(folders: &Folders) -> Result<Output, CliError> {
    let user = folders.user_file_needed()?;
    let rows = [("project", folders.project_file()), ("user", Some(user))].into_iter();
    let row = |(file, path): (&'static str, std::path::PathBuf)| {
        let found = Found { file, there: path.is_file(), path: path.display().to_string() };
        let there = if found.there { "yes" } else { "no" };
        let cells = vec![Cell::text(file), Cell::text(&found.path), Cell::text(there)];
        Row { id: found.path.clone(), cells, fields: fields(&found) }
    };
    let rows = rows.filter_map(|(file, path)| Some((file, path?))).map(row).collect();
    Ok(Output::list(FILES, rows))
}

fn list(context: &Context) -> Result<Output, CliError> {
    let taken = context.settings().context.as_ref().map_or("", |context| &context.value);
    list_anew(context.folders(), taken)
}

/// The contexts that the file has now.
fn list_anew(folders: &Folders, taken: &str) -> Result<Output, CliError> {
    let path = folders.user_file_needed()?;
    let file = ConfigFile::read(&path, Whose::User)?.unwrap_or_default();
    if file.contexts.is_empty() {
        let note = "no contexts yet: `windlass config contexts add NAME --url URL` makes one";
        return Ok(Output::list(CONTEXTS, Vec::new()).with_note(note));
    }
    let row = |(name, entry): (String, ContextEntry)| {
        let store = entry
            .store
            .map(|store| windlass::Address::new(&store).map_or(String::new(), |it| it.to_string()));
        let taken = name == taken;
        let found = Named { name, url: entry.url, store, production: entry.production, taken };
        let place = found.url.as_ref().or(found.store.as_ref());
        let yes = |truth| if truth { Cell::text("yes") } else { Cell::Empty };
        Row {
            id: found.name.clone(),
            cells: vec![
                Cell::text(&found.name),
                Cell::maybe(place, Cell::text),
                yes(found.production),
                yes(found.taken),
            ],
            fields: fields(&found),
        }
    };
    Ok(Output::list(CONTEXTS, file.contexts.into_iter().map(row).collect()))
}

fn add(args: ContextAddArgs, context: &Context) -> Result<Output, CliError> {
    let flags = context.settings();
    let (url, store) = match (&flags.place.origin, &flags.place.value) {
        (Origin::Flag(_), crate::config::Place::Server(url)) => (Some(url.clone()), None),
        (Origin::Flag("--store"), _) => (None, Some(context.store_said()?)),
        _ => {
            return Err(CliError::new(ErrorCode::Invalid, "a context is a place")
                .with_help("say which: --url https://jobs.example.com, or --store app.db"));
        }
    };
    if store.is_some() && args.token_command.is_some() {
        return Err(CliError::new(ErrorCode::Invalid, "--token-command: a store asks for no token"));
    }
    let ContextAddArgs { name, token_command, production } = args;
    let ca_certificate = flags.ca_certificate.as_ref().map(|it| std::path::absolute(&it.value)).transpose();
    let ca_certificate = ca_certificate
        .map_err(|error| CliError::new(ErrorCode::Local, "there is no working folder").with_source(error))?;
    let entry = ContextEntry { store, url, token_command, ca_certificate, production, color: None };
    edit::add_context(&context.folders().user_file_needed()?, &name, &entry)?;
    let note = format!("`windlass config contexts use {name}` lets it hold; --context {name} names it once");
    let taken = flags.context.as_ref().map_or("", |context| &context.value);
    Ok(list_anew(context.folders(), taken)?.with_note(note))
}
