//! `windlass open`

use std::process::{Command, Stdio};

use serde::Serialize;
use windlass_core::JobId;
use windlass_wire::nearest::suggestion;

use crate::args::OpenArgs;
use crate::config::{self, Place, SERVER_DEFAULT, running};
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::output::{Cell, Column, Output, Row, fields};

pub(crate) const FIELDS: &[&str] = &["url"];

const COLUMNS: &[Column] = &[Column::whole("URL")];

/// Pages of a server that are not about one thing.
const PAGES: &[&str] = &["jobs", "errors", "queues", "reviews", "schedules", "workers"];

#[derive(Serialize)]
struct Page {
    url: String,
}

pub(crate) fn run(args: &OpenArgs, context: &Context) -> Result<Output, CliError> {
    let path = path(&args.what)?;
    let url = format!("{}{path}", server(context)?);
    let opened = !args.print && has_display() && open(&url);
    let cells = vec![Cell::text(&url)];
    let row = Row { id: url.clone(), cells, fields: fields(&Page { url }) };
    let output = Output::list(COLUMNS, vec![row]);
    Ok(if opened { output.with_note("opened in the browser") } else { output })
}

/// The page that is meant.
fn path(what: &[String]) -> Result<String, CliError> {
    let what: Vec<&str> = what.iter().map(String::as_str).collect();
    match what.as_slice() {
        [] => Ok("/".to_owned()),
        [page] if PAGES.contains(page) => Ok(format!("/{page}")),
        [id] if id.parse::<JobId>().is_ok() => Ok(format!("/jobs/{id}")),
        ["job", id] => {
            id.parse::<JobId>().map(|id| format!("/jobs/{id}")).map_err(|invalid| CliError::invalid(&invalid))
        }
        [noun @ ("queue" | "schedule" | "error" | "worker"), name] => {
            Ok(format!("/{noun}s/{}", encoded(name)))
        }
        [word, ..] => {
            let pages = || PAGES.iter().copied().chain(["queue"]);
            let help = suggestion(word, pages()).unwrap_or_else(|| {
                format!("name a job by its id, `queue NAME`, or one of {}", PAGES.join(", "))
            });
            Err(CliError::new(ErrorCode::Invalid, format!("there is no page `{}`", what.join(" ")))
                .with_help(help))
        }
    }
}

/// A name as one part of a path.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let part = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.bytes().map(part).collect()
}

/// The server that shows the jobs: the one that was named, or the one here that has them.
fn server(context: &Context) -> Result<String, CliError> {
    if let Place::Server(url) = context.place() {
        return Ok(url.clone());
    }
    let store = context.place();
    let servers = context.folders().servers().map(|folder| running(&folder)).unwrap_or_default();
    let name = store.anywhere();
    let of_store = servers.iter().find(|server| server.store == name);
    of_store.map(|server| server.url.clone()).ok_or_else(|| {
        CliError::new(ErrorCode::Unreachable, format!("no server runs here that shows the jobs of {store}"))
            .with_help(format!(
                "`windlass serve` starts one at {SERVER_DEFAULT}; --url names one that runs elsewhere"
            ))
    })
}

/// Whether there is a screen to show a page on.
fn has_display() -> bool {
    cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| config::variable(name).is_some())
}

fn open(url: &str) -> bool {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    let quiet = command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(what: &[&str]) -> Result<String, String> {
        path(&what.iter().map(ToString::to_string).collect::<Vec<_>>()).map_err(|error| error.to_string())
    }

    #[test]
    fn pages_are_named_as_their_things_are() {
        let id = "0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11";

        assert_eq!(told(&[]), Ok("/".to_owned()));
        assert_eq!(told(&[id]), Ok(format!("/jobs/{id}")));
        assert_eq!(told(&["errors"]), Ok("/errors".to_owned()));
        assert_eq!(told(&["queue", "a/b ?"]), Ok("/queues/a%2Fb%20%3F".to_owned()));
        assert_eq!(told(&["moon"]), Err("there is no page `moon`".to_owned()));
    }
}
