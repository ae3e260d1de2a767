//! What a batch does, held against tables.

use std::collections::HashMap;
use std::time::Duration;

use windlass_core::{Args, Due, KindName, NewJob};

use super::planning::{found, made};
use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn id(number: u8) -> JobId {
    JobId::from_bytes([number; 16])
}

fn job(number: u8, unique: Unique) -> NewJob {
    let mut job = NewJob::new(id(number), KindName::new("mail").unwrap(), Args::default());
    job.options.unique = Some(unique);
    job
}

fn key() -> UniqueKey {
    job(1, Unique::by_args()).unique_key().unwrap()
}

/// A key that job 9 has, which is at `stage`.
fn held(unique: &Unique, (stage, started): (Stage, bool)) -> HashMap<UniqueKey, KeyState> {
    let kept = Kept { stage, started, traits: Traits::UNIQUE, created_at: NOW.before(SECOND) };
    [(key(), KeyState::taken(id(9), unique, (kept, None)))].into()
}

fn planned(jobs: &[NewJob], keys: HashMap<UniqueKey, KeyState>) -> Plan {
    plan(jobs, &HashMap::new(), keys, NOW).unwrap()
}

#[test]
fn the_scope_of_the_holder_says_whether_it_stands_in_the_way() {
    let answer = |scope: Unique, at| {
        let plan = planned(&[job(1, Unique::by_args())], held(&scope, at));
        plan.answers[0].outcome
    };
    let (created, existing) = (EnqueueOutcome::Created, EnqueueOutcome::Existing);

    for (unique, at, outcome) in [
        (Unique::by_args(), (Stage::Waiting, false), existing),
        (Unique::by_args(), (Stage::Waiting, true), existing),
        (Unique::by_args(), (Stage::Running, true), existing),
        (Unique::by_args(), (Stage::Dead, true), created),
        (Unique::by_args().while_waiting(), (Stage::Waiting, false), existing),
        (Unique::by_args().while_waiting(), (Stage::Running, true), created),
        (Unique::by_args().while_waiting(), (Stage::Waiting, true), created),
        (Unique::by_args().for_span(SECOND * 2), (Stage::Completed, true), existing),
        (Unique::by_args().for_span(SECOND), (Stage::Completed, true), created),
        (Unique::by_args().for_span(SECOND), (Stage::Running, true), existing),
    ] {
        assert_eq!(answer(unique.clone(), at), outcome, "{unique:?} {at:?}");
    }
}

#[test]
fn what_the_first_of_a_batch_does_the_second_meets() {
    let replace = || Unique::by_args().replace();

    let plan = planned(&[job(1, replace()), job(2, replace()), job(3, replace())], HashMap::new());

    assert_eq!(plan.answers[0], made(id(1)));
    assert_eq!(plan.answers[2], found(id(1), EnqueueOutcome::Replaced));
    assert_eq!(plan.made.len(), 1);
    assert_eq!((plan.changed[0].id, plan.changed[0].place, plan.changed[0].times), (id(1), 2, 2));
    assert_eq!((plan.keys[0].before, plan.keys[0].row.job), (None, id(1)));
    assert_eq!(plan.answered, [1, 2]);
}

#[test]
fn who_asks_to_be_refused_refuses_the_batch() {
    let jobs = [job(1, Unique::by_args()), job(2, Unique::by_args().reject())];

    let refused = plan(&jobs, &HashMap::new(), HashMap::new(), NOW).unwrap_err();

    assert_eq!(refused, Refused { place: 1, holder: id(1) });
}

#[test]
fn a_started_job_is_followed_by_one_and_no_more() {
    let replace = || Unique::by_args().replace();
    let plan = planned(&[job(1, replace()), job(2, replace())], held(&replace(), (Stage::Running, true)));

    assert_eq!(plan.made, [Made { place: 0, parked: true, run_at: None, reason: Some(Reason::Dependency) }]);
    assert_eq!(plan.answers[1], found(id(1), EnqueueOutcome::Replaced));
    assert_eq!((plan.keys[0].row.job, plan.keys[0].row.next), (id(9), Some(id(1))));
}

#[test]
fn a_debounced_job_is_due_a_while_after_the_last_and_not_too_long_after_the_first() {
    let debounce = |seconds| Unique::by_args().debounce(SECOND * 5, SECOND * seconds);
    let run_at = |unique: &Unique| {
        let plan = planned(&[job(1, unique.clone())], held(unique, (Stage::Waiting, false)));
        plan.changed[0].run_at
    };

    assert_eq!(run_at(&debounce(60)), NOW.after(SECOND * 5));
    assert_eq!(run_at(&debounce(5)), NOW.after(SECOND * 4));
    let first = planned(&[job(1, debounce(60))], HashMap::new()).made[0];
    assert_eq!((first.run_at, first.reason), (Some(NOW.after(SECOND * 5)), Some(Reason::Debounce)));
}

#[test]
fn a_key_that_outlives_its_job_puts_off_who_would_replace_it() {
    let unique = Unique::by_args().for_span(SECOND * 3).replace();
    let mut asked = job(1, unique.clone());
    asked.due = Due::At(NOW);

    let mut keys = held(&unique, (Stage::Completed, true));
    let state = keys.get_mut(&key()).unwrap();
    (state.row.hold, state.holder) = (Hold::Over, None);

    let plan = planned(&[asked], keys);

    assert_eq!(plan.answers[0], made(id(1)));
    assert_eq!((plan.made[0].parked, plan.made[0].run_at), (false, Some(NOW.after(SECOND * 2))));
    assert_eq!(plan.keys[0].row.free_at, Some(NOW.after(SECOND * 2)));
}

#[test]
fn the_end_of_a_job_frees_its_key_or_passes_it_on() {
    let row = KeyRow { job: id(9), hold: Hold::Active, until: None, next: None, free_at: None };
    let next =
        NextInLine { id: id(1), created_at: NOW, run_at: NOW, unique: Unique::by_args().for_span(SECOND) };
    let kept = KeyRow { until: Some(NOW.after(SECOND)), ..row };

    assert_eq!(let_go(&row, id(9), None, NOW), LetGo::Free);
    assert_eq!(let_go(&kept, id(9), None, NOW), LetGo::Kept(KeyRow { hold: Hold::Over, ..kept }));
    let waited_for = KeyRow { next: Some(id(1)), ..kept };
    assert_eq!(let_go(&waited_for, id(1), None, NOW), LetGo::Kept(kept));
    let LetGo::Passed { row, run_at, .. } = let_go(&waited_for, id(9), Some(&next), NOW) else {
        panic!("it is passed on")
    };
    assert_eq!((row.job, row.until, run_at), (id(1), Some(NOW.after(SECOND)), NOW.after(SECOND)));
}

#[test]
fn a_job_that_comes_back_needs_its_key() {
    let back =
        Returning { id: id(1), created_at: NOW, started: true, unique: Unique::by_args().while_waiting() };
    let active = Returning { unique: Unique::by_args(), ..back.clone() };
    let taken = held(&Unique::by_args(), (Stage::Waiting, false))[&key()];

    assert_eq!(back.retake(Some(&taken), NOW), Ok(None));
    assert_eq!(active.retake(Some(&taken), NOW), Err(ErrorKind::Duplicate(id(9))));
    assert_eq!(active.retake(None, NOW).unwrap().unwrap().job, id(1));
}
