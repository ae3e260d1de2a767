//! What `unique/states.sql` says of a key: text, so that every driver can read it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use windlass_core::{JobId, Stage, Timestamp, Traits, UniqueKey};
use windlass_store::StoreError;
use windlass_store::unique::{Hold, Kept, KeyRow, KeyState};

use super::key;
use crate::row;

#[derive(Deserialize)]
struct Said {
    key: String,
    now: i64,
    job: Option<Uuid>,
    hold: Option<i16>,
    until: Option<i64>,
    next: Option<Uuid>,
    free_at: Option<i64>,
    holder: Option<SaidOfJob>,
    follower: Option<SaidOfJob>,
}

#[derive(Deserialize)]
struct SaidOfJob {
    stage: i16,
    holder: i32,
    number: i64,
    traits: i32,
    created_at: i64,
}

/// The key, its state if it is taken, and when that was read.
pub(super) fn read(text: &str) -> Result<(UniqueKey, Option<KeyState>, Timestamp), StoreError> {
    let said: Said = parsed(text)?;
    let (key, now) = (key::parse(&said.key)?, Timestamp::from_micros(said.now));
    let Some((job, hold)) = said.job.zip(said.hold) else { return Ok((key, None, now)) };
    let row = KeyRow {
        job: JobId::from_uuid(job),
        hold: row::number(hold, Hold::from_number)?,
        until: said.until.map(Timestamp::from_micros),
        next: said.next.map(JobId::from_uuid),
        free_at: said.free_at.map(Timestamp::from_micros),
    };
    let (holder, next) = (unfinished(said.holder)?, unfinished(said.follower)?);
    Ok((key, Some(KeyState { row, holder, next }), now))
}

fn unfinished(said: Option<SaidOfJob>) -> Result<Option<Kept>, StoreError> {
    let kept = said.map(SaidOfJob::kept).transpose()?;
    Ok(kept.filter(|kept| !kept.stage.is_final()))
}

impl SaidOfJob {
    fn kept(self) -> Result<Kept, StoreError> {
        let stage = row::number(self.stage, Stage::from_number)?;
        let is_held = stage == Stage::Waiting && self.holder != 0;
        Ok(Kept {
            stage: if is_held { Stage::Running } else { stage },
            started: self.number > 0,
            traits: Traits::from_bits(self.traits.cast_unsigned()),
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}

pub(super) fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(row::damaged)
}
