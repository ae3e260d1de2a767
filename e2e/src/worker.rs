//! The worker process: the ordinary worker of the library, with handlers that leave a witness.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use windlass_core::{AttemptToken, Fence, Json, LogLevel, Progress, Verdict};
use windlass_runtime::{JobCx, JobError, RawJob, Worker};
use windlass_store::{NewLogLine, Settlement, SharedStore, StoreError};

use crate::Failure;
use crate::address::Address;
use crate::script::Script;
use crate::witness::{Mark, Run, Witness};

/// The kind of all jobs here.
pub const KIND: &str = "witness";

/// How much a handler computes, about a millisecond: long enough for a kill to find it at work, short enough for thousands
/// of jobs.
const ROUNDS: u64 = 300_000;

/// How long a handler waits that takes no processor: so that its worker is at work, and the machine is not.
const NAP: Duration = Duration::from_millis(20);

/// What goes wrong where a script says so.
const SCRIPTED: &str = "as the script says";

/// How many threads a worker process has for its handlers, whatever the machine has.
pub const THREADS: u32 = 2;

/// What the handlers of a worker do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Manner {
    /// Compute for a moment.
    Work,
    /// Wait for a moment.
    Nap,
    /// Note which resources they hold alone, wait for a moment, and fail as often as their job says.
    Follow,
    /// Keep their thread busy until they are let go.
    Block,
    /// Wait until they are let go.
    Wait,
    /// Wait until they are let go or asked to stop, and note which.
    Obey,
    /// Wait until they are let go. Then the process tries all that can be written under their tokens, whatever its own
    /// worker thinks of it.
    Haunt,
}

/// What the process was told on its command line.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// What it is called
    #[arg(long)]
    pub name: String,
    /// The store's file, or the URL of its database
    #[arg(long)]
    pub store: Address,
    /// The file that handlers append to
    #[arg(long)]
    pub witness: PathBuf,
    /// How many jobs it runs at a time
    #[arg(long)]
    pub slots: u32,
    /// How many jobs it may hold ahead
    #[arg(long)]
    pub prefetch: u32,
    /// How long it is taken to be alive without a beat
    #[arg(long)]
    pub lease_ms: u64,
    /// What its handlers do
    #[arg(long)]
    pub manner: Manner,
}

/// Works until its input ends.
///
/// # Errors
///
/// When it cannot start or stop.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let store = arguments.store.open().await?;
    let witness = Witness::open(&arguments.witness)?;
    let go = follow_input()?;
    let scribe = Arc::new(Scribe {
        witness,
        process: arguments.name.clone(),
        manner: arguments.manner,
        held: Mutex::default(),
        go: go.clone(),
    });

    let handler = {
        let scribe = Arc::clone(&scribe);
        move |job: RawJob| Arc::clone(&scribe).handle(job)
    };
    let accepted = {
        let scribe = Arc::clone(&scribe);
        move |script: Script, cx: JobCx| Arc::clone(&scribe).accept(script, cx)
    };
    let worker = Worker::builder(Arc::clone(&store))
        .name(arguments.name)
        .queue("default", arguments.slots)
        .lease(Duration::from_millis(arguments.lease_ms))
        .prefetch_max(arguments.prefetch)
        .poll_interval(arguments.store.poll())
        .handle_kind(KIND, handler)
        .accepted(accepted)
        .build()?;
    scribe.tell(&Mark::Ready);

    let until = async {
        if arguments.manner == Manner::Haunt {
            scribe.haunt(&store).await;
        }
        end_of_input(go).await;
    };
    worker.run_until(until).await?;
    Ok(())
}

/// What the handlers of a process share.
#[derive(Debug)]
struct Scribe {
    witness: Witness,
    process: String,
    manner: Manner,
    /// The attempts that were started here.
    held: Mutex<Vec<AttemptToken>>,
    go: watch::Receiver<bool>,
}

