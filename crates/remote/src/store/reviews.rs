//! What persons are asked to decide.

use async_trait::async_trait;
use windlass_core::{Args, Invalid, JobId};
use windlass_store::{
    NewRuling, Page, PageRequest, ReviewFilter, ReviewRecord, ReviewStore, Settled, StoreError,
};
use windlass_wire::DecisionRequest;
use windlass_wire::answers::{Asked, Decided, Reviews};

use super::{RemoteStore, page, read};
use crate::ask::{Ask, list};

fn decision(job: JobId, ruling: NewRuling) -> Result<Ask, Invalid> {
    ruling.by.validate()?;
    let ask = Ask::post(&[&"jobs", &job, &"review"]).named_by(&ruling.by);
    let mut request = DecisionRequest::new(ruling.decision);
    request.comment = ruling.by.why;
    request.by = Some(ruling.by.name);
    request.digest = Some(ruling.digest);
    match ruling.args {
        Some(Args::Json(json)) => request.args = Some(json),
        Some(Args::Bytes(bytes)) => request.args_base64 = Some(bytes),
        None => {}
    }
    ask.with(&request)
}

#[async_trait]
impl ReviewStore for RemoteStore {
    async fn decide(&self, job: JobId, ruling: NewRuling) -> Result<Settled, StoreError> {
        let decided: Decided = self.client().ask("decide about the job", decision(job, ruling)).await?;
        Ok(decided.now.into())
    }

    async fn review(&self, job: JobId) -> Result<Option<ReviewRecord>, StoreError> {
        const NAME: &str = "read the review";
        let ask = Ask::get(&[&"jobs", &job, &"review"]);
        let Asked { review } = self.client().ask(NAME, Ok(ask)).await?;
        review.map(|shape| read(NAME, shape)).transpose()
    }

    async fn reviews(&self, filter: ReviewFilter, of: PageRequest) -> Result<Page<ReviewRecord>, StoreError> {
        const NAME: &str = "list reviews";
        let pairs = [("queue", list(&filter.queues)), ("kind", list(&filter.kinds))];
        let ask = Ask::get(&[&"reviews"]).query(&pairs).page(of);
        let Reviews { reviews, next } = self.client().ask(NAME, Ok(ask)).await?;
        page(NAME, (reviews, next))
    }
}
