//! `windlass help`

use clap::CommandFactory;
use windlass_wire::nearest::suggestion;

use crate::args::Cli;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::output::Output;

const EXIT_CODES: &str = "exit-codes";
const STORES: &str = "stores";

/// How a store is named, and which to take.
const STORES_PAGE: &str = "\
A store keeps the jobs. It is named by --store or by WINDLASS_STORE; ./windlass.db unless said.

  app.db, /var/lib/app.db      A file, for any number of processes of one machine. It is made when it is first used.
  postgres://user@host/app     A PostgreSQL database, for processes of any number of machines. `postgresql://` is the
                               same. The jobs are in its schema `windlass`, made when it is first used. Options
                               follow a `?`, with `&` between: schema=NAME for another schema, sslmode=verify-full,
                               connections=N, pooled=true behind a pooler that hands out transactions

A password is read from the address, so better keep that in WINDLASS_STORE than on the command line, where others see it.
It is printed nowhere.

`windlass migrate status` shows the version of a store's schema, `up` makes it or brings it up to date, and `sql` prints
the script for those who do not let programs change their databases. `windlass promote` moves a file's jobs to a database.
";

/// Explains a topic, the code of an error, or a command.
pub(crate) fn run(topic: &[String]) -> Result<Output, CliError> {
    if let [topic] = topic {
        if topic == EXIT_CODES {
            return Ok(Output::text(ExitCode::manual()));
        }
        if topic == STORES {
            return Ok(Output::text(STORES_PAGE));
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
    let topics = names.iter().map(String::as_str).filter(|name| *name != "guard").chain([STORES, EXIT_CODES]);
    let topics: Vec<&str> = topics.collect();
    let help = suggestion(word, topics.iter().copied())
        .unwrap_or_else(|| format!("there are {}", topics.join(", ")));
    CliError::new(ErrorCode::Invalid, format!("there is no help on `{word}`")).with_help(help)
}
