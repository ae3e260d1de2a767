//! Decisions about jobs that are locked: gathered one by one, written set by set, however many there are.

use std::collections::BTreeMap;

use uuid::Uuid;
use windlass_core::review::Course;
use windlass_core::{Args, JobId, NewJob, Reason, Review, Ruling, Stage, Traits, state};
use windlass_store::rules::reviews::{
    Look, Round, decider, reminder, reminders as notices_of, taken_by_time,
};
use windlass_store::{Actor, Noun, Rescued, ReviewRecord, Settled, StoreError, Via};

use super::read;
use crate::database::{Ask as _, Session, Values};
use crate::error::During;
use crate::facts::Facts;
use crate::fates::Fates;
use crate::jobs::notices;
use crate::row::job_id;
use crate::value::{Instant, instant};
use crate::{audit, sql};

/// What was decided about jobs in review, and where that takes them.
#[derive(Debug, Default)]
pub(super) struct Rulings {
    kept: Kept,
    events: Events,
    /// For the audit. What is decided in the same way together, was decided by the same: by one person, or by the time.
    decided: BTreeMap<&'static str, (Actor, Vec<String>)>,
    starts: Starts,
    settling: (Vec<Uuid>, Vec<i32>),
    over: Fates,
    is_over: bool,
}

impl Rulings {
    /// Adds one, and says where it takes the job.
    pub(super) fn add(
        &mut self,
        (facts, terms): (&Facts, &Review),
        ruling: Ruling,
        (args, via): (Option<&Args>, Option<Via>),
    ) -> Result<Settled, StoreError> {
        let course = terms.course(ruling.decision);
        let by = Actor { via, ..decider(&ruling) };
        let decided = self.decided.entry(ruling.decision.as_str());
        decided.or_insert_with(|| (by.clone(), Vec::new())).1.push(facts.id.to_string());
        self.events.add(facts, ruling.decision.as_str(), by);
        let (stage, reason, run_at) = match course {
            Course::Starts => {
                self.starts.add(facts, args);
                (Stage::Waiting, None, facts.run_at)
            }
            Course::Ends => {
                self.is_over = true;
                self.over.stop(facts, (Stage::Cancelled, Reason::Declined), None)?;
                (Stage::Cancelled, Some(Reason::Declined), facts.run_at)
            }
            Course::Settles => {
                let traits = facts.traits.settling(ruling.decision, facts.priority);
                self.settling.0.push(facts.id.as_uuid());
                self.settling.1.push(traits.bits().cast_signed());
                (Stage::Waiting, None, facts.now)
            }
        };
        self.kept.add(facts, ruling);
        let (seen, reason) = state::seen(stage, reason, run_at, facts.now);
        Ok(Settled { state: seen, reason })
    }

    pub(super) async fn write(self, session: &Session, name: &'static str) -> Result<(), StoreError> {
        self.kept.write(session, name).await?;
        self.events.write(session, name).await?;
        for (verb, (by, jobs)) in self.decided {
            audit::record(session, verb, (Noun::Job, jobs), (&by, name)).await?;
        }
        self.starts.write(session, name).await?;
        let (ids, traits) = &self.settling;
        if !ids.is_empty() {
            session.execute(sql::review::SETTLE, &[&session.now, ids, traits]).await.during(name)?;
        }
        if self.is_over {
            self.over.write(session, name).await?;
        }
        Ok(())
    }
}

/// Columns of `review/rule.sql`.
#[derive(Debug, Default)]
struct Kept {
    jobs: Vec<Uuid>,
    at: Vec<Instant>,
    decisions: Vec<i16>,
    reviewers: Vec<Option<String>>,
    comments: Vec<Option<String>>,
    digests: Vec<Vec<u8>>,
    edited: Vec<bool>,
}

impl Kept {
    fn add(&mut self, facts: &Facts, ruling: Ruling) {
        self.jobs.push(facts.id.as_uuid());
        self.at.push(Instant(ruling.at));
        self.decisions.push(ruling.decision.as_number().into());
        self.digests.push(ruling.digest.as_bytes().to_vec());
        self.edited.push(ruling.edited);
        self.reviewers.push(ruling.by);
        self.comments.push(ruling.comment);
    }

    async fn write(&self, session: &Session, name: &'static str) -> Result<(), StoreError> {
        if !self.jobs.is_empty() {
            let values: Values<'_> = &[
                &self.jobs,
                &self.at,
                &self.decisions,
                &self.reviewers,
                &self.comments,
                &self.digests,
                &self.edited,
            ];
            session.execute(sql::review::RULE, values).await.during(name)?;
        }
        Ok(())
    }
}

