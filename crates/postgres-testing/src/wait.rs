//! Waiting for a state of another process, which nothing announces.

use std::time::{Duration, Instant};

use crate::Error;

/// The longest that anything is waited for. Far above what any of it takes on a busy machine, a long crash recovery among
/// it; who waits longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Short enough that a start of 100 ms is hardly lengthened by it.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// Long enough that who waits takes no time from what is waited for.
const PAUSE_MAX: Duration = Duration::from_millis(25);

/// Looks until there is an answer. None when there was none within `bound`.
pub(crate) fn until<T>(
    bound: Duration,
    mut look: impl FnMut() -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    let begun = Instant::now();
    let mut pause = PAUSE_MIN;
    loop {
        if let Some(answer) = look()? {
            return Ok(Some(answer));
        }
        if begun.elapsed() > bound {
            return Ok(None);
        }
        sleep(pause);
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a state is waited for, between two looks; another process gives no signal when it comes about"
)]
fn sleep(pause: Duration) {
    std::thread::sleep(pause);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_again_until_there_is_an_answer() {
        let mut looks = 0;
        let answer = until(PATIENCE, || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        });

        assert_eq!(answer.unwrap(), Some(3));
    }

    #[test]
    fn it_gives_up_at_its_bound() {
        assert_eq!(until::<()>(Duration::ZERO, || Ok(None)).unwrap(), None);
    }
}
