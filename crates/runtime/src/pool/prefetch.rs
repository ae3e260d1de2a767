//! How many jobs to claim ahead of free slots.
//!
//! A slot that has to wait for a claim does nothing for as long as a commit takes. Jobs claimed ahead hide that, but
//! each of them is kept from other workers, and is lost with this one. So a pool starts without any, doubles when its
//! slots ran dry while there was more to be had, and never holds more than a tenth of a second of work.

use std::time::Duration;

/// The most work that is claimed ahead. Other workers, and an operator who cancels, wait no longer than this for it.
const WORK_AHEAD: Duration = Duration::from_millis(100);

/// How many jobs are claimed ahead for each slot where they have gates: what they hold is kept from all others while they wait,
/// and there is no gain in holding more than hides a turn.
const GATED_AHEAD: usize = 4;

/// What the args of jobs claimed ahead may take in memory.
const BYTES_AHEAD: usize = 32 * 1024 * 1024;

/// How far back the observed rate looks.
const RATE_WINDOW: f64 = 0.1;

/// What a claim brought.
#[derive(Debug, Clone, Copy)]
pub(super) struct Haul {
    /// How many jobs were asked for.
    pub(super) asked: usize,
    /// How many there were.
    pub(super) found: usize,
    /// How large their args are together.
    pub(super) bytes: usize,
    /// Whether a slot had nothing to do while the claim was on its way.
    pub(super) ran_dry: bool,
    /// Whether some of them hold locks or count against limits.
    pub(super) gated: bool,
}

/// How many jobs a pool claims ahead.
#[derive(Debug)]
pub(super) struct Prefetch {
    most: usize,
    step: usize,
    wanted: usize,
    per_second: Option<f64>,
    job_bytes: usize,
    gated: bool,
}

impl Prefetch {
    pub(super) const fn new(most: usize, slots: usize) -> Self {
        Self { most, step: slots, wanted: 0, per_second: None, job_bytes: 0, gated: false }
    }

    /// How many jobs should wait for a slot while `running` have one.
    pub(super) fn ahead(&self, running: usize) -> usize {
        let by_bytes = BYTES_AHEAD / self.job_bytes.max(1);
        let by_work = self.by_work();
        // What takes longer than the whole allowance is not worth claiming ahead at all.
        let by_gates = if self.gated { self.step * GATED_AHEAD } else { usize::MAX };
        if by_work < running { 0 } else { self.wanted.min(by_work).min(by_bytes).min(by_gates) }
    }

    /// Learns from a claim.
    pub(super) fn claimed(&mut self, haul: Haul) {
        if let Some(mean) = haul.bytes.checked_div(haul.found) {
            self.job_bytes = mean.max(self.job_bytes / 2);
        }
        if haul.found > 0 {
            self.gated = haul.gated;
        }
        if haul.found < haul.asked {
            self.wanted = 0;
        } else if haul.ran_dry {
            self.wanted = (self.wanted * 2).max(self.step).min(self.most);
        }
    }

    /// Learns that `ended` attempts ended within `elapsed`, while there was work all the time.
    pub(super) fn worked(&mut self, ended: u64, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than the digits of a float")]
        let rate = ended as f64 / seconds;
        let weight = seconds / (seconds + RATE_WINDOW);
        self.per_second =
            Some(self.per_second.map_or(rate, |before| (rate - before).mul_add(weight, before)));
    }

    /// Claims nothing ahead until slots run dry again.
    pub(super) const fn stop(&mut self) {
        self.wanted = 0;
    }

    fn by_work(&self) -> usize {
        let Some(rate) = self.per_second else { return usize::MAX };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is never negative"
        )]
        let jobs = (rate * WORK_AHEAD.as_secs_f64()) as usize;
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    const FULL: Haul = Haul { asked: 100, found: 100, bytes: 1_000, ran_dry: true, gated: false };

    fn grown(times: usize) -> Prefetch {
        let mut prefetch = Prefetch::new(2_000, 100);
        (0..times).for_each(|_| prefetch.claimed(FULL));
        prefetch
    }

    #[test]
    fn it_starts_without_any_and_doubles_while_slots_run_dry() {
        let ahead: Vec<usize> = (0..7).map(|times| grown(times).ahead(0)).collect();

        assert_eq!(ahead, [0, 100, 200, 400, 800, 1_600, 2_000]);
    }

    #[test]
    fn a_claim_that_came_back_short_ends_it() {
        let mut prefetch = grown(5);

        prefetch.claimed(Haul { found: 99, ..FULL });

        assert_eq!(prefetch.ahead(0), 0);
    }

    #[test]
    fn never_more_than_a_tenth_of_a_second_of_work() {
        let mut prefetch = grown(7);

        prefetch.worked(5, MILLISECOND);

        assert_eq!(prefetch.ahead(2), 500);
    }

    #[test]
    fn long_jobs_are_not_claimed_ahead() {
        let mut prefetch = grown(7);

        prefetch.worked(100, MILLISECOND * 1_000);

        assert_eq!(prefetch.ahead(100), 0, "a hundred jobs of a second each");
    }

    #[test]
    fn few_jobs_are_claimed_ahead_that_hold_something() {
        let mut prefetch = grown(7);

        prefetch.claimed(Haul { gated: true, ..FULL });
        assert_eq!(prefetch.ahead(0), 400);

        prefetch.claimed(FULL);
        assert_eq!(prefetch.ahead(0), 2_000);
    }

    #[test]
    fn large_args_are_bounded_by_their_bytes() {
        let mut prefetch = grown(7);

        prefetch.claimed(Haul { bytes: 100 * 256 * 1024, ..FULL });

        assert_eq!(prefetch.ahead(0), 128);
    }
}
