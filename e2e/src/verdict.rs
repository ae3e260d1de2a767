//! Holds the witness against the store.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use windlass_core::{Attempt, AttemptOutcome, Job, JobId, JobState};

use crate::script::Script;
use crate::witness::{Mark, Run};

/// What the store says of one job.
#[derive(Debug, Clone)]
pub struct Story {
    /// The job.
    pub job: Job,
    /// Its attempts, first one first.
    pub attempts: Vec<Attempt>,
}

/// What was found out about a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What should not be, a line each. Empty when all is well.
    pub violations: Vec<String>,
    /// Handlers that were entered.
    pub starts: usize,
    /// Those beyond the first of their job, each explained by the death of the process before.
    pub starts_again: usize,
    /// Processes that died while a handler was in them.
    pub hits: usize,
}

/// All that is known of a run in which no process came to harm but those that are named.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The jobs whose enqueue was acknowledged.
    pub acknowledged: &'a [JobId],
    /// What the store says of them.
    pub stories: &'a [Story],
    /// What the handlers wrote down.
    pub witness: &'a [Mark],
    /// The processes that were killed.
    pub killed: &'a BTreeSet<String>,
    /// The processes that stood still or were cut off for longer than their lease, and then went on.
    pub paused: &'a BTreeSet<String>,
    /// How many handlers a process may have at once.
    pub slots: usize,
}

/// Judges a run. For every job whose enqueue was acknowledged:
///
/// - the store has it, `completed`, by exactly one attempt that succeeded, the last one;
/// - every other attempt is `lost`, and was held by a process that was killed or paused; or it `failed`, as the job's
///   [`Script`] says; or it made what a person was asked about;
/// - every start in the witness is one of its attempts, at most once, in order; the one that succeeded is among them.
///   Only a process that was paused may start what it had claimed before, once it goes on.
///
/// And there is nothing else: no job that nobody enqueued, no start of a job that is not there, and at no time more
/// handlers in a process than it has slots.
#[must_use]
pub fn judge(evidence: Evidence<'_>) -> Verdict {
    let Evidence { acknowledged, stories, witness, killed, paused, slots } = evidence;
    let crowds = crowds(witness);
    let mut verdict = Verdict { hits: hits(witness, killed), ..Verdict::default() };
    let crowded = crowds.iter().filter(|(_, crowd)| crowd.most > slots);
    verdict.violations.extend(
        crowded.map(|(process, crowd)| {
            format!("{process} had {} handlers at once, and {slots} slots", crowd.most)
        }),
    );
    let mut starts: BTreeMap<JobId, Vec<&Run>> = BTreeMap::new();
    for run in witness.iter().filter_map(Mark::started) {
        starts.entry(run.job).or_default().push(run);
        verdict.starts += 1;
    }

    let stored: HashSet<JobId> = stories.iter().map(|story| story.job.id).collect();
    let lost = acknowledged.iter().filter(|id| !stored.contains(id));
    verdict.violations.extend(lost.map(|id| format!("job {id} was acknowledged, and is not there")));
    let known: HashSet<&JobId> = acknowledged.iter().collect();
    let unknown = stored.iter().chain(starts.keys()).filter(|id| !known.contains(id));
    verdict.violations.extend(unknown.map(|id| format!("nobody enqueued job {id}")));

    for story in stories {
        let runs = starts.get(&story.job.id).map_or(&[][..], Vec::as_slice);
        verdict.starts_again += runs.len().saturating_sub(1);
        let problems = judge_story(story, runs, (killed, paused));
        verdict
            .violations
            .extend(problems.into_iter().map(|problem| format!("job {}: {problem}", story.job.id)));
    }
    verdict
}

/// The processes that were killed, and those that were paused.
type Harmed<'a> = (&'a BTreeSet<String>, &'a BTreeSet<String>);

fn judge_story(story: &Story, runs: &[&Run], harmed: Harmed<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    if story.job.state != JobState::Completed {
        problems.push(format!("is {}", story.job.state));
    }
    match story.attempts.split_last() {
        Some((last, earlier)) if last.outcome == Some(AttemptOutcome::Succeeded) => {
            problems.extend(judge_earlier(&story.job, earlier, harmed));
            if !runs.iter().any(|run| run.number == last.number) {
                problems.push(format!("attempt {} succeeded, and nobody saw it start", last.number));
            }
        }
        _ => problems.push("its last attempt did not succeed".to_owned()),
    }
    for run in runs {
        match story.attempts.iter().find(|attempt| attempt.number == run.number) {
            Some(attempt) if attempt.worker == run.process => {}
            Some(attempt) => problems
                .push(format!("attempt {} of {} started in {}", run.number, attempt.worker, run.process)),
            None => problems
                .push(format!("attempt {} started in {}, and the store has none", run.number, run.process)),
        }
    }
    if !started_in_order(runs, harmed.1) {
        problems.push("an attempt started twice, or after a later one".to_owned());
    }
    problems
}

