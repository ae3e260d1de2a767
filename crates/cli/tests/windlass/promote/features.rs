//! What only some jobs use, moved in the middle of it: it goes on in the database as if nothing had happened.

use std::sync::Arc;
use std::time::Duration;

use windlass::Address;
use windlass_core::limits::PAGE_MAX;
use windlass_core::{
    Args, AttemptError, Bounds, Decision, Edge, JobId, JobOptions, JobState, Json, KeyedLimit, Lock, NewJob,
    Notify, Pace, Phase, QueueName, Rate, Reason, RetryPolicy, Review, Unique, Verdict, Whole, WorkerId,
};
use windlass_sqlite::SqliteOptions;
use windlass_store::{
    Actor, AuditEntry, AuditFilter, ClaimRequest, EnqueueOutcome, Kinds, LeasedJob, NewRuling, NewToken,
    NewWorker, PageRequest, Queues, Role, Scope, Secret, Settlement, SharedStore, Token, ids,
};

use crate::shelf::Shelf;

const HOUR: Duration = Duration::from_secs(3_600);

/// A store, and who works on it.
struct Place {
    store: SharedStore,
    worker: WorkerId,
}

impl Place {
    async fn of(store: SharedStore) -> Self {
        let worker = ids::worker_id();
        let registered = NewWorker {
            id: worker,
            name: "worker".to_owned(),
            host: "h".to_owned(),
            version: "1".to_owned(),
            queues: Queues::Any,
            kinds: Vec::new(),
            slots: 9,
            lease: HOUR,
            owner: None,
        };
        store.register(registered).await.unwrap();
        Self { store, worker }
    }

    async fn file(shelf: &Shelf) -> Self {
        Self::of(Arc::new(SqliteOptions::new(shelf.path("app.db")).open().await.unwrap())).await
    }

    /// Moves the jobs, and goes on where they are then.
    async fn moved(self, place: &Shelf) -> Self {
        self.store.deregister(self.worker).await.unwrap();
        drop(self.store);
        place.ok(&["promote", "app.db"]);
        Self::of(Address::new(place.url()).unwrap().open().await.unwrap()).await
    }

    async fn enqueue(&self, kind: &str, change: impl FnOnce(&mut NewJob)) -> JobId {
        let mut job = NewJob::new(ids::job_id(), kind.parse().unwrap(), Args::default());
        change(&mut job);
        self.store.enqueue(vec![job]).await.unwrap()[0].id
    }

    /// As [`Self::enqueue`], of a job with these options.
    async fn ask(&self, kind: &str, change: impl FnOnce(&mut JobOptions)) -> JobId {
        self.enqueue(kind, |job| change(&mut job.options)).await
    }

    async fn claim(&self, queues: Queues) -> Vec<LeasedJob> {
        let scope = Arc::new(Scope { queues, kinds: Kinds::Any });
        self.store.claim(ClaimRequest::new(self.worker, scope, 20)).await.unwrap().jobs
    }

    /// The jobs of this kind that a claim of everything gives; there may be no others.
    async fn claimed(&self, kind: &str) -> Vec<LeasedJob> {
        let jobs = self.claim(Queues::Any).await;
        assert!(jobs.iter().all(|job| job.kind.as_str() == kind), "{jobs:?}");
        jobs
    }

    async fn settle(&self, job: &LeasedJob, verdict: Verdict) {
        let settlement = Settlement { token: job.token, verdict };
        self.store.settle(vec![settlement]).await.unwrap().remove(0).unwrap();
    }

    async fn complete(&self, job: &LeasedJob) {
        self.settle(job, Verdict::Succeeded { result: Some(Json::new("result", "3").unwrap()) }).await;
    }

    async fn decide(&self, id: JobId, decision: Decision) {
        let digest = self.store.review(id).await.unwrap().unwrap().digest;
        let ruling = NewRuling { decision, by: Actor::new("bob"), digest, args: None };
        self.store.decide(id, ruling).await.unwrap();
    }

    async fn state(&self, id: JobId) -> (JobState, Option<Reason>) {
        let job = self.store.job(id).await.unwrap();
        (job.state, job.reason)
    }

    async fn assert_sound(&self) {
        assert_eq!(self.store.check().await.unwrap(), Vec::<String>::new());
    }
}

fn ids_of(jobs: &[LeasedJob]) -> Vec<JobId> {
    jobs.iter().map(LeasedJob::id).collect()
}

