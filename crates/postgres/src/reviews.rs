//! Reviews: jobs come into them, and persons or the time decide.
//!
//! That a new job comes into review whose start needs an approval is seen to by the statement that makes it: see
//! `job/insert.sql`.

mod row;
mod ruling;

use async_trait::async_trait;
use uuid::Uuid;
use windlass_core::review::Resumption;
use windlass_core::{Decision, JobId, Json, Phase, Review, Traits};
use windlass_store::rules::reviews::{Asked, Round, deciding, refusal, taken};
use windlass_store::{
    Cursor, ErrorKind, LeasedJob, NewRuling, Page, PageRequest, ReviewFilter, ReviewRecord, ReviewStore,
    Settled, Settling, StoreError,
};

pub(crate) use ruling::look;

use crate::database::{Ask, Database, Session, Values};
use crate::error::During;
use crate::facts::Facts;
use crate::value::{Instant, instant};
use crate::{PostgresStore, sql};
use ruling::Rulings;

const NAME: &str = "decide about the job";

#[async_trait]
impl ReviewStore for PostgresStore {
    async fn decide(&self, job: JobId, ruling: NewRuling) -> Result<Settled, StoreError> {
        ruling.validate(&self.core.limits).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = decide(&transaction, job, &ruling).await;
        let settled = transaction.end(outcome, NAME).await?;
        // What is due may be due before what was claimed.
        self.core.floors.forget();
        self.core.hint_work();
        if settled.state.is_final() {
            self.core.hint_ended();
        }
        Ok(settled)
    }

    async fn review(&self, job: JobId) -> Result<Option<ReviewRecord>, StoreError> {
        const NAME: &str = "read the review";
        let session = self.core.database.call(NAME).await?;
        let found = session.query_opt(sql::job::EXISTS, &[&job.as_uuid()]).await.during(NAME)?;
        found.ok_or_else(|| StoreError::new(NAME, ErrorKind::NotFound))?;
        Ok(read(&session, &[job], NAME).await?.pop().map(|(record, _)| record))
    }

    async fn reviews(
        &self,
        filter: ReviewFilter,
        page: PageRequest,
    ) -> Result<Page<ReviewRecord>, StoreError> {
        list(&self.core.database, &filter, page, "list reviews").await
    }
}

async fn decide(session: &Session, job: JobId, ruling: &NewRuling) -> Result<Settled, StoreError> {
    let Some(facts) = Facts::lock_one(session, job, NAME).await? else {
        let there = Facts::look(session, job, NAME).await?;
        let kind = there.map_or(ErrorKind::NotFound, |_| ErrorKind::NotReady);
        return Err(refusal(NAME, job, kind));
    };
    let Some((record, _)) = read(session, &[job], NAME).await?.pop() else {
        return Err(refusal(NAME, job, ErrorKind::NotReady));
    };
    let asked = Asked {
        stage: facts.stage,
        deadline: facts.deadline,
        terms: Some(&record.terms),
        submitted_by: record.submitted_by.as_deref(),
        digest: record.digest,
        editable: record.editable,
    };
    let terms = deciding(&asked, ruling, facts.now).map_err(|kind| refusal(NAME, job, kind))?;
    let mut rulings = Rulings::default();
    let settled = rulings.add(
        (&facts, terms),
        taken(ruling, facts.now),
        (ruling.args.as_ref(), ruling.by.via.clone()),
    )?;
    rulings.write(session, NAME).await?;
    Ok(settled)
}

async fn list(
    database: &Database,
    filter: &ReviewFilter,
    page: PageRequest,
    name: &'static str,
) -> Result<Page<ReviewRecord>, StoreError> {
    let session = database.call(name).await?;
    let limit = page.limit() as usize;
    let (after, wanted) = (page.cursor().map(Cursor::position), i64::from(page.limit()) + 1);
    let queues = any_of(filter.queues.iter().map(windlass_core::QueueName::as_str));
    let kinds = any_of(filter.kinds.iter().map(windlass_core::KindName::as_str));
    let values: Values<'_> = &[&after, &wanted, &queues, &kinds];
    let mut rows = session.query(sql::review::LIST, values).await.during(name)?;
    let next = (rows.len() > limit).then(|| Cursor::at(rows[limit - 1].get(row::NUMBER)));
    rows.truncate(limit);
    let records = rows.iter().map(|found| row::record(found).map(|(record, _)| record));
    Ok(Page { items: records.collect::<Result<_, _>>()?, next })
}

/// What is to be matched, or nothing where everything matches.
fn any_of<'a>(names: impl Iterator<Item = &'a str>) -> Option<Vec<&'a str>> {
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then_some(names)
}

/// What is or was to be decided about these jobs.
async fn read(
    ask: &impl Ask,
    jobs: &[JobId],
    name: &'static str,
) -> Result<Vec<(ReviewRecord, Round)>, StoreError> {
    let jobs: Vec<Uuid> = jobs.iter().map(JobId::as_uuid).collect();
    let rows = ask.query(sql::review::READ, &[&jobs]).await.during(name)?;
    rows.iter().map(row::record).collect()
}

