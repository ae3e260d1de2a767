//! Promises and tests match: what `docs/guarantees.md` promises under an id has a test with that id, what a test or a
//! comment claims under an id is promised there, and a sentence that loses its test turns the gate red.
//!
//! A promise is `G6` in prose; its tests begin with `g06_`.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::source::{functions, words};
use crate::repo::Repo;

const PATH: &str = "docs/guarantees.md";

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let Some(guarantees) = repo.text(PATH) else {
        return vec![Finding::about(PATH, "is missing")];
    };
    let mut mentions: Vec<(u32, usize)> =
        words(guarantees).filter_map(|(line, word)| Some((id_of(word)?, line))).collect();
    // Of those with the same id, the one that is collected last stays: so the first mention.
    mentions.reverse();
    let promised: BTreeMap<u32, usize> = mentions.into_iter().collect();
    let tested: BTreeMap<u32, &str> = repo
        .files_of("rs")
        .flat_map(|(path, text)| functions(text).map(move |name| (path, name)))
        .filter_map(|(path, name)| Some((id_of_test(name)?, path)))
        .collect();
    let promised_ids: BTreeSet<u32> = promised.keys().copied().collect();

    let untested = promised.iter().filter(|(id, _)| !tested.contains_key(id));
    let untested = untested.map(|(id, line)| {
        Finding::at(PATH, *line, format!("promises G{id}, and no test begins with g{id:02}_"))
    });
    let unpromised = tested.iter().filter(|(id, _)| !promised_ids.contains(id));
    let unpromised = unpromised
        .map(|(id, path)| Finding::about(path, format!("tests G{id}, which {PATH} does not promise")));
    untested.chain(unpromised).chain(claimed_elsewhere(repo, &promised_ids)).collect()
}

/// Ids in the comments of the code that stand for nothing.
fn claimed_elsewhere(repo: &Repo, promised: &BTreeSet<u32>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in repo.files_of("rs").filter(|(path, _)| path.starts_with("crates/")) {
        for (index, line) in text.lines().enumerate() {
            let Some((_, comment)) = line.split_once("//") else { continue };
            let unknown =
                words(comment).filter_map(|(_, word)| id_of(word)).filter(|id| !promised.contains(id));
            findings.extend(unknown.map(|id| {
                Finding::at(path, index + 1, format!("speaks of G{id}, which {PATH} does not promise"))
            }));
        }
    }
    findings
}

/// 6 for `G6`.
fn id_of(word: &str) -> Option<u32> {
    let digits = word.strip_prefix('G')?;
    (digits.len() <= 2).then(|| digits.parse().ok()).flatten()
}

/// 6 for `g06_a_stale_token_changes_nothing`.
fn id_of_test(name: &str) -> Option<u32> {
    let (id, sentence) = name.strip_prefix('g')?.split_once('_')?;
    (id.len() == 2 && !sentence.is_empty()).then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: (&str, &str) =
        ("crates/a/src/cases/lease.rs", "async fn g06_a_stale_token_changes_nothing() {}\n");

    fn problems(guarantees: &str, more: &[(&str, &str)]) -> Vec<String> {
        let files = [&[(PATH, guarantees), TEST], more].concat();
        check(&Repo::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_promise_and_its_test_match() {
        assert!(problems("**G6** At most one.\n", &[]).is_empty());
    }

    #[test]
    fn a_promise_without_a_test_is_found() {
        let problem = "docs/guarantees.md:2: promises G7, and no test begins with g07_";

        assert_eq!(problems("**G6** One.\n**G7** Two.\n", &[]), [problem]);
    }

    #[test]
    fn a_test_without_a_promise_is_found() {
        assert_eq!(problems("Nothing.\n", &[]).len(), 1);
    }

    #[test]
    fn a_comment_that_speaks_of_an_unknown_promise_is_found() {
        let code = ("crates/a/src/lib.rs", "/// Never twice (G9).\nstruct G10;\n");

        assert_eq!(
            problems("G6\n", &[code]),
            ["crates/a/src/lib.rs:1: speaks of G9, which docs/guarantees.md does not promise"]
        );
    }

    #[test]
    fn a_missing_document_is_found() {
        assert_eq!(check(&Repo::default()).len(), 1);
    }
}
