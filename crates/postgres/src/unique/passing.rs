//! What becomes of keys when jobs end, are removed, and are brought back.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::future::try_join;
use uuid::Uuid;
use windlass_core::limits::ANSWER_KEPT;
use windlass_core::{JobId, Timestamp, Traits, UniqueKey};
use windlass_store::unique::{KeyRow, LetGo, NextInLine, Returning, let_go};
use windlass_store::{ErrorKind, StoreError};

use super::key::{self, Rows};
use super::{Door, Own, state};
use crate::database::{Ask, Session, Values};
use crate::error::During;
use crate::facts::Facts;
use crate::fates::number;
use crate::value::Instant;
use crate::workers::micros;
use crate::{row, sql};

/// Most keys, and most answers, that one call forgets.
const FORGOTTEN_MAX: i64 = 10_000;

/// Lets go of the keys of jobs that have ended in this transaction, or that ended while they waited for one.
pub(crate) async fn ended(ask: &impl Ask, jobs: &[Uuid], name: &'static str) -> Result<(), StoreError> {
    pass_on(ask, jobs, |_, row| row, name).await
}

/// Lets go of the keys of jobs that are removed by hand. They keep nothing.
pub(crate) async fn removed(ask: &impl Ask, jobs: &[Uuid], name: &'static str) -> Result<(), StoreError> {
    let keeps_nothing = |gone: &HashSet<JobId>, row: KeyRow| {
        let until = row.until.filter(|_| !gone.contains(&row.job));
        KeyRow { until, ..row }
    };
    pass_on(ask, jobs, keeps_nothing, name).await
}

async fn pass_on(
    ask: &impl Ask,
    jobs: &[Uuid],
    as_left: impl Fn(&HashSet<JobId>, KeyRow) -> KeyRow,
    name: &'static str,
) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let now = ask.now();
    let (of_jobs, of_keys): (Values<'_>, Values<'_>) = (&[&jobs], &[&now, &jobs]);
    let (followers, rows) =
        try_join(ask.query(sql::unique::FOLLOWERS, of_jobs), ask.query(sql::unique::OF_JOBS, of_keys))
            .await
            .during(name)?;
    let mut next = followers_of(&followers)?;
    let gone: HashSet<JobId> = jobs.iter().copied().map(JobId::from_uuid).collect();
    let mut passing = Passing::default();
    for found in &rows {
        let (key, row) = key::of(found)?;
        let follows = row.next.filter(|next| gone.contains(&row.job) && !gone.contains(next));
        if follows.is_some_and(|id| !next.contains_key(&id)) {
            // It came after the look for those that wait, and before the row was locked.
            let late = ask.query(sql::unique::FOLLOWERS, of_jobs).await.during(name)?;
            next.extend(followers_of(&late)?);
        }
        let (row, now) = (as_left(&gone, row), row::instant(found, 6));
        let ended = if gone.contains(&row.job) { row.job } else { row.next.unwrap_or(row.job) };
        passing.add((key, &row), ended, (follows.and_then(|id| next.get(&id)), now));
    }
    passing.write(ask, name).await
}

fn followers_of(rows: &[tokio_postgres::Row]) -> Result<HashMap<JobId, NextInLine>, StoreError> {
    let mut followers = HashMap::new();
    for found in rows {
        let id = row::job_id(found, 0);
        let unique = row::options(found, 3)?.and_then(|options| options.unique);
        let (created_at, run_at) = (row::instant(found, 1), row::instant(found, 2));
        followers.extend(unique.map(|unique| (id, NextInLine { id, created_at, run_at, unique })));
    }
    Ok(followers)
}

/// What is written of keys that were let go of.
#[derive(Default)]
struct Passing {
    free: Vec<Vec<u8>>,
    kept: Rows,
    released: Vec<Uuid>,
    run_at: Vec<Instant>,
    reasons: Vec<Option<i16>>,
}

impl Passing {
    fn add(
        &mut self,
        (key, row): (UniqueKey, &KeyRow),
        ended: JobId,
        (next, now): (Option<&NextInLine>, Timestamp),
    ) {
        match let_go(row, ended, next, now) {
            LetGo::Free => self.free.push(key.as_bytes().to_vec()),
            LetGo::Kept(row) => self.kept.add(key, &row),
            LetGo::Passed { row, run_at, reason } => {
                self.kept.add(key, &row);
                self.released.push(row.job.as_uuid());
                self.run_at.push(Instant(run_at));
                self.reasons.push(reason.map(number));
            }
        }
    }

