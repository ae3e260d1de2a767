//! What the store says of itself, and what a person should look at.

use std::time::Duration;

use windlass_core::Timestamp;
use windlass_store::{Clock, Durability, StoreError, StoreStatus, SystemClock};

use crate::error::During;
use crate::{Core, migrate, row, sql};

/// How far the server's clock may be from ours. Nothing depends on ours but what people read and what ids say; and clocks
/// that are kept in step are never so far apart.
const SKEW_MAX: Duration = Duration::from_secs(1);

pub(super) async fn status(core: &Core, name: &'static str) -> Result<StoreStatus, StoreError> {
    let session = core.database.call(name).await?;
    let found = session.query(sql::maintenance::STATUS, &[&session.now, &core.schema]).await.during(name)?;
    let found = found.first().ok_or_else(|| row::damaged("the server says nothing of itself"))?;
    let heard_at = SystemClock.now();
    let warnings =
        session.query(sql::maintenance::WARNINGS, &[&session.now, &core.schema]).await.during(name)?;
    let mut warnings: Vec<String> = warnings.iter().map(|row| row.get(0)).collect();
    let (durable, now): (bool, Timestamp) = (found.get(2), row::instant(found, 1));
    if session.now.is_none() {
        warnings.extend(skewed(now, heard_at));
    }
    Ok(StoreStatus {
        engine: format!("postgresql {}", found.get::<_, &str>(0)),
        location: core.location.clone(),
        durability: if durable { Durability::Durable } else { Durability::Relaxed },
        schema_version: migrate::VERSION,
        now,
        size_bytes: row::unsigned(found, 3),
        warnings,
    })
}

/// A clock that is far from the server's; which of them is wrong, nobody here can tell.
fn skewed(server: Timestamp, ours: Timestamp) -> Option<String> {
    let skew = server.since(ours).max(ours.since(server));
    (skew > SKEW_MAX).then(|| {
        let seconds = skew.as_secs_f64();
        let direction = if server > ours { "ahead of" } else { "behind" };
        format!("the clock of the server is {seconds:.1} s {direction} that of this machine: keep both in step, with NTP")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_skewed_from_a_second_on_in_both_directions() {
        let now = Timestamp::from_micros(1_767_225_600_000_000);

        assert_eq!(skewed(now, now.after(SKEW_MAX)), None);
        let behind = skewed(now, now.after(SKEW_MAX * 2)).unwrap();
        assert!(behind.contains("2.0 s behind"), "{behind}");
        let ahead = skewed(now.after(SKEW_MAX * 3), now).unwrap();
        assert!(ahead.contains("3.0 s ahead of"), "{ahead}");
    }
}
