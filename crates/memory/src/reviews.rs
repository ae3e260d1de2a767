//! Reviews: jobs come into them, and persons or the time decide.

use async_trait::async_trait;
use windlass_core::review::{Course, Resumption, Subject, needs_approval};
use windlass_core::{Args, Decision, Digest, JobId, Json, Limits, NewJob, Reason, Ruling, Stage, Timestamp};
use windlass_store::rules::reviews::{
    Asked, Look, Reviewed, Round, decider, deciding, editable, refusal, reminder, reminders, taken,
    taken_by_time,
};
use windlass_store::{
    Actor, ErrorKind, NewRuling, Noun, Page, PageRequest, ReviewFilter, ReviewRecord, ReviewStore, Settled,
    Settling, StoreError, Via,
};

use crate::MemoryStore;
use crate::jobs::cursor;
use crate::state::{Record, State};

/// The last time that a job came into review.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Its place among all that came into review, which only grows.
    pub(crate) order: u64,
    pub(crate) round: Round,
}

#[async_trait]
impl ReviewStore for MemoryStore {
    async fn decide(&self, job: JobId, ruling: NewRuling) -> Result<Settled, StoreError> {
        const NAME: &str = "decide about the job";
        self.act(NAME, |state, now| state.decide(job, ruling, &self.limits, now))
            .map_err(|error| refusal(NAME, job, error.kind().clone()))
    }

    async fn review(&self, job: JobId) -> Result<Option<ReviewRecord>, StoreError> {
        self.act("read the review", |state, _| Ok(state.record(job)?.review()))
    }

    async fn reviews(
        &self,
        filter: ReviewFilter,
        page: PageRequest,
    ) -> Result<Page<ReviewRecord>, StoreError> {
        self.act("list reviews", |state, _| Ok(state.reviews(&filter, page)))
    }
}

impl State {
    #[expect(clippy::too_many_arguments, reason = "one step of a statement, called from one place or two")]
    fn decide(
        &mut self,
        id: JobId,
        ruling: NewRuling,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Settled, ErrorKind> {
        ruling.validate(limits).map_err(ErrorKind::Invalid)?;
        let record = self.record(id)?;
        deciding(&record.asked(), &ruling, now)?;
        self.rule(id, taken(&ruling, now), (ruling.args, ruling.by.via), now)
    }

    /// Takes the job where a decision about it leads.
    #[expect(clippy::too_many_arguments, reason = "one step of a statement, called from one place or two")]
    fn rule(
        &mut self,
        id: JobId,
        ruling: Ruling,
        (args, via): (Option<Args>, Option<Via>),
        now: Timestamp,
    ) -> Result<Settled, ErrorKind> {
        let (verb, by) = (ruling.decision.as_str(), decider(&ruling));
        self.audited(verb, (Noun::Job, id), Actor { via, ..by.clone() });
        self.change(id, |record| {
            record.job.args = args.unwrap_or_else(|| record.job.args.clone());
            record.note(verb, by, now);
            record.follow(ruling, now);
            let (state, reason) = record.state(now);
            Settled { state, reason }
        })
    }

    /// Reminds of the first jobs in review, and takes defaults for decided, as far as it is time: at most `most` of them.
    /// Says how many were decided, and how many reminded of.
    pub(crate) fn look_at_reviews(&mut self, most: usize, now: Timestamp) -> Result<(u64, u64), ErrorKind> {
        let due = |id: &&JobId| {
            let round = self.jobs.get(id).and_then(|record| record.review.as_ref());
            round.is_some_and(|kept| kept.round.look(now) != Look::Nothing)
        };
        let mut due: Vec<JobId> = self.in_review.values().filter(due).copied().collect();
        due.sort_by_key(|id| self.jobs.get(id).and_then(|record| record.review.as_ref()?.round.look_at()));
        due.truncate(most);
        let (mut decided, mut reminded) = (0, 0);
        for id in due {
            match self.record(id)?.review.as_ref().map(|kept| kept.round.look(now)) {
                Some(Look::Decide) => {
                    let record = self.record(id)?;
                    let otherwise = record.job.options.review.as_ref().map(|terms| terms.otherwise);
                    let ruling = taken_by_time(otherwise.unwrap_or_default(), record.digest(), now);
                    self.rule(id, ruling, (None, None), now)?;
                    decided += 1;
                }
                Some(Look::Remind) => {
                    let notices = self.change(id, |record| record.remind(now))?;
                    for notice in notices {
                        let _made = self.enqueue_one(notice, now);
                    }
                    reminded += 1;
                }
                _ => {}
            }
        }
        Ok((decided, reminded))
    }

    fn reviews(&self, filter: &ReviewFilter, page: PageRequest) -> Page<ReviewRecord> {
        let after = page.cursor().and_then(|cursor| u64::try_from(cursor.position()).ok()).unwrap_or(0);
        let open =
            self.in_review.range(after + 1..).filter_map(|(order, id)| Some((order, self.jobs.get(id)?)));
        let mut matching = open.filter(|(_, record)| matches(filter, record)).peekable();

        let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
        let found: Vec<(&u64, &Record)> = matching.by_ref().take(limit).collect();
        let next = matching.peek().and(found.last()).map(|(order, _)| cursor(**order));
        Page { items: found.into_iter().filter_map(|(_, record)| record.review()).collect(), next }
    }
}

impl Record {
    /// Brings the job into review, with what it made if that is decided about.
    pub(crate) fn ask(&mut self, staged: Option<Json>, now: Timestamp) {
        let Some(terms) = &self.job.options.review else { return };
        let last = self.review.as_ref().map_or(0, |kept| kept.round.number);
        self.review = Some(Kept { order: 0, round: Round::asked(terms, last, staged, now) });
        self.stage = Stage::InReview;
        self.reason = Some(match terms.of {
            Subject::Start => Reason::Start,
            Subject::Outcome => Reason::Outcome,
        });
    }