    async fn write(self, ask: &impl Ask, name: &'static str) -> Result<(), StoreError> {
        if !self.free.is_empty() {
            ask.query(sql::unique::FREE, &[&self.free]).await.during(name)?;
        }
        if !self.kept.keys.is_empty() {
            let Rows { keys, jobs, holds, untils, nexts, free_at } = &self.kept;
            let values: Values<'_> = &[keys, jobs, holds, untils, nexts, free_at];
            ask.query(sql::unique::KEEP, values).await.during(name)?;
        }
        if !self.released.is_empty() {
            let values: Values<'_> = &[&self.released, &self.run_at, &self.reasons];
            ask.query(sql::unique::RELEASE, values).await.during(name)?;
            ask.made_work();
        }
        Ok(())
    }
}

/// Takes the keys back of final jobs that are about to be brought back together.
pub(crate) async fn retake(
    session: &Session,
    returning: impl Iterator<Item = &Facts>,
    name: &'static str,
) -> Result<(), StoreError> {
    let is_unique = |facts: &&Facts| facts.stage.is_final() && facts.traits.has(Traits::UNIQUE);
    // In their order, like everyone who takes several.
    let mut needed: BTreeMap<UniqueKey, Returning> = BTreeMap::new();
    for facts in returning.filter(is_unique) {
        let Some((key, back)) = returning_job(session, facts, name).await? else { continue };
        if let Some(other) = needed.insert(key, back) {
            return Err(StoreError::new(name, ErrorKind::Duplicate(other.id)));
        }
    }
    for (key, back) in needed {
        retake_one(session, key, &back, name).await?;
    }
    Ok(())
}

async fn returning_job(
    session: &Session,
    facts: &Facts,
    name: &'static str,
) -> Result<Option<(UniqueKey, Returning)>, StoreError> {
    let found = session.query_opt(sql::job::READ, &[&session.now, &facts.id.as_uuid()]).await.during(name)?;
    let Some(job) = found.as_ref().map(row::job).transpose()? else { return Ok(None) };
    Ok(job.unique_key().zip(job.options.unique).map(|(key, unique)| {
        let started = facts.number > 0;
        (key, Returning { id: job.id, created_at: job.created_at, started, unique })
    }))
}

async fn retake_one(
    session: &Session,
    key: UniqueKey,
    back: &Returning,
    name: &'static str,
) -> Result<(), StoreError> {
    let Some(wanted) = back.retake(None, Timestamp::MIN).ok().flatten() else { return Ok(()) };
    let mut door = Own { session, name };
    let (keys, jobs, holds) =
        (vec![key.as_bytes().to_vec()], vec![back.id.as_uuid()], vec![i16::from(wanted.hold.as_number())]);
    let spans: Vec<Option<i64>> = vec![None];
    let taken = door.texts(sql::unique::TAKE, &[&session.now, &keys, &jobs, &holds, &spans]).await?;
    let row = if taken.is_empty() {
        let said = door.texts(sql::unique::STATES, &[&session.now, &keys]).await?;
        let (_, state, now) = state::read(said.first().map_or("", String::as_str))?;
        // Between the two, whoever had it may have let it go.
        let state = state.ok_or_else(|| StoreError::new(name, ErrorKind::Conflict))?;
        let row = back.retake(Some(&state), now).map_err(|kind| StoreError::new(name, kind))?;
        row.map(|row| (state.row, row))
    } else {
        Some((KeyRow { until: None, ..wanted }, wanted))
    };
    let Some((before, row)) = row else { return Ok(()) };
    overwrite(session, key, (&before, &row), name).await
}

/// Writes the row of a key, if it is the one that was read.
async fn overwrite(
    session: &Session,
    key: UniqueKey,
    (before, row): (&KeyRow, &KeyRow),
    name: &'static str,
) -> Result<(), StoreError> {
    let rows = Rows::of(std::iter::once((key, *row)));
    let before_jobs = vec![before.job.as_uuid()];
    let before_nexts: Vec<Option<Uuid>> = vec![before.next.map(|next| next.as_uuid())];
    let before_holds: Vec<i16> = vec![before.hold.as_number().into()];
    let Rows { keys, jobs, holds, untils, nexts, free_at } = &rows;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [keys, &before_jobs, &before_nexts, &before_holds, jobs, holds, untils, nexts, free_at];
    let written = session.query(sql::unique::WRITE, &values).await.during(name)?;
    if written.is_empty() { Err(StoreError::new(name, ErrorKind::Conflict)) } else { Ok(()) }
}

/// Forgets keys that nobody has any more, and answers that nobody asks for any more.
pub(crate) async fn forget(session: &Session, name: &'static str) -> Result<(), StoreError> {
    session.execute(sql::unique::FORGET, &[&session.now, &FORGOTTEN_MAX]).await.during(name)?;
    let values: Values<'_> = &[&session.now, &micros(ANSWER_KEPT), &FORGOTTEN_MAX];
    session.execute(sql::unique::FORGET_ANSWERS, values).await.during(name).map(|_| ())
}
