//! Jobs that share things, drawn at random.

use std::time::Duration;

use windlass_core::{JobId, KeyedLimit, KindName, Lock, NewJob, Pace, Rate, RetryPolicy, Unique};

use crate::Failure;
use crate::random::Random;
use crate::script::Script;
use crate::worker::KIND;

/// The resources that jobs lock.
pub const RESOURCES: [&str; 3] = ["r0", "r1", "r2"];

/// The keys of limits, and how many jobs of each may run.
pub const LIMITS: [(&str, u32); 2] = [("l0", 2), ("l1", 3)];

/// The keys whose jobs run one after the other.
pub const ORDER_KEYS: [&str; 3] = ["o0", "o1", "o2"];

/// The keys of which there is one job at a time.
pub const UNIQUE_KEYS: [&str; 4] = ["u0", "u1", "u2", REPLACED_KEY];

/// Who meets another of this one replaces it.
const REPLACED_KEY: &str = "u3";

/// The key of the rate, and how often its jobs may start.
pub const RATE: (&str, Pace) = ("p0", Pace::new(20, Duration::from_secs(1)).with_burst(2));

/// How long a job waits after a failure.
const RETRY: Duration = Duration::from_millis(20);

/// Draws jobs.
#[derive(Debug)]
pub struct Draw(Random);

impl Draw {
    /// The jobs of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    /// The next one.
    ///
    /// # Errors
    ///
    /// None that anybody has seen: what it draws is allowed.
    pub fn job(&mut self, id: JobId) -> Result<NewJob, Failure> {
        let script = Script { fails: u32::from(self.one_of(6)), settle_fails: 0 };
        let mut job = NewJob::new(id, KindName::new(KIND)?, script.args()?);
        job.losses_max = u32::MAX;
        job.options.retry = RetryPolicy::Fixed(RETRY);
        match self.0.up_to(10) {
            // Only jobs that share nothing else can be replaced.
            0 => job.options.unique = Some(Unique::key(REPLACED_KEY).replace()),
            1..=3 => job.options.locks = self.locks(),
            4 | 5 => job.options.limits = self.limits(),
            6 | 7 => job.options.order_key = Some(self.among(&ORDER_KEYS).to_owned()),
            8 | 9 => job.options.rates = vec![Rate { key: RATE.0.to_owned(), pace: RATE.1 }],
            _ => {
                job.options.locks = self.locks();
                job.options.limits = self.limits();
                job.options.order_key = Some(self.among(&ORDER_KEYS).to_owned());
            }
        }
        if job.options.unique.is_none() && self.one_of(3) {
            job.options.unique = Some(self.unique());
        }
        Ok(job)
    }

    fn locks(&mut self) -> Vec<Lock> {
        let first = self.0.up_to(RESOURCES.len() - 1);
        let second = (first + 1 + self.0.up_to(RESOURCES.len() - 2)) % RESOURCES.len();
        let count = 1 + self.0.up_to(1);
        let resources = [first, second].into_iter().take(count).map(|place| RESOURCES[place]);
        resources
            .map(|resource| if self.one_of(3) { Lock::exclusive(resource) } else { Lock::shared(resource) })
            .collect()
    }

    fn limits(&mut self) -> Vec<KeyedLimit> {
        let (key, max) = LIMITS[self.0.up_to(LIMITS.len() - 1)];
        vec![KeyedLimit { key: key.to_owned(), max }]
    }

    fn unique(&mut self) -> Unique {
        let place = self.0.up_to(UNIQUE_KEYS.len() - 2);
        let unique = Unique::key(UNIQUE_KEYS[place]);
        if place == 0 { unique.reject() } else { unique }
    }

    fn among<'a>(&mut self, names: &[&'a str]) -> &'a str {
        names[self.0.up_to(names.len() - 1)]
    }

    /// True once in so many times.
    fn one_of(&mut self, times: usize) -> bool {
        self.0.up_to(times - 1) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_core::Limits;

    #[test]
    fn whatever_is_drawn_can_be_enqueued_and_all_of_it_comes() {
        let mut draw = Draw::new(7);
        let jobs: Vec<NewJob> =
            (1..=200).map(|number| draw.job(JobId::from_bytes([number; 16])).unwrap()).collect();

        assert!(jobs.iter().all(|job| job.validate(&Limits::default()).is_ok()));
        let any = |of: fn(&NewJob) -> bool| jobs.iter().any(of);
        assert!(any(|job| job.options.locks.len() == 2));
        assert!(any(|job| !job.options.limits.is_empty()));
        assert!(any(|job| !job.options.rates.is_empty()));
        assert!(any(|job| job.options.order_key.is_some()));
        assert!(any(|job| job.options.unique.is_some() && job.options.is_gated()));
        assert!(any(|job| Script::of(&job.args).fails > 0));
    }
}