#[tokio::test]
async fn g16_a_rate_goes_on_where_it_was() {
    let shelf = Shelf::with_database();
    let file = Place::file(&shelf).await;
    let pace = Pace::new(1, HOUR).with_burst(2);
    let (paced, mut keyed): (QueueName, Vec<JobId>) = ("paced".parse().unwrap(), Vec::new());
    let bounds = Bounds { limit: None, rate: Some(pace) };
    file.store.bound(&Whole::Queue(paced.clone()), bounds, Actor::new("test")).await.unwrap();
    for _ in 0..3 {
        let rate = Rate { key: "api".to_owned(), pace };
        keyed.push(file.ask("keyed", |options| options.rates = vec![rate]).await);
    }
    let mut queued = Vec::new();
    for _ in 0..3 {
        queued.push(file.enqueue("queued", |job| job.queue = paced.clone()).await);
    }
    for job in file.claim(Queues::Any).await {
        file.complete(&job).await;
    }
    let before = [file.store.explain(keyed[2]).await.unwrap(), file.store.explain(queued[2]).await.unwrap()];

    let database = file.moved(&shelf).await;

    let after =
        [database.store.explain(keyed[2]).await.unwrap(), database.store.explain(queued[2]).await.unwrap()];
    for (before, after) in before.iter().zip(&after) {
        assert!(before.until().is_some());
        assert_eq!(before.until(), after.until());
    }
    assert_eq!(database.claimed("nothing").await, []);
    assert_eq!(database.store.bounds().await.unwrap(), [(Whole::Queue(paced), bounds)]);
    // Another key has a rate of its own.
    let rate = Rate { key: "other".to_owned(), pace };
    let other = database.ask("keyed", |options| options.rates = vec![rate]).await;
    assert_eq!(ids_of(&database.claimed("keyed").await), [other]);
    database.assert_sound().await;
}

#[tokio::test]
async fn g12_resources_are_granted_one_by_one_with_larger_numbers_than_before() {
    let shelf = Shelf::with_database();
    let file = Place::file(&shelf).await;
    let lock = |options: &mut JobOptions| options.locks = vec![Lock::exclusive("disk")];
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(file.ask("locked", lock).await);
    }
    let first = file.claimed("locked").await.remove(0);
    // Those that were turned away stand in line when the move begins.
    assert_eq!(file.claimed("locked").await, []);
    file.complete(&first).await;

    let database = file.moved(&shelf).await;

    let mut last = first.fences[0].number;
    for expected in &jobs[1..] {
        let claimed = database.claimed("locked").await;
        assert_eq!(ids_of(&claimed), [*expected], "one at a time, and in order");
        assert!(claimed[0].fences[0].number > last, "{:?}", claimed[0].fences);
        last = claimed[0].fences[0].number;
        database.complete(&claimed[0]).await;
    }
    database.assert_sound().await;
}

#[tokio::test]
async fn limits_and_order_keys_hold_after_a_move() {
    let shelf = Shelf::with_database();
    let file = Place::file(&shelf).await;
    let limit = KeyedLimit { key: "stripe".to_owned(), max: 1 };
    let mut limited = Vec::new();
    let mut ordered = Vec::new();
    for _ in 0..2 {
        limited.push(file.ask("limited", |options| options.limits = vec![limit.clone()]).await);
        ordered.push(file.ask("ordered", |options| options.order_key = Some("acct".to_owned())).await);
    }
    // The first of the order waits for its retry, and keeps the others waiting.
    let later = Some(Duration::from_millis(1));
    for job in file.claim(Queues::Any).await {
        let failed = |retry_after| Verdict::Failed { error: AttemptError::new("x"), retry_after };
        file.settle(&job, failed(if job.id() == ordered[0] { Some(HOUR) } else { later })).await;
    }

    let database = file.moved(&shelf).await;

    let claimed = database.claimed("limited").await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(database.claimed("limited").await, []);
    assert!(limited.contains(&claimed[0].id()));
    database.store.run_now(ordered[0], Actor::new("ada")).await.unwrap();
    let turn = database.claimed("ordered").await;
    assert_eq!(ids_of(&turn), ordered[..1]);
    assert_eq!(database.claimed("ordered").await, []);
    database.complete(&claimed[0]).await;
    database.complete(&turn[0]).await;
    let mut rest = ids_of(&database.claim(Queues::Any).await);
    rest.sort();
    limited.retain(|id| *id != claimed[0].id());
    let mut expected = vec![limited[0], ordered[1]];
    expected.sort();
    assert_eq!(rest, expected);
    database.assert_sound().await;
}

