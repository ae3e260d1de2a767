//! How often other processes are told of something.
//!
//! A notification takes a lock that all committing transactions with notifications in them share, and wakes every process
//! that listens. So many hints become one: the first goes at once, and those that follow wait for one another.

use std::time::Duration;

use tokio::time::Instant;

use super::message::Hints;

/// Between notifications of any kind, on average: fewer than a hundred a second, whatever the load.
const EVERY: Duration = Duration::from_millis(11);

/// After a rest, a few may follow one another at once, so that now and then two jobs in a row do not wait.
const AHEAD: Duration = Duration::from_millis(33);

/// Between two that say that jobs ended. Who waits for an end reads that job at each of them, and under load jobs end all the
/// time.
const ENDED_EVERY: Duration = Duration::from_millis(40);

/// Between two that say that floors must be forgotten. A claim from the front may be dear, which is why there are floors;
/// under load each process makes one every second in any case.
const FORGET_EVERY: Duration = Duration::from_millis(250);

/// Something that is done so often on average, and a little ahead of that after a rest.
#[derive(Debug)]
struct Pace {
    every: Duration,
    ahead: Duration,
    /// Until when its average is used up.
    spent_until: Instant,
}

impl Pace {
    fn new(every: Duration, ahead: Duration, now: Instant) -> Self {
        Self { every, ahead, spent_until: now }
    }

    fn due_at(&self) -> Instant {
        self.spent_until.checked_sub(self.ahead).unwrap_or(self.spent_until)
    }

    fn spend(&mut self, now: Instant) {
        self.spent_until = self.spent_until.max(now) + self.every;
    }
}

/// When what is sent next.
#[derive(Debug)]
pub(super) struct Schedule {
    any: Pace,
    /// Work is as urgent as anything may be.
    slower: [(Hints, Pace); 2],
}

impl Schedule {
    pub(super) fn new(now: Instant) -> Self {
        let pace = |every| Pace::new(every, Duration::ZERO, now);
        let slower = [(Hints::ENDED, pace(ENDED_EVERY)), (Hints::FORGET, pace(FORGET_EVERY))];
        Self { any: Pace::new(EVERY, AHEAD, now), slower }
    }

    /// When something of `pending` may go.
    pub(super) fn due_at(&self, pending: Hints) -> Option<Instant> {
        let each = Hints::EACH.iter().filter(|(hint, _)| pending.has(*hint));
        each.map(|(hint, _)| self.due_at_one(*hint)).min().map(|due| due.max(self.any.due_at()))
    }

    /// What of `pending` may go together at `now`.
    pub(super) fn due(&self, pending: Hints, now: Instant) -> Hints {
        let each = Hints::EACH.iter().map(|(hint, _)| *hint);
        let due = each.filter(|hint| pending.has(*hint) && self.due_at_one(*hint) <= now);
        due.fold(Hints::default(), Hints::with)
    }

    /// Takes note of what goes at `now`.
    pub(super) fn sent(&mut self, hints: Hints, now: Instant) {
        self.any.spend(now);
        for (_, pace) in self.slower.iter_mut().filter(|(hint, _)| hints.has(*hint)) {
            pace.spend(now);
        }
    }

    /// When this one may go, but for the others.
    fn due_at_one(&self, hint: Hints) -> Instant {
        let pace = self.slower.iter().find(|(slower, _)| *slower == hint);
        pace.map_or_else(|| self.any.due_at(), |(_, pace)| pace.due_at())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is sent in a second in which all of `pending` happens all the time.
    fn a_second_of(pending: Hints) -> Vec<Hints> {
        let start = Instant::now();
        let (mut schedule, mut sent) = (Schedule::new(start), Vec::new());
        loop {
            let at = schedule.due_at(pending).unwrap().max(start);
            if at >= start + Duration::from_secs(1) {
                return sent;
            }
            let due = schedule.due(pending, at);
            assert!(!due.is_empty(), "something is due when it says so");
            schedule.sent(due, at);
            sent.push(due);
        }
    }

    #[test]
    fn whatever_the_load_fewer_than_a_hundred_go_in_a_second() {
        let all = a_second_of(Hints::ALL);

        assert!((80..100).contains(&all.len()), "{}", all.len());
        assert!(all.iter().filter(|hints| hints.has(Hints::ENDED)).count() <= 25);
        assert!(all.iter().filter(|hints| hints.has(Hints::FORGET)).count() <= 4);
        assert!(a_second_of(Hints::ENDED).len() <= 25);
    }

    #[test]
    fn after_a_rest_a_few_go_at_once() {
        let now = Instant::now() + Duration::from_secs(1);
        let mut schedule = Schedule::new(now - Duration::from_secs(1));

        for _ in 0..4 {
            assert!(schedule.due_at(Hints::WORK).unwrap() <= now);
            schedule.sent(Hints::WORK, now);
        }

        assert!(schedule.due_at(Hints::WORK).unwrap() > now);
        assert_eq!(schedule.due_at(Hints::default()), None);
    }
}
