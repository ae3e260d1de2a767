//! One leads, by the store's clock, and whoever comes after has a larger term.

use windlass_core::WorkerId;
use windlass_store::{LEADER_LEASE, Leadership};

use super::schedule_scene::{HOUR, fire, hourly, named, put};
use crate::bench::{Bench, MICROSECOND, SECOND, at_once, just_before, operator};

cases! {
    the_first_to_ask_leads,
    whoever_asks_is_told_when_there_is_something_to_fire,
    others_are_told_who_leads_and_until_when,
    whoever_leads_keeps_the_lead_by_asking,
    the_lead_is_free_when_its_lease_is_over,
    a_leader_that_was_held_up_learns_that_it_lost_the_lead,
    whoever_leads_again_leads_in_a_new_term,
    whoever_resigns_makes_room_at_once,
    only_the_leader_can_resign,
    the_term_survives_the_store_that_counted_it,
    of_many_who_ask_at_once_one_leads,
    a_leader_need_not_be_a_worker_nor_a_worker_a_leader,
}

async fn lead(bench: &Bench, candidate: WorkerId) -> Leadership {
    bench.store.lead(candidate).await.unwrap()
}

/// Two that might lead.
fn candidates() -> [WorkerId; 2] {
    [WorkerId::from_bytes([0x33; 16]), WorkerId::from_bytes([0x44; 16])]
}

async fn the_first_to_ask_leads(bench: Bench) {
    let [leader, _] = candidates();

    let leadership = lead(&bench, leader).await;

    assert_eq!(
        leadership,
        Leadership { leader, term: 1, until: bench.now().after(LEADER_LEASE), look_at: None }
    );
}

async fn whoever_asks_is_told_when_there_is_something_to_fire(bench: Bench) {
    let [leader, other] = candidates();
    put(&bench, hourly("a")).await;
    let next = bench.now().after(HOUR);
    assert_eq!(lead(&bench, leader).await.look_at, Some(next));
    assert_eq!(lead(&bench, other).await.look_at, Some(next));

    bench.advance(HOUR);
    assert_eq!(lead(&bench, leader).await.look_at, Some(next), "it is time");
    let fired = fire(&bench).await;
    assert_eq!((fired.jobs, lead(&bench, leader).await.look_at), (1, fired.next_at));
    assert_eq!(fired.next_at, Some(next.after(HOUR)));
    bench.store.pause_schedule(&named("a"), operator()).await.unwrap();
    assert_eq!(lead(&bench, leader).await.look_at, None);
}

async fn others_are_told_who_leads_and_until_when(bench: Bench) {
    let [leader, other] = candidates();
    let leadership = lead(&bench, leader).await;
    bench.advance(just_before(LEADER_LEASE));

    assert_eq!(lead(&bench, other).await, leadership);
    assert_eq!(lead(&bench, other).await, leadership, "to ask for it does not prolong it");
}

async fn whoever_leads_keeps_the_lead_by_asking(bench: Bench) {
    let [leader, other] = candidates();
    lead(&bench, leader).await;
    for _ in 0..3 {
        bench.advance(just_before(LEADER_LEASE));
        let until = bench.now().after(LEADER_LEASE);

        assert_eq!(lead(&bench, leader).await, Leadership { leader, term: 1, until, look_at: None });
        assert_eq!(lead(&bench, other).await, Leadership { leader, term: 1, until, look_at: None });
    }
}

async fn the_lead_is_free_when_its_lease_is_over(bench: Bench) {
    let [leader, other] = candidates();
    lead(&bench, leader).await;
    bench.advance(just_before(LEADER_LEASE));
    assert_eq!(lead(&bench, other).await.leader, leader);
    bench.advance(MICROSECOND);

    let until = bench.now().after(LEADER_LEASE);
    assert_eq!(lead(&bench, other).await, Leadership { leader: other, term: 2, until, look_at: None });
}

async fn a_leader_that_was_held_up_learns_that_it_lost_the_lead(bench: Bench) {
    let [leader, other] = candidates();
    lead(&bench, leader).await;
    bench.advance(LEADER_LEASE);
    let next = lead(&bench, other).await;

    assert_eq!(lead(&bench, leader).await, next);
    bench.store.resign(leader).await.unwrap();
    assert_eq!(lead(&bench, leader).await, next, "nor can it give away what it lost");
}

async fn whoever_leads_again_leads_in_a_new_term(bench: Bench) {
    let [leader, _] = candidates();
    lead(&bench, leader).await;
    bench.advance(LEADER_LEASE);

    assert_eq!(lead(&bench, leader).await.term, 2, "in between it might have been another");
}

async fn whoever_resigns_makes_room_at_once(bench: Bench) {
    let [leader, other] = candidates();
    lead(&bench, leader).await;
    bench.advance(SECOND);

    bench.store.resign(leader).await.unwrap();
    bench.store.resign(leader).await.unwrap();

    let until = bench.now().after(LEADER_LEASE);
    assert_eq!(lead(&bench, other).await, Leadership { leader: other, term: 2, until, look_at: None });
}

async fn only_the_leader_can_resign(bench: Bench) {
    let [leader, other] = candidates();
    bench.store.resign(leader).await.unwrap();
    let leadership = lead(&bench, leader).await;

    bench.store.resign(other).await.unwrap();

    assert_eq!(lead(&bench, other).await, leadership);
}

async fn the_term_survives_the_store_that_counted_it(bench: Bench) {
    let [leader, other] = candidates();
    let leadership = lead(&bench, leader).await;
    let Some(reopened) = bench.reopened().await else { return };

    assert_eq!(reopened.lead(other).await.unwrap(), leadership);
    bench.advance(LEADER_LEASE);
    assert_eq!(reopened.lead(other).await.unwrap().term, 2);
}

async fn of_many_who_ask_at_once_one_leads(bench: Bench) {
    let [first, _] = candidates();
    lead(&bench, first).await;
    bench.advance(LEADER_LEASE);
    let store = bench.store.clone();

    let answers = at_once(8, move |index| {
        let store = store.clone();
        async move { store.lead(WorkerId::from_bytes([u8::try_from(index).unwrap() + 1; 16])).await.unwrap() }
    });
    let answers = answers.await;

    assert_eq!(answers[0].term, 2);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

async fn a_leader_need_not_be_a_worker_nor_a_worker_a_leader(bench: Bench) {
    let worker = bench.register().await;
    lead(&bench, worker).await;

    bench.store.deregister(worker).await.unwrap();

    assert_eq!(lead(&bench, candidates()[0]).await.leader, worker, "it is a lease of its own");
}
