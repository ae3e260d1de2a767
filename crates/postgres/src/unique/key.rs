//! Keys and their rows, as statements take and give them.

use tokio_postgres::Row;
use uuid::Uuid;
use windlass_core::{JobId, Timestamp, UniqueKey};
use windlass_store::StoreError;
use windlass_store::unique::{Hold, KeyRow};

use crate::row;
use crate::value::Instant;

/// A key in hexadecimal.
pub(super) fn parse(text: &str) -> Result<UniqueKey, StoreError> {
    let mut bytes = [0; 32];
    let is_whole = text.len() == 64 && text.is_ascii();
    for (index, byte) in bytes.iter_mut().enumerate().filter(|_| is_whole) {
        let digits = &text[2 * index..2 * index + 2];
        *byte = u8::from_str_radix(digits, 16).map_err(row::damaged)?;
    }
    if is_whole { Ok(UniqueKey::from_bytes(bytes)) } else { Err(row::damaged(text)) }
}

/// A key and when it was taken, as `unique/take.sql` says them.
pub(super) fn parse_taken(text: &str) -> Result<(UniqueKey, Timestamp), StoreError> {
    let (key, at) = text.split_once(' ').ok_or_else(|| row::damaged(text))?;
    let at = at.parse().map_err(row::damaged)?;
    Ok((parse(key)?, Timestamp::from_micros(at)))
}

/// A key and its row in the first six columns of `unique/of_jobs.sql`.
pub(super) fn of(found: &Row) -> Result<(UniqueKey, KeyRow), StoreError> {
    let key = <[u8; 32]>::try_from(found.get::<_, &[u8]>(0)).map_err(row::damaged)?;
    let row = KeyRow {
        job: row::job_id(found, 1),
        hold: row::number(found.get(2), Hold::from_number)?,
        until: row::instant_option(found, 3),
        next: found.get::<_, Option<Uuid>>(4).map(JobId::from_uuid),
        free_at: row::instant_option(found, 5),
    };
    Ok((UniqueKey::from_bytes(key), row))
}

/// Columns of `unique/keep.sql`.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) keys: Vec<Vec<u8>>,
    pub(crate) jobs: Vec<Uuid>,
    pub(crate) holds: Vec<i16>,
    pub(crate) untils: Vec<Option<Instant>>,
    pub(crate) nexts: Vec<Option<Uuid>>,
    pub(crate) free_at: Vec<Option<Instant>>,
}

impl Rows {
    pub(crate) fn of(rows: impl Iterator<Item = (UniqueKey, KeyRow)>) -> Self {
        let mut columns = Self::default();
        for (key, row) in rows {
            columns.add(key, &row);
        }
        columns
    }

    pub(super) fn add(&mut self, key: UniqueKey, row: &KeyRow) {
        self.keys.push(key.as_bytes().to_vec());
        self.jobs.push(row.job.as_uuid());
        self.holds.push(row.hold.as_number().into());
        self.untils.push(row.until.map(Instant));
        self.nexts.push(row.next.map(|next| next.as_uuid()));
        self.free_at.push(row.free_at.map(Instant));
    }
}