    /// Lets the job go that nothing else holds back: to wait for its time, or for a person.
    pub(crate) fn enter(&mut self, now: Timestamp) {
        (self.stage, self.reason) = (Stage::Waiting, None);
        if needs_approval(self.job.options.review.as_ref(), self.decision()) {
            self.ask(None, now);
        }
    }

    /// Something else holds the job back: a person need not decide about its start yet.
    pub(crate) fn withdraw(&mut self) {
        self.review = self.review.take().filter(|_| self.stage != Stage::InReview);
    }

    fn decision(&self) -> Option<Decision> {
        Some(self.review.as_ref()?.round.ruling.as_ref()?.decision)
    }

    fn follow(&mut self, ruling: Ruling, now: Timestamp) {
        let (Some(terms), Some(kept)) = (&self.job.options.review, &mut self.review) else { return };
        let decision = ruling.decision;
        kept.round.ruling = Some(ruling);
        match terms.course(decision) {
            Course::Starts => (self.stage, self.reason) = (Stage::Waiting, None),
            Course::Ends => {
                self.finish(Stage::Cancelled, now);
                self.reason = Some(Reason::Declined);
            }
            Course::Settles => {
                (self.stage, self.reason) = (Stage::Waiting, None);
                self.traits = self.traits.settling(decision, self.job.priority);
                self.job.phase = self.traits.phase();
                self.job.run_at = now;
                (self.job.attempt, self.job.losses) = (0, 0);
                self.job.checkpoint = None;
            }
        }
    }

    /// Reminds of it, and says what tells of that.
    fn remind(&mut self, now: Timestamp) -> Vec<NewJob> {
        let (Some(terms), Some(kept)) = (&self.job.options.review, &mut self.review) else {
            return Vec::new();
        };
        kept.round.remind(terms, now);
        let round = kept.round.clone();
        self.note("remind", reminder(&round), now);
        self.review().map(|record| reminders(&record, &round, now)).unwrap_or_default()
    }

    /// Puts the job where a retry by hand leads, as far as a person has to do with it.
    pub(crate) fn resume(&mut self, now: Timestamp) {
        let terms = self.job.options.review.as_ref();
        let resumption = terms.map(|terms| terms.resumption(self.decision(), self.job.phase, self.reason));
        (self.stage, self.reason) = (Stage::Waiting, None);
        match resumption.unwrap_or(Resumption::Runs) {
            Resumption::Settles => {}
            Resumption::Asks => self.ask(None, now),
            Resumption::Runs => {
                self.traits = self.traits.working();
                self.job.phase = self.traits.phase();
            }
        }
    }

    /// What an attempt of it is to carry out.
    pub(crate) fn settling(&self) -> Option<Box<Settling>> {
        let round = self.traits.settles().and(self.review.as_ref()).map(|kept| &kept.round)?;
        Some(Box::new(Settling { ruling: round.ruling.clone()?, staged: round.staged.clone() }))
    }

    /// What it made that was accepted.
    pub(crate) fn staged(&self) -> Option<Json> {
        self.review.as_ref()?.round.staged.clone()
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            stage: self.stage,
            deadline: self.job.deadline,
            terms: self.job.options.review.as_ref(),
            submitted_by: self.job.options.submitted_by.as_deref(),
            digest: self.digest(),
            editable: editable(&self.job.options),
        }
    }

    /// The digest of what there is to decide about, as it is now.
    fn digest(&self) -> Digest {
        let staged = self.review.as_ref().and_then(|kept| kept.round.staged.as_ref());
        let subject = self.job.options.review.as_ref().map_or(Subject::Start, |terms| terms.of);
        Digest::of(subject, &self.job.args, staged)
    }

    fn review(&self) -> Option<ReviewRecord> {
        self.job.options.review.as_ref()?;
        let (job, round) = (&self.job, &self.review.as_ref()?.round);
        let reviewed = Reviewed {
            job: job.id,
            kind: job.kind.clone(),
            queue: job.queue.clone(),
            options: job.options.clone(),
            args: job.args.clone(),
            open: self.stage == Stage::InReview,
        };
        Some(reviewed.record(round))
    }
}

fn matches(filter: &ReviewFilter, record: &Record) -> bool {
    (filter.queues.is_empty() || filter.queues.contains(&record.job.queue))
        && (filter.kinds.is_empty() || filter.kinds.contains(&record.job.kind))
}
