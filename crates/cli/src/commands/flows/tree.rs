//! A graph as a tree: each job below the first of those it waits for, and beside it the others.

use std::collections::HashMap;

use windlass_core::JobId;
use windlass_store::{Flow, FlowJob};

/// One job of a flow, where it stands in the tree.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) job: &'a FlowJob,
    /// What leads to it.
    pub(super) branch: String,
    /// What else it waits for.
    pub(super) also_after: Vec<String>,
}

/// Every job of the flow, each below the first of its parents.
pub(super) fn rows(flow: &Flow) -> Vec<Line<'_>> {
    let mut parents: HashMap<JobId, Vec<JobId>> = HashMap::new();
    for edge in &flow.edges {
        parents.entry(edge.child).or_default().push(edge.parent);
    }
    let (mut tops, mut below): (Vec<&FlowJob>, HashMap<JobId, Vec<&FlowJob>>) = (Vec::new(), HashMap::new());
    for job in &flow.jobs {
        match parents.get(&job.id).and_then(|parents| parents.first()) {
            Some(parent) => below.entry(*parent).or_default().push(job),
            None => tops.push(job),
        }
    }
    let mut lines = Vec::with_capacity(flow.jobs.len());
    // Not by recursion: a flow may be ten thousand jobs deep.
    let mut open: Vec<(&FlowJob, (String, String))> =
        tops.into_iter().rev().map(|job| (job, Default::default())).collect();
    while let Some((job, (branch, under))) = open.pop() {
        let others = parents.get(&job.id).into_iter().flatten().skip(1);
        lines.push(Line { job, branch, also_after: others.map(ToString::to_string).collect() });
        let children = below.remove(&job.id).unwrap_or_default();
        let last = children.len();
        let placed = children
            .into_iter()
            .enumerate()
            .map(|(index, child)| (child, branches(&under, index + 1 == last)));
        open.extend(placed.collect::<Vec<_>>().into_iter().rev());
    }
    lines
}

/// What stands before a job below `under`, and before those below it.
pub(super) fn branches(under: &str, is_last: bool) -> (String, String) {
    let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
    (format!("{under}{branch}"), format!("{under}{below}"))
}

#[cfg(test)]
mod tests {
    use windlass_core::{EdgePolicy, JobState, KindName, QueueName};
    use windlass_store::FlowEdge;

    use super::*;

    fn id(byte: u8) -> JobId {
        JobId::from_bytes([byte; 16])
    }

    #[test]
    fn a_diamond_is_drawn_once() {
        let job = |byte| FlowJob {
            id: id(byte),
            kind: KindName::new("k").unwrap(),
            queue: QueueName::default(),
            state: JobState::Blocked,
            reason: None,
            tags: Vec::new(),
        };
        let edge = |(parent, child)| FlowEdge {
            parent: id(parent),
            child: id(child),
            policy: EdgePolicy::OnSuccess,
        };
        let edges = [(1, 2), (1, 3), (2, 4), (3, 4)].map(edge).to_vec();
        let flow = Flow { jobs: [1, 2, 3, 4].map(job).to_vec(), edges, cut: false };

        let lines = rows(&flow);

        let drawn: Vec<_> = lines.iter().map(|line| (line.branch.as_str(), line.job.id)).collect();
        assert_eq!(drawn, [("", id(1)), ("├─ ", id(2)), ("│  └─ ", id(4)), ("└─ ", id(3))]);
        assert_eq!(lines[2].also_after, [id(3).to_string()]);
    }
}
