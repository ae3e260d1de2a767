//! How long to wait before the next attempt.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::{DELAY_MAX, RETRY_STEPS_MAX};
use crate::{Invalid, JobId, span};

/// How long a job waits after each failed attempt. Kept with the job, so a deploy does not change it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryPolicy {
    /// The same wait every time.
    Fixed(#[serde(with = "span::text")] Duration),
    /// `base`, then `factor` times the last wait, never more than `cap`.
    Exponential(Exponential),
    /// These waits in turn; the last one is repeated.
    List(Vec<Step>),
}

/// The terms of [`RetryPolicy::Exponential`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// The first wait.
    #[serde(with = "span::text")]
    pub base: Duration,
    /// How much longer each further wait is; 1 or more.
    pub factor: f64,
    /// The longest wait, before jitter.
    #[serde(with = "span::text")]
    pub cap: Duration,
    /// How far a wait may stray from the computed one, as a share of it, 0 to 1: retries of a thousand jobs that
    /// failed together must not come back together.
    #[serde(default)]
    pub jitter: f64,
}

/// One wait of [`RetryPolicy::List`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Step(#[serde(with = "span::text")] pub Duration);

impl Default for RetryPolicy {
    /// 5 s, doubled each time, at most 1 h, ±10 %: eight attempts in about a quarter of an hour.
    fn default() -> Self {
        Self::Exponential(Exponential {
            base: Duration::from_secs(5),
            factor: 2.0,
            cap: Duration::from_secs(60 * 60),
            jitter: 0.1,
        })
    }
}

/// A number from -1 to 1 that spreads retries apart.
///
/// It is computed from the job and its attempt rather than drawn, so that every store, and every replay, waits equally long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jitter(f64);

impl Jitter {
    /// No deviation at all.
    pub const NONE: Self = Self(0.0);

    /// The deviation of this attempt of this job.
    #[must_use]
    pub fn of(job: JobId, attempt: u64) -> Self {
        let mut mixed = attempt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for chunk in job.as_bytes().chunks_exact(8) {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            mixed = splitmix(mixed ^ u64::from_le_bytes(word));
        }
        #[expect(clippy::cast_precision_loss, reason = "53 of the 64 bits are plenty for a deviation")]
        let unit = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
        Self(unit.mul_add(2.0, -1.0))
    }
}

/// The finaliser of `SplitMix64`: every input bit reaches every output bit.
pub(crate) const fn splitmix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl RetryPolicy {
    /// The wait after the `failures`-th failure (1 is the first), never more than [`DELAY_MAX`].
    ///
    /// Saturates for every input: there is no number of failures that wraps around to a short wait.
    #[must_use]
    pub fn delay_after(&self, failures: u32, jitter: Jitter) -> Duration {
        let delay = match self {
            Self::Fixed(delay) => *delay,
            Self::Exponential(terms) => terms.delay_after(failures, jitter),
            Self::List(steps) => {
                let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
                steps.get(index).or(steps.last()).map_or(Duration::ZERO, |step| step.0)
            }
        };
        delay.min(DELAY_MAX)
    }

    /// Refuses a policy that makes no sense, naming the term.
    ///
    /// # Errors
    ///
    /// [`Invalid`] below the field `retry`.
    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::Fixed(delay) => check_delay("retry.fixed", *delay),
            Self::Exponential(terms) => terms.validate(),
            Self::List(steps) if steps.is_empty() => {
                Err(Invalid::new("retry.list", "must name at least one wait"))
            }
            Self::List(steps) if steps.len() > RETRY_STEPS_MAX => Err(Invalid::new(
                "retry.list",
                format!("has {} waits; at most {RETRY_STEPS_MAX} are allowed", steps.len()),
            )),
            Self::List(steps) => steps.iter().try_for_each(|step| check_delay("retry.list", step.0)),
        }
    }
}

impl Exponential {
    fn delay_after(&self, failures: u32, jitter: Jitter) -> Duration {
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.base.as_secs_f64() * self.factor.powi(exponent);
        let capped = grown.min(self.cap.as_secs_f64());
        let spread = capped * self.jitter.mul_add(jitter.0, 1.0);
        Duration::try_from_secs_f64(spread).unwrap_or(self.cap)
    }

