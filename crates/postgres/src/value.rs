//! Instants as PostgreSQL keeps them.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};
use windlass_core::Timestamp;

/// From 1970, where the model counts from, to 2000, where PostgreSQL does.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// An instant in a `timestamptz`, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl ToSql for Instant {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        (self.0.as_micros() - EPOCH_MICROS).to_sql(ty, out)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Instant {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let micros = i64::from_sql(ty, raw)?;
        Ok(Self(Timestamp::from_micros(micros.saturating_add(EPOCH_MICROS))))
    }

    accepts!(TIMESTAMPTZ);
}

/// The same, of an instant that may be missing.
pub(crate) fn instant(timestamp: Option<Timestamp>) -> Option<Instant> {
    timestamp.map(Instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_reads_back_from_its_bytes() {
        for micros in [0, 1, EPOCH_MICROS, Timestamp::MAX.as_micros()] {
            let instant = Instant(Timestamp::from_micros(micros));
            let mut bytes = BytesMut::new();
            let written = instant.to_sql(&Type::TIMESTAMPTZ, &mut bytes);
            assert!(matches!(written, Ok(IsNull::No)));

            assert_eq!(Instant::from_sql(&Type::TIMESTAMPTZ, &bytes).ok(), Some(instant));
        }
    }
}
