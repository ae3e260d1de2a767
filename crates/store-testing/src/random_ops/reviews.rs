//! The reviews that jobs of random sequences ask for, and the decisions about them.

use std::time::Duration;

use windlass_core::notice::Target;
use windlass_core::{Args, Decision, Digest, JobId, JobOptions, Json, RetryPolicy, Review, Verdict};
use windlass_store::{
    Actor, LeaseTerm, NewRuling, Page, PageRequest, ReviewFilter, ReviewRecord, Settled, SharedStore,
    StoreError,
};

use super::op::{JOBS, NewJobOf, Op, TokenOf};

/// How many terms of a review there are.
pub(crate) const REVIEWS: u64 = 6;

/// Who submitted every job that is reviewed.
const SUBMITTER: &str = "ada";

/// A decision about a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RulingOf {
    /// None for the one that has been in review for longest.
    pub(crate) job: Option<u8>,
    pub(crate) decision: Decision,
    /// By who submitted the job.
    pub(crate) by_submitter: bool,
    /// About what was never there.
    pub(crate) stale: bool,
    /// With other args.
    pub(crate) edited: bool,
}

/// Asks for a review on the terms of this number.
pub(crate) fn ask_for(options: &mut JobOptions, index: u8) {
    let seconds = Duration::from_secs;
    options.submitted_by = Some(SUBMITTER.to_owned());
    options.review = Some(match index {
        0 => Review::outcome(),
        1 => Review::start(),
        2 => Review::outcome().decide_within(seconds(5), Decision::Accept).submitter_may(),
        3 => {
            let desk = Target::Mail("desk@example.com".to_owned());
            Review::start()
                .decide_within(seconds(90), Decision::Decline)
                .remind_every(seconds(60))
                .remind(desk)
        }
        4 => Review::outcome().settle_attempts(2, RetryPolicy::Fixed(seconds(1))),
        // Refused before anything is written.
        _ => Review::start().remind_every(seconds(1)),
    });
}

/// What brings it about that a decision about the outcome of the first job is to be carried out.
pub(crate) fn decided(decision: Decision) -> [Op; 4] {
    let job = NewJobOf { review: Some(0), ..NewJobOf::default() };
    let result = Some(Json::from_stored("7"));
    [
        Op::Enqueue(vec![job]),
        Op::ClaimJob { worker: 0, job: 0, lease: LeaseTerm::Process },
        Op::Settle(TokenOf::Recent(0), Verdict::Succeeded { result }),
        Op::Decide(RulingOf { job: None, decision, by_submitter: false, stale: false, edited: false }),
    ]
}

/// Decides about what there is to decide, as far as `ruling` says so; `named` is the job it names, or would.
pub(crate) async fn decide(
    store: &SharedStore,
    named: JobId,
    ruling: RulingOf,
) -> Result<Settled, StoreError> {
    let RulingOf { job, decision, by_submitter, stale, edited } = ruling;
    let first = store.reviews(ReviewFilter::default(), PageRequest::first(1)).await?.items;
    let id = first.first().filter(|_| job.is_none()).map_or(named, |review| review.job);
    let asked = store.review(id).await.ok().flatten().filter(|_| !stale);
    let digest = asked.map_or(Digest::from_bytes([7; 32]), |review| review.digest);
    let by = Actor::new(if by_submitter { SUBMITTER } else { "bob" });
    let args = edited.then(|| Args::json("\"edited\"").expect("text is JSON"));
    store.decide(id, NewRuling { decision, by, digest, args }).await
}

/// Every review that is open, page by page.
pub(crate) async fn list(store: &SharedStore, limit: u32) -> Result<Vec<ReviewRecord>, StoreError> {
    let mut reviews = Vec::new();
    let mut request = PageRequest::first(limit);
    loop {
        let Page { items, next } = store.reviews(ReviewFilter::default(), request).await?;
        reviews.extend(items);
        assert!(reviews.len() <= usize::try_from(JOBS).unwrap_or_default(), "a list shows a review twice");
        match next {
            Some(next) => request = request.after(Some(next)),
            None => return Ok(reviews),
        }
    }
}
