//! Whether jobs that share things did so by the rules: by what their handlers wrote down, and by what the store recorded.
//!
//! Both are asked, since they see different things. The witness is what happened in the world: lines in the order in which they
//! were written, so what overlaps in it has overlapped. The store's attempts tell of every grant, also of those whose process
//! was dead by then, from claim to close by one clock.

use std::collections::{BTreeMap, BTreeSet};

use windlass_core::gate::Wish;
use windlass_core::{GateForm, JobId, JobOptions, OnConflict, Timestamp};

use crate::verdict::Story;
use crate::witness::{Mark, Run};

/// What a job wants of each thing that it shares, by a name among all of them.
type Wishes = BTreeMap<String, Wish>;

/// A sentence for everything that is against the rules. `stories` are those of all jobs there are.
#[must_use]
pub fn judge(stories: &[Story], witness: &[Mark]) -> Vec<String> {
    let wishes: BTreeMap<JobId, Wishes> =
        stories.iter().map(|story| (story.job.id, wishes(&story.job.options))).collect();
    let mut violations = overlaps(&wishes, witness);
    violations.extend(grants(&wishes, stories));
    violations.extend(paces(stories));
    violations.extend(lives(stories));
    violations.extend(fences(&wishes, witness));
    violations.extend(turns(stories, witness));
    violations.extend(answers(stories, witness));
    violations
}

fn wishes(options: &JobOptions) -> Wishes {
    let gates = options.needs().into_iter().map(|need| (named(need.gate.form, &need.gate.name), need.wish));
    // Two jobs of one key never run at a time, whatever becomes of who meets the other.
    let unique = options.unique.as_ref().and_then(|unique| unique.key.as_ref());
    gates.chain(unique.map(|key| (format!("unique key {key}"), Wish::Turn))).collect()
}

fn named(form: GateForm, name: &str) -> String {
    format!("{form:?} {name}").to_lowercase()
}

/// Why a job that wants `wish` may not run beside `others`, if it may not.
fn refused(wish: Wish, others: &[Wish]) -> Option<String> {
    let alone = others.iter().filter(|other| matches!(other, Wish::Exclusive)).count();
    let fits = match wish {
        Wish::Shared => alone == 0,
        Wish::Exclusive | Wish::Turn => others.is_empty(),
        Wish::Slot { max } => others.len() < max as usize,
        Wish::Start { .. } => true,
    };
    (!fits).then(|| format!("{wish:?} beside {others:?}"))
}

/// Handlers that ran beside others they must not run beside. A process that is killed has no handlers any more; what it still
/// wrote between the line and the blow takes nothing from anybody.
fn overlaps(wishes: &BTreeMap<JobId, Wishes>, witness: &[Mark]) -> Vec<String> {
    let (mut inside, mut violations) = (Inside::default(), Vec::new());
    let mut dead: BTreeSet<&str> = BTreeSet::new();
    let nothing = Wishes::new();
    for mark in witness {
        match mark {
            Mark::Started(run) => {
                let wanted = wishes.get(&run.job).unwrap_or(&nothing);
                violations.extend(inside.enter(run, wanted, !dead.contains(run.process.as_str())));
            }
            Mark::Ended(run) => inside.leave(|one| one == run),
            Mark::Killed(process) => {
                inside.leave(|one| one.process == *process);
                dead.insert(process);
            }
            _ => {}
        }
    }
    violations
}

