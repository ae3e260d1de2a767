//! How the state of a pool changes.

use windlass_core::{Args, JobId, KindName, Priority, QueueName, Timestamp};

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

fn job(number: u8, losses: u32) -> LeasedJob {
    LeasedJob {
        token: AttemptToken { job: JobId::from_bytes([number; 16]), number: 1, nonce: 1 },
        lease_until: NOW,
        kind: KindName::new("k").unwrap(),
        version: 1,
        queue: QueueName::default(),
        args: Args::default(),
        priority: Priority::Normal,
        attempt: 1,
        attempts_max: 8,
        losses,
        run_at: NOW,
        deadline: None,
        created_at: NOW,
        started_at: NOW,
        checkpoint: None,
        options: None,
        fences: Vec::new(),
        settles: None,
    }
}

fn landed(slots: usize, jobs: Vec<LeasedJob>) -> PoolState {
    let mut state = PoolState::new(slots, 1_000);
    state.land(jobs, Instant::now());
    state
}

fn waiting(state: &PoolState) -> Vec<u8> {
    state.queue.iter().map(|waiting| waiting.leased.id().as_bytes()[0]).collect()
}

#[tokio::test]
async fn jobs_that_were_lost_before_go_first_and_are_not_kept_waiting() {
    let state = landed(2, vec![job(1, 0), job(2, 1), job(3, 0), job(4, 2), job(5, 1)]);

    assert_eq!(waiting(&state), [2, 4, 1, 3]);
    assert_eq!(state.done.len(), 1, "there is no slot for the third of them");
    assert_eq!(state.done[0].token.job.as_bytes()[0], 5);
    assert_eq!(state.done[0].verdict, Verdict::Released);
}

#[tokio::test]
async fn an_end_is_told_once() {
    let mut state = landed(1, vec![job(1, 0)]);
    let slot = state.permits(8).pop().unwrap();
    let token = state.next(slot).unwrap().leased.token;

    state.interrupt();
    state.ended(slot, Settlement { token, verdict: Verdict::Succeeded { result: None } });

    let verdicts: Vec<&Verdict> = state.done.iter().map(|settlement| &settlement.verdict).collect();
    assert_eq!(verdicts, [&Verdict::Interrupted]);
}

#[tokio::test]
async fn what_is_lost_is_forgotten_wherever_it_was() {
    let mut state = landed(2, vec![job(1, 0), job(2, 0), job(3, 0)]);
    let slots = state.permits(8);
    let first = state.next(slots[0]).unwrap().leased.token;
    state.next(slots[1]).unwrap();
    state.ended(slots[0], Settlement { token: first, verdict: Verdict::Interrupted });

    let queue = state.lose();

    assert_eq!((queue.len(), state.held(), state.counts.lost), (1, 0, 3));
    assert_eq!(state.running(), 2, "the slots are taken as long as their tasks are there");
}

// Its slot was free again and its token forgotten, so the job stayed leased to a worker that lived on.
#[tokio::test]
async fn an_attempt_whose_task_is_gone_has_failed() {
    let mut state = landed(1, vec![job(1, 0)]);
    let slots = state.permits(1);
    let token = state.next(slots[0]).unwrap().leased.token;

    state.broke(slots[0]);

    let [Settlement { token: told, verdict: Verdict::Failed { .. } }] = state.done[..] else {
        panic!("{:?}", state.done)
    };
    assert_eq!(told, token);
}

#[tokio::test]
async fn there_is_never_more_than_one_permit_for_each_slot() {
    let mut state = landed(3, (0..10).map(|number| job(number, 0)).collect());

    assert_eq!(state.permits(2).len(), 2);
    assert_eq!(state.permits(2).len(), 1);
    assert_eq!(state.permits(2).len(), 0);
    assert_eq!(state.running(), 3);
}

#[tokio::test]
async fn a_pool_that_stops_gives_back_what_waits_also_what_lands_later() {
    let mut state = landed(1, vec![job(1, 0), job(2, 0)]);

    state.stop();
    state.land(vec![job(3, 0)], Instant::now());

    assert_eq!((state.waiting(), state.done.len(), state.counts.released, state.room()), (0, 3, 3, 0));
}

#[tokio::test]
async fn what_turns_in_flight_may_bring_has_its_room() {
    let mut state = PoolState::new(10, 1_000);
    assert_eq!(state.room(), 10);

    state.claiming = 8;

    assert_eq!(state.room(), 2);
}
