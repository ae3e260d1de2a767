//! Where claims begin to look: a hint, never trusted for completeness.
//!
//! Behind the places that claims have passed lie rows that are gone but not yet swept away. As long as anyone holds an old
//! snapshot they cannot be, and a claim that began at the front would walk over all of them. So a process remembers the
//! last place it claimed of each lane and priority, and begins there.
//!
//! A job may appear before that place: a producer commits late, another claimer gives back what it had locked, a clock
//! steps. So claims begin at the front again and again: at once when one found less than it asked for, every second
//! under load, and in both cases for no more than a fiftieth of the time where that has become dear. A job that a gate calls
//! comes back to where it stood: the floor is lowered to it. Where jobs came back and nobody says to where, floors are
//! forgotten. That happens with every retry by hand, every child and every tick, and so is heeded at once only until such looks
//! have come to be dear and many; from then on they may take a fifth of the time, or some more if a look takes seconds.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Moment};

use windlass_core::Timestamp;

use crate::value::Instant;

/// A look from the front that takes no longer costs nothing to speak of.
const CHEAP: Duration = Duration::from_millis(5);

/// How often claims begin at the front while there is always enough behind the floor.
const UNDER_LOAD: Duration = Duration::from_secs(1);

/// One part in so many is the most that looking from the front may take of the time. Under load that is also less than one
/// claim in a hundred.
const SHARE: u32 = 50;

/// However long it took, for what held it up may be over: no longer is what nobody told us of left where it is.
const REST_MAX: Duration = Duration::from_secs(30);

/// The same share where floors were forgotten, once such looks have taken so much more than that.
const SHARE_IF_FORGOTTEN: u32 = 5;
const OVERDRAFT: Duration = Duration::from_secs(10);

/// As far as it is counted, so that nobody waits for more than ten seconds.
const OVERDRAFT_MAX: Duration = Duration::from_secs(12);

/// Nobody has claimed behind a job that is due so far from now, even if our clock is behind the server's.
const AHEAD_MIN: Duration = Duration::from_secs(60);

/// What it takes to hand out one job, be it ever so near.
const PER_JOB: Duration = Duration::from_micros(20);

/// Floors in the columns of `lease/claim.sql`; empty for a claim from the front.
#[derive(Debug, Default)]
pub(crate) struct Floors {
    pub(crate) lanes: Vec<i32>,
    pub(crate) priorities: Vec<i16>,
    pub(crate) run_at: Vec<Instant>,
    pub(crate) seqs: Vec<i64>,
    /// Whether what other processes took behind it may be passed over.
    follows: Vec<bool>,
    /// Whether what lanes there are was looked at less than a second ago, by a claim from the front.
    pub(crate) lately: bool,
}

impl Floors {
    pub(crate) fn is_front(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Those of one lane; the front where there is none.
    pub(crate) fn in_lane(&self, lane: i32) -> LaneFloors {
        let mut floors = LaneFloors {
            run_at: vec![Instant(Timestamp::MIN); 6],
            seqs: vec![0; 6],
            follows: vec![false; 6],
        };
        for (index, priority) in self.priorities.iter().enumerate() {
            if self.lanes[index] == lane
                && let Ok(band) = usize::try_from(*priority)
            {
                floors.run_at[band] = self.run_at[index];
                floors.seqs[band] = self.seqs[index];
                floors.follows[band] = self.follows[index];
            }
        }
        floors
    }
}

/// Floors of one lane in the columns of `lease/claim_lane.sql`: one for each priority from 0 to 5.
#[derive(Debug)]
pub(crate) struct LaneFloors {
    pub(crate) run_at: Vec<Instant>,
    pub(crate) seqs: Vec<i64>,
    pub(crate) follows: Vec<bool>,
}

/// A place in the claim order: lane, priority, due time, enqueue order.
pub(crate) type Place = (i32, i16, Timestamp, i64);

/// Whether claims may have passed the place of a new job that is due at `run_at`.
pub(crate) fn may_be_passed(run_at: Timestamp, now: Timestamp) -> bool {
    run_at < now.after(AHEAD_MIN)
}

/// What this process knows.
#[derive(Debug)]
pub(crate) struct FloorMap(Mutex<Known>);

#[derive(Debug)]
struct Known {
    /// The last place that was claimed, of each lane and priority.
    places: HashMap<(i32, i16), (Timestamp, i64)>,
    /// The furthest that a claim has come to in each: before it may lie what came back since, or was found from the front.
    furthest: HashMap<(i32, i16), (Timestamp, i64)>,
    /// Whether jobs lie before those places, to be looked for as soon as that may be.
    forgotten: bool,
    /// Whether the last claim found as much as it asked for.
    plenty: bool,
    /// When a claim last began at the front, if one did, and how long the way was.
    front_at: Option<Moment>,
    front_took: Duration,
    /// What such looks took beyond the share of those that were forgotten, until that moment.
    overdrawn: (Duration, Moment),
    /// When what lanes there are was last looked at.
    lanes_at: Option<Moment>,
    /// How often jobs came back.
    returns: u64,
}

impl Default for FloorMap {
    fn default() -> Self {
        Self(Mutex::new(Known {
            places: HashMap::new(),
            furthest: HashMap::new(),
            forgotten: false,
            plenty: false,
            front_at: None,
            front_took: Duration::ZERO,
            overdrawn: (Duration::ZERO, Moment::now()),
            lanes_at: None,
            returns: 0,
        }))
    }
}

impl FloorMap {
    /// From where the next claim begins.
    pub(crate) fn next(&self) -> Floors {
        let mut known = self.lock();
        known.heed();
        let wait = if known.plenty { UNDER_LOAD } else { Duration::ZERO };
        if known.may_begin_at_front(wait) {
            let lately = known.lanes_at.is_some_and(|at| at.elapsed() < UNDER_LOAD);
            return Floors { lately, ..Floors::default() };
        }
        known.floors()
    }

