//! The drawing of the state machine shows the moves that the model allows, all of them and no others.

use std::collections::BTreeSet;

use windlass_core::Stage;

use super::Finding;
use crate::repo::Repo;

const PATH: &str = "docs/state-machine.md";

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let Some(text) = repo.text(PATH) else {
        return vec![Finding::about(PATH, "is missing")];
    };
    let drawn: BTreeSet<(Stage, Stage)> = text.lines().filter_map(arrow).collect();
    let legal: BTreeSet<(Stage, Stage)> = pairs().filter(|(from, to)| from.may_become(*to)).collect();
    let missing = legal
        .difference(&drawn)
        .map(|(from, to)| format!("does not draw {from} --> {to}, which the model allows"));
    let wrong =
        drawn.difference(&legal).map(|(from, to)| format!("draws {from} --> {to}, which the model refuses"));
    missing.chain(wrong).map(|problem| Finding::about(PATH, problem)).collect()
}

fn pairs() -> impl Iterator<Item = (Stage, Stage)> {
    Stage::ALL.iter().flat_map(|from| Stage::ALL.iter().map(move |to| (*from, *to)))
}

/// The move that a line of the drawing shows: `waiting --> running: claimed`.
fn arrow(line: &str) -> Option<(Stage, Stage)> {
    let (from, to) = line.split_once("-->")?;
    let to = to.split(':').next()?;
    Some((from.trim().parse().ok()?, to.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(leave_out: &str, add: &str) -> Vec<String> {
        let legal = pairs()
            .filter(|(from, to)| from.may_become(*to))
            .map(|(from, to)| format!("    {from} --> {to}: because\n"));
        let text: String = legal.filter(|line| line.trim() != leave_out).chain([add.to_owned()]).collect();
        check(&Repo::of(&[(PATH, &text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_drawing_and_the_model_agree() {
        assert!(problems("", "    [*] --> waiting: enqueued\n").is_empty());
    }

    #[test]
    fn a_move_too_few_or_too_many_is_found() {
        assert!(
            problems("waiting --> running: because", "")[0].contains("does not draw waiting --> running")
        );
        assert!(problems("", "    completed --> waiting\n")[0].contains("draws completed --> waiting"));
        assert_eq!(check(&Repo::default()).len(), 1);
    }
}
