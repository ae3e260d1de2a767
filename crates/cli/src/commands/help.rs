//! `windlass help`

mod pages;

use clap::CommandFactory;
use windlass_wire::nearest::suggestion;

use self::pages::{ENVIRONMENT, FILTER, FORMATTING, STORES};
use crate::args::Cli;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::output::Output;

/// The topics that are no commands, with their pages.
pub(crate) fn topics() -> [(&'static str, String); 5] {
    [
        ("stores", STORES.to_owned()),
        ("environment", ENVIRONMENT.to_owned()),
        ("filter", FILTER.to_owned()),
        ("formatting", FORMATTING.to_owned()),
        ("exit-codes", ExitCode::manual()),
    ]
}

/// Explains a topic, the code of an error, or a command.
pub(crate) fn run(topic: &[String]) -> Result<Output, CliError> {
    if let [topic] = topic {
        if let Some((_, page)) = topics().into_iter().find(|(name, _)| name == topic) {
            return Ok(Output::text(page));
        }
        if let Some(page) = ErrorCode::manual(topic) {
            return Ok(Output::text(page));
        }
    }
    let mut command = Cli::command().bin_name("windlass");
    command.build();
    for word in topic {
        let names: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
        command = command.find_subcommand(word).cloned().ok_or_else(|| unknown(word, &names))?;
    }
    Ok(Output::text(command.render_long_help().ansi().to_string()))
}

fn unknown(word: &str, names: &[String]) -> CliError {
    let pages = topics().map(|(name, _)| name);
    let topics = names.iter().map(String::as_str).filter(|name| *name != "guard").chain(pages);
    let topics: Vec<&str> = topics.collect();
    let help = suggestion(word, topics.iter().copied())
        .unwrap_or_else(|| format!("there are {}", topics.join(", ")));
    CliError::new(ErrorCode::Invalid, format!("there is no help on `{word}`")).with_help(help)
}
