//! `windlass man`

mod markdown;

use std::path::Path;

use clap::{Command, CommandFactory};

use crate::args::{Cli, ManArgs};
use crate::error::{CliError, ErrorCode};
use crate::output::Output;

pub(crate) fn run(args: ManArgs) -> Result<Output, CliError> {
    let mut command = Cli::command();
    command.build();
    if args.markdown {
        return Ok(Output::text(markdown::page(&command)));
    }
    let Some(folder) = args.folder else {
        return page(&command).map(|page| Output::text(String::from_utf8_lossy(&page)));
    };
    std::fs::create_dir_all(&folder).map_err(|error| unwritten(&folder, error))?;
    let mut written = Vec::new();
    pages(&command, "windlass", &folder, &mut written)?;
    Ok(Output::text(written.join("\n") + "\n"))
}

/// A page for `command` and for each below it, named as they are called: `windlass-jobs-list.1`.
fn pages(command: &Command, name: &str, folder: &Path, written: &mut Vec<String>) -> Result<(), CliError> {
    let path = folder.join(format!("{name}.1"));
    std::fs::write(&path, page(command)?).map_err(|error| unwritten(&path, error))?;
    written.push(path.display().to_string());
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
    shown
        .map(|one| (one, format!("{name}-{}", one.get_name())))
        .try_for_each(|(one, name)| pages(one, &name, folder, written))
}

fn page(command: &Command) -> Result<Vec<u8>, CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(CliError::output)?;
    Ok(page)
}

fn unwritten(path: &Path, error: std::io::Error) -> CliError {
    CliError::new(ErrorCode::Local, format!("could not write {}", path.display())).with_source(error)
}
