//! What a person decides: before a job starts, and about what it made.

use windlass_core::review::Subject;
use windlass_core::{
    Args, Decision, Digest, Due, JobId, JobState, Json, NewJob, Phase, Reason, Review, Ruling, Unique,
    Verdict,
};
use windlass_store::{
    Actor, CancelOutcome, ErrorKind, JobEvent, LeaseTerm, LeasedJob, NewRuling, PageRequest, ReviewFilter,
    ReviewRecord, Settled, SharedStore,
};

use crate::bench::{
    Bench, SECOND, at_once, failed, failed_for_now, field_of, ids_of, kind, of_queues, operator, queue,
    refused, succeeded,
};

cases! {
    a_success_waits_for_a_person_with_its_result,
    what_changed_nothing_needs_no_person,
    a_failure_goes_to_nobody,
    a_job_without_a_review_has_none,
    g17_a_job_is_not_started_before_its_approval_is_committed,
    g17_an_approval_survives_the_store,
    an_approved_job_waits_for_its_time_and_in_its_place,
    an_approved_job_may_start_with_other_args,
    a_declined_start_is_cancelled_at_once,
    a_decision_records_who_and_why_and_about_what,
    of_many_who_decide_at_once_one_wins,
    a_decision_about_what_nobody_looked_at_is_refused,
    a_decision_about_what_is_not_in_review_is_refused,
    a_second_decision_is_refused_and_changes_nothing,
    who_submitted_a_job_may_not_decide_unless_its_terms_say_so,
    a_decision_is_refused_by_field,
    args_that_make_the_unique_key_cannot_be_changed,
    terms_are_refused_by_field,
    a_job_in_review_can_be_cancelled_and_nobody_decides_any_more,
    a_job_in_review_that_misses_its_deadline_is_dead,
    a_job_in_review_is_neither_claimed_nor_hastened_nor_retried,
    a_declined_start_that_is_retried_needs_an_approval_again,
    an_approval_stays_good_for_a_retry,
    a_declined_outcome_that_is_retried_makes_a_new_one,
    open_reviews_are_listed_in_the_order_in_which_they_came,
    open_reviews_are_listed_by_queue_and_kind,
    a_deleted_job_leaves_no_review,
    an_enqueue_that_is_repeated_asks_nobody_again,
    a_job_in_review_survives_the_store,
}

pub(super) fn of_outcome(job: &mut NewJob) {
    job.options.review = Some(Review::outcome());
}

