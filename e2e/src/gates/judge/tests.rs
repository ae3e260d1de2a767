//! The judge finds what is wrong with logs that were made up, and nothing wrong with the good ones.

use super::*;
use std::time::Duration;
use windlass_core::{
    Args, Attempt, AttemptOutcome, Job, JobState, KeyedLimit, KindName, Lock, Pace, Phase, Priority,
    QueueName, Rate, Unique,
};

const A: JobId = JobId::from_bytes([1; 16]);
const B: JobId = JobId::from_bytes([2; 16]);
const C: JobId = JobId::from_bytes([3; 16]);

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn options(change: impl FnOnce(&mut JobOptions)) -> JobOptions {
    let mut options = JobOptions::default();
    change(&mut options);
    options
}

fn locks(lock: Lock) -> JobOptions {
    options(|options| options.locks = vec![lock])
}

fn ordered() -> JobOptions {
    options(|options| options.order_key = Some("o".to_owned()))
}

fn unique(unique: Unique) -> JobOptions {
    options(|options| options.unique = Some(unique))
}

/// A job that was made at the begin of its only attempt, and ended with it.
fn story(id: JobId, options: JobOptions, (begin, end): (i64, i64)) -> Story {
    let attempt = Attempt {
        number: 1,
        worker: "w".to_owned(),
        started_at: at(begin),
        ended_at: Some(at(end)),
        outcome: Some(AttemptOutcome::Succeeded),
        error: None,
    };
    let job = Job {
        id,
        kind: KindName::new("witness").unwrap(),
        version: 1,
        queue: QueueName::default(),
        state: JobState::Completed,
        reason: None,
        phase: Phase::Run,
        priority: Priority::default(),
        args: Args::default(),
        attempt: 1,
        attempts_max: 8,
        losses: 0,
        losses_max: 2,
        run_at: at(begin),
        deadline: None,
        options,
        progress: None,
        checkpoint: None,
        result: None,
        error: None,
        worker: None,
        created_at: at(begin),
        started_at: Some(at(begin)),
        finished_at: Some(at(end)),
        revision: 1,
    };
    Story { job, attempts: vec![attempt] }
}

fn run(job: JobId) -> Run {
    Run { job, number: 1, process: format!("of-{job}") }
}

fn start(job: JobId) -> Mark {
    Mark::Started(run(job))
}

fn end(job: JobId) -> Mark {
    Mark::Ended(run(job))
}

fn killed(job: JobId) -> Mark {
    Mark::Killed(run(job).process)
}

/// What is found in the witness of jobs whose attempts did not overlap in the store.
fn seen(jobs: &[JobOptions], witness: &[Mark]) -> Vec<String> {
    let ids = [A, B, C].into_iter().zip(0..);
    let stories = ids.zip(jobs).map(|((id, place), options)| story(id, options.clone(), (place, place + 1)));
    let stories: Vec<Story> = stories.collect();
    let wishes = stories.iter().map(|story| (story.job.id, wishes(&story.job.options))).collect();
    overlaps(&wishes, witness)
}

/// What is found in the store's attempts of these jobs.
fn granted(stories: &[Story]) -> Vec<String> {
    let wishes = stories.iter().map(|story| (story.job.id, wishes(&story.job.options))).collect();
    grants(&wishes, stories)
}

#[test]
fn an_exclusive_holder_beside_anybody_is_found() {
    let (shared, alone) = (locks(Lock::shared("r")), locks(Lock::exclusive("r")));
    let beside = [start(A), start(B), end(A), end(B)];
    let after = [start(A), end(A), start(B), end(B)];

    assert!(seen(&[shared.clone(), shared.clone()], &beside).is_empty());
    for pair in [[&shared, &alone], [&alone, &shared], [&alone, &alone]] {
        assert_eq!(seen(&pair.map(Clone::clone), &beside).len(), 1);
        assert!(seen(&pair.map(Clone::clone), &after).is_empty());
    }
    let elsewhere = locks(Lock::exclusive("s"));
    assert!(seen(&[alone, elsewhere], &beside).is_empty());
}

#[test]
fn what_a_dead_process_held_may_be_had_again_and_what_a_living_one_holds_may_not() {
    let alone = locks(Lock::exclusive("r"));

    assert!(seen(&[alone.clone(), alone.clone()], &[start(A), killed(A), start(B)]).is_empty());
    assert_eq!(seen(&[alone.clone(), alone.clone()], &[start(A), killed(C), start(B)]).len(), 1);
    assert!(seen(&[alone.clone(), alone], &[killed(A), start(A), start(B)]).is_empty());
}

#[test]
fn one_more_than_the_limit_is_found() {
    let two = options(|options| options.limits = vec![KeyedLimit { key: "l".to_owned(), max: 2 }]);
    let jobs = [two.clone(), two.clone(), two];

    assert!(seen(&jobs, &[start(A), start(B), end(A), start(C)]).is_empty());
    assert_eq!(seen(&jobs, &[start(A), start(B), start(C)]).len(), 1);
}

