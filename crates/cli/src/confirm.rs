//! Asks before something is done that cannot be undone, and never waits for an answer that cannot come.

use std::io::{IsTerminal, Write};

use crate::context::Context;
use crate::error::{CliError, ErrorCode};

/// Asks about `deed`, as in `delete 2 jobs`, which is meant as it was said: in production only.
///
/// # Errors
///
/// When it is not confirmed.
pub(crate) fn one(deed: &str, context: &Context) -> Result<(), CliError> {
    match production(context) {
        Some(name) if !context.yes() => named(deed, name),
        _ => Ok(()),
    }
}

/// Asks about `deed`, which may be about more than was thought of: a person always, a script in production.
///
/// # Errors
///
/// When it is not confirmed.
pub(crate) fn many(deed: &str, context: &Context) -> Result<(), CliError> {
    match production(context) {
        _ if context.yes() => Ok(()),
        Some(name) => named(deed, name),
        None if is_person() => {
            let answer = asked(&format!("{deed}? [y/N] "))?;
            if ["y", "yes"].contains(&answer.to_ascii_lowercase().as_str()) {
                Ok(())
            } else {
                Err(refused(deed, ""))
            }
        }
        None => Ok(()),
    }
}

fn production(context: &Context) -> Option<&str> {
    let settings = context.settings();
    let name = settings.context.as_ref().map(|context| context.value.as_str());
    name.filter(|_| settings.production.value)
}

/// Has the name of the context typed: a hand that says yes by itself does not do that.
fn named(deed: &str, context: &str) -> Result<(), CliError> {
    let place = format!(" in context `{context}` (production)");
    if !is_person() {
        return Err(refused(deed, &place));
    }
    let answer = asked(&format!("this would {deed}{place}\ntype {context} to go on: "))?;
    if answer == context { Ok(()) } else { Err(refused(deed, &place)) }
}

fn refused(deed: &str, place: &str) -> CliError {
    CliError::new(ErrorCode::Unconfirmed, format!("this would {deed}{place}; nothing was done"))
        .with_help("run it again with --yes")
}

/// Whether there is somebody to ask.
fn is_person() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn asked(question: &str) -> Result<String, CliError> {
    let failed = |error| CliError::new(ErrorCode::Local, "could not ask").with_source(error);
    let mut stderr = anstream::stderr();
    stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush()).map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim().to_owned())
}