impl Scribe {
    async fn handle(self: Arc<Self>, job: RawJob) -> Verdict {
        let token = job.token();
        let run = Run::of(&token, &self.process);
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(token);
        for Fence { resource, number } in job.fences().0 {
            self.note(&Mark::Fenced { run: run.clone(), resource, fence: number });
        }
        self.note(&Mark::Started(run.clone()));
        match self.manner {
            Manner::Work => compute(token.nonce),
            Manner::Block => self.block(),
            Manner::Nap | Manner::Follow => sleep_until(Instant::now() + NAP).await,
            Manner::Obey => self.obey(&job, &run).await,
            // The end of the input lets go as well.
            Manner::Wait | Manner::Haunt => drop(self.go.clone().wait_for(|go| *go).await),
        }
        self.note(&Mark::Ended(run));
        if self.manner == Manner::Follow && job.attempt().counted <= Script::of(job.args()).fails {
            return JobError::new(SCRIPTED).into_verdict();
        }
        Verdict::Succeeded { result: Json::of("result", &self.process).ok() }
    }

    /// Does what is to be done once a person has accepted what a job made.
    async fn accept(self: Arc<Self>, script: Script, cx: JobCx) -> Result<(), JobError> {
        let run = Run::of(&cx.token(), &self.process);
        self.note(&Mark::Started(run.clone()));
        sleep_until(Instant::now() + NAP).await;
        self.note(&Mark::Ended(run));
        if cx.attempt().counted <= script.settle_fails { Err(JobError::new(SCRIPTED)) } else { Ok(()) }
    }

    /// Keeps its thread until it is let go. The end of the input lets go as well.
    fn block(&self) {
        while !*self.go.borrow() && self.go.has_changed().is_ok() {
            compute(0);
        }
    }

    /// Waits until it is let go, or asked to stop.
    async fn obey(&self, job: &RawJob, run: &Run) {
        let (cancel, mut go) = (job.cancel(), self.go.clone());
        tokio::select! {
            () = cancel.cancelled() => self.note(&Mark::Halted(run.clone())),
            // The end of the input lets go as well.
            _ = go.wait_for(|go| *go) => {}
        }
    }

    /// Writes to the witness first, and then tells whoever started this process.
    fn note(&self, mark: &Mark) {
        self.witness.write(mark);
        self.tell(mark);
    }

    #[expect(clippy::unused_self, reason = "what is told belongs to what is written")]
    fn tell(&self, mark: &Mark) {
        // Whoever started it may be gone; the witness has it.
        let _ = writeln!(std::io::stdout().lock(), "{mark}");
    }

    /// Once it is let go, tries all that can be written under the tokens of its attempts.
    async fn haunt(&self, store: &SharedStore) {
        if self.go.clone().wait_for(|go| *go).await.is_err() {
            return;
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for token in held {
            let line = NewLogLine { level: LogLevel::Info, message: "late".to_owned() };
            let result = Json::of("result", "late").ok();
            let checkpoint = Json::of("checkpoint", "late").expect("a string is JSON");
            let progress = Progress::new(99, Some("late")).expect("99 is a progress");
            self.late(token, "extend", store.extend(token).await.map(drop));
            self.late(token, "progress", store.progress(token, progress).await);
            self.late(token, "checkpoint", store.checkpoint(token, checkpoint).await);
            self.late(token, "log", store.log(token, vec![line]).await);
            let settlement = Settlement { token, verdict: Verdict::Succeeded { result } };
            let settled = store.settle(vec![settlement]).await.and_then(|mut settled| settled.remove(0));
            self.late(token, "settle", settled.map(drop));
        }
    }

    fn late(&self, token: AttemptToken, verb: &str, answer: Result<(), StoreError>) {
        let answer = answer.map_or_else(|error| error.kind().code().to_owned(), |()| "ok".to_owned());
        self.note(&Mark::Late { run: Run::of(&token, &self.process), verb: verb.to_owned(), answer });
    }
}

/// What is tried under a late token, in this order.
pub const LATE_VERBS: [&str; 5] = ["extend", "progress", "checkpoint", "log", "settle"];

fn compute(seed: u64) {
    let mixed = (0..ROUNDS).fold(seed, |mixed, round| (mixed ^ round).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    std::hint::black_box(mixed);
}

/// True once a line came in. Gone once the input has ended, which it does with whoever holds the other end.
fn follow_input() -> Result<watch::Receiver<bool>, Failure> {
    let (sender, go) = watch::channel(false);
    let follow = move || {
        for _ in std::io::stdin().lock().lines().map_while(Result::ok) {
            sender.send_replace(true);
        }
    };
    std::thread::Builder::new().name("reads input".to_owned()).spawn(follow)?;
    Ok(go)
}

async fn end_of_input(mut go: watch::Receiver<bool>) {
    while go.changed().await.is_ok() {}
}
