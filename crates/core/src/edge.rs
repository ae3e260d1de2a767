//! Edges: which job waits for which, and what the end of one means for the other.
//!
//! A job that waits for others is `blocked` until each of them has come to an end that lets it go. Every store asks
//! [`EdgePolicy::bearing`] what a parent means for a child; what follows for whole graphs is worked out above this crate.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::EDGES_PER_JOB_MAX;
use crate::{Invalid, JobId, Stage};

/// Which ends of a parent let its child go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EdgePolicy {
    /// Success alone. Any other end closes the child as `cancelled(dependency_failed)`.
    #[default]
    OnSuccess = 1,
    /// Any end. The child sees how the parent ended, and decides for itself.
    OnFinish = 2,
}

/// What a parent means for a child that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearing {
    /// The child goes on waiting.
    Holds,
    /// As far as this parent is concerned, the child may run.
    Releases,
    /// The child will never run.
    Closes,
}

impl EdgePolicy {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::OnSuccess, Self::OnFinish];

    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnSuccess => "on_success",
            Self::OnFinish => "on_finish",
        }
    }

    /// The number stores keep.
    #[must_use]
    pub const fn as_number(self) -> u8 {
        self as u8
    }

    /// The policy that stores keep as `number`, if there is one.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| i64::from(policy.as_number()) == number)
    }

    /// What a parent at this stage means for a child whose edge says this.
    #[must_use]
    pub const fn bearing(self, parent: Stage) -> Bearing {
        match (self, parent) {
            (_, Stage::Completed) | (Self::OnFinish, Stage::Cancelled | Stage::Dead) => Bearing::Releases,
            (Self::OnSuccess, Stage::Cancelled | Stage::Dead) => Bearing::Closes,
            _ => Bearing::Holds,
        }
    }

    /// Of two that are asked of the same parent, the one that asks for more.
    #[must_use]
    const fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::OnFinish, Self::OnFinish) => Self::OnFinish,
            _ => Self::OnSuccess,
        }
    }
}

impl fmt::Display for EdgePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for EdgePolicy {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|policy| policy.as_str() == text);
        known.ok_or_else(|| Invalid::new("on", format!("{text:?} is neither on_success nor on_finish")))
    }
}

/// One job that another waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Edge {
    /// The job that is waited for.
    pub parent: JobId,
    /// Which of its ends let the child go.
    pub policy: EdgePolicy,
}

impl Edge {
    /// Waits for the success of `parent`.
    #[must_use]
    pub const fn on_success(parent: JobId) -> Self {
        Self { parent, policy: EdgePolicy::OnSuccess }
    }

    /// Waits for any end of `parent`.
    #[must_use]
    pub const fn on_finish(parent: JobId) -> Self {
        Self { parent, policy: EdgePolicy::OnFinish }
    }
}

/// Each parent once, where it was named first; of two policies, the stricter holds.
#[must_use]
pub fn distinct(after: &[Edge]) -> Vec<Edge> {
    let mut places: HashMap<JobId, usize> = HashMap::with_capacity(after.len());
    let mut edges: Vec<Edge> = Vec::with_capacity(after.len());
    for edge in after {
        let place = *places.entry(edge.parent).or_insert(edges.len());
        match edges.get_mut(place) {
            Some(first) => first.policy = first.policy.stricter(edge.policy),
            None => edges.push(*edge),
        }
    }
    edges
}

/// Refuses what no job can wait for: itself, and more jobs than are allowed.
pub(crate) fn validate(child: JobId, after: &[Edge]) -> Result<(), Invalid> {
    if after.len() > EDGES_PER_JOB_MAX {
        let count = after.len();
        return Err(Invalid::new(
            "after",
            format!("are {count} jobs; at most {EDGES_PER_JOB_MAX} are allowed"),
        ));
    }
    match after.iter().position(|edge| edge.parent == child) {
        Some(place) => {
            Err(Invalid::new(format!("after[{place}]"), "is the job itself: it would wait for ever"))
        }
        None => Ok(()),
    }
}

