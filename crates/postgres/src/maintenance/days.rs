//! A partition for each day of completed jobs: made ahead, and dropped whole.
//!
//! None of this may hold up those who complete jobs: a lock that is not to be had in a moment is left for the next time.
//! What lies in no partition of a day lies in the default one, where all promises hold; it is only dearer to remove.

use std::time::Duration;

use windlass_core::Timestamp;
use windlass_store::StoreError;

use crate::database::{Session, Values};
use crate::error::During;
use crate::sql;
use crate::value::Instant;
use crate::workers::micros;

/// Most days that one call drops; there is one a day, unless nobody pruned for long.
const DAYS: usize = 8;

/// Pages that one statement sweeps: a megabyte, and a few thousand jobs.
const PAGES: i64 = 128;

/// Most statements of one call: as much as is read in a moment.
const SWEEPS: usize = 64;

/// Most jobs of which one call removes what is kept beside them.
const SWEPT: i64 = 10_000;

/// How far the sweep of a day has come. Lost with the process, when the sweep begins anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Swept {
    day: Timestamp,
    pages: i64,
}

/// A day that is over.
struct Day {
    starts: Instant,
    /// How many pages it has.
    pages: i64,
}

/// What dropping days did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    /// Jobs that were removed.
    pub(super) jobs: u64,
    /// Whether there is more to do that need not wait.
    pub(super) more: bool,
}

/// Makes the partitions of the days to come, as far as nobody is in the way.
pub(crate) async fn make(session: &Session, schema: &str, name: &'static str) -> Result<(), StoreError> {
    session.query(sql::maintenance::MAKE_DAYS, &[&session.now, &schema]).await.during(name).map(|_| ())
}

/// Drops days of which every job has been over for as long as `keep` says.
pub(super) async fn drop_over(
    session: &Session,
    (schema, keep): (&str, Duration),
    swept: &mut Option<Swept>,
    name: &'static str,
) -> Result<Dropped, StoreError> {
    let limit = i64::try_from(DAYS).unwrap_or(i64::MAX);
    let values: Values<'_> = &[&session.now, &schema, &micros(keep), &limit];
    let days = session.query(sql::maintenance::DAYS_OVER, values).await.during(name)?;
    let mut dropped = Dropped { more: days.len() == DAYS, ..Dropped::default() };
    for row in &days {
        let day = Day { starts: row.get(0), pages: row.get(1) };
        if !sweep(session, &day, swept, name).await? {
            return Ok(Dropped { more: true, ..dropped });
        }
        let jobs =
            session.query_opt(sql::maintenance::DROP_DAY, &[&schema, &day.starts]).await.during(name)?;
        let Some(jobs) = jobs.and_then(|row| row.get::<_, Option<i64>>(0)) else {
            // Somebody reads it, or changes it by hand. It is not for us to wait, nor to keep others waiting.
            return Ok(Dropped { more: false, ..dropped });
        };
        dropped.jobs += jobs.cast_unsigned();
        *swept = None;
    }
    Ok(dropped)
}

/// Removes what is kept beside the jobs of a day, page by page. Whether that is done.
async fn sweep(
    session: &Session,
    day: &Day,
    swept: &mut Option<Swept>,
    name: &'static str,
) -> Result<bool, StoreError> {
    let mut done = swept.filter(|swept| swept.day == day.starts.0).map_or(0, |swept| swept.pages);
    let mut jobs = 0;
    for _ in 0..SWEEPS {
        if done >= day.pages || jobs >= SWEPT {
            break;
        }
        let until = done + PAGES;
        let values: Values<'_> = &[&day.starts, &done, &until];
        let sweep = session.query_opt(sql::maintenance::SWEEP_DAY, values).await.during(name)?;
        jobs += sweep.map_or(0, |row| row.get::<_, i64>(0));
        done = until;
        *swept = Some(Swept { day: day.starts.0, pages: done });
    }
    Ok(done >= day.pages)
}
