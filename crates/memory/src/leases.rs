//! Leases: kept, written under, and given back.

use async_trait::async_trait;
use windlass_core::attempt::safe_text;
use windlass_core::limits::LOG_LINE_BYTES_MAX;
use windlass_core::log::LOG_CUT;
use windlass_core::{
    AttemptError, AttemptOutcome, AttemptToken, Ending, JobId, Json, Limits, LogFate, LogLevel, LogLine,
    NewJob, Progress, Reason, Stage, Timestamp, Verdict, WorkerId, lose, settle,
};
use windlass_store::rules::{Standing, check_batch, check_checkpoint, fence};
use windlass_store::{
    Enqueued, ErrorKind, Holder, LeaseStore, LeaseTerm, LeasedJob, NewLogLine, Settled, Settlement,
    StoreError, Turn, Turned,
};

use crate::MemoryStore;
use crate::state::{Record, State};

#[async_trait]
impl LeaseStore for MemoryStore {
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        self.act("settle and claim", |state, now| state.turn(turn, &self.limits, now))
    }

    async fn claim_job(
        &self,
        worker: WorkerId,
        job: JobId,
        lease: LeaseTerm,
    ) -> Result<LeasedJob, StoreError> {
        self.act("claim the job", |state, now| {
            let grant = state.grant(worker, lease, now)?;
            state.claim_job(job, &grant, now)
        })
    }

    async fn extend(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        self.act("extend the lease", |state, now| {
            state.fence(&token, now)?;
            state.keep(token.job, |record| record.beat(now))?;
            state.holder(&token, now)
        })
    }

    async fn holder(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        self.act("read the lease", |state, now| state.holder(&token, now))
    }

    async fn progress(&self, token: AttemptToken, progress: Progress) -> Result<(), StoreError> {
        self.act("store the progress", |state, now| {
            let checked = Progress::new(progress.percent, progress.message.as_deref());
            let progress = checked.map_err(ErrorKind::Invalid)?;
            state.fence(&token, now)?.must_run()?;
            state.change(token.job, |record| record.job.progress = Some(progress))
        })
    }

    async fn checkpoint(&self, token: AttemptToken, checkpoint: Json) -> Result<(), StoreError> {
        self.act("store the checkpoint", |state, now| {
            check_checkpoint(&checkpoint, &self.limits).map_err(ErrorKind::Invalid)?;
            state.fence(&token, now)?.must_run()?;
            state.change(token.job, |record| record.job.checkpoint = Some(checkpoint))
        })
    }

    async fn log(&self, token: AttemptToken, lines: Vec<NewLogLine>) -> Result<(), StoreError> {
        self.act("store log lines", |state, now| {
            state.fence(&token, now)?.must_run()?;
            state.keep(token.job, |record| lines.iter().for_each(|line| record.log(line, now)))
        })
    }

    async fn enqueue_under(
        &self,
        token: AttemptToken,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        const NAME: &str = "enqueue jobs under a lease";
        self.act_saying(NAME, |state, now| {
            check_batch(&jobs, &self.limits).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
            let standing = state.fence(&token, now).and_then(Standing::must_run);
            standing.map_err(|kind| StoreError::new(NAME, kind))?;
            state.check_parents(&jobs)?;
            state.enqueue(jobs, &self.limits, now)
        })
    }
}

/// What became of an attempt whose lease was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TakenBack {
    /// Its job may be claimed again.
    Returned,
    /// Its job was lost once too often.
    Poisoned,
    /// Its job had been cancelled.
    Closed,
}

impl State {
    fn turn(&mut self, turn: Turn, limits: &Limits, now: Timestamp) -> Result<Turned, ErrorKind> {
        if let Some(request) = &turn.claim {
            request.validate().map_err(ErrorKind::Invalid)?;
            self.live_worker(request.worker, now)?;
        }
        let each = turn.settlements.into_iter().map(|settlement| self.settle(settlement, limits, now));
        let settled =
            each.map(|one| one.map_err(|kind| StoreError::new("settle the attempt", kind))).collect();
        self.tell_all_children();
        let Some(request) = turn.claim else {
            return Ok(Turned { settled, ..Turned::default() });
        };
        let claimed = self.claim(&request, now)?;
        Ok(Turned { settled, claimed, cancelled: self.cancelled_of(request.worker) })
    }

