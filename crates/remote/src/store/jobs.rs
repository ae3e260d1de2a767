//! Jobs, what goes wrong with them, and who did what by hand.

use async_trait::async_trait;
use windlass_core::{Attempt, Fingerprint, Invalid, Job, JobId, LogLine, NewJob};
use windlass_store::{
    Actor, AuditEntry, AuditFilter, AuditStore, CancelOutcome, Enqueued, ErrorFilter, ErrorGroup, ErrorStore,
    Explanation, JobEdit, JobEvent, JobFilter, JobStore, Page, PageRequest, Redriven, StoreError, rules,
};
use windlass_wire::answers::{Attempts, Audit, CancelShape, Events, Groups, Listed, Logs};
use windlass_wire::{
    BatchRequest, BatchShape, CopyRequest, EditRequest, EnqueuedShape, ErrorGroupShape, ExplanationShape,
    Filter, JobRequest, JobShape, RedriveRequest, SnoozeRequest, answers,
};

use super::{RemoteStore, all, any_size, by, cursor, page, verb};
use crate::ask::{Ask, list};
use crate::failure::unreadable;

/// One job, which is told of without a place, or several.
fn asks_for(jobs: Vec<NewJob>, (one, several): (Ask, Ask)) -> Result<Ask, Invalid> {
    // What has no JSON form could not be named any more once it is sent.
    rules::check_batch(&jobs, &any_size())?;
    let mut requests: Vec<JobRequest> = jobs.into_iter().map(JobRequest::from).collect();
    match requests.pop() {
        Some(job) if requests.is_empty() => one.with(&job),
        last => {
            requests.extend(last);
            several.with(&BatchRequest::new(requests))
        }
    }
}

impl RemoteStore {
    /// Enqueues one job there, or several.
    pub(super) async fn enqueue_at(
        &self,
        operation: &'static str,
        places: (Ask, Ask),
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        let count = jobs.len();
        let ask = asks_for(jobs, places).map(Ask::harmless);
        let results = if count == 1 {
            vec![self.client().ask::<EnqueuedShape>(operation, ask).await?]
        } else {
            self.client().ask::<BatchShape>(operation, ask).await?.results
        };
        if results.len() != count {
            let why = format!("it tells of {} jobs, not of {count}", results.len());
            return Err(unreadable(operation, why));
        }
        Ok(results.iter().map(Enqueued::from).collect())
    }
}

/// What is changed of a waiting job; to be put off is another request than to be changed otherwise.
fn edits(id: JobId, edit: JobEdit, actor: &Actor) -> Result<Ask, Invalid> {
    let verb = verb(actor)?;
    let ask = match edit.due {
        Some(due) if edit.snoozes => {
            Ask::post(&[&"jobs", &id, &"snooze"]).with(&SnoozeRequest::new(due, verb))
        }
        _ => Ask::patch(&[&"jobs", &id]).with(&EditRequest::new(edit, verb)),
    };
    ask.map(|ask| ask.named_by(actor))
}

