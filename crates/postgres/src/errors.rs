//! Errors of attempts, counted in groups.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;
use windlass_core::fingerprint::normalised;
use windlass_core::limits::ERROR_GROUPS_KEPT;
use windlass_core::{AttemptError, Fingerprint, KindName};
use windlass_store::{Cursor, ErrorFilter, ErrorGroup, ErrorKind, ErrorStore, Page, PageRequest, StoreError};

use crate::database::{Ask, Session, Values};
use crate::error::During;
use crate::facts::Facts;
use crate::value::Instant;
use crate::{PostgresStore, row, sql};

#[async_trait]
impl ErrorStore for PostgresStore {
    async fn error_groups(
        &self,
        filter: ErrorFilter,
        page: PageRequest,
    ) -> Result<Page<ErrorGroup>, StoreError> {
        const NAME: &str = "list errors";
        let session = self.core.database.call(NAME).await?;
        let skipped = page.cursor().map_or(0, Cursor::position).max(0);
        let limit = i64::from(page.limit());
        let kinds: Vec<&str> = filter.kinds.iter().map(KindName::as_str).collect();
        let kinds = (!kinds.is_empty()).then_some(kinds);
        let since = filter.seen_since.map(Instant);
        let values: Values<'_> = &[&skipped, &(limit + 1), &kinds, &since];
        let found = session.query(sql::error::LIST, values).await.during(NAME)?;
        let more = found.len() > page.limit() as usize;
        let items = found.iter().take(page.limit() as usize).map(group).collect::<Result<_, _>>()?;
        Ok(Page { items, next: more.then(|| Cursor::at(skipped + limit)) })
    }

    async fn error_group(&self, fingerprint: Fingerprint) -> Result<ErrorGroup, StoreError> {
        const NAME: &str = "read the error";
        let session = self.core.database.call(NAME).await?;
        let found = session.query_opt(sql::error::READ, &[&fingerprint.as_number()]).await.during(NAME)?;
        found.as_ref().map(group).ok_or_else(|| StoreError::new(NAME, ErrorKind::NotFound))?
    }
}

fn group(found: &Row) -> Result<ErrorGroup, StoreError> {
    Ok(ErrorGroup {
        fingerprint: Fingerprint::from_number(found.get(0)),
        kind: row::name(found, 1)?,
        class: found.get(2),
        message: found.get(3),
        count: row::unsigned(found, 4),
        first_at: row::instant(found, 5),
        last_at: row::instant(found, 6),
        example: row::job_id(found, 7),
    })
}

/// An error of an attempt that ends.
#[derive(Debug)]
struct Seen {
    lane: i32,
    job: Uuid,
    at: Instant,
    error: AttemptError,
}

/// Errors to be counted once everything else is written.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<Seen>);

impl Errors {
    /// Takes the error of an attempt of the job.
    pub(crate) fn add(&mut self, facts: &Facts, error: &AttemptError) {
        let (lane, job, at) = (facts.lane.abs(), facts.id.as_uuid(), Instant(facts.now));
        self.0.push(Seen { lane, job, at, error: error.clone() });
    }

    /// The groups of the errors, in the order in which they were taken.
    pub(crate) async fn groups(&self, ask: &impl Ask, operation: &'static str) -> Result<Groups, StoreError> {
        if self.0.is_empty() {
            return Ok(Groups::default());
        }
        let lanes: BTreeSet<i32> = self.0.iter().map(|seen| seen.lane).collect();
        let lanes: Vec<i32> = lanes.into_iter().collect();
        let mut kinds: HashMap<i32, KindName> = HashMap::new();
        for found in ask.query(sql::error::KINDS, &[&lanes]).await.during(operation)? {
            kinds.insert(found.get(0), row::name(&found, 1)?);
        }
        let mut groups = Groups::default();
        for seen in &self.0 {
            let kind =
                kinds.get(&seen.lane).ok_or_else(|| row::damaged("a job is in a lane that is not there"))?;
            groups.add(kind, seen);
        }
        Ok(groups)
    }
}

/// How often each group was seen.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// That of each error.
    pub(crate) fingerprints: Vec<Fingerprint>,
    counted: BTreeMap<i64, Counted>,
}

#[derive(Debug)]
struct Counted {
    kind: KindName,
    class: Option<String>,
    message: String,
    count: i64,
    at: Instant,
    job: Uuid,
}

impl Groups {
    fn add(&mut self, kind: &KindName, seen: &Seen) {
        let fingerprint = Fingerprint::of(kind, &seen.error);
        self.fingerprints.push(fingerprint);
        let counted = self.counted.entry(fingerprint.as_number()).or_insert_with(|| Counted {
            kind: kind.clone(),
            class: seen.error.class.clone(),
            message: normalised(&seen.error.message),
            count: 0,
            at: seen.at,
            job: seen.job,
        });
        counted.count += 1;
        (counted.at, counted.job) = (seen.at, seen.job);
    }

    /// Counts them. To be the last thing that the transaction writes: others who saw the same error wait for its end.
    pub(crate) async fn write(self, ask: &impl Ask, operation: &'static str) -> Result<(), StoreError> {
        if self.counted.is_empty() {
            return Ok(());
        }
        let (numbers, groups): (Vec<i64>, Vec<Counted>) = self.counted.into_iter().unzip();
        let kinds: Vec<&str> = groups.iter().map(|group| group.kind.as_str()).collect();
        let classes: Vec<Option<&str>> = groups.iter().map(|group| group.class.as_deref()).collect();
        let messages: Vec<&str> = groups.iter().map(|group| group.message.as_str()).collect();
        let counts: Vec<i64> = groups.iter().map(|group| group.count).collect();
        let at: Vec<Instant> = groups.iter().map(|group| group.at).collect();
        let jobs: Vec<Uuid> = groups.iter().map(|group| group.job).collect();
        let values: [&(dyn ToSql + Sync); 7] = [&numbers, &kinds, &classes, &messages, &counts, &at, &jobs];
        ask.query(sql::error::COUNT, &values).await.during(operation).map(|_| ())
    }
}

/// Forgets the groups that were not seen for longest, where there are too many.
pub(crate) async fn forget(session: &Session, name: &'static str) -> Result<(), StoreError> {
    let kept = i64::from(ERROR_GROUPS_KEPT);
    session.execute(sql::error::FORGET, &[&kept]).await.during(name).map(|_| ())
}