    fn settle(
        &mut self,
        settlement: Settlement,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Settled, ErrorKind> {
        let Settlement { token, verdict } = settlement;
        if self.fence(&token, now)? == Standing::Cancelled {
            self.keep(token.job, |record| record.close(Some(AttemptOutcome::Cancelled), None, now))?;
            return Err(ErrorKind::Cancelled);
        }
        let verdict = verdict.within(limits);
        let settled = self.change(token.job, |record| {
            let ending = settle(&record.running(), &verdict, now);
            record.close(ending.outcome, verdict.error().cloned(), now);
            record.job.result = record.made(&verdict, &ending);
            record.job.error = verdict.error_after(record.job.error.take());
            record.end(&ending, verdict.result().cloned(), now);
            let (state, reason) = record.state(now);
            Settled { state, reason }
        });
        self.count_error(token.job);
        settled
    }

    /// Closes an attempt whose holder gave no sign of life.
    pub(crate) fn take_back(&mut self, id: JobId, now: Timestamp) -> Result<TakenBack, ErrorKind> {
        if self.record(id)?.stage == Stage::Cancelled {
            self.close_for_good(id, now)?;
            return Ok(TakenBack::Closed);
        }
        let taken_back = self.change(id, |record| {
            let ending = lose(&record.running());
            let error = AttemptError::lost(ending.losses, record.job.losses_max);
            record.close(ending.outcome, Some(error.clone()), now);
            record.nonce = 0;
            record.job.error = Some(error);
            record.end(&ending, None, now);
            if record.stage == Stage::Dead { TakenBack::Poisoned } else { TakenBack::Returned }
        });
        self.count_error(id);
        taken_back
    }

    /// Closes the attempt of a cancelled job on behalf of a holder who will not settle it.
    pub(crate) fn close_for_good(&mut self, id: JobId, now: Timestamp) -> Result<(), ErrorKind> {
        self.keep(id, |record| {
            record.close(Some(AttemptOutcome::Cancelled), None, now);
            record.nonce = 0;
        })
    }

    fn fence(&self, token: &AttemptToken, now: Timestamp) -> Result<Standing, ErrorKind> {
        fence(token, self.newest(token.job), now)
    }

    fn holder(&self, token: &AttemptToken, now: Timestamp) -> Result<Holder, ErrorKind> {
        let cancel_requested = self.fence(token, now)? == Standing::Cancelled;
        let lease_until = self.newest(token.job).and_then(|newest| newest.lease_until).unwrap_or(now);
        Ok(Holder { job: token.job, lease_until, cancel_requested })
    }
}

impl Record {
    /// Ends the open attempt; without an outcome it never started, and leaves no trace.
    fn close(&mut self, outcome: Option<AttemptOutcome>, error: Option<AttemptError>, now: Timestamp) {
        self.lease = None;
        match (outcome, self.attempts.last_mut()) {
            (Some(outcome), Some(attempt)) => {
                attempt.ended_at = Some(now);
                attempt.outcome = Some(outcome);
                attempt.error = error;
            }
            _ => drop(self.attempts.pop()),
        }
    }

    /// What the job has made, once an attempt of it ends so: nothing before it is completed. Of what a person accepted, what
    /// the attempt returned that carried it out goes before what they had before them.
    fn made(&self, verdict: &Verdict, ending: &Ending) -> Option<Json> {
        let returned = verdict.result().filter(|_| ending.next.stage() == Stage::Completed).cloned();
        match ending.next.reason() {
            Some(Reason::Accepted) => returned.or_else(|| self.staged()),
            _ => returned,
        }
    }

    fn beat(&mut self, now: Timestamp) {
        if let Some(lease) = &mut self.lease {
            lease.seen_at = now;
        }
    }

    fn log(&mut self, line: &NewLogLine, now: Timestamp) {
        let message = safe_text(&line.message, LOG_LINE_BYTES_MAX);
        let (level, message) = match self.log_fill.admit(message.len()) {
            LogFate::Kept => (line.level, message),
            LogFate::Cut => (LogLevel::Warn, LOG_CUT.to_owned()),
            LogFate::Dropped => return,
        };
        self.logs.push(LogLine { attempt: self.number, at: now, level, message });
    }
}
