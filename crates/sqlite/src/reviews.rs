//! Reviews: jobs come into them, and persons or the time decide.

mod row;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use windlass_core::review::{Course, Resumption, Subject, needs_approval};
use windlass_core::{
    Args, Decision, JobId, Json, Phase, Reason, Review, Ruling, Stage, Timestamp, Traits, state,
};
use windlass_store::rules::reviews::{
    Asked, Look, Round, decider, deciding, refusal, reminder, reminders, taken, taken_by_time,
};
use windlass_store::{
    Actor, Cursor, ErrorKind, NewRuling, Page, PageRequest, Rescued, ReviewFilter, ReviewRecord, ReviewStore,
    Settled, Settling, StoreError,
};

use crate::error::During;
use crate::facts::Facts;
use crate::jobs::{any_of, change, check_exists, insert_all, note, stored_args, tell};
use crate::writer::Tx;
use crate::{SqliteStore, effects, sql};

const NAME: &str = "decide about the job";

/// The number of a job whose decision is being carried out, in the column `standing`.
const SETTLING: u8 = 2;

#[async_trait]
impl ReviewStore for SqliteStore {
    async fn decide(&self, job: JobId, ruling: NewRuling) -> Result<Settled, StoreError> {
        ruling.validate(&self.limits).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| decide(tx, job, &ruling)).await
    }

    async fn review(&self, job: JobId) -> Result<Option<ReviewRecord>, StoreError> {
        const NAME: &str = "read the review";
        self.readers
            .run(NAME, move |connection| {
                check_exists(connection, job, NAME)?;
                read(connection, job).during(NAME)
            })
            .await
    }

    async fn reviews(
        &self,
        filter: ReviewFilter,
        page: PageRequest,
    ) -> Result<Page<ReviewRecord>, StoreError> {
        const NAME: &str = "list reviews";
        self.readers.run(NAME, move |connection| list(connection, &filter, page).during(NAME)).await
    }
}

