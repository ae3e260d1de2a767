//! `windlass help`

use clap::CommandFactory;
use windlass_wire::nearest::suggestion;

use crate::args::Cli;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::output::Output;

const EXIT_CODES: &str = "exit-codes";

/// Explains a topic, the code of an error, or a command.
pub(crate) fn run(topic: &[String]) -> Result<Output, CliError> {
    if let [topic] = topic {
        if topic == EXIT_CODES {
            return Ok(Output::text(ExitCode::manual()));
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
    let topics = names.iter().map(String::as_str).filter(|name| *name != "guard").chain([EXIT_CODES]);
    let topics: Vec<&str> = topics.collect();
    let help = suggestion(word, topics.iter().copied())
        .unwrap_or_else(|| format!("there are {}", topics.join(", ")));
    CliError::new(ErrorCode::Invalid, format!("there is no help on `{word}`")).with_help(help)
}
