//! The house rules that a machine can hold, as ordinary tests.
//!
//! A check reads the [`Repo`] and returns what it found. Each is shown a bad sample by its own tests, since a check that
//! cannot fail is no check.

mod changelog;
mod deps;
mod diagram;
mod manifests;
mod names;
mod promises;
mod quick_start;
mod size;
mod source;
mod sql;
mod supply;
mod words;

use std::fmt;

use crate::repo::Repo;

/// One thing that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// From 1; zero when it is about the whole file.
    line: usize,
    problem: String,
}

impl Finding {
    fn at(path: &str, line: usize, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, problem: problem.into() }
    }

    fn about(path: &str, problem: impl Into<String>) -> Self {
        Self::at(path, 0, problem)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.problem),
            line => write!(f, "{}:{line}: {}", self.path, self.problem),
        }
    }
}

type Check = fn(&Repo) -> Vec<Finding>;

/// Every check, by the name of its test.
const CHECKS: &[(&str, Check)] = &[
    ("changelog", changelog::check),
    ("deps", deps::check),
    ("diagram", diagram::check),
    ("manifests", manifests::check),
    ("names", names::check),
    ("promises", promises::check),
    ("quick_start", quick_start::check),
    ("size", size::check),
    ("sql", sql::check),
    ("supply", supply::check),
    ("words", words::check),
];

/// `cargo xtask tidy`.
pub(crate) fn command(fix: bool) -> Result<(), String> {
    let mut repo = Repo::read()?;
    if fix {
        size::tighten(&repo)?;
        repo = Repo::read()?;
    }
    let findings: Vec<_> =
        CHECKS.iter().flat_map(|(name, check)| check(&repo).into_iter().map(move |it| (name, it))).collect();
    for (name, finding) in &findings {
        println!("{name:<12} {finding}");
    }
    if !findings.is_empty() {
        return Err(format!("{} things to tidy", findings.len()));
    }
    println!("nothing to tidy in {} checks", CHECKS.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tidy(name: &str) {
        let (_, check) = CHECKS.iter().find(|(known, _)| *known == name).expect("the check is on the list");
        let findings: Vec<String> = check(&Repo::read().unwrap()).iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    }

    macro_rules! tidy {
        ($($name:ident),+ $(,)?) => {
            $(#[test] fn $name() { tidy(stringify!($name)); })+

            #[test]
            fn every_check_is_a_test() {
                let listed: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
                assert_eq!(listed, [$(stringify!($name)),+]);
            }
        };
    }

    tidy![changelog, deps, diagram, manifests, names, promises, quick_start, size, sql, supply, words];
}
