//! One store, and what a sequence has learnt from it: the tokens it gave.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use windlass_core::{
    Args, AttemptToken, Due, Edge, Job, JobId, JobState, Json, LogLevel, NewJob, Notify, Progress, QueueName,
    RetryPolicy, Timestamp, Verdict, WorkerId,
};
use windlass_store::{
    Actor, ClaimRequest, Clock, JobFilter, KindSupport, Kinds, LeasedJob, NewLogLine, NewWorker, Page,
    PageRequest, Pruned, Queues, Relative, Rescued, Retention, Scope, Settlement, SharedStore, StoreError,
    Turn,
};

use crate::TestClock;
use crate::bench::{kind, operator, queue};

use super::answer::{self, Answer};
use super::dead;
use super::gates;
use super::op::{ClaimOf, FilterOf, JOBS, KINDS, NewJobOf, Op, QUEUES, TokenOf};
use super::{edits, reviews, schedules};

pub(crate) struct World {
    store: SharedStore,
    clock: Arc<TestClock>,
    /// Every token it gave, oldest first.
    tokens: Vec<AttemptToken>,
}

impl World {
    pub(crate) fn new(store: SharedStore, clock: Arc<TestClock>) -> Self {
        Self { store, clock, tokens: Vec::new() }
    }

    pub(crate) async fn look_at_clock(&self) {
        let _ = self.store.status().await;
    }

    /// Does one operation, and says what came of it. The clock is moved by whoever compares the worlds.
    pub(crate) async fn apply(&mut self, op: &Op) -> Answer {
        match op {
            Op::Turn { settlements, claim } => self.turn(settlements, claim.as_ref()).await,
            Op::Settle(token, verdict) => {
                let settlement = Settlement { token: self.token(*token), verdict: verdict.clone() };
                let settled = self.store.settle(vec![settlement]).await;
                Answer::of(settled.and_then(|mut settled| settled.remove(0)))
            }
            Op::Claim(claim) => {
                let claimed = self.store.claim(request(claim)).await;
                self.learn(claimed.as_ref().map_or(&[], |claimed| &claimed.jobs));
                answer::of_claim(claimed)
            }
            Op::ClaimJob { worker: by, job: id, lease } => {
                let job = self.store.claim_job(worker(*by), job(*id), *lease).await;
                self.learn(job.as_ref().map_or(&[], std::slice::from_ref));
                Answer::of(job.map(answer::plain_job))
            }
            Op::Rescue => Answer::of(self.rescue().await),
            Op::Prune(retention) => Answer::of(self.prune(*retention).await),
            _ => self.apply_to_token(op).await,
        }
    }

    /// Operations that name an attempt by its token.
    async fn apply_to_token(&self, op: &Op) -> Answer {
        let store = &self.store;
        match op {
            Op::EnqueueUnder(token, jobs) => {
                Answer::of(store.enqueue_under(self.token(*token), self.new_jobs(jobs)).await)
            }
            Op::Extend(token) => Answer::of(store.extend(self.token(*token)).await),
            Op::Holder(token) => Answer::of(store.holder(self.token(*token)).await),
            Op::Progress(token, percent) => {
                let progress =
                    Progress { percent: *percent, message: (*percent > 50).then(|| "far\u{0}".to_owned()) };
                Answer::of(store.progress(self.token(*token), progress).await)
            }
            Op::Checkpoint(token, value) => {
                let checkpoint = Json::from_stored(value.to_string().into_bytes());
                Answer::of(store.checkpoint(self.token(*token), checkpoint).await)
            }
            Op::Log(token, lengths) => {
                let said = |length: &u16| NewLogLine {
                    level: LogLevel::Info,
                    message: "é".repeat((*length).into()),
                };
                Answer::of(store.log(self.token(*token), lengths.iter().map(said).collect()).await)
            }
            _ => self.apply_to_job(op).await,
        }
    }

    fn new_jobs(&self, asked: &[NewJobOf]) -> Vec<NewJob> {
        asked.iter().map(|asked| new_job(asked, self.clock.now())).collect()
    }