#[tokio::test]
async fn those_who_asked_are_told_of_ends_before_and_after_a_move() {
    let shelf = Shelf::with_database();
    let file = Place::file(&shelf).await;
    let target = "https://example.com/hook";
    let told = |options: &mut JobOptions| options.notify = vec![Notify::webhook(target)];
    let ended = file.ask("told", told).await;
    file.complete(&file.claimed("told").await[0]).await;
    let waiting = file.ask("told", told).await;

    let database = file.moved(&shelf).await;
    database.complete(&database.claimed("told").await[0]).await;

    let notices = database.claim(Queues::Only(vec!["windlass.notices".parse().unwrap()])).await;
    let expected = [ended, waiting];
    assert_eq!(notices.len(), 2);
    for (notice, of) in notices.iter().zip(expected) {
        let args: serde_json::Value = serde_json::from_slice(notice.args.as_bytes()).unwrap();
        assert!(args.to_string().contains(&of.to_string()) && args.to_string().contains(target), "{args}");
    }
    let shown = shelf.json(&["jobs", "show", &waiting.to_string(), "--json"]);
    assert_eq!(shown["notices"].as_array().unwrap().len(), 1, "{shown}");
    database.assert_sound().await;
}

#[tokio::test]
async fn g14_unique_keys_are_kept_and_let_go_after_a_move() {
    let shelf = Shelf::with_database();
    let file = Place::file(&shelf).await;
    let k = || Unique::key("k").replace();
    let first = file
        .ask("keyed", |options| {
            options.unique = Some(k());
            options.retry = RetryPolicy::Fixed(HOUR);
        })
        .await;
    let failed = Verdict::Failed { error: AttemptError::new("x"), retry_after: None };
    file.settle(&file.claimed("keyed").await[0], failed).await;
    // It has been started, so the next one waits in line for its key.
    let next = file.ask("keyed", |options| options.unique = Some(k())).await;
    let spanned = file.ask("span", |options| options.unique = Some(Unique::key("s").for_span(HOUR))).await;
    file.complete(&file.claimed("span").await[0]).await;
    assert_eq!(file.state(next).await.0, JobState::Blocked);

    let database = file.moved(&shelf).await;

    let ask = async |unique: Unique, kind: &str| {
        let mut job = NewJob::new(ids::job_id(), kind.parse().unwrap(), Args::default());
        job.options.unique = Some(unique);
        let answer = database.store.enqueue(vec![job]).await.unwrap()[0];
        (answer.id, answer.outcome)
    };
    assert_eq!(ask(Unique::key("k"), "keyed").await, (first, EnqueueOutcome::Existing));
    assert_eq!(ask(Unique::key("s"), "span").await, (spanned, EnqueueOutcome::Existing));
    database.store.cancel(first, Actor::new("ada")).await.map(drop).unwrap();
    assert_eq!(ids_of(&database.claimed("keyed").await), [next]);
    assert_eq!(ask(Unique::key("k"), "keyed").await, (next, EnqueueOutcome::Existing));
    database.assert_sound().await;
}

#[tokio::test]
async fn reviews_are_decided_and_carried_out_after_a_move() {
    let shelf = Shelf::with_database();
    let file = Place::file(&shelf).await;
    let staged = file.ask("staged", |options| options.review = Some(Review::outcome())).await;
    file.complete(&file.claimed("staged").await[0]).await;
    let decided = file.ask("decided", |options| options.review = Some(Review::outcome())).await;
    file.complete(&file.claimed("decided").await[0]).await;
    file.decide(decided, Decision::Decline).await;
    let start = file.ask("start", |options| options.review = Some(Review::start())).await;

    let database = file.moved(&shelf).await;

    let settling = database.claimed("decided").await;
    assert_eq!((settling.len(), settling[0].phase()), (1, Phase::Settle));
    database.complete(&settling[0]).await;
    assert_eq!(database.state(decided).await, (JobState::Cancelled, Some(Reason::Declined)));
    database.decide(staged, Decision::Accept).await;
    let settling = database.claimed("staged").await;
    assert_eq!(settling[0].phase(), Phase::Settle);
    database.complete(&settling[0]).await;
    assert_eq!(database.state(staged).await, (JobState::Completed, Some(Reason::Accepted)));
    assert_eq!(database.claimed("nothing").await, []);
    database.decide(start, Decision::Accept).await;
    assert_eq!(ids_of(&database.claimed("start").await), [start]);
    database.assert_sound().await;
}

