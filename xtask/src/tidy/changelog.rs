//! The changelog has a section for what is not released yet, and something in it.

use super::Finding;
use crate::repo::Repo;

const PATH: &str = "CHANGELOG.md";

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let Some(text) = repo.text(PATH) else {
        return vec![Finding::about(PATH, "is missing")];
    };
    let mut section = text.lines().skip_while(|line| *line != "## Unreleased").skip(1);
    let entries =
        section.by_ref().take_while(|line| !line.starts_with("## ")).any(|line| line.starts_with("- "));
    if entries { Vec::new() } else { vec![Finding::about(PATH, "has no entry under `## Unreleased`")] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> usize {
        check(&Repo::of(&[(PATH, text)])).len()
    }

    #[test]
    fn an_entry_belongs_under_unreleased() {
        assert_eq!(problems("# Changelog\n\n## Unreleased\n\n- Jobs survive.\n"), 0);
        assert_eq!(problems("# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n- Jobs survive.\n"), 1);
        assert_eq!(problems("# Changelog\n"), 1);
        assert_eq!(check(&Repo::default()).len(), 1);
    }
}