    async fn apply_to_job(&self, op: &Op) -> Answer {
        let (store, by) = (&self.store, operator);
        match op {
            Op::Enqueue(jobs) => Answer::of(store.enqueue(self.new_jobs(jobs)).await),
            Op::Job(id) => Answer::of(store.job(job(*id)).await),
            Op::Jobs { filter, limit } => Answer::of(self.list(filter, *limit).await),
            Op::Attempts(id) => Answer::of(store.attempts(job(*id)).await),
            Op::Logs { job: id, limit } => Answer::of(self.logs(job(*id), *limit).await),
            Op::Events(id) => Answer::of(store.events(job(*id)).await),
            Op::Parents { job: id, limit } => Answer::of(self.parents(job(*id), *limit).await),
            Op::Children { job: id, limit } => Answer::of(self.children(job(*id), *limit).await),
            Op::Inputs(id) => Answer::of(store.inputs(job(*id), PageRequest::first(10)).await),
            Op::Flow(id) => Answer::of(store.flow(job(*id)).await),
            Op::ErrorTree(id) => Answer::of(store.error_tree(job(*id)).await),
            Op::CancelFlow(id) => Answer::of(store.cancel_flow(job(*id), by()).await),
            Op::RetryFlow(id) => Answer::of(store.retry_flow(job(*id), by()).await),
            Op::DeleteFlow(id) => Answer::of(store.delete_flow(job(*id), by()).await),
            Op::Cancel(id) => Answer::of(store.cancel(job(*id), by().because("it must")).await),
            Op::Retry(id) => Answer::of(store.retry(job(*id), by()).await),
            Op::RunNow(id) => Answer::of(store.run_now(job(*id), by()).await),
            Op::Edit(id, edit) => {
                Answer::of(store.edit(job(*id), edits::edit(edit, self.clock.now()), by()).await)
            }
            Op::Delete(id) => Answer::of(store.delete(job(*id), by()).await),
            Op::Explain(id) => Answer::of(store.explain(job(*id)).await),
            Op::Redrive => Answer::of(dead::redrive(store).await),
            Op::Rerun { job: id, copy } => Answer::of(store.rerun(job(*id), job(*copy), by()).await),
            _ => self.apply_to_others(op).await,
        }
    }

    async fn apply_to_others(&self, op: &Op) -> Answer {
        let store = &self.store;
        match op {
            Op::Register { worker, lease } => Answer::of(store.register(new_worker(*worker, *lease)).await),
            Op::Beat(id) => answer::of_beat(store.beat(worker(*id)).await),
            Op::Deregister(id) => Answer::of(store.deregister(worker(*id)).await),
            Op::Workers(silent_for) => Answer::of(store.workers(*silent_for).await),
            Op::Leases(silent_for) => answer::of_leases(store.leases(*silent_for).await),
            Op::Pause(index) => Answer::of(store.pause(&named(*index), Actor::new("ada")).await),
            Op::Resume(index) => Answer::of(store.resume(&named(*index), operator()).await),
            Op::Keep(index, retention) => {
                Answer::of(store.keep(&named(*index), dead::own(*retention), operator()).await)
            }
            Op::Errors => Answer::of(dead::groups(store).await),
            Op::Audit => Answer::of(dead::audit(store).await),
            Op::Bound(of, to) => {
                Answer::of(store.bound(&gates::whole(*of), gates::bounds(*to), operator()).await)
            }
            Op::Queues => Answer::of(store.queues().await),
            Op::Decide(ruling) => {
                Answer::of(reviews::decide(store, job(ruling.job.unwrap_or(0)), *ruling).await)
            }
            Op::Review(id) => Answer::of(store.review(job(*id)).await),
            Op::Reviews(limit) => Answer::of(reviews::list(store, *limit).await),
            Op::Fire => Answer::of(schedules::fire(store).await),
            Op::Tidy => Answer::of(store.tidy().await),
            Op::Lead(id) => Answer::of(store.lead(worker(*id)).await),
            Op::Resign(id) => Answer::of(store.resign(worker(*id)).await),
            Op::Status => Answer::of(store.status().await.map(|status| status.now)),
            Op::Check => Answer::of(store.check().await),
            _ => self.apply_to_schedule(op).await,
        }
    }

