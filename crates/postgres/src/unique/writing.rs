//! Writing what was planned, where everything is still as it was read.

use std::collections::HashMap;

use uuid::Uuid;
use windlass_core::job::Due;
use windlass_core::{NewJob, Timestamp, Traits, UniqueKey};
use windlass_store::StoreError;
use windlass_store::unique::{Change, KeyRow, KeyWrite, Made, Plan, outcome_number};

use super::Door;
use super::key::Rows;
use crate::fates::{as_json, number};
use crate::row::budget;
use crate::sql;
use crate::value::Instant;

/// What a plan writes, once it is certain.
pub(super) struct Writing<'a, D> {
    pub(super) door: &'a mut D,
    pub(super) jobs: &'a [NewJob],
    pub(super) plan: &'a Plan,
    pub(super) taken: &'a HashMap<UniqueKey, KeyRow>,
    pub(super) now: Timestamp,
}

impl<D: Door> Writing<'_, D> {
    /// Writes it; false if somebody else was in the way, and the transaction must be begun again.
    pub(super) async fn write(&mut self, lanes: &[i32]) -> Result<bool, StoreError> {
        let (made, changed) = lanes.split_at(self.plan.made.len());
        if !self.make(made).await? {
            return Ok(false);
        }
        if !self.change(changed).await? || !self.write_keys().await? {
            return Ok(false);
        }
        self.remember().await?;
        Ok(true)
    }

    async fn make(&mut self, lanes: &[i32]) -> Result<bool, StoreError> {
        let as_planned = |made: &Made| {
            let mut job = self.jobs[made.place].clone();
            job.due = made.run_at.map_or(job.due, Due::At);
            job
        };
        let made: Vec<NewJob> = self.plan.made.iter().map(as_planned).collect();
        if made.is_empty() {
            return Ok(true);
        }
        if !self.door.make(self.jobs, &made, lanes).await? {
            return Ok(false);
        }
        self.adjust().await.map(|()| true)
    }

    async fn adjust(&mut self) -> Result<(), StoreError> {
        let special: Vec<&Made> =
            self.plan.made.iter().filter(|made| made.parked || made.reason.is_some()).collect();
        if special.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = special.iter().map(|made| self.jobs[made.place].id.as_uuid()).collect();
        let parked: Vec<i16> = special.iter().map(|made| made.parked.into()).collect();
        let reasons: Vec<Option<i16>> = special.iter().map(|made| made.reason.map(number)).collect();
        self.door.ids(sql::unique::ADJUST, &[&ids, &parked, &reasons]).await.map(|_| ())
    }

    /// Gives jobs what others asked for, if they are still as they were.
    async fn change(&mut self, lanes: &[i32]) -> Result<bool, StoreError> {
        let changed = &self.plan.changed;
        if changed.is_empty() {
            return Ok(true);
        }
        let ids: Vec<Uuid> = changed.iter().map(|change| change.id.as_uuid()).collect();
        if ids.len() > 1 {
            self.door.ids(sql::job::LOCK, &[&ids]).await?;
        }
        let columns = Replacements::of(changed, self.jobs, (lanes, self.now))?;
        let (asked, stays) = (bits(Change::ASKED), bits(Traits::IRREPLACEABLE));
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 14] = [
            &ids,
            &columns.stages,
            &lanes,
            &columns.priorities,
            &columns.run_at,
            &columns.budgets,
            &columns.deadlines,
            &columns.args,
            &columns.options,
            &columns.traits,
            &columns.reasons,
            &columns.times,
            &asked,
            &stays,
        ];
        let replaced = self.door.ids(sql::unique::REPLACE, &values).await?;
        self.door.ids(sql::gate::REPLACED, &[&ids]).await?;
        Ok(replaced.len() == changed.len())
    }

    /// Writes the rows of keys that differ from what is there, if that is what was read.
    async fn write_keys(&mut self) -> Result<bool, StoreError> {
        let before = |write: &KeyWrite| write.before.or_else(|| self.taken.get(&write.key).copied());
        let differs = |before: &KeyRow, write: &KeyWrite| match write.before {
            Some(_) => *before != write.row,
            // It was just taken for the first who asked; when, the server knows better.
            None => KeyRow { until: write.row.until, ..*before } != write.row,
        };
        let writes: Vec<(KeyRow, &KeyWrite)> =
            self.plan.keys.iter().filter_map(|write| Some((before(write)?, write))).collect();
        let writes: Vec<_> = writes.into_iter().filter(|(before, write)| differs(before, write)).collect();
        if writes.is_empty() {
            return Ok(true);
        }
        let keys: Vec<&[u8]> = writes.iter().map(|(_, write)| write.key.as_bytes().as_slice()).collect();
        if keys.len() > 1 {
            self.door.texts(sql::unique::LOCK, &[&keys]).await?;
        }
        let before_jobs: Vec<Uuid> = writes.iter().map(|(before, _)| before.job.as_uuid()).collect();
        let before_nexts: Vec<Option<Uuid>> =
            writes.iter().map(|(before, _)| before.next.map(|next| next.as_uuid())).collect();
        let before_holds: Vec<i16> =
            writes.iter().map(|(before, _)| before.hold.as_number().into()).collect();
        let rows = Rows::of(writes.iter().map(|(_, write)| (write.key, write.row)));
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] = [
            &keys,
            &before_jobs,
            &before_nexts,
            &before_holds,
            &rows.jobs,
            &rows.holds,
            &rows.untils,
            &rows.nexts,
            &rows.free_at,
        ];
        let written = self.door.texts(sql::unique::WRITE, &values).await?;
        Ok(written.len() == writes.len())
    }

    async fn remember(&mut self) -> Result<(), StoreError> {
        let answered = &self.plan.answered;
        if answered.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = answered.iter().map(|place| self.jobs[*place].id.as_uuid()).collect();
        let stands: Vec<Uuid> = answered.iter().map(|place| self.plan.answers[*place].id.as_uuid()).collect();
        let outcomes: Vec<i16> =
            answered.iter().map(|place| outcome_number(self.plan.answers[*place].outcome).into()).collect();
        let now = self.door.now();
        self.door.ids(sql::unique::REMEMBER, &[&now, &ids, &stands, &outcomes]).await.map(|_| ())
    }
}

