//! Words that do not belong in the repository: paths of somebody's machine, hosts that packages come from, marks of
//! unfinished work without an issue.

use super::Finding;
use super::source::words;
use crate::repo::Repo;

/// Taken apart, so that this file does not hold what it looks for.
const FORBIDDEN: [(&str, &str); 8] = [
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("/fa", "rm/"), "a path of one machine"),
    (concat!("/Use", "rs/"), "a path of one machine"),
    (concat!("crates", ".io"), "a package host: name the package, cargo knows where it is"),
    (concat!("pypi", ".org"), "a package host"),
    (concat!("registry.", "npmjs"), "a package host"),
];

const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    // Cargo writes lock files, and names the host of every package in them.
    let written_by_us = repo.files().filter(|(path, _)| !path.ends_with("Cargo.lock"));
    written_by_us
        .flat_map(|(path, text)| forbidden(path, text).into_iter().chain(marks(path, text)))
        .collect()
}

fn forbidden(path: &str, text: &str) -> Vec<Finding> {
    let lines = text.lines().enumerate();
    let found = lines.flat_map(|(index, line)| {
        FORBIDDEN
            .iter()
            .filter(|(word, _)| line.contains(word))
            .map(move |(word, why)| (index + 1, word, why))
    });
    found.map(|(line, word, why)| Finding::at(path, line, format!("{word:?} is {why}"))).collect()
}

/// A mark is allowed where it names an issue, as in `(#12)` right behind it.
fn marks(path: &str, text: &str) -> Vec<Finding> {
    let marked = words(text).filter(|(_, word)| MARKS.contains(word));
    marked
        .filter(|(line, word)| {
            let line = text.lines().nth(line - 1).unwrap_or_default();
            !line.contains(&format!("{word}(#"))
        })
        .map(|(line, word)| {
            Finding::at(path, line, format!("{word} without an issue: write {word}(#12), or do it"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> usize {
        check(&Repo::of(&[("docs/guide.md", text)])).len()
    }

    #[test]
    fn paths_and_hosts_are_found() {
        for (word, _) in FORBIDDEN {
            assert_eq!(problems(&format!("see {word}x\n")), 1, "{word}");
        }
        assert_eq!(problems("the network, roots and homes\n"), 0);
    }

    #[test]
    fn unfinished_work_needs_an_issue() {
        for mark in MARKS {
            assert_eq!(problems(&format!("// {mark}: later\n")), 1, "{mark}");
            assert_eq!(problems(&format!("// {mark}(#12): later\n")), 0, "{mark}");
        }
    }

    #[test]
    fn lock_files_are_left_to_cargo() {
        let text = FORBIDDEN.map(|(word, _)| word).join("\n");

        assert!(check(&Repo::of(&[("Cargo.lock", &text), ("bench/peers/Cargo.lock", &text)])).is_empty());
    }
}