/// Columns of `review/record_events.sql`.
#[derive(Debug, Default)]
struct Events {
    jobs: Vec<Uuid>,
    revisions: Vec<i64>,
    verbs: Vec<&'static str>,
    actors: Vec<String>,
    whys: Vec<Option<String>>,
}

impl Events {
    fn add(&mut self, facts: &Facts, verb: &'static str, by: Actor) {
        self.jobs.push(facts.id.as_uuid());
        self.revisions.push(facts.revision + 1);
        self.verbs.push(verb);
        self.actors.push(by.name);
        self.whys.push(by.why);
    }

    async fn write(&self, session: &Session, name: &'static str) -> Result<(), StoreError> {
        if !self.jobs.is_empty() {
            let values: Values<'_> =
                &[&session.now, &self.jobs, &self.revisions, &self.verbs, &self.actors, &self.whys];
            session.execute(sql::review::RECORD_EVENTS, values).await.during(name)?;
        }
        Ok(())
    }
}

/// Columns of `review/start.sql`.
#[derive(Debug, Default)]
struct Starts {
    ids: Vec<Uuid>,
    args: Vec<Option<Vec<u8>>>,
    traits: Vec<i32>,
}

impl Starts {
    fn add(&mut self, facts: &Facts, args: Option<&Args>) {
        let traits = args.map_or(facts.traits, |args| {
            facts.traits.without(Traits::BYTES) | Traits::BYTES.when(matches!(args, Args::Bytes(_)))
        });
        self.ids.push(facts.id.as_uuid());
        self.args.push(args.map(|args| args.as_bytes().to_vec()));
        self.traits.push(traits.bits().cast_signed());
    }

    async fn write(&self, session: &Session, name: &'static str) -> Result<(), StoreError> {
        if !self.ids.is_empty() {
            let values: Values<'_> = &[&self.ids, &self.args, &self.traits];
            session.execute(sql::review::START, values).await.during(name)?;
        }
        Ok(())
    }
}

/// Columns of `review/remind.sql`.
#[derive(Debug, Default)]
struct Reminders {
    jobs: Vec<Uuid>,
    counts: Vec<i64>,
    remind_at: Vec<Option<Instant>>,
    look_at: Vec<Option<Instant>>,
    events: Events,
    notices: Vec<NewJob>,
}

impl Reminders {
    fn add(&mut self, facts: &Facts, record: &ReviewRecord, mut round: Round) {
        round.remind(&record.terms, facts.now);
        self.jobs.push(facts.id.as_uuid());
        self.counts.push(round.reminders.into());
        self.remind_at.push(instant(round.remind_at));
        self.look_at.push(instant(round.look_at()));
        self.events.add(facts, "remind", reminder(&round));
        self.notices.extend(notices_of(record, &round, facts.now));
    }

    async fn write(&self, session: &Session, name: &'static str) -> Result<(), StoreError> {
        if !self.jobs.is_empty() {
            let values: Values<'_> = &[&self.jobs, &self.counts, &self.remind_at, &self.look_at];
            session.execute(sql::review::REMIND, values).await.during(name)?;
            session.execute(sql::review::TOUCH, &[&self.jobs]).await.during(name)?;
            self.events.write(session, name).await?;
        }
        notices::remind(session, &self.notices, name).await
    }
}

/// Reminds of jobs in review, and takes defaults for decided, as far as it is time: at most `most` of them. Says whether
/// there may be more.
pub(crate) async fn look(
    session: &Session,
    rescued: &mut Rescued,
    most: usize,
    name: &'static str,
) -> Result<bool, StoreError> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = session.query(sql::review::DUE, &[&session.now, &limit]).await.during(name)?;
    if rows.is_empty() {
        return Ok(false);
    }
    let due: Vec<JobId> = rows.iter().map(|found| job_id(found, 0)).collect();
    let locked = Facts::lock(session, &due, name).await?;
    // Once they are locked: somebody may have decided since it was found that it is time.
    let known = read(session, &due, name).await?;
    let (mut rulings, mut reminders) = (Rulings::default(), Reminders::default());
    for facts in locked.iter().filter(|facts| facts.stage == Stage::InReview) {
        let Some((record, round)) = known.iter().find(|(record, _)| record.job == facts.id) else { continue };
        match round.look(facts.now) {
            Look::Decide => {
                let ruling = taken_by_time(record.terms.otherwise, record.digest, facts.now);
                rulings.add((facts, &record.terms), ruling, (None, None))?;
                rescued.decided += 1;
            }
            Look::Remind => {
                reminders.add(facts, record, round.clone());
                rescued.reminded += 1;
            }
            Look::Nothing => {}
        }
    }
    rulings.write(session, name).await?;
    reminders.write(session, name).await?;
    if rescued.decided > 0 {
        session.made_work();
    }
    Ok(due.len() == most)
}