/// The handlers inside each thing that is shared.
#[derive(Default)]
struct Inside<'a>(BTreeMap<&'a str, Vec<(&'a Run, Wish)>>);

impl<'a> Inside<'a> {
    fn enter(&mut self, run: &'a Run, wishes: &'a Wishes, stays: bool) -> Vec<String> {
        let mut violations = Vec::new();
        for (name, wish) in wishes {
            let others = self.0.entry(name).or_default();
            let seen: Vec<Wish> = others.iter().map(|(_, wish)| *wish).collect();
            if let Some(why) = refused(*wish, &seen) {
                let beside: Vec<String> = others.iter().map(|(other, _)| other.to_string()).collect();
                violations.push(format!("{name}: {run} was entered, {why}: {}", beside.join(", ")));
            }
            if stays {
                others.push((run, *wish));
            }
        }
        violations
    }

    fn leave(&mut self, of: impl Fn(&Run) -> bool) {
        self.0.values_mut().for_each(|runs| runs.retain(|(run, _)| !of(run)));
    }
}

/// An attempt or a job, from its begin to its end.
struct Span {
    job: JobId,
    begin: Timestamp,
    end: Timestamp,
    wish: Wish,
}

/// Attempts that had something while others had it that they must not have it beside, from claim to close.
fn grants(wishes: &BTreeMap<JobId, Wishes>, stories: &[Story]) -> Vec<String> {
    let mut spans: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for story in stories {
        for (name, wish) in &wishes[&story.job.id] {
            let all = story.attempts.iter().map(|attempt| Span {
                job: story.job.id,
                begin: attempt.started_at,
                end: attempt.ended_at.unwrap_or(Timestamp::MAX),
                wish: *wish,
            });
            spans.entry(name).or_default().extend(all);
        }
    }
    spans.into_iter().flat_map(|(name, spans)| collisions(name, spans)).collect()
}

/// Jobs of one unique key that were there at a time. Of those that replace each other, one waits for the end of one that runs.
fn lives(stories: &[Story]) -> Vec<String> {
    let mut spans: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    for story in stories {
        let Some(unique) = &story.job.options.unique else { continue };
        let wish = if unique.on_conflict == OnConflict::Replace { Wish::Slot { max: 2 } } else { Wish::Turn };
        let name = format!("the jobs of unique key {}", unique.key.as_deref().unwrap_or_default());
        let (begin, end) = (story.job.created_at, story.job.finished_at.unwrap_or(Timestamp::MAX));
        spans.entry(name).or_default().push(Span { job: story.job.id, begin, end, wish });
    }
    spans.into_iter().flat_map(|(name, spans)| collisions(&name, spans)).collect()
}

fn collisions(name: &str, mut spans: Vec<Span>) -> Vec<String> {
    spans.sort_by_key(|span| span.begin);
    let (mut open, mut violations): (Vec<&Span>, Vec<String>) = (Vec::new(), Vec::new());
    for span in &spans {
        open.retain(|one| one.end > span.begin);
        let others: Vec<Wish> = open.iter().map(|one| one.wish).collect();
        if let Some(why) = refused(span.wish, &others) {
            let beside = open.iter().map(|one| format!("job {} until {}", one.job, one.end));
            let beside: Vec<String> = beside.collect();
            let Span { job, begin, .. } = span;
            violations.push(format!("{name}: job {job} had it from {begin}, {why}: {}", beside.join(", ")));
        }
        open.push(span);
    }
    violations
}

/// Starts that came too soon after others.
fn paces(stories: &[Story]) -> Vec<String> {
    let mut starts: BTreeMap<String, (u64, u64, Vec<Timestamp>)> = BTreeMap::new();
    for story in stories {
        for rate in &story.job.options.rates {
            let (interval, burst) = (rate.pace.interval(), rate.pace.burst.into());
            let (_, _, all) = starts.entry(rate.key.clone()).or_insert((interval, burst, Vec::new()));
            all.extend(story.attempts.iter().map(|attempt| attempt.started_at));
        }
    }
    let mut violations = Vec::new();
    for (key, (interval, burst, mut all)) in starts {
        all.sort_unstable();
        for (first, from) in all.iter().enumerate() {
            let early = all[first..].iter().zip(1_u64..).find(|(until, count)| {
                let elapsed = u64::try_from(until.since(*from).as_micros()).unwrap_or(u64::MAX);
                count.saturating_sub(burst) * interval > elapsed
            });
            if let Some((until, count)) = early {
                violations.push(format!("rate {key}: {count} starts from {from} to {until}"));
            }
        }
    }
    violations
}

/// Numbers of exclusive grants that do not grow, or that a handler was not given.
fn fences(wishes: &BTreeMap<JobId, Wishes>, witness: &[Mark]) -> Vec<String> {
    let mut violations = Vec::new();
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for mark in witness {
        match mark {
            Mark::Fenced { run, resource, fence } => {
                let before = last.insert(resource, *fence).unwrap_or_default();
                if *fence <= before {
                    violations.push(format!("lock {resource}: {run} has number {fence} after {before}"));
                }
                given.entry(run.to_string()).or_default().insert(named(GateForm::Lock, resource));
            }
            Mark::Started(run) => {
                let wanted = wishes.get(&run.job).into_iter().flatten();
                let alone = wanted.filter(|(_, wish)| matches!(wish, Wish::Exclusive));
                let alone: BTreeSet<String> = alone.map(|(name, _)| name.clone()).collect();
                let given = given.remove(&run.to_string()).unwrap_or_default();
                if given != alone {
                    violations.push(format!("{run} has numbers of {given:?}, and holds {alone:?} alone"));
                }
            }
            _ => {}
        }
    }
    violations
}

/// Where a job stands in the witness: the lines at which it was asked for and answered, first entered, and last entered.
#[derive(Debug, Default, Clone, Copy)]
struct Lines {
    asked: Option<usize>,
    answered: Option<usize>,
    first: Option<usize>,
    last: Option<usize>,
}

/// Jobs of an order key that were entered before all attempts at one that had been enqueued, and answered, before they were
/// asked for.
fn turns(stories: &[Story], witness: &[Mark]) -> Vec<String> {
    let lines = lines(witness);
    let mut keys: BTreeMap<&str, Vec<(JobId, Lines)>> = BTreeMap::new();
    for story in stories {
        if let Some(key) = &story.job.options.order_key {
            let lines = lines.get(&story.job.id).copied().unwrap_or_default();
            keys.entry(key).or_default().push((story.job.id, lines));
        }
    }
    let mut violations = Vec::new();
    for (key, jobs) in keys {
        for (job, its) in &jobs {
            let earlier = jobs.iter().filter(|(_, one)| one.answered.is_some() && one.answered < its.asked);
            let late = earlier.filter(|(_, one)| its.first.is_some() && one.last > its.first);
            violations.extend(late.map(|(one, _)| format!("order key {key}: job {job} went before {one}")));
        }
    }
    violations
}

fn lines(witness: &[Mark]) -> BTreeMap<JobId, Lines> {
    let mut all: BTreeMap<JobId, Lines> = BTreeMap::new();
    for (line, mark) in witness.iter().enumerate() {
        match mark {
            Mark::Asked { job, .. } => all.entry(*job).or_default().asked = Some(line),
            Mark::Answered { job, .. } => all.entry(*job).or_default().answered = Some(line),
            Mark::Started(run) => {
                let lines = all.entry(run.job).or_default();
                lines.first = lines.first.or(Some(line));
                lines.last = Some(line);
            }
            _ => {}
        }
    }
    all
}

/// Answers that are not true, by identity: of what was created, of what stands for something else, and of what nobody asked for.
fn answers(stories: &[Story], witness: &[Mark]) -> Vec<String> {
    let keys: BTreeMap<JobId, Option<&str>> = stories
        .iter()
        .map(|story| {
            let unique = story.job.options.unique.as_ref();
            (story.job.id, unique.and_then(|unique| unique.key.as_deref()))
        })
        .collect();
    let (mut asked, mut violations) = (BTreeMap::new(), Vec::new());
    for mark in witness {
        match mark {
            Mark::Asked { job, key } => drop(asked.insert(*job, key.as_deref())),
            Mark::Answered { job, answer, stands } => {
                let is_new = answer == "created";
                if keys.contains_key(job) != is_new || (job == stands) != is_new {
                    violations.push(format!("job {job} was answered {answer} with {stands}"));
                }
                if keys.get(stands) != asked.get(job) {
                    violations.push(format!("job {stands} stands for {job}, and has another unique key"));
                }
            }
            _ => {}
        }
    }
    violations.extend(
        keys.keys().filter(|job| !asked.contains_key(job)).map(|job| format!("nobody asked for job {job}")),
    );
    violations
}

#[cfg(test)]
mod tests;
