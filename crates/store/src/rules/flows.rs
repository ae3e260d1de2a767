//! What every store decides alike about jobs that wait for one another: which batches make sense, and what follows for whole
//! graphs when jobs end. A store only gathers the edges and writes the answer.

use std::collections::{HashMap, HashSet, VecDeque};

use windlass_core::edge::{Bearing, Footing, footing};
use windlass_core::limits::{EDGES_BATCH_MAX, FLOW_JOBS_MAX};
use windlass_core::{Edge, EdgePolicy, Invalid, JobId, NewJob, Stage};

use crate::{ErrorKind, StoreError};

/// Refuses a batch whose edges are too many, or lead round in a circle; the circle is named.
pub(crate) fn check_edges(jobs: &[NewJob]) -> Result<(), Invalid> {
    let edges: usize = jobs.iter().map(|job| job.after.len()).sum();
    if edges == 0 {
        return Ok(());
    }
    if edges > EDGES_BATCH_MAX {
        let problem = format!(
            "wait for {edges} jobs between them; at most {EDGES_BATCH_MAX} edges are allowed at once"
        );
        return Err(Invalid::new("jobs", problem));
    }
    match circle(jobs) {
        Some(circle) => Err(refusal(jobs, &circle)),
        None => Ok(()),
    }
}

/// Places of jobs of which each waits for the next, and the last for the first.
fn circle(jobs: &[NewJob]) -> Option<Vec<usize>> {
    let places: HashMap<JobId, usize> = jobs.iter().enumerate().map(|(place, job)| (job.id, place)).collect();
    let mut walk = Walk { jobs, places: &places, seen: vec![Seen::Never; jobs.len()], path: Vec::new() };
    (0..jobs.len()).find_map(|start| walk.from(start))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Never,
    OnPath,
    Done,
}

/// A walk along the edges, depth first and without recursion: a flow may be ten thousand jobs deep.
struct Walk<'a> {
    jobs: &'a [NewJob],
    places: &'a HashMap<JobId, usize>,
    seen: Vec<Seen>,
    /// Where it is: places, each with the number of edges that were followed from there.
    path: Vec<(usize, usize)>,
}

impl Walk<'_> {
    fn from(&mut self, start: usize) -> Option<Vec<usize>> {
        if self.seen[start] == Seen::Never {
            self.enter(start);
        }
        while let Some((place, followed)) = self.path.last_mut() {
            let (place, edge) = (*place, *followed);
            *followed += 1;
            let Some(edge) = self.jobs[place].after.get(edge) else {
                self.seen[place] = Seen::Done;
                self.path.pop();
                continue;
            };
            match self.places.get(&edge.parent).map(|next| (*next, self.seen[*next])) {
                Some((next, Seen::Never)) => self.enter(next),
                Some((next, Seen::OnPath)) => return Some(self.circle_at(next)),
                _ => {}
            }
        }
        None
    }

    fn enter(&mut self, place: usize) {
        self.seen[place] = Seen::OnPath;
        self.path.push((place, 0));
    }

    /// The end of the path from `place` on, beginning with its smallest place: the same circle is always named alike.
    fn circle_at(&self, place: usize) -> Vec<usize> {
        let circle = self.path.iter().map(|(place, _)| *place).skip_while(|on_path| *on_path != place);
        let mut circle: Vec<usize> = circle.collect();
        let first = circle.iter().enumerate().min_by_key(|(_, place)| **place).map_or(0, |(index, _)| index);
        circle.rotate_left(first);
        circle
    }
}

fn refusal(jobs: &[NewJob], circle: &[usize]) -> Invalid {
    const SHOWN: usize = 20;
    let first = circle[0];
    let next = jobs[circle.get(1).copied().unwrap_or(first)].id;
    let edge = jobs[first].after.iter().position(|edge| edge.parent == next).unwrap_or_default();
    let mut names: Vec<String> = circle.iter().take(SHOWN).map(|place| format!("jobs[{place}]")).collect();
    if circle.len() > SHOWN {
        names.push("…".to_owned());
    }
    names.push(format!("jobs[{first}]"));
    let problem = format!("closes a circle, in which each waits for the next: {}", names.join(" → "));
    Invalid::new(format!("jobs[{first}].after[{edge}]"), problem)
}

/// The parents that are to be looked up before new jobs are written: those that are not made with them. `is_new` says which of
/// the batch were not there before.
pub fn parents_outside<'a>(jobs: &'a [NewJob], is_new: impl Fn(JobId) -> bool + 'a) -> HashSet<JobId> {
    let made: HashSet<JobId> = jobs.iter().map(|job| job.id).filter(|id| is_new(*id)).collect();
    let waiting = jobs.iter().filter(|job| made.contains(&job.id));
    let parents = waiting.flat_map(|job| &job.after).map(|edge| edge.parent);
    parents.filter(|parent| !made.contains(parent)).collect()
}