    async fn apply_to_schedule(&self, op: &Op) -> Answer {
        let (store, by, now) = (&self.store, operator(), self.clock.now());
        let name = |index: &u8| schedules::name(*index);
        let ago = |seconds: &u16| now.before(Duration::from_secs((*seconds).into()));
        match op {
            Op::PutSchedule(asked) => Answer::of(store.put_schedule(schedules::asked(*asked, now), by).await),
            Op::Declare(program, asked) => {
                let asked = asked.iter().map(|asked| schedules::asked(*asked, now)).collect();
                Answer::of(store.declare_schedules(&schedules::program(*program), asked).await)
            }
            Op::PauseSchedule(index) => Answer::of(store.pause_schedule(&name(index), by).await),
            Op::ResumeSchedule(index) => Answer::of(store.resume_schedule(&name(index), by).await),
            Op::DeleteSchedule(index) => Answer::of(store.delete_schedule(&name(index), by).await),
            Op::RunSchedule(index, id) => Answer::of(store.run_schedule(&name(index), job(*id), by).await),
            Op::Backfill(index, from, until) => {
                Answer::of(store.backfill(&name(index), (ago(from), ago(until)), by).await)
            }
            Op::Schedules(limit) => Answer::of(schedules::list(store, *limit).await),
            Op::Firings(index, limit) => Answer::of(schedules::firings(store, *index, *limit).await),
            Op::ScheduleEvents(index) => Answer::of(store.schedule_events(&name(index)).await),
            _ => Answer::default(),
        }
    }

    async fn turn(&mut self, settlements: &[(TokenOf, Verdict)], claim: Option<&ClaimOf>) -> Answer {
        let settlement = |(token, verdict): &(TokenOf, Verdict)| Settlement {
            token: self.token(*token),
            verdict: verdict.clone(),
        };
        let settlements = settlements.iter().map(settlement).collect();
        let turned = self.store.turn(Turn { settlements, claim: claim.map(request) }).await;
        self.learn(turned.as_ref().map_or(&[], |turned| &turned.claimed.jobs));
        answer::of_turn(turned)
    }

