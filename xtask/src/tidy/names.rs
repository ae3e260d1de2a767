//! Documents name only tests that exist.
//!
//! A name in backticks with two or more underscores in its last part is taken for a test's. Constants, which shout,
//! and paths are not.

use std::collections::HashSet;

use super::Finding;
use super::source::{code_spans, functions, is_word};
use crate::repo::Repo;

/// The documents that speak of tests.
const DOCUMENTS: [&str; 4] =
    ["docs/conformance.md", "docs/failure-modes.md", "docs/guarantees.md", "docs/state-machine.md"];

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let known: HashSet<&str> = repo.files_of("rs").flat_map(|(_, text)| functions(text)).collect();
    let documents = DOCUMENTS.iter().filter_map(|path| Some((*path, repo.text(path)?)));
    let named =
        documents.flat_map(|(path, text)| code_spans(text).map(move |(line, code)| (path, line, code)));
    named
        .filter_map(|(path, line, code)| Some((path, line, test_name(code)?)))
        .filter(|(_, _, name)| !known.contains(name))
        .map(|(path, line, name)| {
            Finding::at(path, line, format!("names `{name}`, and there is no such test"))
        })
        .collect()
}

/// The function a code span names, if it looks like the name of a test.
fn test_name(code: &str) -> Option<&str> {
    let name = code.rsplit("::").next()?;
    let is_path = code.bytes().all(|byte| is_word(byte) || byte == b':');
    let is_sentence = name.matches('_').count() >= 2 && !name.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_path && is_sentence).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(document: &str) -> usize {
        let code = "async fn claims_no_more_than_the_limit(bench: Bench) {}\n";
        check(&Repo::of(&[("docs/conformance.md", document), ("crates/a/src/cases/claim.rs", code)])).len()
    }

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        assert_eq!(problems("- 12: `claim::claims_no_more_than_the_limit`\n"), 0);
        assert_eq!(problems("- 12: `claim::claims_no_more_than_two`\n"), 1);
    }

    #[test]
    fn other_code_is_left_alone() {
        assert_eq!(problems("`run_at`, `CLAIM_BATCH_MAX`, `crates/a_b_c/d`, `dead(dependency_failed)`\n"), 0);
    }
}