#[async_trait]
impl JobStore for RemoteStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, StoreError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let places = (Ask::post(&[&"jobs"]), Ask::post(&[&"jobs", &"batch"]));
        self.enqueue_at("enqueue jobs", places, jobs).await
    }

    async fn job(&self, id: JobId) -> Result<Job, StoreError> {
        self.get::<JobShape, _>("read the job", Ok(Ask::get(&[&"jobs", &id]))).await
    }

    async fn jobs(&self, filter: JobFilter, of: PageRequest) -> Result<Page<Job>, StoreError> {
        const NAME: &str = "list jobs";
        let filter = Some(Filter::of(&filter)).filter(|text| !text.is_empty());
        let ask = Ask::get(&[&"jobs"]).query(&[("filter", filter)]).page(of);
        let Listed { jobs, next, .. } = self.client().ask(NAME, Ok(ask)).await?;
        page(NAME, (jobs, next))
    }

    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>, StoreError> {
        const NAME: &str = "list attempts";
        let ask = Ask::get(&[&"jobs", &id, &"attempts"]);
        all(NAME, self.client().ask::<Attempts>(NAME, Ok(ask)).await?.attempts)
    }

    async fn logs(&self, id: JobId, of: PageRequest) -> Result<Page<LogLine>, StoreError> {
        const NAME: &str = "read the log";
        let ask = Ask::get(&[&"jobs", &id, &"logs"]).page(of);
        let Logs { lines, next } = self.client().ask(NAME, Ok(ask)).await?;
        page(NAME, (lines, next))
    }

    async fn events(&self, id: JobId) -> Result<Vec<JobEvent>, StoreError> {
        const NAME: &str = "list events";
        let ask = Ask::get(&[&"jobs", &id, &"events"]);
        all(NAME, self.client().ask::<Events>(NAME, Ok(ask)).await?.events)
    }

    async fn explain(&self, id: JobId) -> Result<Explanation, StoreError> {
        let ask = Ask::get(&[&"jobs", &id, &"explain"]);
        self.get::<ExplanationShape, _>("explain the job", Ok(ask)).await
    }

    async fn cancel(&self, id: JobId, actor: Actor) -> Result<CancelOutcome, StoreError> {
        let ask = by(Ask::post(&[&"jobs", &id, &"cancel"]), &actor);
        self.get::<CancelShape, _>("cancel the job", ask).await
    }

    async fn retry(&self, id: JobId, actor: Actor) -> Result<(), StoreError> {
        self.done("retry the job", by(Ask::post(&[&"jobs", &id, &"retry"]), &actor)).await
    }

    async fn run_now(&self, id: JobId, actor: Actor) -> Result<(), StoreError> {
        self.done("run the job now", by(Ask::post(&[&"jobs", &id, &"run-now"]), &actor)).await
    }

    async fn edit(&self, id: JobId, edit: JobEdit, actor: Actor) -> Result<(), StoreError> {
        self.done("edit the job", edits(id, edit, &actor)).await
    }

    async fn redrive(
        &self,
        filter: JobFilter,
        of: PageRequest,
        actor: Actor,
    ) -> Result<Redriven, StoreError> {
        const NAME: &str = "redrive jobs";
        let filter = Filter::of(&JobFilter { states: Vec::new(), ..filter });
        let ask = Ask::post(&[&"jobs", &"redrive"]).page(of).named_by(&actor);
        let ask = verb(&actor).and_then(|verb| ask.with(&RedriveRequest::new(filter, verb)));
        let answers::Redriven { jobs, refused, next } = self.client().ask(NAME, ask).await?;
        let why = |one: answers::Refused| (one.job, one.problem.into_error("retry the job"));
        Ok(Redriven { jobs, refused: refused.into_iter().map(why).collect(), next: cursor(NAME, next)? })
    }

    async fn rerun(&self, id: JobId, copy: JobId, actor: Actor) -> Result<Enqueued, StoreError> {
        let ask = Ask::post(&[&"jobs", &id, &"rerun"]).harmless().named_by(&actor);
        let ask = verb(&actor).and_then(|verb| ask.with(&CopyRequest::new(Some(copy), verb)));
        let shape: EnqueuedShape = self.client().ask("rerun the job", ask).await?;
        Ok(Enqueued::from(&shape))
    }

    async fn delete(&self, id: JobId, actor: Actor) -> Result<(), StoreError> {
        self.done("delete the job", by(Ask::delete(&[&"jobs", &id]), &actor)).await
    }
}

#[async_trait]
impl ErrorStore for RemoteStore {
    async fn error_groups(
        &self,
        filter: ErrorFilter,
        of: PageRequest,
    ) -> Result<Page<ErrorGroup>, StoreError> {
        const NAME: &str = "list errors";
        let since = filter.seen_since.map(|since| since.to_string());
        let ask = Ask::get(&[&"errors"]).query(&[("kind", list(&filter.kinds)), ("since", since)]).page(of);
        let Groups { errors, next } = self.client().ask(NAME, Ok(ask)).await?;
        page(NAME, (errors, next))
    }

    async fn error_group(&self, fingerprint: Fingerprint) -> Result<ErrorGroup, StoreError> {
        let ask = Ask::get(&[&"errors", &fingerprint]);
        self.get::<ErrorGroupShape, _>("read the group of errors", Ok(ask)).await
    }
}

#[async_trait]
impl AuditStore for RemoteStore {
    async fn audit(&self, filter: AuditFilter, of: PageRequest) -> Result<Page<AuditEntry>, StoreError> {
        const NAME: &str = "read the audit";
        let AuditFilter { actor, verb, noun, subject, since } = filter;
        let noun = noun.map(|noun| noun.as_str().to_owned());
        let since = since.map(|since| since.to_string());
        let pairs =
            [("actor", actor), ("verb", verb), ("noun", noun), ("subject", subject), ("since", since)];
        let Audit { entries, next } =
            self.client().ask(NAME, Ok(Ask::get(&[&"audit"]).query(&pairs).page(of))).await?;
        page(NAME, (entries, next))
    }
}