    /// Where a claim begins that another began elsewhere than at the front.
    pub(crate) fn behind(&self) -> Floors {
        let mut known = self.lock();
        known.heed();
        known.floors()
    }

    /// Whether a claim that found too little behind the floor should look from the front.
    pub(crate) fn should_look_again(&self) -> bool {
        self.lock().may_begin_at_front(Duration::ZERO)
    }

    /// Learns from a claim: where it began, how long it took, whether it found as much as it asked for, and what.
    pub(crate) fn claimed(
        &self,
        from_front: Option<Duration>,
        plenty: bool,
        places: impl Iterator<Item = Place>,
    ) {
        let mut known = self.lock();
        known.plenty = plenty;
        let places: Vec<Place> = places.collect();
        if let Some(took) = from_front {
            known.begin_at_front(took, places.len());
            if plenty {
                known.turn_back_to(&places);
            }
        }
        known.pass(places.into_iter());
    }

    /// Learns that a claim began at the front, how long it took, and how many jobs it handed out.
    pub(crate) fn began_at_front(&self, took: Duration, jobs: usize) {
        self.lock().begin_at_front(took, jobs);
    }

    /// Learns that what lanes there are is known; `returns` is from before they were looked at. If something came meanwhile, it
    /// may be in a lane that was not there.
    pub(crate) fn looked_at_lanes(&self, returns: u64) {
        let mut known = self.lock();
        if known.returns == returns {
            known.lanes_at = Some(Moment::now());
        }
    }

    /// How often jobs came back so far, or may have come where nobody looks, for [`passed`](Self::passed) and
    /// [`looked_at_lanes`](Self::looked_at_lanes).
    pub(crate) fn returns(&self) -> u64 {
        self.lock().returns
    }

    /// Learns that jobs were claimed, and that none like them is left before them; `returns` is from before they were looked
    /// for. If others came back meanwhile, they may be before these.
    pub(crate) fn passed(&self, returns: u64, places: impl Iterator<Item = Place>) {
        let mut known = self.lock();
        if known.returns == returns {
            known.pass(places);
        }
    }

    /// Learns that jobs are to be seen at these places from now on.
    pub(crate) fn came_back(&self, places: &[Place]) {
        if places.is_empty() {
            return;
        }
        let mut known = self.lock();
        known.returns += 1;
        for &(lane, priority, run_at, seq) in places {
            if let Some(floor) = known.places.get_mut(&(lane, priority)) {
                *floor = (*floor).min((run_at, seq - 1));
            }
        }
    }

    /// Lets the next claims begin at the front, or soon where that is dear: a job may have come to lie before what was claimed.
    pub(crate) fn forget(&self) {
        let mut known = self.lock();
        known.forgotten = true;
        known.lanes_at = None;
        known.returns += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn begin_at_front(&mut self, took: Duration, jobs: usize) {
        let jobs = u32::try_from(jobs).unwrap_or(u32::MAX);
        self.front_at = Some(Moment::now());
        self.front_took = took.saturating_sub(PER_JOB.saturating_mul(jobs));
        let overdrawn = self.overdrawn() + self.front_took;
        self.overdrawn = (overdrawn.min(OVERDRAFT_MAX), Moment::now());
    }

    fn overdrawn(&self) -> Duration {
        let (spent, at) = self.overdrawn;
        spent.saturating_sub(at.elapsed() / SHARE_IF_FORGOTTEN)
    }

    /// Lets go of floors that lie behind these places: between them there may be more of what nobody told us of.
    fn turn_back_to(&mut self, places: &[Place]) {
        for (lane, priority, ..) in places {
            self.places.remove(&(*lane, *priority));
        }
    }

    fn pass(&mut self, places: impl Iterator<Item = Place>) {
        for (lane, priority, run_at, seq) in places {
            for known in [&mut self.places, &mut self.furthest] {
                let floor = known.entry((lane, priority)).or_insert((run_at, seq));
                *floor = (*floor).max((run_at, seq));
            }
        }
    }

    fn floors(&self) -> Floors {
        let mut floors = Floors::default();
        for (place, floor) in &self.places {
            floors.lanes.push(place.0);
            floors.priorities.push(place.1);
            floors.run_at.push(Instant(floor.0));
            floors.seqs.push(floor.1);
            floors.follows.push(self.furthest.get(place) == Some(floor));
        }
        floors
    }

    /// Lets go of what was forgotten, if that may be by now.
    fn heed(&mut self) {
        if self.forgotten && self.overdrawn() < OVERDRAFT {
            self.places.clear();
            self.forgotten = false;
        }
    }

    fn may_begin_at_front(&self, wait: Duration) -> bool {
        let rest =
            if self.front_took < CHEAP { Duration::ZERO } else { (self.front_took * SHARE).min(REST_MAX) };
        self.front_at.is_none_or(|at| at.elapsed() >= wait.max(rest))
    }
}