/// How a job stands with those it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footing {
    /// It waits for none of them any more.
    Free,
    /// It waits for so many of them.
    Blocked(u32),
    /// This one, the first in the order of its edges, came to an end that closes it.
    Failed(JobId),
}

/// How a job stands whose parents are at these stages, in the order of its edges. One that is there no more holds nobody up.
#[must_use]
pub fn footing(parents: impl IntoIterator<Item = (Edge, Option<Stage>)>) -> Footing {
    let (mut open, mut failed) = (0, None);
    for (edge, stage) in parents {
        match stage.map_or(Bearing::Releases, |stage| edge.policy.bearing(stage)) {
            Bearing::Holds => open += 1,
            Bearing::Releases => {}
            Bearing::Closes => failed = failed.or(Some(edge.parent)),
        }
    }
    match (failed, open) {
        (Some(parent), _) => Footing::Failed(parent),
        (None, 0) => Footing::Free,
        (None, open) => Footing::Blocked(open),
    }
}

/// How many of its parents a job waits for that is put back by hand: those that failed it count as open, since they may be
/// put back as well.
#[must_use]
pub fn open_parents(parents: impl IntoIterator<Item = (Edge, Option<Stage>)>) -> u32 {
    let holds = |(edge, stage): &(Edge, Option<Stage>)| {
        stage.is_some_and(|stage| edge.policy.bearing(stage) != Bearing::Releases)
    };
    u32::try_from(parents.into_iter().filter(holds).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> JobId {
        JobId::from_bytes([byte; 16])
    }

    #[test]
    fn success_releases_everyone_and_any_other_end_only_those_who_asked_for_it() {
        for policy in EdgePolicy::ALL {
            assert_eq!(policy.bearing(Stage::Completed), Bearing::Releases);
            for open in [Stage::Waiting, Stage::Blocked, Stage::InReview, Stage::Running] {
                assert_eq!(policy.bearing(open), Bearing::Holds);
            }
        }
        for failed in [Stage::Cancelled, Stage::Dead] {
            assert_eq!(EdgePolicy::OnSuccess.bearing(failed), Bearing::Closes);
            assert_eq!(EdgePolicy::OnFinish.bearing(failed), Bearing::Releases);
        }
    }

    #[test]
    fn a_parent_counts_once_and_the_stricter_policy_holds() {
        let asked = [
            Edge::on_finish(id(1)),
            Edge::on_success(id(2)),
            Edge::on_success(id(1)),
            Edge::on_finish(id(2)),
        ];

        assert_eq!(distinct(&asked), [Edge::on_success(id(1)), Edge::on_success(id(2))]);
    }

    #[test]
    fn the_first_parent_in_the_order_of_the_edges_is_to_blame() {
        let with = |stages: [Option<Stage>; 3]| {
            let edges = [Edge::on_success(id(1)), Edge::on_success(id(2)), Edge::on_finish(id(3))];
            footing(edges.into_iter().zip(stages))
        };

        assert_eq!(with([None, Some(Stage::Completed), Some(Stage::Dead)]), Footing::Free);
        assert_eq!(with([Some(Stage::Running), None, Some(Stage::Waiting)]), Footing::Blocked(2));
        assert_eq!(
            with([Some(Stage::Dead), Some(Stage::Dead), Some(Stage::Running)]),
            Footing::Failed(id(1))
        );
        assert_eq!(with([Some(Stage::Running), Some(Stage::Cancelled), None]), Footing::Failed(id(2)));
    }

    #[test]
    fn what_failed_a_job_counts_as_open_once_the_job_is_put_back() {
        let parents =
            [(Edge::on_success(id(1)), Some(Stage::Dead)), (Edge::on_finish(id(2)), Some(Stage::Dead))];

        assert_eq!(open_parents(parents), 1);
    }

    #[test]
    fn every_policy_reads_back() {
        for policy in EdgePolicy::ALL {
            assert_eq!(policy.as_str().parse(), Ok(policy));
            assert_eq!(EdgePolicy::from_number(policy.as_number().into()), Some(policy));
        }
        assert_eq!("always".parse::<EdgePolicy>().unwrap_err().field, "on");
    }
}