    /// Rescues until nothing is left: how much one call does is the store's business.
    async fn rescue(&self) -> Result<Rescued, StoreError> {
        let mut sum = Rescued::default();
        loop {
            let one = self.store.rescue().await?;
            sum.returned += one.returned;
            sum.poisoned += one.poisoned;
            sum.closed += one.closed;
            sum.expired += one.expired;
            sum.decided += one.decided;
            sum.reminded += one.reminded;
            sum.workers += one.workers;
            if !one.more {
                return Ok(sum);
            }
        }
    }

    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        let mut sum = Pruned::default();
        loop {
            let one = self.store.prune(retention).await?;
            sum.removed += one.removed;
            if !one.more {
                return Ok(sum);
            }
        }
    }

    /// Every job that matches, page by page. Where pages end is the store's business; that they end is not.
    async fn list(&self, filter: &FilterOf, limit: u32) -> Result<impl std::fmt::Debug + use<>, StoreError> {
        let filter = self.filter(filter);
        let (mut jobs, mut seen) = (Vec::new(), HashSet::new());
        let mut request = PageRequest::first(limit);
        loop {
            let Page { items, next } = self.store.jobs(filter.clone(), request).await?;
            jobs.extend(items);
            assert!(
                jobs.iter().skip(seen.len()).all(|job| seen.insert(job.id)),
                "a list shows a job twice: {jobs:?}"
            );
            match next {
                Some(next) => request = request.after(Some(next)),
                None => break,
            }
        }
        // Notices that were made by one call may stand in any order.
        let together = |one: &Job, other: &Job| {
            one.kind.is_own() && other.kind.is_own() && one.created_at == other.created_at
        };
        jobs.chunk_by_mut(together).for_each(|notices| notices.sort_by_key(|job| job.id));
        Ok(jobs)
    }

    /// Every parent, page by page.
    async fn parents(&self, id: JobId, limit: u32) -> Result<Vec<Relative>, StoreError> {
        let (mut all, mut request) = (Vec::new(), PageRequest::first(limit));
        loop {
            let page = self.store.parents(id, request).await?;
            all.extend(page.items);
            match page.next {
                Some(next) => request = request.after(Some(next)),
                None => return Ok(all),
            }
        }
    }

    /// Every child, page by page.
    async fn children(&self, id: JobId, limit: u32) -> Result<Vec<Relative>, StoreError> {
        let (mut all, mut request) = (Vec::new(), PageRequest::first(limit));
        loop {
            let page = self.store.children(id, request).await?;
            all.extend(page.items);
            match page.next {
                Some(next) => request = request.after(Some(next)),
                None => return Ok(all),
            }
        }
    }

    /// Every log line, read until a page is empty.
    async fn logs(&self, id: JobId, limit: u32) -> Result<impl std::fmt::Debug + use<>, StoreError> {
        let mut lines = Vec::new();
        let mut request = PageRequest::first(limit);
        loop {
            let page = self.store.logs(id, request).await?;
            if page.items.is_empty() {
                return Ok(lines);
            }
            lines.extend(page.items);
            assert!(lines.len() <= 10_000, "the log never ends");
            request = request.after(page.next);
        }
    }

    /// Everything that can be read.
    pub(crate) async fn dump(&self) -> Answer {
        let mut lines = vec![
            ("jobs".to_owned(), Answer::of(self.list(&FilterOf::default(), 3).await)),
            ("queues".to_owned(), Answer::of(self.store.queues().await)),
            ("workers".to_owned(), Answer::of(self.store.workers(Duration::ZERO).await)),
            ("leases".to_owned(), answer::of_leases(self.store.leases(Duration::ZERO).await)),
            ("errors".to_owned(), Answer::of(dead::groups(&self.store).await)),
            ("retentions".to_owned(), Answer::of(self.store.retentions().await)),
            ("bounds".to_owned(), Answer::of(self.store.bounds().await)),
            ("reviews".to_owned(), Answer::of(reviews::list(&self.store, 3).await)),
            ("check".to_owned(), Answer::of(self.store.check().await)),
            ("now".to_owned(), Answer::of(self.store.status().await.map(|status| status.now))),
        ];
        for index in (0..JOBS).filter_map(|index| u8::try_from(index).ok()) {
            let id = job(index);
            lines.push((format!("why {index}"), Answer::of(self.store.explain(id).await)));
            lines.push((format!("job {index}"), Answer::of(self.store.job(id).await)));
            lines.push((format!("review of {index}"), Answer::of(self.store.review(id).await)));
            lines.push((format!("attempts of {index}"), Answer::of(self.store.attempts(id).await)));
            lines.push((format!("log of {index}"), Answer::of(self.logs(id, 100).await)));
            lines.push((format!("events of {index}"), Answer::of(self.store.events(id).await)));
            lines.push((format!("flow of {index}"), Answer::of(self.store.flow(id).await)));
        }
        lines.push(("schedules".to_owned(), Answer::of(schedules::list(&self.store, 2).await)));
        for index in (0..schedules::SCHEDULES).filter_map(|index| u8::try_from(index).ok()) {
            let (firings, name) = (schedules::firings(&self.store, index, 100).await, schedules::name(index));
            lines.push((format!("firings of {index}"), Answer::of(firings)));
            lines.push((
                format!("events of schedule {index}"),
                Answer::of(self.store.schedule_events(&name).await),
            ));
        }
        for (given, token) in self.tokens.iter().enumerate() {
            lines.push((format!("token {given}"), Answer::of(self.store.holder(*token).await)));
        }
        let lines: Vec<String> =
            lines.into_iter().map(|(what, answer)| format!("{what}: {}", answer.text)).collect();
        Answer { text: lines.join("\n"), ..Answer::default() }
    }

    fn learn(&mut self, jobs: &[LeasedJob]) {
        self.tokens.extend(jobs.iter().map(|job| job.token));
    }

    fn token(&self, token: TokenOf) -> AttemptToken {
        let of = |index| self.tokens.iter().rev().filter(move |token| token.job == job(index)).copied();
        let never_given = |index| AttemptToken { job: job(index), number: 1, nonce: 1 };
        match token {
            TokenOf::Recent(back) => {
                let recent = self.tokens.iter().rev().take(usize::from(back) + 1).next_back();
                recent.copied().unwrap_or_else(|| never_given(back))
            }
            TokenOf::Earlier(index) => of(index).nth(1).unwrap_or_else(|| never_given(index)),
            TokenOf::Forged(index) => {
                let forge = |token: AttemptToken| AttemptToken { nonce: token.nonce ^ 2, ..token };
                of(index).next().map_or_else(|| never_given(index), forge)
            }
        }
    }

    fn filter(&self, filter: &FilterOf) -> JobFilter {
        JobFilter {
            states: filter.state.map(|index| JobState::ALL[usize::from(index)]).into_iter().collect(),
            queues: filter.queue.map(named).into_iter().collect(),
            kinds: filter.kind.map(|index| kind(KINDS[usize::from(index)])).into_iter().collect(),
            tag: filter.tag.map(edits::tag),
            roots: filter.roots.unwrap_or_default(),
            created_since: filter.since.map(|seconds| offset(self.clock.now(), seconds)),
            ..JobFilter::default()
        }
    }
}

