use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::limits::LINE_GRACE;
use crate::{Args, JobId, JobOptions, Limits, NewJob, Timestamp};

const START: Timestamp = Timestamp::from_micros(1_000_000_000);

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(START.as_micros() + micros)
}

fn place(order: u64) -> Place {
    Place { priority: 3, run_at: START, order }
}

fn refused(change: impl FnOnce(&mut JobOptions)) -> String {
    let mut job = NewJob::new(JobId::from_bytes([1; 16]), KindName::new("mail").unwrap(), Args::default());
    change(&mut job.options);
    job.validate(&Limits::default()).unwrap_err().field
}

#[test]
fn what_is_wrong_with_a_gate_is_refused_by_field() {
    let limit = |key: &str, max| KeyedLimit { key: key.to_owned(), max };
    let rate = |starts, per, burst| Rate { key: "k".to_owned(), pace: Pace { starts, per, burst } };
    let second = Duration::from_secs(1);

    assert_eq!(refused(|o| o.locks = vec![Lock::shared("r"), Lock::exclusive("r")]), "locks[1].mode");
    assert_eq!(refused(|o| o.locks = vec![Lock::shared("r"), Lock::shared("r")]), "locks[1]");
    assert_eq!(refused(|o| o.locks = vec![Lock::shared("")]), "locks[0].resource");
    assert_eq!(refused(|o| o.locks = vec![Lock::shared("a\nb")]), "locks[0].resource");
    assert_eq!(refused(|o| o.locks = vec![Lock::shared("r".repeat(257))]), "locks[0].resource");
    let many = (0..17).map(|n| Lock::shared(n.to_string())).collect();
    assert_eq!(refused(|o| o.locks = many), "locks");
    assert_eq!(refused(|o| o.limits = vec![limit("k", 1), limit("l", 0)]), "limits[1].max");
    assert_eq!(refused(|o| o.limits = vec![limit("k", 1), limit("k", 2)]), "limits[1]");
    assert_eq!(refused(|o| o.rates = vec![rate(0, second, 1)]), "rates[0].starts");
    assert_eq!(refused(|o| o.rates = vec![rate(1, Duration::ZERO, 1)]), "rates[0].per");
    assert_eq!(refused(|o| o.rates = vec![rate(1, second, 0)]), "rates[0].burst");
    assert_eq!(refused(|o| o.rates = vec![rate(2, Duration::from_micros(1), 1)]), "rates[0].starts");
    assert_eq!(refused(|o| o.order_key = Some(String::new())), "order_key");
    assert_eq!(Bounds { limit: Some(0), rate: None }.validate().unwrap_err().field, "limit");
    let slow = Bounds { limit: None, rate: Some(Pace::new(0, second)) };
    assert_eq!(slow.validate().unwrap_err().field, "rate.starts");
}

