//! Jobs as they are read.

use tokio_postgres::Row;
use windlass_core::{Attempt, AttemptOutcome, Job, JobId, LogLine};
use windlass_store::{Actor, Cursor, ErrorKind, JobEvent, JobFilter, Page, PageRequest, StoreError};

use crate::database::{Database, Session};
use crate::error::During;
use crate::value::instant;
use crate::{row, sql};

/// How many places of the enqueue order a list looks at first; twice as many each time it has not found enough.
const WINDOW: i64 = 4_096;

pub(super) async fn list(
    database: &Database,
    filter: &JobFilter,
    page: PageRequest,
    name: &'static str,
) -> Result<Page<Job>, StoreError> {
    let session = database.call(name).await?;
    let wanted = Wanted::of(filter);
    let limit = page.limit() as usize;
    let mut before = match page.cursor() {
        Some(cursor) => cursor.position(),
        None => last_seq(&session, name).await? + 1,
    };
    let (mut rows, mut window) = (Vec::new(), WINDOW);
    while before > 1 && rows.len() <= limit {
        let since = before.saturating_sub(window).max(1);
        let missing = i64::try_from(limit + 1 - rows.len()).unwrap_or(i64::MAX);
        rows.extend(wanted.look(&session, (since, before), missing).await.during(name)?);
        (before, window) = (since, window.saturating_mul(2));
    }
    let next = (rows.len() > limit).then(|| Cursor::at(rows[limit - 1].get(26)));
    rows.truncate(limit);
    Ok(Page { items: rows.iter().map(row::job).collect::<Result<_, _>>()?, next })
}

async fn last_seq(session: &Session, name: &'static str) -> Result<i64, StoreError> {
    let row = session.query_opt(sql::job::LAST_SEQ, &[]).await.during(name)?;
    Ok(row.map_or(0, |row| row.get(0)))
}

/// What a list is about. Nothing where everything matches.
struct Wanted<'a> {
    states: Option<Vec<i16>>,
    queues: Option<Vec<&'a str>>,
    kinds: Option<Vec<&'a str>>,
    filter: &'a JobFilter,
}

impl<'a> Wanted<'a> {
    fn of(filter: &'a JobFilter) -> Self {
        Self {
            states: any_of(filter.states.iter().map(|state| i16::from(state.as_number()))),
            queues: any_of(filter.queues.iter().map(windlass_core::QueueName::as_str)),
            kinds: any_of(filter.kinds.iter().map(windlass_core::KindName::as_str)),
            filter,
        }
    }

    async fn look(
        &self,
        session: &Session,
        (since, before): (i64, i64),
        limit: i64,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let tag = self.filter.tag.as_ref().map(windlass_core::Tag::as_str);
        let created_since = instant(self.filter.created_since);
        let finished_since = instant(self.filter.finished_since);
        let fingerprint = self.filter.fingerprint.map(windlass_core::Fingerprint::as_number);
        let Self { states, queues, kinds, .. } = self;
        session
            .query(
                sql::job::LIST,
                &[
                    &session.now,
                    &before,
                    &since,
                    &limit,
                    states,
                    queues,
                    kinds,
                    &tag,
                    &created_since,
                    &self.filter.roots,
                    &finished_since,
                    &fingerprint,
                ],
            )
            .await
    }
}

fn any_of<T>(values: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let values: Vec<T> = values.collect();
    if values.is_empty() { None } else { Some(values) }
}

pub(super) async fn attempts(
    database: &Database,
    id: JobId,
    name: &'static str,
) -> Result<Vec<Attempt>, StoreError> {
    let session = database.call(name).await?;
    let recorded = session.query(sql::job::ATTEMPTS, &[&id.as_uuid()]).await.during(name)?;
    let last = session.query_opt(sql::job::LAST_ATTEMPT, &[&id.as_uuid()]).await.during(name)?;
    let last = last.ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))?;
    let mut attempts: Vec<Attempt> = recorded.iter().map(attempt).collect::<Result<_, _>>()?;
    attempts.extend(last_attempt(&last));
    Ok(attempts)
}

fn attempt(row: &Row) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        number: row::unsigned(row, 0),
        worker: row.get::<_, Option<String>>(1).unwrap_or_default(),
        started_at: row::instant(row, 2),
        ended_at: row::instant_option(row, 3),
        outcome: AttemptOutcome::from_number(row.get::<_, i16>(4).into()),
        error: row::attempt_error(row, 5)?,
    })
}

/// The attempt that has no row of its own: the open one, or the one that completed the job.
fn last_attempt(row: &Row) -> Option<Attempt> {
    let number: i64 = row.get::<_, Option<i64>>(0)?;
    let open: bool = row.get(4);
    Some(Attempt {
        number: number.cast_unsigned(),
        worker: row.get::<_, Option<String>>(1).unwrap_or_default(),
        started_at: row::instant_option(row, 2)?,
        ended_at: row::instant_option(row, 3).filter(|_| !open),
        outcome: (!open).then_some(AttemptOutcome::Succeeded),
        error: None,
    })
}

pub(super) async fn log(
    database: &Database,
    id: JobId,
    page: PageRequest,
    name: &'static str,
) -> Result<Page<LogLine>, StoreError> {
    let session = database.call(name).await?;
    check_exists(&session, id, name).await?;
    let after = page.cursor().map(Cursor::position);
    let values = [
        &id.as_uuid() as &(dyn tokio_postgres::types::ToSql + Sync),
        &after.unwrap_or(0),
        &i64::from(page.limit()),
    ];
    let rows = session.query(sql::job::LOG, &values).await.during(name)?;
    let last = rows.last().map(|row| row.get(4)).or(after);
    let items = rows.iter().map(row::log_line).collect::<Result<_, _>>()?;
    Ok(Page { items, next: last.map(Cursor::at) })
}

pub(super) async fn events(
    database: &Database,
    id: JobId,
    name: &'static str,
) -> Result<Vec<JobEvent>, StoreError> {
    let session = database.call(name).await?;
    check_exists(&session, id, name).await?;
    let rows = session.query(sql::job::EVENTS, &[&id.as_uuid()]).await.during(name)?;
    Ok(rows.iter().map(event).collect())
}

fn event(row: &Row) -> JobEvent {
    let by = Actor { name: row.get(2), why: row.get(3), via: None };
    JobEvent { at: row::instant(row, 0), verb: row.get(1), by, revision: row::unsigned(row, 4) }
}

async fn check_exists(session: &Session, id: JobId, name: &'static str) -> Result<(), StoreError> {
    let found = session.query_opt(sql::job::EXISTS, &[&id.as_uuid()]).await.during(name)?;
    found.map(|_| ()).ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))
}