fn decide(tx: &mut Tx<'_>, job: JobId, ruling: &NewRuling) -> Result<Settled, StoreError> {
    let facts = Facts::expect(tx.connection, job, NAME)?;
    let Some(record) = read(tx.connection, job).during(NAME)? else {
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
    let terms = deciding(&asked, ruling, tx.now).map_err(|kind| refusal(NAME, job, kind))?;
    let taken = taken(ruling, tx.now);
    let by = Actor { via: ruling.by.via.clone(), ..decider(&taken) };
    rule(tx, &facts, (terms, &by), (&taken, ruling.args.as_ref())).during(NAME)
}

/// Takes the job where a decision about it leads.
fn rule(
    tx: &mut Tx<'_>,
    facts: &Facts,
    (terms, by): (&Review, &Actor),
    (ruling, args): (&Ruling, Option<&Args>),
) -> rusqlite::Result<Settled> {
    let course = terms.course(ruling.decision);
    let settling = (course == Course::Settles).then_some(SETTLING);
    tx.connection.prepare_cached(sql::review::RULE)?.execute(params![
        facts.id.as_bytes(),
        settling,
        ruling.decision.as_number(),
        ruling.at.as_micros(),
        ruling.by,
        ruling.comment,
        ruling.digest.as_bytes(),
        ruling.edited,
    ])?;
    note(tx, facts, ruling.decision.as_str(), by)?;
    let (stage, reason, run_at) = follow(tx, facts, course, (ruling.decision, args))?;
    let (seen, reason) = state::seen(stage, reason, run_at, tx.now);
    Ok(Settled { state: seen, reason })
}

fn follow(
    tx: &mut Tx<'_>,
    facts: &Facts,
    course: Course,
    (decision, args): (Decision, Option<&Args>),
) -> rusqlite::Result<(Stage, Option<Reason>, Timestamp)> {
    match course {
        Course::Starts => {
            change(tx, facts, sql::review::START, params![facts.seq, args.map(stored_args)])?;
            tx.hint_work();
            Ok((Stage::Waiting, None, facts.run_at))
        }
        Course::Ends => {
            let values = params![facts.seq, Reason::Declined.as_number(), tx.now.as_micros()];
            change(tx, facts, sql::job::CANCEL, values)?;
            tx.hint_ended();
            effects::ended(tx, facts, (Stage::Cancelled, Reason::Declined))?;
            Ok((Stage::Cancelled, Some(Reason::Declined), facts.run_at))
        }
        Course::Settles => {
            let traits = facts.traits.settling(decision, facts.priority);
            change(tx, facts, sql::review::SETTLE, params![facts.seq, traits.bits(), tx.now.as_micros()])?;
            tx.hint_work();
            Ok((Stage::Waiting, None, tx.now))
        }
    }
}

/// Brings a job into review whose row says so already, with what it made if that is decided about.
pub(crate) fn ask(tx: &Tx<'_>, job: JobId, terms: &Review, staged: Option<&Json>) -> rusqlite::Result<()> {
    let round = Round::asked(terms, 0, None, tx.now);
    let micros = |instant: Option<Timestamp>| instant.map(Timestamp::as_micros);
    tx.connection.prepare_cached(sql::review::ASK)?.execute(params![
        job.as_bytes(),
        round.asked_at.as_micros(),
        staged.map(Json::as_str),
        micros(round.decide_by),
        micros(round.remind_at),
        micros(round.look_at()),
    ])?;
    Ok(())
}

/// Puts a job that nothing else holds back, and that waits, into review if it needs an approval and has none.
pub(crate) fn hold(tx: &Tx<'_>, (seq, job): (i64, JobId), terms: Option<&Review>) -> rusqlite::Result<()> {
    let Some(terms) = terms.filter(|terms| terms.of == Subject::Start) else { return Ok(()) };
    if !needs_approval(Some(terms), decision(tx.connection, job)?) {
        return Ok(());
    }
    tx.connection.prepare_cached(sql::review::HOLD)?.execute(params![seq, Reason::Start.as_number()])?;
    ask(tx, job, terms, None)
}

/// Lets a job go that nothing else holds back any more, and whose row says already that it waits.
pub(crate) fn enter(tx: &Tx<'_>, job: JobId) -> rusqlite::Result<()> {
    if let Some(facts) = Facts::find(tx.connection, job)? {
        hold(tx, (facts.seq, job), facts.review.as_ref())?;
    }
    Ok(())
}

/// Something else holds the job back: a person need not decide about its start yet.
pub(crate) fn withdraw(tx: &Tx<'_>, job: JobId) -> rusqlite::Result<()> {
    tx.connection.prepare_cached(sql::review::WITHDRAW)?.execute([job.as_bytes()])?;
    Ok(())
}

/// Forgets what was asked about a job that is removed.
pub(crate) fn delete(connection: &Connection, job: JobId, traits: Traits) -> rusqlite::Result<()> {
    if traits.has(Traits::REVIEWED) {
        connection.prepare_cached(sql::review::DELETE)?.execute([job.as_bytes()])?;
    }
    Ok(())
}

/// Puts a job where a retry by hand leads, as far as a person has to do with it. Its row says already that it waits.
pub(crate) fn resume(tx: &Tx<'_>, facts: &Facts) -> rusqlite::Result<()> {
    let Some(terms) = &facts.review else { return Ok(()) };
    let decided = decision(tx.connection, facts.id)?;
    match terms.resumption(decided, facts.traits.phase(), facts.reason) {
        Resumption::Settles => {
            tx.connection.prepare_cached(sql::review::RESUME)?.execute([facts.id.as_bytes()])?;
        }
        Resumption::Asks => hold(tx, (facts.seq, facts.id), Some(terms))?,
        Resumption::Runs if facts.traits.phase() == Phase::Settle => {
            let values = params![facts.seq, facts.traits.working().bits(), facts.priority.as_number()];
            tx.connection.prepare_cached(sql::review::WORK)?.execute(values)?;
        }
        Resumption::Runs => {}
    }
    Ok(())
}

/// The job has ended: nobody has to decide about it.
pub(crate) fn close(tx: &Tx<'_>, job: JobId) -> rusqlite::Result<()> {
    tx.connection.prepare_cached(sql::review::CLOSE)?.execute([job.as_bytes()])?;
    Ok(())
}

/// Reminds of jobs in review, and takes defaults for decided, as far as it is time: at most `most` of them. Says whether
/// there may be more.
pub(crate) fn look(tx: &mut Tx<'_>, rescued: &mut Rescued, most: usize) -> rusqlite::Result<bool> {
    let due = due(tx, most)?;
    for job in &due {
        let Some(facts) = Facts::find(tx.connection, *job)? else { continue };
        let Some((record, mut round)) = read_round(tx.connection, *job)? else { continue };
        match round.look(tx.now) {
            Look::Decide => {
                let ruling = taken_by_time(record.terms.otherwise, record.digest, tx.now);
                rule(tx, &facts, (&record.terms, &decider(&ruling)), (&ruling, None))?;
                rescued.decided += 1;
            }
            Look::Remind => {
                round.remind(&record.terms, tx.now);
                remind(tx, &facts, &round)?;
                insert_all(tx, &reminders(&record, &round, tx.now))?;
                rescued.reminded += 1;
            }
            Look::Nothing => {}
        }
    }
    Ok(due.len() == most)
}

fn due(tx: &Tx<'_>, most: usize) -> rusqlite::Result<Vec<JobId>> {
    let mut statement = tx.connection.prepare_cached(sql::review::DUE)?;
    let jobs =
        statement.query_map(params![tx.now.as_micros(), most], |found| crate::row::job_id(found, 0))?;
    jobs.collect()
}

fn remind(tx: &Tx<'_>, facts: &Facts, round: &Round) -> rusqlite::Result<()> {
    let micros = |instant: Option<Timestamp>| instant.map(Timestamp::as_micros);
    tx.connection.prepare_cached(sql::review::REMIND)?.execute(params![
        facts.id.as_bytes(),
        round.reminders,
        micros(round.remind_at),
        micros(round.look_at()),
    ])?;
    change(tx, facts, sql::review::TOUCH, [facts.seq])?;
    tell(tx, facts, "remind", &reminder(round))
}

/// What an attempt of a job of these traits is to carry out.
pub(crate) fn settling(
    connection: &Connection,
    job: JobId,
    traits: Traits,
) -> rusqlite::Result<Option<Box<Settling>>> {
    if traits.phase() == Phase::Run {
        return Ok(None);
    }
    let found = read_round(connection, job)?;
    Ok(found.and_then(|(_, round)| Some(Box::new(Settling { ruling: round.ruling?, staged: round.staged }))))
}

/// What the job had made that was accepted.
pub(crate) fn staged(connection: &Connection, job: JobId) -> rusqlite::Result<Option<Json>> {
    let mut statement = connection.prepare_cached(sql::review::STAGED)?;
    Ok(statement.query_row([job.as_bytes()], |found| crate::row::json(found, 0)).optional()?.flatten())
}

fn decision(connection: &Connection, job: JobId) -> rusqlite::Result<Option<Decision>> {
    let mut statement = connection.prepare_cached(sql::review::DECISION)?;
    let decision =
        statement.query_row([job.as_bytes()], |found| found.get::<_, Option<i64>>(0)).optional()?;
    Ok(decision.flatten().and_then(Decision::from_number))
}

fn read(connection: &Connection, job: JobId) -> rusqlite::Result<Option<ReviewRecord>> {
    Ok(read_round(connection, job)?.map(|(record, _)| record))
}

fn read_round(connection: &Connection, job: JobId) -> rusqlite::Result<Option<(ReviewRecord, Round)>> {
    let mut statement = connection.prepare_cached(sql::review::READ)?;
    statement.query_row([job.as_bytes()], row::record).optional()
}

fn list(
    connection: &Connection,
    filter: &ReviewFilter,
    page: PageRequest,
) -> rusqlite::Result<Page<ReviewRecord>> {
    let limit = page.limit() as usize;
    let mut statement = connection.prepare_cached(sql::review::LIST)?;
    let after = page.cursor().map(Cursor::position);
    let mut rows =
        statement.query(params![after, page.limit() + 1, any_of(&filter.queues)?, any_of(&filter.kinds)?])?;
    let (mut items, mut last, mut next) = (Vec::new(), None, None);
    while let Some(found) = rows.next()? {
        if items.len() == limit {
            next = last.map(Cursor::at);
            break;
        }
        items.push(row::record(found)?.0);
        last = Some(found.get(18)?);
    }
    Ok(Page { items, next })
}