#[tokio::test]
async fn g13_flows_go_on_and_fail_as_one_after_a_move() {
    let shelf = Shelf::with_database();
    let file = Place::file(&shelf).await;
    let after = |parents: &[JobId]| parents.iter().map(|id| Edge::on_success(*id)).collect::<Vec<_>>();
    let done = file.enqueue("parent", |_| {}).await;
    file.complete(&file.claimed("parent").await[0]).await;
    let [open, fails] = [file.enqueue("parent", |_| {}).await, file.enqueue("parent", |_| {}).await];
    let child = file.enqueue("child", |job| job.after = after(&[done, open])).await;
    let closed = file.enqueue("child", |job| job.after = after(&[done, fails])).await;
    let below = file.enqueue("child", |job| job.after = after(&[closed])).await;

    let database = file.moved(&shelf).await;

    let parents = database.claimed("parent").await;
    assert_eq!(ids_of(&parents), [open, fails]);
    database.complete(&parents[0]).await;
    database.settle(&parents[1], Verdict::Fatal { error: AttemptError::new("x") }).await;
    assert_eq!(ids_of(&database.claimed("child").await), [child]);
    let inputs = database.store.inputs(child, windlass_store::PageRequest::first(9)).await.unwrap().items;
    assert!(inputs.iter().all(|input| input.result.is_some()), "{inputs:?}");
    for id in [closed, below] {
        assert_eq!(database.state(id).await, (JobState::Cancelled, Some(Reason::DependencyFailed)));
    }
    assert_eq!(database.store.error_tree(below).await.unwrap().causes[0].causes[0].id, fails);
    database.assert_sound().await;
}

/// What there is of tokens and of the audit, but for the numbers, which are the store's own. Tokens are without what is done
/// while it is looked at: when they were used.
async fn access(store: &SharedStore) -> (Vec<String>, Vec<String>) {
    let tokens = store.tokens(PageRequest::first(PAGE_MAX)).await.unwrap().items;
    let token = |token: &Token| {
        let Token { made, created_at, created_by, revoked_at, used_at } = token;
        let NewToken { id, hash, name, roles, queues, expires_at } = made;
        let hash = hash.as_bytes();
        format!(
            "{id} {hash:?} {name} {roles:?} {queues:?} {expires_at:?} {created_at} {created_by} {revoked_at:?} {used_at:?}"
        )
    };
    let entries = store.audit(AuditFilter::default(), PageRequest::first(PAGE_MAX)).await.unwrap().items;
    let entry = |entry: &AuditEntry| {
        let AuditEntry { at, verb, noun, subject, by, change, .. } = entry;
        format!("{at} {verb} {noun:?} {subject} {by:?} {change:?}")
    };
    (tokens.iter().map(token).collect(), entries.iter().map(entry).collect())
}

#[tokio::test]
async fn tokens_and_the_audit_move_as_they_are() {
    let shelf = Shelf::with_database();
    let file = Place::file(&shelf).await;
    let by = |name: &str| Actor::new(name).because("spring cleaning");
    let (kept, revoked) = (Secret::draw(), Secret::draw());
    let token = NewToken::new(&kept, "ci", [Role::Worker, Role::Viewer]).in_queues(["mail", "bulk.*"]);
    file.store.create_token(NewToken::new(&revoked, "ci", [Role::Admin]), by("ada")).await.unwrap();
    file.store.revoke_token(revoked.id(), by("bob")).await.unwrap();
    file.store.create_token(token, by("ada")).await.unwrap();
    file.store.use_token(kept.id()).await.unwrap();
    let id = file.enqueue("import", |job| job.due = windlass_core::Due::In(HOUR)).await;
    file.store.run_now(id, by("bob")).await.unwrap();
    let (tokens, audit) = access(&file.store).await;
    assert_eq!((tokens.len(), audit.len()), (2, 4));

    let database = file.moved(&shelf).await;

    let (moved_tokens, moved_audit) = access(&database.store).await;
    assert_eq!(moved_tokens, tokens);
    // What the move itself did by hand came later.
    assert_eq!(&moved_audit[moved_audit.len() - audit.len()..], audit);
    assert!(database.store.token(kept.id()).await.unwrap().made.hash.is_of(&kept));
    shelf.ok(&["promote", "app.db"]);
    assert_eq!(access(&database.store).await, (moved_tokens, moved_audit), "nothing is moved twice");
}

#[tokio::test]
async fn a_token_of_a_name_that_is_taken_in_the_database_is_refused_and_can_be_mended() {
    let shelf = Shelf::with_database();
    let file = Place::file(&shelf).await;
    file.store
        .create_token(NewToken::new(&Secret::draw(), "ci", [Role::Worker]), Actor::new("ada"))
        .await
        .unwrap();
    file.store.deregister(file.worker).await.unwrap();
    drop(file.store);
    let database = Address::new(shelf.url()).unwrap().open().await.unwrap();
    let other = Secret::draw();
    database.create_token(NewToken::new(&other, "ci", [Role::Viewer]), Actor::new("bob")).await.unwrap();

    let refused = shelf.run(&["promote", "app.db"]).stderr;

    assert!(refused.contains("tokens: have one named \"ci\""), "{refused}");
    database.revoke_token(other.id(), Actor::new("bob")).await.unwrap();
    shelf.ok(&["promote", "app.db"]);
    assert_eq!(access(&database).await.0.len(), 2);
}
