use super::*;

const PLACE: Place = (1, 3, Timestamp::MIN, 7);

#[test]
fn under_load_a_claim_begins_behind_the_last() {
    let floors = FloorMap::default();
    assert!(floors.next().is_front());

    floors.claimed(Some(Duration::ZERO), true, [PLACE, (1, 3, Timestamp::MIN, 9)].into_iter());

    let next = floors.next();
    assert_eq!((next.lanes, next.priorities, next.seqs), (vec![1], vec![3], vec![9]));
    assert!(floors.should_look_again());
}

#[test]
fn where_the_way_from_the_front_is_long_it_is_gone_seldom() {
    let floors = FloorMap::default();

    floors.claimed(Some(Duration::from_secs(10)), false, [PLACE].into_iter());
    assert!(!floors.next().is_front());
    assert!(!floors.should_look_again());

    floors.claimed(Some(Duration::ZERO), false, [PLACE].into_iter());
    assert!(floors.next().is_front());
}

#[test]
fn a_floor_is_lowered_to_a_job_that_comes_back_before_it() {
    let floors = FloorMap::default();
    let before = floors.returns();
    floors.passed(before, [PLACE].into_iter());

    floors.came_back(&[(1, 3, Timestamp::MIN, 9), (2, 3, Timestamp::MIN, 1)]);
    assert_eq!(floors.behind().seqs, [7], "what comes back behind it is met all the same");
    floors.came_back(&[(1, 3, Timestamp::MIN, 5)]);
    assert_eq!(floors.behind().seqs, [4]);
    floors.passed(before, [PLACE].into_iter());
    assert_eq!(floors.behind().seqs, [4], "a claim that was under way meanwhile has not met it");
}

#[test]
fn lanes_that_came_while_others_were_looked_at_are_looked_for() {
    let floors = FloorMap::default();
    let before = floors.returns();
    floors.forget();

    floors.looked_at_lanes(before);
    assert!(!floors.next().lately);

    floors.looked_at_lanes(floors.returns());
    assert!(floors.next().lately);
}

#[test]
fn one_look_that_was_held_up_puts_off_no_other_for_long() {
    let floors = FloorMap::default();
    floors.claimed(Some(Duration::from_secs(600)), false, [PLACE].into_iter());
    let ago = |seconds| Moment::now().checked_sub(Duration::from_secs(seconds)).expect("a moment");

    floors.forget();
    assert!(!floors.next().is_front());
    floors.lock().overdrawn.1 = ago(11);
    assert!(floors.next().is_front(), "somebody said that there is something");

    assert!(!floors.should_look_again());
    floors.lock().front_at = Some(ago(30));
    assert!(floors.should_look_again(), "nobody did");
}

#[test]
fn claims_have_not_passed_what_is_due_much_later() {
    let now = Timestamp::MIN.after(Duration::from_secs(1_000));

    assert!(may_be_passed(Timestamp::MIN, now));
    assert!(may_be_passed(now.after(AHEAD_MIN / 2), now));
    assert!(!may_be_passed(now.after(AHEAD_MIN), now));
}

#[test]
fn where_there_is_plenty_at_the_front_the_next_claim_goes_on_there() {
    let floors = FloorMap::default();
    floors.claimed(None, true, [(1, 3, Timestamp::MIN, 900), (2, 3, Timestamp::MIN, 900)].into_iter());

    floors.claimed(Some(Duration::ZERO), false, [PLACE].into_iter());
    assert_eq!(floors.behind().in_lane(1).seqs[3], 900, "that was all there was before it");

    floors.claimed(Some(Duration::ZERO), true, [(1, 3, Timestamp::MIN, 6), PLACE].into_iter());
    assert_eq!(floors.behind().in_lane(1).seqs[3], 7);
    assert_eq!(floors.behind().in_lane(2).seqs[3], 900);
}

#[test]
fn what_others_took_is_passed_over_only_where_nothing_is_left_before_it() {
    let at = |seq| (1, 3, Timestamp::MIN, seq);
    let floors = FloorMap::default();
    let follows = || floors.behind().in_lane(1).follows[3];
    assert!(!follows(), "from the front all is looked at");
    floors.claimed(Some(Duration::ZERO), true, [at(90)].into_iter());
    assert!(follows());
    assert_eq!(floors.behind().in_lane(1).follows.iter().filter(|follows| **follows).count(), 1);

    floors.came_back(&[at(50), at(60)]);
    assert!(!follows(), "there may be more than one");
    floors.claimed(None, true, [at(50)].into_iter());
    assert!(!follows());
    floors.claimed(None, true, [at(60), at(91)].into_iter());
    assert!(follows());

    floors.claimed(Some(Duration::ZERO), true, [at(70)].into_iter());
    assert!(!follows(), "as much was found from the front as was asked for");
    floors.forget();
    assert!(!follows());
    floors.claimed(Some(Duration::ZERO), true, [at(92)].into_iter());
    assert!(follows());
}

#[test]
fn what_is_forgotten_is_looked_for_from_the_front() {
    let floors = FloorMap::default();
    floors.claimed(None, true, [PLACE].into_iter());

    floors.forget();

    assert!(floors.next().is_front());
    assert!(floors.behind().is_front());
}

#[test]
fn what_is_forgotten_again_and_again_does_not_take_all_the_time() {
    let floors = FloorMap::default();
    let look = || floors.claimed(Some(Duration::from_secs(6)), false, [PLACE].into_iter());
    look();
    floors.forget();
    assert!(floors.next().is_front(), "it is heeded at once");

    look();
    floors.forget();
    assert_eq!((floors.next().seqs, floors.behind().seqs), (vec![7], vec![7]));

    let ago = Moment::now().checked_sub(Duration::from_secs(11)).expect("a moment");
    floors.lock().overdrawn.1 = ago;
    assert!(!floors.should_look_again(), "nobody else may look so soon");
    assert!(floors.behind().is_front());
    assert!(floors.next().is_front(), "nothing of what was claimed before is left out");
}