/// Whether each attempt started once, and none after a later one but where a process had been paused.
fn started_in_order(runs: &[&Run], paused: &BTreeSet<String>) -> bool {
    let numbers: BTreeSet<u64> = runs.iter().map(|run| run.number).collect();
    let mut highest = 0;
    let in_order = runs.iter().all(|run| {
        let is_late = run.number < highest;
        highest = highest.max(run.number);
        !is_late || paused.contains(&run.process)
    });
    in_order && numbers.len() == runs.len()
}

/// Of the attempts before the last, as many failed as the script says, one made what was reviewed if something was, and the
/// others were lost.
fn judge_earlier(job: &Job, earlier: &[Attempt], harmed: Harmed<'_>) -> Vec<String> {
    let script = Script::of(&job.args);
    let expected = [
        (AttemptOutcome::Failed, script.fails + script.settle_fails),
        (AttemptOutcome::Succeeded, job.options.review.is_some().into()),
    ];
    let mut problems = Vec::new();
    for (outcome, expected) in expected.into_iter().filter(|(_, expected)| *expected > 0) {
        let found = earlier.iter().filter(|attempt| attempt.outcome == Some(outcome)).count();
        if u32::try_from(found) != Ok(expected) {
            problems.push(format!("{found} attempts are {outcome} instead of {expected}"));
        }
    }
    let is_expected = |outcome| expected.iter().any(|(one, expected)| Some(*one) == outcome && *expected > 0);
    let rest = earlier.iter().filter(|attempt| !is_expected(attempt.outcome));
    problems.extend(rest.filter_map(|attempt| judge_lost(attempt, harmed)));
    problems
}

fn judge_lost(attempt: &Attempt, (killed, paused): Harmed<'_>) -> Option<String> {
    let Attempt { number, worker, outcome, .. } = attempt;
    match outcome {
        Some(AttemptOutcome::Lost) if killed.contains(worker) || paused.contains(worker) => None,
        Some(AttemptOutcome::Lost) => {
            Some(format!("attempt {number} was lost by {worker}, which nobody harmed"))
        }
        Some(outcome) => Some(format!("attempt {number} is {outcome}, and there was another")),
        None => Some(format!("attempt {number} is open, and there was another")),
    }
}

/// How many of the `processes` have a handler in them at the end of the witness, or died with one.
#[must_use]
pub fn hits(witness: &[Mark], processes: &BTreeSet<String>) -> usize {
    let crowds = crowds(witness);
    processes.iter().filter(|it| crowds.get(it.as_str()).is_some_and(|crowd| crowd.now > 0)).count()
}

/// How many handlers a process has.
#[derive(Debug, Default)]
struct Crowd {
    now: usize,
    most: usize,
}

