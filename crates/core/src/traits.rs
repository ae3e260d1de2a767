//! What a job uses that most do not.

use std::ops::{BitOr, BitOrAssign};

use crate::{Decision, Phase, Priority};

/// What a job uses that most do not, a bit each, kept with its row: whoever changes a job looks at this before it looks
/// anywhere else, so a job that uses nothing of it pays for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Traits(u32);

impl Traits {
    /// Its args are bytes of another form than JSON. For stores that keep both alike.
    pub const BYTES: Self = Self(1);
    /// Other jobs wait for it, or did.
    pub const PARENT: Self = Self(2);
    /// It waits for other jobs, or did.
    pub const CHILD: Self = Self(4);
    /// It stands for a unique key.
    pub const UNIQUE: Self = Self(8);
    /// It needs locks, counts against limits or rates, or has an order key.
    pub const GATED: Self = Self(16);
    /// A person decides about it.
    pub const REVIEWED: Self = Self(32);
    /// Somebody is told when it ends.
    pub const NOTIFIES: Self = Self(64);
    /// A schedule made it.
    pub const FIRED: Self = Self(128);
    /// It cleans up behind another.
    pub const CLEANS: Self = Self(256);

    /// What a job with the same unique key cannot take over, as more is kept of it than its own row.
    pub const IRREPLACEABLE: Self = Self(Self::CHILD.0 | Self::GATED.0 | Self::REVIEWED.0);

    /// What is carried out of a decision, and the priority the job asked for, which is not the one it is claimed by
    /// meanwhile: a number of three bits for each priority, and a bit for a decline.
    const SETTLES_SHIFT: u32 = 16;
    const SETTLES_PRIORITY: u32 = 0b0111 << Self::SETTLES_SHIFT;
    const SETTLES_DECLINE: u32 = 0b1000 << Self::SETTLES_SHIFT;

    /// What has to be thought of when an attempt closes or a job ends: a job with none of these is settled the short way.
    pub const SPECIAL: Self =
        Self(Self::PARENT.0 | Self::UNIQUE.0 | Self::GATED.0 | Self::REVIEWED.0 | Self::NOTIFIES.0);

    /// The traits that stores keep as `bits`. Bits that this program does not know stay.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The number that stores keep.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether it has any of `others`.
    #[must_use]
    pub const fn has(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Itself and `others`.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Itself but for `others`.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Those of the same job in the phase `settle`: `decision` is carried out, and it asked for `priority`.
    #[must_use]
    pub const fn settling(self, decision: Decision, priority: Priority) -> Self {
        let declines = matches!(decision, Decision::Decline);
        let bits = (priority.as_number() as u32) << Self::SETTLES_SHIFT;
        Self(self.working().0 | bits | if declines { Self::SETTLES_DECLINE } else { 0 })
    }

    /// Those of the same job in the phase `run`.
    #[must_use]
    pub const fn working(self) -> Self {
        Self(self.0 & !(Self::SETTLES_PRIORITY | Self::SETTLES_DECLINE))
    }

    /// The decision that is carried out, and the priority that the job asked for; none in the phase `run`.
    #[must_use]
    pub const fn settles(self) -> Option<(Decision, Priority)> {
        let number = (self.0 & Self::SETTLES_PRIORITY) >> Self::SETTLES_SHIFT;
        let decision = if self.0 & Self::SETTLES_DECLINE == 0 { Decision::Accept } else { Decision::Decline };
        match Priority::from_number(number as i64) {
            Some(priority) => Some((decision, priority)),
            None => None,
        }
    }

    /// What the attempts of the job are for.
    #[must_use]
    pub const fn phase(self) -> Phase {
        if self.settles().is_some() {
            Phase::Settle
        } else if self.has(Self::CLEANS) {
            Phase::Cleanup
        } else {
            Phase::Run
        }
    }

    /// Itself where `used`, else nothing.
    #[must_use]
    pub const fn when(self, used: bool) -> Self {
        if used { self } else { Self(0) }
    }
}

impl BitOr for Traits {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Traits {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_special_by_what_outlives_its_attempt() {
        assert!(Traits::SPECIAL.has(Traits::UNIQUE));
        assert!(!(Traits::BYTES | Traits::CHILD | Traits::FIRED).has(Traits::SPECIAL));
        assert_eq!(Traits::PARENT.when(false), Traits::default());
    }

    #[test]
    fn a_decision_that_is_carried_out_stands_beside_everything_else() {
        let before = Traits::REVIEWED | Traits::UNIQUE;
        for (decision, priority) in
            [(Decision::Accept, Priority::Critical), (Decision::Decline, Priority::Idle)]
        {
            let settling = before.settling(decision, priority);

            assert_eq!((settling.settles(), settling.phase()), (Some((decision, priority)), Phase::Settle));
            assert!(settling.has(Traits::UNIQUE) && i32::try_from(settling.bits()).is_ok());
            assert_eq!(settling.working(), before);
        }
        assert_eq!((before.settles(), before.phase()), (None, Phase::Run));
        assert_eq!(Traits::CLEANS.phase(), Phase::Cleanup);
    }
}