/// Adds to leased jobs what those carry out that are there to carry a decision out.
pub(crate) async fn complete<'a>(
    database: &Database,
    jobs: impl Iterator<Item = (&'a mut LeasedJob, Traits)>,
    name: &'static str,
) -> Result<(), StoreError> {
    let mut settling: Vec<&mut LeasedJob> =
        jobs.filter(|(_, traits)| traits.phase() == Phase::Settle).map(|(job, _)| job).collect();
    if settling.is_empty() {
        return Ok(());
    }
    let ids: Vec<JobId> = settling.iter().map(|job| job.id()).collect();
    let session = database.call(name).await?;
    let known = read(&session, &ids, name).await?;
    for job in &mut settling {
        let Some((record, round)) = known.iter().find(|(record, _)| record.job == job.id()) else { continue };
        job.attempts_max = record.terms.settle_attempts_max;
        let ruling = round.ruling.clone();
        job.settles = ruling.map(|ruling| Box::new(Settling { ruling, staged: round.staged.clone() }));
    }
    Ok(())
}

/// Jobs whose attempt succeeded, and about whose result persons are asked. In the columns of
/// `review/ask_about_outcome.sql`.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    ids: Vec<Uuid>,
    asked: Vec<Instant>,
    staged: Vec<Option<String>>,
    decide_by: Vec<Option<Instant>>,
    remind_at: Vec<Option<Instant>>,
    look_at: Vec<Option<Instant>>,
}

impl Questions {
    pub(crate) fn add(&mut self, facts: &Facts, terms: &Review, staged: Option<&Json>) {
        let round = Round::asked(terms, 0, None, facts.now);
        self.ids.push(facts.id.as_uuid());
        self.asked.push(Instant(round.asked_at));
        self.staged.push(staged.map(|staged| staged.as_str().to_owned()));
        self.decide_by.push(instant(round.decide_by));
        self.remind_at.push(instant(round.remind_at));
        self.look_at.push(instant(round.look_at()));
    }

    pub(crate) async fn write(&self, ask: &impl Ask) -> Result<(), tokio_postgres::Error> {
        if !self.ids.is_empty() {
            let values: Values<'_> =
                &[&self.ids, &self.asked, &self.staged, &self.decide_by, &self.remind_at, &self.look_at];
            ask.query(sql::review::ASK_ABOUT_OUTCOME, values).await?;
        }
        Ok(())
    }
}

/// What these jobs had made that was accepted.
pub(crate) async fn staged(
    ask: &impl Ask,
    jobs: &Vec<Uuid>,
) -> Result<Vec<(Uuid, String)>, tokio_postgres::Error> {
    let rows = ask.query(sql::review::STAGED, &[jobs]).await?;
    Ok(rows.iter().map(|found| (found.get(0), found.get(1))).collect())
}

/// These jobs, all of which were reviewed, have ended: nobody has to decide about them.
pub(crate) async fn close(ask: &impl Ask, jobs: &Vec<Uuid>, name: &'static str) -> Result<(), StoreError> {
    if !jobs.is_empty() {
        ask.query(sql::review::CLOSE, &[jobs]).await.during(name)?;
    }
    Ok(())
}

/// Lets jobs go that nothing else holds back any more, and whose rows say already that they wait: for a person, if they need
/// an approval and have none.
pub(crate) async fn enter(ask: &impl Ask, jobs: &Vec<Uuid>, name: &'static str) -> Result<(), StoreError> {
    if !jobs.is_empty() {
        ask.query(sql::review::ASK_ABOUT_START, &[&ask.now(), jobs]).await.during(name)?;
    }
    Ok(())
}

/// Puts jobs where a retry by hand leads, as far as a person has to do with it. Their rows say already that they wait.
pub(crate) async fn resume(session: &Session, jobs: &[&Facts], name: &'static str) -> Result<(), StoreError> {
    let reviewed: Vec<&Facts> = jobs.iter().copied().filter(|facts| facts.review.is_some()).collect();
    if reviewed.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = reviewed.iter().map(|facts| facts.id.as_uuid()).collect();
    let rows = session.query(sql::review::DECISIONS, &[&ids]).await.during(name)?;
    let decisions: Vec<(Uuid, i16)> = rows.iter().map(|found| (found.get(0), found.get(1))).collect();
    let decision = |facts: &Facts| {
        let found = decisions.iter().find(|(id, _)| *id == facts.id.as_uuid());
        found.and_then(|(_, number)| Decision::from_number((*number).into()))
    };
    let (mut asking, mut working, mut traits, mut priorities) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for facts in reviewed {
        let Some(terms) = &facts.review else { continue };
        let settles = facts.traits.settles();
        match (terms.resumption(decision(facts), facts.traits.phase(), facts.reason), settles) {
            (Resumption::Asks, _) => asking.push(facts.id.as_uuid()),
            (Resumption::Runs, Some((_, priority))) => {
                working.push(facts.id.as_uuid());
                traits.push(facts.traits.working().bits().cast_signed());
                priorities.push(i16::from(priority.as_number()));
            }
            _ => {}
        }
    }
    if !working.is_empty() {
        session.execute(sql::review::WORK, &[&working, &traits, &priorities]).await.during(name)?;
    }
    enter(session, &asking, name).await
}