/// The first parent that is neither known nor made by the batch, and its place as a caller wrote it.
pub fn missing_parent(
    jobs: &[NewJob],
    is_new: impl Fn(JobId) -> bool,
    known: impl Fn(JobId) -> bool,
) -> Option<StoreError> {
    let made: HashSet<JobId> = jobs.iter().map(|job| job.id).filter(|id| is_new(*id)).collect();
    for (index, job) in jobs.iter().enumerate().filter(|(_, job)| made.contains(&job.id)) {
        let missing = |edge: &Edge| !made.contains(&edge.parent) && !known(edge.parent);
        if let Some(place) = job.after.iter().position(missing) {
            let field = if jobs.len() == 1 {
                format!("after[{place}]")
            } else {
                format!("jobs[{index}].after[{place}]")
            };
            let detail = format!("{field}: there is no job {}", job.after[place].parent);
            return Some(StoreError::new("enqueue jobs", ErrorKind::NotFound).with_detail(detail));
        }
    }
    None
}

/// Refuses to change a flow that is larger than can be shown.
///
/// # Errors
///
/// [`Invalid`] with the field `flow`.
pub fn check_whole(cut: bool) -> Result<(), Invalid> {
    if cut {
        let problem =
            format!("has more than {FLOW_JOBS_MAX} jobs, or too many edges: change its jobs one by one");
        return Err(Invalid::new("flow", problem));
    }
    Ok(())
}

/// The edges of a store, as far as they are asked for.
pub trait Edges {
    /// Why they cannot be read.
    type Error;

    /// The blocked jobs that wait for `parent`.
    ///
    /// # Errors
    ///
    /// Those of the store.
    fn blocked_children(&mut self, parent: JobId) -> Result<Vec<(JobId, EdgePolicy)>, Self::Error>;

    /// The parents of `child`, in the order of its edges, with their stages; none for one that is gone.
    ///
    /// # Errors
    ///
    /// Those of the store.
    fn parents(&mut self, child: JobId) -> Result<Vec<(Edge, Option<Stage>)>, Self::Error>;
}

/// What follows for blocked jobs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Consequences {
    /// Those that will never run, each with the parent that is to blame and its stage.
    pub closed: Vec<(JobId, JobId, Stage)>,
    /// Those that are let go by one parent or more, and by how many.
    pub released: Vec<(JobId, u32)>,
}

/// What follows for blocked jobs when these have ended, each at a final stage. `failed` are blocked jobs of which it is known
/// already that they will never run.
///
/// Who is closed does not depend on the order in which things are looked at, and neither does who is to blame.
///
/// # Errors
///
/// Those of the store.
pub fn consequences<E: Edges>(
    ended: &[(JobId, Stage)],
    failed: &[JobId],
    edges: &mut E,
) -> Result<Consequences, E::Error> {
    let mut spread = Spread::default();
    for id in failed {
        spread.close(*id);
    }
    for (parent, stage) in ended {
        spread.look(*parent, *stage, edges)?;
    }
    while let Some(closed) = spread.open.pop_front() {
        spread.look(closed, Stage::Cancelled, edges)?;
    }
    spread.consequences(edges)
}

#[derive(Default)]
struct Spread {
    closed: Vec<JobId>,
    closes: HashSet<JobId>,
    open: VecDeque<JobId>,
    released: Vec<JobId>,
    releases: HashMap<JobId, u32>,
}

impl Spread {
    fn close(&mut self, id: JobId) {
        if self.closes.insert(id) {
            self.closed.push(id);
            self.open.push_back(id);
        }
    }

    fn look<E: Edges>(&mut self, parent: JobId, stage: Stage, edges: &mut E) -> Result<(), E::Error> {
        for (child, policy) in edges.blocked_children(parent)? {
            match policy.bearing(stage) {
                Bearing::Holds => {}
                Bearing::Closes => self.close(child),
                Bearing::Releases => {
                    let releases = self.releases.entry(child).or_default();
                    if *releases == 0 {
                        self.released.push(child);
                    }
                    *releases += 1;
                }
            }
        }
        Ok(())
    }

    fn consequences<E: Edges>(self, edges: &mut E) -> Result<Consequences, E::Error> {
        let Self { closed, closes, released, releases, .. } = self;
        let mut all = Consequences::default();
        for id in closed {
            let mut parents = edges.parents(id)?;
            for (edge, stage) in &mut parents {
                if closes.contains(&edge.parent) {
                    *stage = Some(Stage::Cancelled);
                }
            }
            let stages: HashMap<JobId, Option<Stage>> =
                parents.iter().map(|(edge, stage)| (edge.parent, *stage)).collect();
            if let Footing::Failed(parent) = footing(parents) {
                let stage = stages.get(&parent).copied().flatten().unwrap_or(Stage::Cancelled);
                all.closed.push((id, parent, stage));
            }
        }
        let goes = released.into_iter().filter(|child| !closes.contains(child));
        all.released.extend(goes.map(|child| (child, releases[&child])));
        Ok(all)
    }
}

