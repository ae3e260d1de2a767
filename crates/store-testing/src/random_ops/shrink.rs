//! Cuts a failing script down to the operations that matter.

use super::op::{NewJobOf, Op};

/// How many scripts are tried at the most: stores on disk take their time.
const TRIES_MAX: usize = 1_000;

/// The shortest script found that still fails, from one that does.
pub(crate) fn shrink(script: Vec<Op>, fails: impl Fn(&[Op]) -> bool) -> Vec<Op> {
    let mut search = Search { script, tries: 0, fails };
    loop {
        let before = search.script.len();
        search.drop_chunks();
        search.shorten_batches();
        if search.script.len() == before || search.tries >= TRIES_MAX {
            return search.script;
        }
    }
}

struct Search<F> {
    script: Vec<Op>,
    tries: usize,
    fails: F,
}

impl<F: Fn(&[Op]) -> bool> Search<F> {
    /// Leaves out ever smaller pieces, the last ones first: what failed is usually near the end, and what led to it is before.
    fn drop_chunks(&mut self) {
        let mut size = self.script.len().div_ceil(2);
        while size > 0 {
            let mut end = self.script.len();
            while end > 0 {
                let start = end.saturating_sub(size);
                let shorter = [&self.script[..start], &self.script[end..]].concat();
                if self.still_fails(&shorter) {
                    self.script = shorter;
                }
                end = start;
            }
            size /= 2;
        }
    }

    /// Takes single jobs, settlements and lines out of the batches that are left, and wishes out of the jobs.
    fn shorten_batches(&mut self) {
        for step in 0..self.script.len() {
            while let Some(script) = self.simplified(step) {
                self.script = script;
            }
        }
    }

    /// The script with this step made simpler, if one such still fails.
    fn simplified(&mut self, step: usize) -> Option<Vec<Op>> {
        let before = format!("{:?}", self.script[step]);
        let simpler = simpler(&self.script[step]).into_iter().filter(|op| format!("{op:?}") != before);
        let scripts = simpler.map(|op| {
            let mut script = self.script.clone();
            script[step] = op;
            script
        });
        scripts.collect::<Vec<_>>().into_iter().find(|script| self.still_fails(script))
    }

    fn still_fails(&mut self, script: &[Op]) -> bool {
        self.tries += 1;
        self.tries <= TRIES_MAX && !script.is_empty() && (self.fails)(script)
    }
}

fn simpler(op: &Op) -> Vec<Op> {
    match op {
        Op::Enqueue(jobs) => {
            let fewer = without_one(jobs).filter(|jobs| !jobs.is_empty());
            fewer.chain(plainer(jobs)).map(Op::Enqueue).collect()
        }
        Op::EnqueueUnder(token, jobs) => {
            let simpler = without_one(jobs).chain(plainer(jobs));
            simpler.map(|jobs| Op::EnqueueUnder(*token, jobs)).collect()
        }
        Op::Turn { settlements, claim } => {
            let shorter =
                without_one(settlements).map(|settlements| Op::Turn { settlements, claim: claim.clone() });
            let unclaimed =
                claim.is_some().then(|| Op::Turn { settlements: settlements.clone(), claim: None });
            shorter.chain(unclaimed).collect()
        }
        Op::Log(token, lines) => without_one(lines).map(|lines| Op::Log(*token, lines)).collect(),
        _ => Vec::new(),
    }
}

/// The batch with one wish of one of its jobs left at its default.
fn plainer(jobs: &[NewJobOf]) -> impl Iterator<Item = Vec<NewJobOf>> {
    const WISHES: [fn(&mut NewJobOf); 10] = [
        |job| job.version = None,
        |job| job.priority = None,
        |job| job.due = None,
        |job| job.deadline = None,
        |job| job.attempts_max = None,
        |job| job.losses_max = None,
        |job| job.retry = None,
        |job| job.tag = None,
        |job| job.notify = None,
        |job| job.after = None,
    ];
    (0..jobs.len()).flat_map(|index| WISHES.map(|wish| (index, wish))).map(|(index, wish)| {
        let mut plainer = jobs.to_vec();
        wish(&mut plainer[index]);
        plainer
    })
}

/// The list without its first element, without its second, and so on.
fn without_one<T: Clone>(list: &[T]) -> impl Iterator<Item = Vec<T>> {
    (0..list.len()).map(|index| {
        let mut shorter = list.to_vec();
        shorter.remove(index);
        shorter
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_matters_is_left() {
        let script: Vec<Op> = (0..50).map(Op::Beat).collect();
        let matters = |op: &Op| matches!(op, Op::Beat(7 | 31));

        let shrunk = shrink(script, |script| script.iter().filter(|op| matters(op)).count() == 2);

        assert_eq!(format!("{shrunk:?}"), "[Beat(7), Beat(31)]");
    }
}