fn job(index: u8) -> JobId {
    let mut bytes = [0x11; 16];
    bytes[15] = index;
    JobId::from_bytes(bytes)
}

fn worker(index: u8) -> WorkerId {
    let mut bytes = [0x22; 16];
    bytes[15] = index;
    WorkerId::from_bytes(bytes)
}

pub(super) fn named(index: u8) -> QueueName {
    queue(QUEUES[usize::from(index)])
}

fn notify(bits: u8) -> Vec<Notify> {
    let both = [Notify::mail("ops@example.com"), Notify::webhook("https://hooks.example.com")];
    let asked = both.into_iter().enumerate().filter(|(index, _)| bits & (1 << index) != 0);
    asked.map(|(_, notify)| if bits & 4 == 0 { notify } else { notify.on_dead() }).collect()
}

pub(super) fn offset(now: Timestamp, seconds: i32) -> Timestamp {
    let span = Duration::from_secs(seconds.unsigned_abs().into());
    if seconds < 0 { now.before(span) } else { now.after(span) }
}

fn new_worker(index: u8, lease: Duration) -> NewWorker {
    NewWorker { lease, ..NewWorker::new(worker(index), format!("worker {index}")) }
}

fn new_job(asked: &NewJobOf, now: Timestamp) -> NewJob {
    let args = Args::json(asked.job.to_string()).expect("a number is JSON");
    let mut made = NewJob::new(job(asked.job), kind(KINDS[usize::from(asked.kind)]), args);
    made.queue = named(asked.queue);
    made.version = asked.version.unwrap_or(made.version);
    made.priority = asked.priority.unwrap_or(made.priority);
    made.due = asked.due.map_or(made.due, |seconds| Due::At(offset(now, seconds)));
    made.deadline = asked.deadline.map(|seconds| Due::At(offset(now, seconds)));
    made.attempts_max = asked.attempts_max.unwrap_or(made.attempts_max);
    made.losses_max = asked.losses_max.unwrap_or(made.losses_max);
    if let Some(seconds) = asked.retry {
        made.options.retry = RetryPolicy::Fixed(Duration::from_secs(seconds));
    }
    made.options.tags = asked.tag.map(edits::tag).into_iter().collect();
    made.options.notify = notify(asked.notify.unwrap_or_default());
    made.options.unique.clone_from(&asked.unique);
    if let Some(index) = asked.review {
        reviews::ask_for(&mut made.options, index);
    }
    for (parent, any_end) in asked.after.iter().flatten() {
        let parent = job(*parent);
        made.after.push(if *any_end { Edge::on_finish(parent) } else { Edge::on_success(parent) });
    }
    if let Some(index) = asked.gates {
        gates::ask_for(&mut made.options, index);
    }
    made
}

fn request(claim: &ClaimOf) -> ClaimRequest {
    let queues = claim.queue.map_or(Queues::Any, |index| Queues::Only(vec![named(index)]));
    let kinds = claim.kind.map_or(Kinds::Any, |(index, version_max)| {
        Kinds::Only(vec![KindSupport { kind: kind(KINDS[usize::from(index)]), version_max }])
    });
    ClaimRequest::new(worker(claim.worker), Arc::new(Scope { queues, kinds }), claim.limit)
        .with_lease(claim.lease)
}