/// The jobs that go with `root`: itself, and those it waited for, and so on, that have no child but among those that go.
///
/// `parents` and `children` answer all of a job; neither is asked twice of the same one.
///
/// # Errors
///
/// Those of the store.
pub fn unshared<E>(
    root: JobId,
    mut parents: impl FnMut(JobId) -> Result<Vec<JobId>, E>,
    mut children: impl FnMut(JobId) -> Result<usize, E>,
) -> Result<Vec<JobId>, E> {
    let (mut going, mut open) = (vec![root], VecDeque::from([root]));
    let mut others: HashMap<JobId, usize> = HashMap::new();
    while let Some(id) = open.pop_front() {
        for parent in parents(id)? {
            let left = match others.get(&parent) {
                Some(left) => *left,
                None => children(parent)?,
            } - 1;
            others.insert(parent, left);
            if left == 0 {
                going.push(parent);
                open.push_back(parent);
            }
        }
    }
    Ok(going)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use windlass_core::{Args, KindName};

    use super::*;

    fn id(byte: u8) -> JobId {
        JobId::from_bytes([byte; 16])
    }

    fn job(byte: u8, after: &[u8]) -> NewJob {
        let mut job = NewJob::new(id(byte), KindName::new("mail").unwrap(), Args::default());
        job.after = after.iter().map(|parent| Edge::on_success(id(*parent))).collect();
        job
    }

    #[test]
    fn a_circle_is_named_from_its_first_job_on() {
        let jobs = [job(9, &[]), job(1, &[9, 4]), job(2, &[1]), job(3, &[]), job(4, &[3, 1])];

        let Invalid { field, problem } = check_edges(&jobs).unwrap_err();

        assert_eq!(field, "jobs[1].after[1]");
        assert_eq!(problem, "closes a circle, in which each waits for the next: jobs[1] → jobs[4] → jobs[1]");
    }

    #[test]
    fn a_parent_may_stand_later_and_a_long_chain_is_no_circle() {
        let mut chain: Vec<NewJob> = (1..200).map(|byte| job(byte, &[byte + 1])).collect();
        chain.push(job(200, &[250]));

        assert_eq!(check_edges(&chain), Ok(()));
        chain[199].after = vec![Edge::on_finish(id(1))];
        assert_eq!(check_edges(&chain).unwrap_err().field, "jobs[0].after[0]");
    }

    #[test]
    fn a_parent_that_is_nowhere_is_named() {
        let jobs = [job(1, &[7]), job(2, &[1, 8])];
        let missing = |known: &[u8]| {
            let known: Vec<JobId> = known.iter().copied().map(id).collect();
            missing_parent(&jobs, |_| true, move |id| known.contains(&id)).map(|error| error.to_string())
        };

        assert_eq!(missing(&[7, 8]), None);
        let text = missing(&[7]).unwrap();
        assert_eq!(text, format!("could not enqueue jobs: jobs[1].after[1]: there is no job {}", id(8)));
    }

    struct Graph {
        edges: Vec<(u8, u8, EdgePolicy)>,
        stages: HashMap<JobId, Stage>,
    }

    impl Edges for Graph {
        type Error = Infallible;

        fn blocked_children(&mut self, parent: JobId) -> Result<Vec<(JobId, EdgePolicy)>, Infallible> {
            let edges = self.edges.iter().filter(|(from, _, _)| id(*from) == parent);
            let edges = edges.map(|(_, child, policy)| (id(*child), *policy));
            Ok(edges.filter(|(child, _)| !self.stages.contains_key(child)).collect())
        }

        fn parents(&mut self, child: JobId) -> Result<Vec<(Edge, Option<Stage>)>, Infallible> {
            let edges = self.edges.iter().filter(|(_, to, _)| id(*to) == child);
            let edge =
                |(parent, _, policy): &(u8, u8, EdgePolicy)| Edge { parent: id(*parent), policy: *policy };
            let edges = edges.map(edge);
            Ok(edges
                .map(|edge| (edge, Some(*self.stages.get(&edge.parent).unwrap_or(&Stage::Blocked))))
                .collect())
        }
    }

    #[test]
    fn failure_spreads_as_far_as_success_was_needed() {
        use EdgePolicy::{OnFinish, OnSuccess};
        let edges =
            vec![(1, 2, OnSuccess), (2, 3, OnSuccess), (3, 4, OnFinish), (1, 5, OnFinish), (2, 5, OnSuccess)];
        let mut graph = Graph { edges, stages: HashMap::from([(id(1), Stage::Dead)]) };

        let all = consequences(&[(id(1), Stage::Dead)], &[], &mut graph).unwrap();

        let closed =
            [(id(2), id(1), Stage::Dead), (id(3), id(2), Stage::Cancelled), (id(5), id(2), Stage::Cancelled)];
        assert_eq!(all.closed, closed);
        assert_eq!(all.released, [(id(4), 1)]);
    }

    #[test]
    fn what_others_need_stays() {
        let parents = |id_: JobId| match id_ {
            one if one == id(9) => vec![id(1), id(2)],
            one if one == id(2) => vec![id(3)],
            _ => vec![],
        };
        let children = |id_: JobId| if id_ == id(1) { 2 } else { 1 };

        let going = unshared::<Infallible>(id(9), |id| Ok(parents(id)), |id| Ok(children(id))).unwrap();

        assert_eq!(going, [id(9), id(2), id(3)]);
    }
}
