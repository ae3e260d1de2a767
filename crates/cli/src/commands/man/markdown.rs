//! The reference, `docs/cli.md`, made of what the command line itself is made of.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::commands::help;

const HEAD: &str = "# The command line

Every command with all it takes, and the topics of `windlass help`. Made by `windlass man --markdown`, and a test holds it
against the program; change the program, and make it again.

";

/// The whole page.
pub(super) fn page(command: &Command) -> String {
    let mut text = HEAD.to_owned();
    section(command, "windlass", &mut text);
    text += "## Topics\n";
    for (name, topic) in help::topics() {
        let _ = write!(text, "\n### `windlass help {name}`\n\n```text\n{}\n```\n", topic.trim_end());
    }
    text
}

fn section(command: &Command, name: &str, text: &mut String) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let _ = write!(text, "## `{name}`\n\n{about}.\n\n```text\n{usage}\n```\n\n");
    let is_root = name == "windlass";
    let own = |arg: &&Arg| !arg.is_hide_set() && (is_root || !arg.is_global_set()) && !is_builtin(arg);
    let args: Vec<&Arg> = command.get_arguments().filter(own).collect();
    for arg in &args {
        line(arg, text);
    }
    if !args.is_empty() {
        text.push('\n');
    }
    if let Some(after) = command.get_after_help().filter(|_| !is_root) {
        let _ = write!(text, "```text\n{}\n```\n\n", after.to_string().trim());
    }
    for one in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        section(one, &format!("{name} {}", one.get_name()), text);
    }
}

/// What every command has.
fn is_builtin(arg: &Arg) -> bool {
    ["help", "version"].contains(&arg.get_id().as_str())
}

fn line(arg: &Arg, text: &mut String) {
    let names = arg.get_value_names().unwrap_or_default();
    let value = names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ");
    let takes = arg.get_action().takes_values();
    let name = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
        (Some(short), None) => format!("-{short}"),
        (None, None) => String::new(),
    };
    let name = if takes { format!("{name} {value}") } else { name };
    let name = name.trim();
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    let also = aliases.iter().fold(String::new(), |text, alias| format!("{text} (also `--{alias}`)"));
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ").replace('<', "\\<");
    // What clap prints ends without a period.
    let _ = write!(text, "- `{name}`{also}: {help}.");
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if takes && !defaults.is_empty() && !arg.is_hide_default_value_set() {
        let _ = write!(text, " Default: `{}`.", defaults.join(" "));
    }
    let words = arg.get_possible_values();
    let words: Vec<String> = words
        .iter()
        .filter(|word| !word.is_hide_set())
        .map(|word| format!("`{}`", word.get_name()))
        .collect();
    if takes && !words.is_empty() {
        let _ = write!(text, " One of {}.", words.join(", "));
    }
    if let Some(variable) = arg.get_env() {
        let _ = write!(text, " Environment: `{}`.", variable.to_string_lossy());
    }
    text.push('\n');
}