/// How many handlers each process had at the end, and at the most. A handler notes its start once it is entered and its
/// end before it leaves, so these are no more than there were.
fn crowds(witness: &[Mark]) -> BTreeMap<&str, Crowd> {
    let mut crowds: BTreeMap<&str, Crowd> = BTreeMap::new();
    for mark in witness {
        match mark {
            Mark::Started(run) => {
                let crowd = crowds.entry(&run.process).or_default();
                crowd.now += 1;
                crowd.most = crowd.most.max(crowd.now);
            }
            Mark::Ended(run) => {
                let crowd = crowds.entry(&run.process).or_default();
                crowd.now = crowd.now.saturating_sub(1);
            }
            _ => {}
        }
    }
    crowds
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_core::{Args, JobOptions, KindName, Priority, QueueName, Timestamp};

    const ID: JobId = JobId::from_bytes([1; 16]);
    const OTHER: JobId = JobId::from_bytes([2; 16]);

    fn job(id: JobId, state: JobState) -> Job {
        Job {
            id,
            kind: KindName::new("witness").unwrap(),
            version: 1,
            queue: QueueName::default(),
            state,
            reason: None,
            phase: windlass_core::Phase::Run,
            priority: Priority::default(),
            args: Args::default(),
            attempt: 1,
            attempts_max: 8,
            losses: 0,
            losses_max: 2,
            run_at: Timestamp::MIN,
            deadline: None,
            options: JobOptions::default(),
            progress: None,
            checkpoint: None,
            result: None,
            error: None,
            worker: None,
            created_at: Timestamp::MIN,
            started_at: None,
            finished_at: None,
            revision: 1,
        }
    }

    fn attempt(number: u64, worker: &str, outcome: AttemptOutcome) -> Attempt {
        let worker = worker.to_owned();
        Attempt {
            number,
            worker,
            started_at: Timestamp::MIN,
            ended_at: None,
            outcome: Some(outcome),
            error: None,
        }
    }

    fn start(job: JobId, number: u64, process: &str) -> Mark {
        Mark::Started(Run { job, number, process: process.to_owned() })
    }

    /// A job that was lost once, with the process `a`, and then completed by `b`.
    fn story() -> Story {
        let attempts =
            vec![attempt(1, "a", AttemptOutcome::Lost), attempt(2, "b", AttemptOutcome::Succeeded)];
        Story { job: job(ID, JobState::Completed), attempts }
    }

    fn judged(acknowledged: &[JobId], story: Story, witness: &[Mark], killed: &str) -> Verdict {
        let (killed, paused) = (BTreeSet::from([killed.to_owned()]), BTreeSet::new());
        judge(Evidence {
            acknowledged,
            stories: &[story],
            witness,
            killed: &killed,
            paused: &paused,
            slots: 2,
        })
    }

    fn violations(story: Story, witness: &[Mark], killed: &str) -> Vec<String> {
        judged(&[ID], story, witness, killed).violations
    }

    #[test]
    fn a_start_again_after_a_kill_is_explained() {
        let witness = [start(ID, 1, "a"), start(ID, 2, "b")];

        let verdict = judged(&[ID], story(), &witness, "a");

        assert_eq!(verdict, Verdict { violations: Vec::new(), starts: 2, starts_again: 1, hits: 1 });
    }

    #[test]
    fn an_attempt_that_was_lost_before_its_handler_began_is_fine() {
        assert!(violations(story(), &[start(ID, 2, "b")], "a").is_empty());
    }

    #[test]
    fn a_loss_without_a_kill_is_found() {
        let found = violations(story(), &[start(ID, 1, "a"), start(ID, 2, "b")], "c");

        assert_eq!(found, [format!("job {ID}: attempt 1 was lost by a, which nobody harmed")]);
    }

    #[test]
    fn a_second_success_is_found() {
        let mut story = story();
        story.attempts[0].outcome = Some(AttemptOutcome::Succeeded);

        assert!(
            violations(story, &[start(ID, 2, "b")], "a")[0].contains("is succeeded, and there was another")
        );
    }

    #[test]
    fn as_many_attempts_fail_as_the_script_says() {
        let judged = |fails: u32, script: u32| {
            let mut attempts: Vec<Attempt> =
                (1..=fails).map(|number| attempt(number.into(), "b", AttemptOutcome::Failed)).collect();
            attempts.push(attempt(u64::from(fails) + 1, "b", AttemptOutcome::Succeeded));
            // What has not ended counts as running, and a process has two slots.
            let witness = [start(ID, u64::from(fails) + 1, "b")];
            let mut story = Story { job: job(ID, JobState::Completed), attempts };
            story.job.args = Script { fails: script, settle_fails: 0 }.args().unwrap();
            violations(story, &witness, "a")
        };

        assert!(judged(2, 2).is_empty());
        assert_eq!(judged(1, 2), [format!("job {ID}: 1 attempts are failed instead of 2")]);
        assert_eq!(judged(1, 0), [format!("job {ID}: attempt 1 is failed, and there was another")]);
    }

    #[test]
    fn more_handlers_than_slots_are_found() {
        let witness = [start(ID, 1, "a"), start(ID, 2, "b"), start(OTHER, 1, "b"), start(OTHER, 2, "b")];

        let violations = violations(story(), &witness, "a");

        assert_eq!(violations[0], "b had 3 handlers at once, and 2 slots");
    }

    #[test]
    fn a_start_twice_is_found() {
        let twice = [start(ID, 1, "a"), start(ID, 2, "b"), start(ID, 2, "b")];

        assert!(violations(story(), &twice, "a")[0].contains("started twice"));
    }

    #[test]
    fn only_a_process_that_was_paused_starts_late() {
        let late = [start(ID, 2, "b"), start(ID, 1, "a")];
        let again = [start(ID, 2, "b"), start(ID, 1, "a"), start(ID, 1, "a")];
        let in_order = |marks: &[Mark], paused: &str| {
            let runs: Vec<&Run> = marks.iter().filter_map(Mark::started).collect();
            started_in_order(&runs, &BTreeSet::from([paused.to_owned()]))
        };

        assert!(in_order(&late, "a"));
        assert!(!in_order(&late, "b"));
        assert!(!in_order(&again, "a"));
    }

    #[test]
    fn a_start_that_the_store_does_not_know_of_is_found() {
        let third = [start(ID, 2, "b"), start(ID, 3, "b")];

        assert!(violations(story(), &third, "a")[0].contains("the store has none"));
    }

    #[test]
    fn a_success_that_nobody_saw_is_found() {
        assert!(violations(story(), &[start(ID, 1, "a")], "a")[0].contains("nobody saw it start"));
    }

    #[test]
    fn a_lost_job_and_one_from_nowhere_are_found() {
        let verdict = judged(&[ID, OTHER], story(), &[start(ID, 2, "b")], "a");
        assert_eq!(verdict.violations, [format!("job {OTHER} was acknowledged, and is not there")]);

        let verdict = judged(&[], story(), &[start(ID, 2, "b")], "a");
        assert!(verdict.violations[0].contains("nobody enqueued"));
    }

    #[test]
    fn an_unfinished_job_is_found() {
        let story = Story { job: job(ID, JobState::Ready), attempts: vec![] };

        assert_eq!(violations(story, &[], "a").len(), 2);
    }
}