#[test]
fn gates_read_back_from_their_own_text() {
    let options = JobOptions {
        locks: vec![Lock::exclusive("r"), Lock::shared("s")],
        limits: vec![KeyedLimit { key: "stripe".to_owned(), max: 3 }],
        rates: vec![Rate {
            key: "api".to_owned(),
            pace: Pace::new(10, Duration::from_secs(60)).with_burst(2),
        }],
        order_key: Some("k".to_owned()),
        ..JobOptions::default()
    };

    let text = serde_json::to_string(&options).unwrap();

    assert_eq!(serde_json::from_str::<JobOptions>(&text).unwrap(), options);
    assert!(text.contains(r#"{"key":"api","starts":10,"per":"1m","burst":2}"#), "{text}");
}

#[test]
fn what_stores_keep_of_a_wish_reads_back() {
    let wishes = [
        (GateForm::Lock, Wish::Shared),
        (GateForm::Lock, Wish::Exclusive),
        (GateForm::Limit, Wish::Slot { max: 3 }),
        (GateForm::Rate, Wish::Start { interval: 333_334, burst: 5 }),
        (GateForm::Order, Wish::Turn),
    ];

    for (form, wish) in wishes {
        assert_eq!(Wish::from_numbers(form, wish.as_numbers()), wish);
        assert_eq!(GateForm::from_number(form.as_number().into()), Some(form));
    }
}

#[test]
fn who_waits_for_a_resource_alone_is_not_passed_by_those_who_share_it() {
    let mut gate = GateState { holders: 1, ..GateState::default() };
    gate.line.join(place(5), Wish::Exclusive);

    assert_eq!(gate.refusal(Wish::Shared, place(4), START), None);
    assert_eq!(gate.refusal(Wish::Shared, place(6), START), Some(Refusal::Behind { until: None }));
    assert_eq!(gate.refusal(Wish::Exclusive, place(5), START), Some(Refusal::Held));
}

#[test]
fn what_is_free_is_kept_for_those_in_line_and_not_for_ever() {
    let mut gate = GateState { freed_at: Some(START), ..GateState::default() };
    gate.line.join(place(5), Wish::Exclusive);
    let end = START.after(LINE_GRACE);
    let late = |now| gate.refusal(Wish::Shared, place(6), now);

    assert_eq!(gate.refusal(Wish::Exclusive, place(5), START), None);
    assert_eq!(late(START), Some(Refusal::Behind { until: Some(end) }));
    assert_eq!(late(end), None);
}

#[test]
fn an_order_key_lets_in_the_first_alone() {
    let gate = GateState { first: Some(5), ..GateState::default() };
    let held = GateState { holders: 1, ..gate };

    assert_eq!(gate.refusal(Wish::Turn, place(5), START), None);
    assert_eq!(gate.refusal(Wish::Turn, place(6), START), Some(Refusal::Turn));
    assert_eq!(held.refusal(Wish::Turn, place(5), START), Some(Refusal::Turn));
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![Just(Wish::Shared), Just(Wish::Exclusive)]
}

proptest! {
    /// However starts are asked for, no window has more than its rate and the burst.
    #[test]
    fn g16_a_rate_is_never_exceeded_in_any_window(
        starts in 1_u32..50, per in 1_u64..5_000_000, burst in 1_u32..6, steps in vec(0_i64..400_000, 1..80),
    ) {
        prop_assume!(u64::from(starts) <= per);
        let pace = Pace { starts, per: Duration::from_micros(per), burst };
        let (wish, mut gate, mut now, mut started) = (Wish::start(pace), GateState::default(), 0, Vec::new());
        for step in steps {
            now += step;
            while gate.refusal(wish, place(1), at(now)).is_none() {
                gate.grant(wish, at(now));
                started.push(now);
            }
        }
        for (index, first) in started.iter().enumerate() {
            for (count, last) in started[index..].iter().enumerate() {
                let window = u128::try_from(last - first).unwrap();
                let most = u128::from(starts) * window / u128::from(per) + u128::from(burst);
                prop_assert!(u128::try_from(count + 1).unwrap() <= most, "{} in {window}: {most}", count + 1);
            }
        }
    }

    /// What a rate says about when it opens is true: not a microsecond before, and then it does.
    #[test]
    fn a_rate_opens_when_it_says(interval in 1_u64..1_000_000, burst in 1_u32..5, taken in 1_u32..8, now in 0_i64..9) {
        let (wish, mut gate) = (Wish::Start { interval, burst }, GateState::default());
        (0..taken).for_each(|_| gate.grant(wish, at(now)));
        if let Some(Refusal::Early { until }) = gate.refusal(wish, place(1), at(now)) {
            let before = Timestamp::from_micros(until.as_micros() - 1);
            prop_assert!(gate.refusal(wish, place(1), before).is_some());
            prop_assert!(gate.refusal(wish, place(1), until).is_none());
        } else {
            prop_assert!(taken < burst);
        }
    }

    /// Readers and writers: one who has it alone has it alone, whoever comes in whatever order.
    #[test]
    fn g12_nobody_has_a_resource_beside_one_who_has_it_alone(asked in vec((wish(), 0_u64..50, any::<bool>()), 1..60)) {
        let (mut gate, mut held): (GateState, Vec<Wish>) = (GateState::default(), Vec::new());
        for (wish, order, leaves) in asked {
            if leaves && held.pop().is_some() {
                let exclusive = held.iter().any(|held| held.is_exclusive());
                gate = GateState { holders: u32::try_from(held.len()).unwrap(), exclusive, freed_at: Some(START), ..gate };
            }
            match gate.refusal(wish, place(order), START) {
                None => {
                    gate.grant(wish, START);
                    held.push(wish);
                }
                Some(_) => gate.line.join(place(order), wish),
            }
            prop_assert!(held.len() < 2 || !held.iter().any(|held| held.is_exclusive()), "{held:?}");
        }
    }

    /// Whoever stays parked would be turned away, once those who are called before it have come.
    #[test]
    fn nobody_stays_parked_who_would_be_let_in(
        wishes in vec((wish(), any::<bool>()), 0..12), holders in 0_u32..3, exclusive in any::<bool>(),
    ) {
        let holders = if exclusive { 1 } else { holders };
        let gate = GateState { holders, exclusive, ..GateState::default() };
        let waiting: Vec<Waiting> = (0..)
            .zip(&wishes)
            .map(|(order, (wish, called))| Waiting { place: place(order), wish: *wish, called: *called })
            .collect();

        let call = gate.call(&waiting, START);

        let mut state = gate;
        for (index, one) in waiting.iter().enumerate() {
            if state.refusal(one.wish, one.place, START).is_none() {
                prop_assert!(one.called || call.jobs.contains(&index));
                state.grant(one.wish, START);
            } else {
                prop_assert!(!call.jobs.contains(&index));
            }
        }
    }

    /// A keyed limit is a bound, with jobs that say different numbers too: each is held to its own.
    #[test]
    fn a_limit_holds_for_each_that_it_lets_in(asked in vec((1_u32..5, any::<bool>()), 1..60)) {
        let mut gate = GateState::default();
        for (max, leaves) in asked {
            gate.holders -= u32::from(leaves && gate.holders > 0);
            if gate.refusal(Wish::Slot { max }, place(1), START).is_none() {
                gate.grant(Wish::Slot { max }, START);
                prop_assert!(gate.holders <= max);
            }
        }
    }
}

#[test]
fn each_gate_is_asked_once_and_in_the_same_order_for_every_job() {
    let options = JobOptions {
        locks: vec![Lock::shared("b"), Lock::exclusive("a")],
        rates: vec![Rate { key: "a".to_owned(), pace: Pace::new(1, Duration::from_secs(1)) }],
        order_key: Some("z".to_owned()),
        ..JobOptions::default()
    };

    let needs = options.needs();

    let gates: Vec<_> = needs.iter().map(|need| (need.gate.form, &*need.gate.name)).collect();
    let expected =
        [(GateForm::Order, "z"), (GateForm::Lock, "a"), (GateForm::Lock, "b"), (GateForm::Rate, "a")];
    assert_eq!(gates, expected);
    let unique: BTreeMap<_, _> = needs.iter().map(|need| (need.gate.clone(), need.wish)).collect();
    assert_eq!(unique.len(), needs.len());
}
