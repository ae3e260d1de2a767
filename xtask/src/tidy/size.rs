//! Files stay small enough to have one subject.
//!
//! A Rust file of more than [`LOOK_AGAIN`] lines is recorded in `xtask/ratchet.toml`, and may only shrink; one of more
//! than [`TOO_LONG`] is refused. Length is a symptom: split where a name appears, never by the metre.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Finding;
use crate::repo::{self, Repo};

const RATCHET: &str = "xtask/ratchet.toml";

/// Most lines, tests included, of a file nobody has to think about.
const LOOK_AGAIN: usize = 400;

/// Most lines of any file.
const TOO_LONG: usize = 800;

const HEADER: &str = "\
# Rust files of more than 400 lines. A file may leave this list or become shorter; it may never grow, and no file is added
# without a reason why its parts have no names of their own. `cargo xtask tidy --fix` lowers the numbers.
";

type Lengths = BTreeMap<String, usize>;

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let recorded = match recorded(repo) {
        Ok(recorded) => recorded,
        Err(problem) => return vec![Finding::about(RATCHET, problem)],
    };
    let long = long_files(repo);
    let mut findings: Vec<Finding> =
        long.iter().filter_map(|(path, lines)| judge(path, *lines, &recorded)).collect();
    let gone = recorded.keys().filter(|path| !long.contains_key(*path));
    findings.extend(
        gone.map(|path| Finding::about(RATCHET, format!("{path} is short now: cargo xtask tidy --fix"))),
    );
    findings
}

fn judge(path: &str, lines: usize, recorded: &Lengths) -> Option<Finding> {
    let problem = match recorded.get(path) {
        _ if lines > TOO_LONG => format!("has {lines} lines; no file has more than {TOO_LONG}"),
        None => format!(
            "has {lines} lines: split it where a name appears, or record it in {RATCHET} with a reason"
        ),
        Some(most) if lines > *most => {
            format!("grew from {most} to {lines} lines; a recorded file only shrinks")
        }
        Some(most) if lines < *most => format!("shrank from {most} to {lines} lines: cargo xtask tidy --fix"),
        Some(_) => return None,
    };
    Some(Finding::about(path, problem))
}

/// Lowers what is recorded to what is there. Never raises it, and never adds a file.
pub(super) fn tighten(repo: &Repo) -> Result<(), String> {
    let text = tightened(&recorded(repo)?, &long_files(repo));
    std::fs::write(repo::root().join(RATCHET), text)
        .map_err(|error| format!("could not write {RATCHET}: {error}"))
}

fn tightened(recorded: &Lengths, long: &Lengths) -> String {
    let mut text = HEADER.to_owned();
    for (path, most) in recorded {
        if let Some(lines) = long.get(path) {
            let _ = write!(text, "\n\"{path}\" = {}", lines.min(most));
        }
    }
    text + "\n"
}

fn recorded(repo: &Repo) -> Result<Lengths, String> {
    let text = repo.text(RATCHET).ok_or("is missing")?;
    toml::from_str(text).map_err(|error| format!("is not a list of files and lines: {error}"))
}

fn long_files(repo: &Repo) -> Lengths {
    let lengths = repo.files_of("rs").map(|(path, text)| (path.to_owned(), text.lines().count()));
    lengths.filter(|(_, lines)| *lines > LOOK_AGAIN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(lines: usize, ratchet: &str) -> Vec<String> {
        let text = "//\n".repeat(lines);
        let repo = Repo::of(&[("crates/a/src/lib.rs", &text), (RATCHET, ratchet)]);
        check(&repo).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_long_file_is_found_unless_it_is_recorded() {
        assert!(problems(400, "").is_empty());
        assert_eq!(problems(401, "").len(), 1);
        assert!(problems(401, "\"crates/a/src/lib.rs\" = 401").is_empty());
    }

    #[test]
    fn a_recorded_file_neither_grows_nor_keeps_room_to_grow() {
        assert!(problems(451, "\"crates/a/src/lib.rs\" = 450")[0].contains("grew from 450 to 451"));
        assert!(problems(449, "\"crates/a/src/lib.rs\" = 450")[0].contains("shrank from 450 to 449"));
        assert!(problems(300, "\"crates/a/src/lib.rs\" = 450")[0].contains("is short now"));
    }

    #[test]
    fn no_record_allows_a_file_of_more_than_the_bound() {
        assert!(problems(801, "\"crates/a/src/lib.rs\" = 900")[0].contains("no file has more than 800"));
    }

    #[test]
    fn tightening_only_lowers() {
        let lengths = |a, b| Lengths::from([("a".to_owned(), a), ("b".to_owned(), b)]);

        let text = tightened(&lengths(500, 500), &lengths(450, 600));

        assert_eq!(text.strip_prefix(HEADER), Some("\n\"a\" = 450\n\"b\" = 500\n"));
    }

    #[test]
    fn a_missing_or_broken_record_is_found() {
        assert_eq!(check(&Repo::default()).len(), 1);
        assert_eq!(problems(1, "\"a\" = \"many\"").len(), 1);
    }
}