/// Columns of `unique/replace.sql`.
struct Replacements<'a> {
    stages: Vec<i16>,
    priorities: Vec<i16>,
    run_at: Vec<Instant>,
    budgets: Vec<i64>,
    deadlines: Vec<Option<Instant>>,
    args: Vec<&'a [u8]>,
    options: Vec<Option<String>>,
    traits: Vec<i32>,
    reasons: Vec<Option<i16>>,
    times: Vec<i64>,
}

impl<'a> Replacements<'a> {
    fn of(
        changed: &[Change],
        jobs: &'a [NewJob],
        (lanes, now): (&[i32], Timestamp),
    ) -> Result<Self, StoreError> {
        assert_eq!(lanes.len(), changed.len(), "every job that is changed has a lane");
        let asked = || changed.iter().map(|change| &jobs[change.place]);
        let options = asked().map(|job| as_json(&job.options).map(Some)).collect::<Result<_, _>>()?;
        Ok(Self {
            stages: changed.iter().map(|change| change.stage.as_number().into()).collect(),
            priorities: asked().map(|job| job.priority.as_number().into()).collect(),
            run_at: changed.iter().map(|change| Instant(change.run_at)).collect(),
            budgets: asked().map(|job| budget(job.attempts_max, job.losses_max)).collect(),
            deadlines: asked().map(|job| job.deadline.map(|due| Instant(due.instant(now)))).collect(),
            args: asked().map(|job| job.args.as_bytes()).collect(),
            options,
            traits: asked().map(|job| bits(job.traits())).collect(),
            reasons: changed.iter().map(|change| change.reason.map(number)).collect(),
            times: changed.iter().map(|change| change.times.cast_signed()).collect(),
        })
    }
}

fn bits(traits: Traits) -> i32 {
    traits.bits().cast_signed()
}