pub(super) fn of_start(job: &mut NewJob) {
    job.options.review = Some(Review::start());
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what a job may have")]
pub(super) fn result(text: &'static str) -> Option<Json> {
    Some(Json::new("result", text).unwrap())
}

pub(super) fn made(text: &'static str) -> Verdict {
    Verdict::Succeeded { result: result(text) }
}

pub(super) fn reviewer() -> Actor {
    Actor::new("bob").because("as agreed")
}

impl Bench {
    /// What there is to decide about a job.
    pub(super) async fn review(&self, job: JobId) -> ReviewRecord {
        self.store.review(job).await.unwrap().expect("somebody was asked about it")
    }

    /// Decides about what there is to decide.
    pub(super) async fn decide(&self, job: JobId, decision: Decision) -> Settled {
        let digest = self.review(job).await.digest;
        let ruling = NewRuling { decision, by: reviewer(), digest, args: None };
        self.store.decide(job, ruling).await.expect("it is in review")
    }

    /// A job whose outcome waits for a person.
    pub(super) async fn staged_with(&self, change: impl FnOnce(&mut NewJob)) -> LeasedJob {
        let job = self.start_with(change).await;
        self.settle(&job, made("{\"rows\":3}")).await;
        job
    }
}

async fn a_success_waits_for_a_person_with_its_result(bench: Bench) {
    let job = bench.start_with(of_outcome).await;

    let settled = bench.settle(&job, made("{\"rows\":3}")).await;

    assert_eq!(settled, Settled { state: JobState::InReview, reason: Some(Reason::Outcome) });
    let seen = bench.job(job.id()).await;
    assert_eq!(
        (seen.state, seen.reason, seen.phase),
        (JobState::InReview, Some(Reason::Outcome), Phase::Run)
    );
    assert_eq!((seen.result, seen.finished_at), (None, None));
    assert_eq!(bench.outcomes(job.id()).await, [Some(windlass_core::AttemptOutcome::Succeeded)]);
    let review = bench.review(job.id()).await;
    assert_eq!((review.staged.clone(), review.open, review.round), (result("{\"rows\":3}"), true, 1));
    assert_eq!((review.asked_at, review.decide_by, review.ruling), (bench.now(), None, None));
    assert_eq!(review.digest, Digest::of(Subject::Outcome, &review.args, review.staged.as_ref()));
    assert_eq!(bench.claim(10).await, []);
}

async fn what_changed_nothing_needs_no_person(bench: Bench) {
    let job = bench.start_with(of_outcome).await;

    let settled = bench.settle(&job, Verdict::Unchanged { result: result("0") }).await;

    assert_eq!(settled, Settled { state: JobState::Completed, reason: Some(Reason::Unchanged) });
    assert_eq!(bench.job(job.id()).await.result, result("0"));
    assert_eq!(bench.store.review(job.id()).await.unwrap(), None);
}

async fn a_failure_goes_to_nobody(bench: Bench) {
    let job =
        bench.start_with(|job| (job.attempts_max, job.options.review) = (1, Some(Review::outcome()))).await;

    let settled = bench.settle(&job, failed("boom")).await;

    assert_eq!(settled, Settled { state: JobState::Dead, reason: Some(Reason::Exhausted) });
    assert_eq!(bench.store.review(job.id()).await.unwrap(), None);
}

async fn a_job_without_a_review_has_none(bench: Bench) {
    let job = bench.start_one().await;

    assert_eq!(bench.settle(&job, made("1")).await.state, JobState::Completed);

    assert_eq!(bench.store.review(job.id()).await.unwrap(), None);
    assert_eq!(refused(bench.store.review(bench.fresh_id()).await), ErrorKind::NotFound);
}

async fn g17_a_job_is_not_started_before_its_approval_is_committed(bench: Bench) {
    let id = bench.enqueue_with(of_start).await;
    let worker = bench.worker().await;
    bench.advance(SECOND);
    assert_eq!(bench.state_of(id).await, (JobState::InReview, Some(Reason::Start)));
    assert_eq!(bench.claim(10).await, []);
    assert_eq!(refused(bench.store.claim_job(worker, id, LeaseTerm::Process).await), ErrorKind::NotReady);

    // Whoever claims while somebody approves gets the job only once the approval can be read.
    let digest = bench.review(id).await.digest;
    let store = bench.store.clone();
    let started = at_once(8, move |index| act_on(store.clone(), index, worker, (id, digest))).await;

    let started: Vec<bool> = started.into_iter().flatten().collect();
    assert!(started.iter().all(|approved| *approved), "{started:?}");
    if started.is_empty() {
        assert_eq!(ids_of(&bench.claim(1).await), [id]);
    }
    assert_eq!(bench.attempts(id).await.len(), 1);
}

/// One of eight at once: the first approves, the others try to start the job, and say whether it was approved by then.
async fn act_on(
    store: SharedStore,
    index: usize,
    worker: windlass_core::WorkerId,
    (id, digest): (JobId, Digest),
) -> Option<bool> {
    if index == 0 {
        store.decide(id, NewRuling::accept(reviewer(), digest)).await.unwrap();
        return None;
    }
    let started = store.claim_job(worker, id, LeaseTerm::Process).await;
    let approved = store.review(id).await.unwrap().unwrap().ruling.is_some();
    started.is_ok().then_some(approved)
}

async fn g17_an_approval_survives_the_store(bench: Bench) {
    let id = bench.enqueue_with(of_start).await;
    bench.decide(id, Decision::Accept).await;

    if let Some(reopened) = bench.reopened().await {
        assert_eq!(reopened.job(id).await.unwrap().state, JobState::Ready);
        assert_eq!(reopened.review(id).await.unwrap(), bench.store.review(id).await.unwrap());
    }
}

async fn an_approved_job_waits_for_its_time_and_in_its_place(bench: Bench) {
    let first = bench.enqueue_with(of_start).await;
    let second = bench.enqueue_one().await;
    let later = bench
        .enqueue_with(|job| (job.due, job.options.review) = (Due::In(SECOND * 5), Some(Review::start())))
        .await;

    let decided = bench.decide(later, Decision::Accept).await;
    bench.decide(first, Decision::Accept).await;

    assert_eq!(decided, Settled { state: JobState::Scheduled, reason: Some(Reason::Delay) });
    assert_eq!(ids_of(&bench.claim(10).await), [first, second]);
    bench.advance(SECOND * 5);
    let job = bench.claim_one().await;
    assert_eq!((job.id(), job.phase()), (later, Phase::Run));
    assert_eq!(
        bench.settle(&job, made("1")).await,
        Settled { state: JobState::Completed, reason: Some(Reason::Done) }
    );
}

async fn an_approved_job_may_start_with_other_args(bench: Bench) {
    let id = bench.enqueue_with(of_start).await;
    let before = bench.review(id).await.digest;
    let ruling = NewRuling::accept(reviewer(), before).with_args(Args::json("{\"less\":1}").unwrap());

    bench.store.decide(id, ruling).await.unwrap();

    assert_eq!(bench.claim_one().await.args, Args::json("{\"less\":1}").unwrap());
    let review = bench.review(id).await;
    assert_eq!((review.digest, review.args), (before, Args::json("{\"less\":1}").unwrap()));
    assert!(review.ruling.unwrap().edited);
    let why = bench.store.events(id).await.unwrap().remove(0).by.why.unwrap();
    assert!(why.starts_with("as agreed") && why.contains(&before.to_string()), "{why}");
}

async fn a_declined_start_is_cancelled_at_once(bench: Bench) {
    let id = bench.enqueue_with(of_start).await;

    let decided = bench.decide(id, Decision::Decline).await;

    assert_eq!(decided, Settled { state: JobState::Cancelled, reason: Some(Reason::Declined) });
    let job = bench.job(id).await;
    assert_eq!((job.reason, job.finished_at), (Some(Reason::Declined), Some(bench.now())));
    assert_eq!(bench.attempts(id).await, []);
    assert!(!bench.review(id).await.open);
}

async fn a_decision_records_who_and_why_and_about_what(bench: Bench) {
    let job = bench.staged_with(of_outcome).await;
    let revision = bench.job(job.id()).await.revision;
    let digest = bench.review(job.id()).await.digest;
    bench.advance(SECOND);

    bench.decide(job.id(), Decision::Accept).await;

    let event = JobEvent { at: bench.now(), verb: "accept".into(), by: reviewer(), revision: revision + 1 };
    assert_eq!(bench.store.events(job.id()).await.unwrap(), [event]);
    let ruling = Ruling {
        decision: Decision::Accept,
        by: Some("bob".into()),
        comment: Some("as agreed".into()),
        at: bench.now(),
        digest,
        edited: false,
    };
    let review = bench.review(job.id()).await;
    assert_eq!((review.ruling, review.open, review.digest), (Some(ruling), false, digest));
}

async fn of_many_who_decide_at_once_one_wins(bench: Bench) {
    let id = bench.staged_with(of_outcome).await.id();
    let digest = bench.review(id).await.digest;
    let store = bench.store.clone();

    let decided = at_once(8, move |index| {
        let decision = if index % 2 == 0 { Decision::Accept } else { Decision::Decline };
        let ruling = NewRuling { decision, by: Actor::new(format!("r{index}")), digest, args: None };
        let store = store.clone();
        async move { store.decide(id, ruling).await.map_err(|error| error.kind().clone()) }
    })
    .await;

    let winners: Vec<usize> = (0..8).filter(|index| decided[*index].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{decided:?}");
    assert!(decided.iter().all(|one| matches!(one, Ok(_) | Err(ErrorKind::NotReady))), "{decided:?}");
    let ruling = bench.review(id).await.ruling.unwrap();
    assert_eq!(ruling.by, Some(format!("r{}", winners[0])));
    assert_eq!(bench.store.events(id).await.unwrap().len(), 1);
    let job = bench.claim_one().await;
    assert_eq!(job.settles.as_ref().map(|settling| settling.ruling.clone()), Some(ruling.clone()));
    let (state, reason) = if ruling.decision == Decision::Accept {
        (JobState::Completed, Reason::Accepted)
    } else {
        (JobState::Cancelled, Reason::Declined)
    };
    assert_eq!(bench.settle(&job, succeeded()).await, Settled { state, reason: Some(reason) });
}

async fn a_decision_about_what_nobody_looked_at_is_refused(bench: Bench) {
    let job = bench.staged_with(of_outcome).await;
    let stale = Digest::of(Subject::Outcome, &job.args, result("{\"rows\":2}").as_ref());

    let answer = bench.store.decide(job.id(), NewRuling::accept(reviewer(), stale)).await;

    assert_eq!(refused(answer), ErrorKind::Conflict);
    assert!(bench.review(job.id()).await.open);
    assert_eq!(bench.store.events(job.id()).await.unwrap(), []);
}

async fn a_decision_about_what_is_not_in_review_is_refused(bench: Bench) {
    let digest = Digest::from_bytes([7; 32]);
    let decide = async |id| refused(bench.store.decide(id, NewRuling::accept(reviewer(), digest)).await);
    let running = bench.start_with(of_outcome).await;
    let plain = bench.enqueue_one().await;

    assert_eq!(decide(bench.fresh_id()).await, ErrorKind::NotFound);
    assert_eq!(decide(plain).await, ErrorKind::NotReady);
    assert_eq!(decide(running.id()).await, ErrorKind::NotReady);
    let error = bench.store.decide(plain, NewRuling::accept(reviewer(), digest)).await.unwrap_err();
    assert!(error.to_string().ends_with(&format!("job {plain} is not in review")), "{error}");
}

async fn a_second_decision_is_refused_and_changes_nothing(bench: Bench) {
    let job = bench.staged_with(of_outcome).await;
    let digest = bench.review(job.id()).await.digest;
    bench.decide(job.id(), Decision::Accept).await;
    let before = bench.job(job.id()).await;

    let answer = bench.store.decide(job.id(), NewRuling::decline(reviewer(), digest)).await;

    assert_eq!(refused(answer), ErrorKind::NotReady);
    assert_eq!(bench.job(job.id()).await, before);
    assert_eq!(bench.review(job.id()).await.ruling.unwrap().decision, Decision::Accept);
}

async fn who_submitted_a_job_may_not_decide_unless_its_terms_say_so(bench: Bench) {
    let submitted = |review: Review| {
        move |job: &mut NewJob| {
            job.options.submitted_by = Some("bob".to_owned());
            job.options.review = Some(review);
        }
    };
    let four_eyes = bench.enqueue_with(submitted(Review::start())).await;
    let own = bench.enqueue_with(submitted(Review::start().submitter_may())).await;

    let digest = bench.review(four_eyes).await.digest;
    let decide = |id, name| bench.store.decide(id, NewRuling::accept(Actor::new(name), digest));
    assert_eq!(field_of(decide(four_eyes, "bob").await), "by.name");

    decide(four_eyes, "ada").await.unwrap();
    decide(own, "bob").await.unwrap();
    assert_eq!(bench.review(own).await.submitted_by.as_deref(), Some("bob"));
}

async fn a_decision_is_refused_by_field(bench: Bench) {
    let (start, job) = (bench.enqueue_with(of_start).await, bench.staged_with(of_outcome).await);
    let digest = bench.review(start).await.digest;
    let decide = |id, ruling| bench.store.decide(id, ruling);
    let by = |name: &str| NewRuling::accept(Actor::new(name), digest);

    assert_eq!(field_of(decide(start, by("")).await), "by.name");
    let long = Actor::new("bob").because("x".repeat(2_000));
    assert_eq!(field_of(decide(start, NewRuling::accept(long, digest)).await), "by.why");
    let big = Args::json(format!("\"{}\"", "x".repeat(256 * 1024))).unwrap();
    assert_eq!(field_of(decide(start, by("bob").with_args(big)).await), "args");
    let declined = NewRuling::decline(reviewer(), digest).with_args(Args::default());
    assert_eq!(field_of(decide(start, declined).await), "args");
    assert_eq!(field_of(decide(job.id(), by("bob").with_args(Args::default())).await), "args");
    assert!(bench.review(start).await.open && bench.review(job.id()).await.open);
}

async fn args_that_make_the_unique_key_cannot_be_changed(bench: Bench) {
    let unique = |unique: Unique| {
        move |job: &mut NewJob| {
            of_start(job);
            job.options.unique = Some(unique);
        }
    };
    let by_args = bench.enqueue_with(unique(Unique::by_args())).await;
    let by_name = bench.enqueue_with(unique(Unique::key("of its own"))).await;
    let edit = async |id| {
        let ruling = NewRuling::accept(reviewer(), bench.review(id).await.digest);
        bench.store.decide(id, ruling.with_args(Args::json("2").unwrap())).await
    };

    assert_eq!(field_of(edit(by_args).await), "args");
    assert!(!bench.review(by_args).await.editable && bench.review(by_name).await.editable);
    edit(by_name).await.unwrap();
    bench.decide(by_args, Decision::Accept).await;
}

async fn terms_are_refused_by_field(bench: Bench) {
    let job = |review| vec![bench.job_with(|job| job.options.review = Some(review))];
    let zero = Review::start().decide_within(std::time::Duration::ZERO, Decision::Accept);
    assert_eq!(field_of(bench.store.enqueue(job(zero)).await), "review.decide_within");
    assert_eq!(
        field_of(bench.store.enqueue(job(Review::start().remind_every(SECOND))).await),
        "review.remind_every"
    );
    let none = Review::outcome().settle_attempts(0, windlass_core::RetryPolicy::default());
    assert_eq!(field_of(bench.store.enqueue(job(none)).await), "review.settle_attempts_max");
}

async fn a_job_in_review_can_be_cancelled_and_nobody_decides_any_more(bench: Bench) {
    let job = bench.staged_with(of_outcome).await;

    assert_eq!(bench.cancel(job.id()).await, CancelOutcome::Cancelled);

    assert_eq!(bench.state_of(job.id()).await, (JobState::Cancelled, Some(Reason::Operator)));
    let review = bench.review(job.id()).await;
    assert_eq!((review.open, review.ruling), (false, None));
    let answer = bench.store.decide(job.id(), NewRuling::accept(reviewer(), review.digest)).await;
    assert_eq!(refused(answer), ErrorKind::NotReady);
}

async fn a_job_in_review_that_misses_its_deadline_is_dead(bench: Bench) {
    let late = |review: Review| {
        move |job: &mut NewJob| (job.deadline, job.options.review) = (Some(Due::In(SECOND)), Some(review))
    };
    let start = bench.enqueue_with(late(Review::start())).await;
    let staged = bench.staged_with(late(Review::outcome())).await.id();
    let digest = bench.review(start).await.digest;
    bench.advance(SECOND);
    let answer = bench.store.decide(start, NewRuling::accept(reviewer(), digest)).await;
    assert_eq!(refused(answer), ErrorKind::NotReady);

    assert_eq!(bench.rescue().await.expired, 2);

    for id in [start, staged] {
        assert_eq!(bench.state_of(id).await, (JobState::Dead, Some(Reason::Deadline)));
        assert!(!bench.review(id).await.open);
    }
}

async fn a_job_in_review_is_neither_claimed_nor_hastened_nor_retried(bench: Bench) {
    let id = bench.enqueue_with(of_start).await;
    let worker = bench.worker().await;

    assert_eq!(refused(bench.store.run_now(id, operator()).await), ErrorKind::NotReady);
    assert_eq!(refused(bench.store.retry(id, operator()).await), ErrorKind::NotReady);
    assert_eq!(refused(bench.store.claim_job(worker, id, LeaseTerm::Process).await), ErrorKind::NotReady);
    assert_eq!(bench.claim_scope(of_queues(&["default"]), 10).await.next_due, None);
}

async fn a_declined_start_that_is_retried_needs_an_approval_again(bench: Bench) {
    let (declined, cancelled) = (bench.enqueue_with(of_start).await, bench.enqueue_with(of_start).await);
    bench.decide(declined, Decision::Decline).await;
    bench.cancel(cancelled).await;
    bench.advance(SECOND);

    for id in [declined, cancelled] {
        bench.store.retry(id, operator()).await.unwrap();

        assert_eq!(bench.state_of(id).await, (JobState::InReview, Some(Reason::Start)));
        let review = bench.review(id).await;
        assert_eq!((review.round, review.asked_at, review.ruling), (2, bench.now(), None));
    }
    assert_eq!(bench.claim(10).await, []);
    bench.decide(declined, Decision::Accept).await;
    assert_eq!(ids_of(&bench.claim(10).await), [declined]);
}

async fn an_approval_stays_good_for_a_retry(bench: Bench) {
    let id =
        bench.enqueue_with(|job| (job.attempts_max, job.options.review) = (1, Some(Review::start()))).await;
    bench.decide(id, Decision::Accept).await;
    let job = bench.claim_one().await;
    bench.settle(&job, failed("x")).await;

    bench.store.retry(id, operator()).await.unwrap();

    assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
    assert_eq!(bench.review(id).await.round, 1);
}

async fn a_declined_outcome_that_is_retried_makes_a_new_one(bench: Bench) {
    let first = bench
        .staged_with(|job| {
            (job.priority, job.options.review) = (windlass_core::Priority::Low, Some(Review::outcome()));
        })
        .await;
    bench.decide(first.id(), Decision::Decline).await;
    let declining = bench.claim_one().await;
    bench.settle(&declining, succeeded()).await;

    bench.store.retry(first.id(), operator()).await.unwrap();

    let again = bench.claim_one().await;
    assert_eq!((again.phase(), again.attempt, again.attempts_max), (Phase::Run, 1, 8));
    assert_eq!((again.priority, again.run_at), (windlass_core::Priority::Low, bench.now()));
    bench.settle(&again, failed_for_now("x")).await;
    bench.store.retry(first.id(), operator()).await.unwrap();
    let again = bench.claim_one().await;
    assert_eq!(again.phase(), Phase::Run);
    bench.settle(&again, made("4")).await;
    let review = bench.review(first.id()).await;
    assert_eq!((review.round, review.open, review.staged, review.ruling), (2, true, result("4"), None));
}

async fn open_reviews_are_listed_in_the_order_in_which_they_came(bench: Bench) {
    let late = bench.start_with(of_outcome).await;
    let jobs = vec![bench.job_with(of_start), bench.job_with(of_start), bench.job_with(of_start)];
    let mut ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let _made = bench.store.enqueue(jobs).await.unwrap();
    bench.settle(&late, made("1")).await;
    ids.push(late.id());
    let decided = ids.remove(1);
    bench.decide(decided, Decision::Accept).await;

    let mut request = PageRequest::first(2);
    let first = bench.store.reviews(ReviewFilter::default(), request).await.unwrap();
    request = request.after(first.next);
    let second = bench.store.reviews(ReviewFilter::default(), request).await.unwrap();

    assert!(first.next.is_some() && second.next.is_none());
    let listed: Vec<JobId> = first.items.iter().chain(&second.items).map(|review| review.job).collect();
    assert_eq!(listed, ids);
    assert_eq!(second.items[0], bench.review(late.id()).await);
}

async fn open_reviews_are_listed_by_queue_and_kind(bench: Bench) {
    let mail = bench.enqueue_with(of_start).await;
    let other = bench
        .enqueue_with(|job| {
            of_start(job);
            (job.queue, job.kind) = (queue("slow"), kind("import"));
        })
        .await;
    let list = async |filter| {
        let page = bench.store.reviews(filter, PageRequest::first(10)).await.unwrap();
        page.items.into_iter().map(|review| review.job).collect::<Vec<_>>()
    };

    let of_queue = ReviewFilter { queues: vec![queue("slow")], ..ReviewFilter::default() };
    let of_kind = ReviewFilter { kinds: vec![kind("mail")], ..ReviewFilter::default() };
    let of_neither = ReviewFilter { queues: vec![queue("slow")], kinds: vec![kind("mail")] };
    assert_eq!(list(of_queue).await, [other]);
    assert_eq!(list(of_kind).await, [mail]);
    assert_eq!(list(of_neither).await, []);
}

async fn a_deleted_job_leaves_no_review(bench: Bench) {
    let job = bench.job_with(of_start);
    let id = bench.enqueue(job.clone()).await;

    bench.store.delete(id, operator()).await.unwrap();

    assert_eq!(bench.store.reviews(ReviewFilter::default(), PageRequest::first(10)).await.unwrap().items, []);
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
    bench.enqueue(job).await;
    assert_eq!(bench.review(id).await.round, 1);
}

async fn an_enqueue_that_is_repeated_asks_nobody_again(bench: Bench) {
    let job = bench.job_with(of_start);
    let id = bench.enqueue(job.clone()).await;
    bench.decide(id, Decision::Accept).await;

    let again = bench.store.enqueue(vec![job]).await.unwrap();

    assert!(again[0].repeated);
    assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
    assert_eq!(bench.review(id).await.round, 1);
}

async fn a_job_in_review_survives_the_store(bench: Bench) {
    let job = bench.staged_with(of_outcome).await;
    let review = bench.review(job.id()).await;

    if let Some(reopened) = bench.reopened().await {
        assert_eq!(reopened.review(job.id()).await.unwrap(), Some(review.clone()));
        reopened.decide(job.id(), NewRuling::accept(reviewer(), review.digest)).await.unwrap();
        assert_eq!(reopened.job(job.id()).await.unwrap().phase, Phase::Settle);
    }
}
