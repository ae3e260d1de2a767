//! The README starts with two commands: one that shows the product at work, and the gate; and CI runs just that gate. Its
//! program is the library's own first example, which is compiled and run as a doctest.

use super::Finding;
use crate::repo::{Repo, quick_start_commands};

const README: &str = "README.md";
const LIBRARY: &str = "crates/windlass/README.md";
const CI: &str = ".ci/run";

/// Longest program that still counts as a quick start, in lines.
const PROGRAM_LINES_MAX: usize = 30;
const GATE: &str = "cargo xtask ci";

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    let commands = quick_start_commands(repo.text(README).unwrap_or_default());
    if commands.len() != 2 || commands[1] != GATE {
        let problem =
            format!("its first `sh` block must be two commands, the second `{GATE}`; it is {commands:?}");
        findings.push(Finding::about(README, problem));
    }
    let program = program(repo.text(README).unwrap_or_default());
    if program.is_empty() || program != self::program(repo.text(LIBRARY).unwrap_or_default()) {
        findings
            .push(Finding::about(README, format!("must show the first program of {LIBRARY}, word for word")));
    }
    if program.len() > PROGRAM_LINES_MAX {
        let problem =
            format!("its program has {} lines; at most {PROGRAM_LINES_MAX} are a quick start", program.len());
        findings.push(Finding::about(README, problem));
    }
    let runs_gate = |line: &str| line.trim_start_matches("exec ") == GATE;
    if !repo.text(CI).is_some_and(|script| script.lines().last().is_some_and(runs_gate)) {
        findings.push(Finding::about(CI, format!("must end with `exec {GATE}`")));
    }
    findings
}

/// The lines of the first `rust` block.
fn program(readme: &str) -> Vec<&str> {
    readme.lines().skip_while(|line| *line != "```rust").skip(1).take_while(|line| *line != "```").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "```rust\nfn main() {}\n```\n";

    fn problems(readme: &str, ci: &str) -> usize {
        let readme = [readme, PROGRAM].concat();
        check(&Repo::of(&[(README, &readme), (LIBRARY, PROGRAM), (CI, ci)])).len()
    }

    #[test]
    fn two_commands_and_the_same_gate() {
        let readme = "```sh\ncargo run --example archive\ncargo xtask ci\n```\n";
        let ci = "#!/usr/bin/env bash\nexec cargo xtask ci\n";

        assert_eq!(problems(readme, ci), 0);
        assert_eq!(problems("```sh\ncargo xtask ci\n```\n", ci), 1);
        assert_eq!(problems(readme, "cargo test\n"), 1);
        assert_eq!(check(&Repo::default()).len(), 3);
    }

    #[test]
    fn the_program_is_the_one_that_is_tested() {
        let readme = "```sh\ncargo run --example archive\ncargo xtask ci\n```\n";
        let check = |shown: &str, tested: &str| {
            let readme = [readme, shown].concat();
            check(&Repo::of(&[(README, &readme), (LIBRARY, tested), (CI, GATE)])).len()
        };
        let long = format!("```rust\n{}```\n", "//\n".repeat(31));

        assert_eq!(check(PROGRAM, PROGRAM), 0);
        assert_eq!(check(PROGRAM, "```rust\nfn main() { loop {} }\n```\n"), 1);
        assert_eq!(check(&long, &long), 1);
    }
}