    fn validate(&self) -> Result<(), Invalid> {
        check_delay("retry.base", self.base)?;
        check_delay("retry.cap", self.cap)?;
        if !(1.0..=1000.0).contains(&self.factor) {
            return Err(Invalid::new("retry.factor", "must be between 1 and 1000"));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(Invalid::new("retry.jitter", "must be between 0 and 1"));
        }
        Ok(())
    }
}

/// Refuses a wait that is longer than any retry or snooze may be.
///
/// # Errors
///
/// [`Invalid`], naming `field`.
pub fn check_delay(field: &str, delay: Duration) -> Result<(), Invalid> {
    if delay > DELAY_MAX {
        return Err(Invalid::new(field, format!("is longer than {}", span::format(DELAY_MAX))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTREMES: [u32; 14] = [0, 1, 2, 30, 31, 32, 53, 62, 65, 309, 310, 311, u32::MAX - 1, u32::MAX];

    #[test]
    fn the_default_doubles_from_five_seconds_up_to_an_hour() {
        let policy = RetryPolicy::default();

        let seconds: Vec<u64> = (1..=11).map(|n| policy.delay_after(n, Jitter::NONE).as_secs()).collect();

        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]);
    }

    #[test]
    fn no_number_of_failures_makes_a_wait_wrap_or_shrink() {
        let wild = RetryPolicy::Exponential(Exponential {
            base: DELAY_MAX,
            factor: 1000.0,
            cap: DELAY_MAX,
            jitter: 0.0,
        });
        for policy in [RetryPolicy::default(), wild] {
            let delays: Vec<_> = EXTREMES.iter().map(|n| policy.delay_after(*n, Jitter::NONE)).collect();
            assert!(delays.is_sorted(), "{delays:?}");
            assert!(delays.iter().all(|delay| *delay <= DELAY_MAX));
        }
    }

    #[test]
    fn jitter_stays_within_its_share_and_differs_between_jobs() {
        let policy = RetryPolicy::default();
        let delay = |n: u8| policy.delay_after(1, Jitter::of(JobId::from_bytes([n; 16]), 1)).as_secs_f64();

        assert!((0..=255).map(delay).all(|seconds| (4.5..=5.5).contains(&seconds)));
        assert!((0..=255).map(delay).any(|seconds| seconds < 4.8));
        assert!((0..=255).map(delay).any(|seconds| seconds > 5.2));
    }

    #[test]
    fn a_list_repeats_its_last_wait() {
        let policy = RetryPolicy::List(vec![Step(Duration::from_secs(1)), Step(Duration::from_secs(10))]);

        let seconds: Vec<u64> = (1..=4).map(|n| policy.delay_after(n, Jitter::NONE).as_secs()).collect();

        assert_eq!(seconds, [1, 10, 10, 10]);
    }

    #[test]
    fn a_policy_reads_back_from_its_json() {
        for text in [
            r#"{"fixed":"5s"}"#,
            r#"{"exponential":{"base":"5s","factor":2.0,"cap":"1h","jitter":0.1}}"#,
            r#"{"list":["1s","10s"]}"#,
        ] {
            let policy: RetryPolicy = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&policy).unwrap(), text);
        }
    }

    #[test]
    fn a_senseless_policy_is_refused_by_name() {
        let with = |factor, jitter| {
            RetryPolicy::Exponential(Exponential {
                base: Duration::ZERO,
                factor,
                cap: Duration::ZERO,
                jitter,
            })
        };
        for (policy, field) in [
            (with(0.5, 0.0), "retry.factor"),
            (with(f64::NAN, 0.0), "retry.factor"),
            (with(2.0, 1.5), "retry.jitter"),
            (RetryPolicy::List(vec![]), "retry.list"),
            (RetryPolicy::Fixed(Duration::MAX), "retry.fixed"),
        ] {
            assert_eq!(policy.validate().unwrap_err().field, field);
        }
    }
}
