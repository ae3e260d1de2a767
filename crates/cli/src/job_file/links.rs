//! Which jobs of a file wait for which, by the names that they have there.

use std::collections::{BTreeSet, HashMap};

use windlass_core::{Invalid, JobId};
use windlass_wire::JobRequest;
use windlass_wire::flow::ParentRef;

use super::Place;

/// The names of a file's jobs, and the order in which they can be enqueued.
#[derive(Debug, Default)]
pub(super) struct Links {
    names: HashMap<String, Named>,
    /// Where the jobs stand in the file, parents before their children; empty where that is the order of the file.
    pub(super) order: Vec<usize>,
}

/// A job that has a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub(super) number: u32,
    /// Its id, if the file says one.
    pub(super) id: Option<JobId>,
}

/// What is read of the jobs before anything can be said of their names.
#[derive(Debug, Default)]
pub(super) struct Reading {
    names: HashMap<String, (usize, Named)>,
    jobs: Vec<(Place, Vec<(usize, String)>)>,
}

impl Reading {
    /// Takes down a job.
    pub(super) fn add(&mut self, place: Place, request: &JobRequest) -> Result<(), Invalid> {
        let index = self.jobs.len();
        if let Some(name) = &request.name {
            let named = Named { number: place.number, id: request.id };
            if self.names.insert(name.clone(), (index, named)).is_some() {
                return Err(Invalid::new("ref", "is that of an earlier job of the file"));
            }
        }
        let parents = request.after.iter().enumerate().filter_map(|(edge, after)| match &after.parent {
            ParentRef::Ref(name) => Some((edge, name.clone())),
            ParentRef::Job(_) => None,
        });
        self.jobs.push((place, parents.collect()));
        Ok(())
    }

    /// Finds for each name the job that has it.
    pub(super) fn finish(self) -> Result<Links, (Place, Invalid)> {
        let mut parents: Vec<Vec<usize>> = Vec::with_capacity(self.jobs.len());
        for (place, named) in &self.jobs {
            let find = |(edge, name): &(usize, String)| {
                let unknown = || {
                    Invalid::new(format!("after[{edge}]"), format!("no job of the file has the ref {name:?}"))
                };
                self.names.get(name).map(|(index, _)| *index).ok_or_else(unknown)
            };
            parents
                .push(named.iter().map(find).collect::<Result<_, _>>().map_err(|invalid| (*place, invalid))?);
        }
        let mut order = ordered(&parents);
        if order.len() < parents.len() {
            return Err(self.circle(&parents, &order));
        }
        if order.is_sorted() {
            order.clear();
        }
        let names = self.names.into_iter().map(|(name, (_, named))| (name, named)).collect();
        Ok(Links { names, order })
    }

    /// What is wrong with jobs that wait for one another in a circle.
    fn circle(&self, parents: &[Vec<usize>], order: &[usize]) -> (Place, Invalid) {
        let done: BTreeSet<usize> = order.iter().copied().collect();
        let waits = |index: usize| parents[index].iter().copied().find(|parent| !done.contains(parent));
        let first = (0..parents.len()).find(|index| !done.contains(index)).unwrap_or_default();
        // Whoever goes on for as long as there are jobs is in the circle.
        let start = (0..parents.len()).fold(first, |at, _| waits(at).unwrap_or(at));
        let mut circle = vec![start];
        let mut next = waits(start);
        while let Some(at) = next.filter(|at| *at != start) {
            circle.push(at);
            next = waits(at);
        }
        let lowest = circle.iter().enumerate().min_by_key(|(_, index)| **index).map_or(0, |(at, _)| at);
        circle.rotate_left(lowest);
        circle.push(circle[0]);
        let name = |index: &usize| {
            let found = self.names.iter().find(|(_, (place, _))| place == index);
            found.map_or_else(|| format!("line {}", self.jobs[*index].0.line), |(name, _)| name.clone())
        };
        let names: Vec<String> = circle.iter().map(name).collect();
        let problem = format!("closes a circle, in which each waits for the next: {}", names.join(" → "));
        (self.jobs[circle[0]].0, Invalid::new("after", problem))
    }
}

impl Links {
    /// The job of this name.
    pub(super) fn get(&self, name: &str) -> Option<Named> {
        self.names.get(name).copied()
    }
}

/// Every job behind its parents, otherwise in their order; less than all of them where some wait in a circle.
fn ordered(parents: &[Vec<usize>]) -> Vec<usize> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
    let mut open: Vec<usize> = parents.iter().map(Vec::len).collect();
    for (child, all) in parents.iter().enumerate() {
        for parent in all {
            children[*parent].push(child);
        }
    }
    let mut ready: BTreeSet<usize> = (0..parents.len()).filter(|index| open[*index] == 0).collect();
    let mut order = Vec::with_capacity(parents.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for child in &children[next] {
            open[*child] -= 1;
            if open[*child] == 0 {
                ready.insert(*child);
            }
        }
    }
    order
}
