//! Whether something happens in time, on a machine that may stand still at any moment.
//!
//! What the machine holds up is late now and then; what is late by a mistake is late each time. So a few tries have to be
//! in time once, and of many most of them.

/// The tries of a run.
#[derive(Debug, Clone, Copy)]
pub struct Timely {
    planned: usize,
    tried: usize,
    in_time: usize,
    /// Whether most have to be in time, however few there are.
    mostly: bool,
}

/// From so many planned tries on, most have to be in time.
const MANY: usize = 10;

/// Of a hundred of many.
const MOST: usize = 80;

/// How many tries there are at the most where fewer are planned, until one is in time.
const TRIES_MAX: usize = 6;

impl Timely {
    /// A run of so many tries, or of more where those are few and late.
    #[must_use]
    pub const fn planned(planned: usize) -> Self {
        Self { planned, tried: 0, in_time: 0, mostly: false }
    }

    /// The same, where what is late breaks a promise: one that is in time by chance does not make up for the others.
    #[must_use]
    pub const fn mostly(self) -> Self {
        Self { mostly: true, ..self }
    }

    /// Takes note of a try.
    pub fn tried(&mut self, in_time: bool) {
        self.tried += 1;
        self.in_time += usize::from(in_time);
    }

    /// How many tries there were.
    #[must_use]
    pub const fn tries(&self) -> usize {
        self.tried
    }

    /// How many of them were in time.
    #[must_use]
    pub const fn in_time(&self) -> usize {
        self.in_time
    }

    /// Whether there is to be another try.
    #[must_use]
    pub const fn is_due(&self) -> bool {
        self.tried < self.planned || !self.is_enough() && self.tried < TRIES_MAX
    }

    /// Whether enough were in time.
    #[must_use]
    pub const fn is_enough(&self) -> bool {
        match self.planned {
            MANY.. => self.in_time * 100 >= self.planned * MOST,
            _ if self.mostly => self.in_time * 2 > self.tried,
            _ => self.in_time > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(planned: usize, is_in_time: fn(usize) -> bool) -> Timely {
        run_all(Timely::planned(planned), is_in_time)
    }

    fn run_all(mut timely: Timely, is_in_time: fn(usize) -> bool) -> Timely {
        while timely.is_due() {
            timely.tried(is_in_time(timely.tries()));
        }
        timely
    }

    #[test]
    fn where_a_promise_is_broken_most_have_to_be_in_time() {
        let verdict = |timely: Timely| (timely.tries(), timely.is_enough());

        assert_eq!(verdict(run_all(Timely::planned(1).mostly(), |_| true)), (1, true));
        assert_eq!(verdict(run_all(Timely::planned(1).mostly(), |number| number > 0)), (3, true));
        assert_eq!(verdict(run_all(Timely::planned(1).mostly(), |number| number % 3 == 2)), (6, false));
    }

    #[test]
    fn of_a_few_one_is_enough_and_of_many_most() {
        let verdict = |timely: Timely| (timely.tries(), timely.in_time(), timely.is_enough());

        assert_eq!(verdict(run(3, |_| true)), (3, 3, true));
        assert_eq!(verdict(run(1, |number| number == 2)), (3, 1, true));
        assert_eq!(verdict(run(2, |_| false)), (6, 0, false));
        assert_eq!(verdict(run(50, |number| number % 10 > 0)), (50, 45, true));
        assert_eq!(verdict(run(50, |number| number % 2 > 0)), (50, 25, false));
    }
}