#[test]
fn two_of_an_order_key_or_of_a_unique_key_at_a_time_are_found() {
    let replacing = unique(Unique::key("u").replace());

    for options in [ordered(), unique(Unique::key("u")), replacing] {
        assert_eq!(seen(&[options.clone(), options.clone()], &[start(A), start(B)]).len(), 1);
        assert!(seen(&[options.clone(), options], &[start(A), end(A), start(B)]).is_empty());
    }
}

#[test]
fn grants_that_overlap_in_the_store_are_found_though_no_handler_saw_it() {
    let alone = locks(Lock::exclusive("r"));
    let pair = |second| [story(A, alone.clone(), (0, 5)), story(B, alone.clone(), second)];

    assert!(granted(&pair((5, 7))).is_empty());
    assert_eq!(granted(&pair((4, 7))).len(), 1);
    assert_eq!(granted(&pair((0, 1))).len(), 1);
    let mut open = pair((6, 7));
    open[0].attempts[0].ended_at = None;
    assert_eq!(granted(&open).len(), 1, "nothing closed the first");
}

#[test]
fn two_living_jobs_of_a_key_are_found_and_one_in_waiting_for_another_is_not() {
    let pair = |unique: JobOptions| [story(A, unique.clone(), (0, 5)), story(B, unique, (4, 7))];

    assert_eq!(lives(&pair(unique(Unique::key("u")))).len(), 1);
    assert!(lives(&pair(unique(Unique::key("u").replace()))).is_empty());
    let third = story(C, unique(Unique::key("u").replace()), (4, 6));
    let [first, second] = pair(unique(Unique::key("u").replace()));
    assert_eq!(lives(&[first, second, third]).len(), 1);
}

#[test]
fn starts_that_come_too_soon_are_found() {
    let rated = |burst| {
        let pace = Pace::new(1, Duration::from_secs(10)).with_burst(burst);
        options(|options| options.rates = vec![Rate { key: "p".to_owned(), pace }])
    };
    let pair = |burst, second| [story(A, rated(burst), (0, 1)), story(B, rated(burst), (second, second + 1))];

    assert!(paces(&pair(1, 10)).is_empty());
    assert_eq!(paces(&pair(1, 9)).len(), 1);
    assert!(paces(&pair(2, 9)).is_empty());
    let [first, second] = pair(2, 1);
    assert!(!paces(&[first, second, story(C, rated(2), (9, 10))]).is_empty());
}

#[test]
fn a_number_that_does_not_grow_or_is_not_given_is_found() {
    let wishes: BTreeMap<JobId, Wishes> =
        [A, B].map(|job| (job, wishes(&locks(Lock::exclusive("r"))))).into_iter().collect();
    let fenced = |job, fence| Mark::Fenced { run: run(job), resource: "r".to_owned(), fence };
    let judged =
        |first, second| fences(&wishes, &[fenced(A, first), start(A), end(A), fenced(B, second), start(B)]);

    assert!(judged(1, 2).is_empty());
    assert_eq!(judged(2, 2).len(), 1);
    assert_eq!(judged(2, 1).len(), 1);
    assert_eq!(fences(&wishes, &[start(A)]).len(), 1);
}

#[test]
fn a_job_before_its_turn_is_found_also_where_only_a_retry_comes_late() {
    let stories = [story(A, ordered(), (0, 1)), story(B, ordered(), (1, 2))];
    let asked = |job| Mark::Asked { job, key: None };
    let created = |job| Mark::Answered { job, answer: "created".to_owned(), stands: job };
    let one_after_the_other = [asked(A), created(A), asked(B), created(B)];
    let judged = |starts: &[Mark]| turns(&stories, &[&one_after_the_other, starts].concat());

    assert!(judged(&[start(A), start(A), start(B)]).is_empty());
    assert_eq!(judged(&[start(B), start(A)]).len(), 1);
    assert_eq!(judged(&[start(A), start(B), start(A)]).len(), 1);
    let at_once = [asked(A), asked(B), created(A), created(B), start(B), start(A)];
    assert!(turns(&stories, &at_once).is_empty(), "nobody can say which came first");
}

#[test]
fn answers_that_are_not_true_are_found() {
    let key = || unique(Unique::key("u"));
    let stories = [story(A, key(), (0, 1)), story(B, options(|_| {}), (0, 1))];
    let asked = |job, key: Option<&str>| Mark::Asked { job, key: key.map(str::to_owned) };
    let answered = |job, answer: &str, stands| Mark::Answered { job, answer: answer.to_owned(), stands };
    let judged = |more: &[Mark]| answers(&stories, &[&[asked(A, Some("u")), asked(B, None)], more].concat());

    let asked_again = [asked(C, Some("u")), answered(C, "existing", A)];
    assert!(judged(&[answered(A, "created", A), answered(B, "created", B)]).is_empty());
    assert!(judged(&asked_again).is_empty());
    assert_eq!(judged(&[asked(C, None), answered(C, "created", C)]).len(), 2, "it is not there");
    assert_eq!(judged(&[asked(C, Some("u")), answered(C, "existing", B)]).len(), 1, "another key");
    assert_eq!(judged(&[answered(A, "existing", A)]).len(), 1, "it is there");
    assert_eq!(answers(&stories, &[asked(A, Some("u"))]).len(), 1, "nobody asked for the other");
}
