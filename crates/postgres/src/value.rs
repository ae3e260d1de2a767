//! Instants and places of rows as PostgreSQL keeps them.

use std::error::Error;

use bytes::{Buf, BufMut, BytesMut};
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

/// Where a version of a row lies in its table: `ctid`. A way to the row that needs no index, good as long as nothing changes
/// or moves it; whoever goes it makes sure that it is the row that was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    page: u32,
    item: u16,
}

#[cfg(test)]
impl Spot {
    pub(crate) const fn at(page: u32, item: u16) -> Self {
        Self { page, item }
    }
}

impl ToSql for Spot {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_u32(self.page);
        out.put_u16(self.item);
        Ok(IsNull::No)
    }

    accepts!(TID);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Spot {
    fn from_sql(_: &Type, mut raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self { page: raw.try_get_u32()?, item: raw.try_get_u16()? })
    }

    accepts!(TID);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spot_reads_back_from_its_bytes() {
        let spot = Spot { page: 70_000, item: 3 };
        let mut bytes = BytesMut::new();
        let written = spot.to_sql(&Type::TID, &mut bytes);
        assert!(matches!(written, Ok(IsNull::No)));

        assert_eq!(Spot::from_sql(&Type::TID, &bytes).ok(), Some(spot));
        assert!(Spot::from_sql(&Type::TID, &bytes[..5]).is_err());
    }

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
