//! A worker process, as the one who started it sees it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use clap::ValueEnum as _;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::Failure;
use crate::address::Address;
use crate::witness::Mark;
use crate::worker::Manner;

/// The longest that anything is waited for. Nothing here takes a tenth of it on a slow machine; who waits longer hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a worker process is told when it is started.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The program of this crate, which is also the worker.
    pub program: PathBuf,
    /// Where the store lies.
    pub store: Address,
    /// The witness's file.
    pub witness: PathBuf,
    /// How many jobs it runs at a time.
    pub slots: u32,
    /// How many jobs it may hold ahead.
    pub prefetch: u32,
    /// How long it is taken to be alive without a beat.
    pub lease: Duration,
    /// What its handlers do.
    pub manner: Manner,
    /// The file of the network namespace it runs in, if that is not the one of this process.
    pub namespace: Option<String>,
}

impl Setup {
    /// The program as one of its parts, on the store and the witness.
    fn command(&self, part: &str) -> Command {
        let mut command = match &self.namespace {
            None => Command::new(&self.program),
            Some(namespace) => {
                // It becomes the program, and keeps its id.
                let mut command = Command::new("nsenter");
                command.arg(format!("--net={namespace}")).arg(&self.program);
                command
            }
        };
        command.arg(part).args(["--store", &self.store.to_string()]).arg("--witness").arg(&self.witness);
        command
    }
}

/// A running worker process. Killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    marks: watch::Receiver<Vec<Mark>>,
}

impl Process {
    /// Starts a worker of this name.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(setup: &Setup, name: &str) -> Result<Self, Failure> {
        let mut command = setup.command("worker");
        command.args(["--name", name]);
        command.args(["--slots", &setup.slots.to_string(), "--prefetch", &setup.prefetch.to_string()]);
        command.args(["--lease-ms", &setup.lease.as_millis().to_string()]);
        let manner = setup.manner.to_possible_value().map(|value| value.get_name().to_owned());
        command.arg("--manner").arg(manner.unwrap_or_default());
        Self::spawn(command, name)
    }

    /// Starts a producer of this name, which draws its jobs from `seed`, so many each time it is let go.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start_producer(setup: &Setup, name: &str, seed: u64, batch: usize) -> Result<Self, Failure> {
        let mut command = setup.command("producer");
        command.args(["--draw", &seed.to_string(), "--batch", &batch.to_string()]);
        Self::spawn(command, name)
    }

    fn spawn(mut command: Command, name: &str) -> Result<Self, Failure> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or_else(|| Failure::new("the process has no output"))?;
        let (sender, marks) = watch::channel(Vec::new());
        let thread = std::thread::Builder::new().name(format!("reads {name}"));
        // Ends by itself with the output of the process, which ends with the process.
        thread.spawn(move || follow(stdout, &sender))?;
        Ok(Self { name: name.to_owned(), child, stdin, marks })
    }

    /// What it is called, here and in the store.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it has told so far.
    #[must_use]
    pub fn marks(&self) -> watch::Ref<'_, Vec<Mark>> {
        self.marks.borrow()
    }

    /// How many handlers have begun in it, as far as it has told.
    #[must_use]
    pub fn begun(&self) -> usize {
        Self::handlers(&self.marks.borrow()).0
    }

    /// How many handlers have ended in it, as far as it has told.
    #[must_use]
    pub fn ended(&self) -> usize {
        Self::handlers(&self.marks.borrow()).1
    }

    /// Waits until what it has written satisfies `found`.
    ///
    /// # Errors
    ///
    /// When it ends first, or takes longer than [`PATIENCE`].
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&[Mark]) -> Option<T>,
    ) -> Result<T, Failure> {
        let name = &self.name;
        let seen = timeout(PATIENCE, self.marks.wait_for(|marks| found(marks).is_some()));
        match seen.await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Err(Failure::new(format!("{name} ended before {what}"))),
            Err(_) => return Err(Failure::new(format!("{name} did not come to {what} within {PATIENCE:?}"))),
        }
        found(&self.marks.borrow()).ok_or_else(|| Failure::new(format!("{name} took {what} back")))
    }

    /// Lets the handlers go that wait for it.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn let_go(&mut self) -> Result<(), Failure> {
        let stdin = self.stdin.as_mut().ok_or_else(|| Failure::new("its input is closed"))?;
        Ok(stdin.write_all(b"go\n")?)
    }

    /// Stops it where it stands, between any two instructions: `SIGSTOP`. Returns once every thread of it stands still;
    /// until then, one of them may go on for a while.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn freeze(&self) -> Result<(), Failure> {
        self.signal(Signal::STOP)?;
        match waitpid(Some(self.id()?), WaitOptions::UNTRACED)? {
            Some((_, status)) if status.stopped() => Ok(()),
            _ => Err(Failure::new(format!("{} ended instead of standing still", self.name))),
        }
    }

    /// Lets it go on as if nothing had happened: `SIGCONT`.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn thaw(&self) -> Result<(), Failure> {
        self.signal(Signal::CONT)
    }

    /// How many handlers have begun in it, and how many of those have ended, as far as it has told.
    #[must_use]
    pub fn handlers(marks: &[Mark]) -> (usize, usize) {
        let (begun, ended) = (marks.iter().filter_map(Mark::started), marks.iter().filter_map(Mark::ended));
        (begun.count(), ended.count())
    }

    /// Ends it without a word: `SIGKILL`.
    ///
    /// # Errors
    ///
    /// When it had ended before.
    pub fn kill(mut self) -> Result<(), Failure> {
        if let Some(status) = self.child.try_wait()? {
            return Err(Failure::new(format!("{} had ended by itself: {status}", self.name)));
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop in its own way, by the end of its input, and waits for it.
    ///
    /// # Errors
    ///
    /// When it takes longer than [`PATIENCE`], or says that something went wrong.
    pub async fn finish(mut self) -> Result<(), Failure> {
        self.stdin = None;
        let ended = timeout(PATIENCE, self.marks.wait_for(|_| false)).await;
        if ended.is_ok_and(|end| end.is_ok()) {
            return Err(Failure::new(format!("{} goes on", self.name)));
        }
        let status = self.child.try_wait()?.map_or_else(|| self.child.wait(), Ok)?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("{} ended with {status}", self.name)))
        }
    }

    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        Ok(kill_process(self.id()?, signal)?)
    }

    fn id(&self) -> Result<Pid, Failure> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        id.ok_or_else(|| Failure::new("the process has no id"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A frozen process dies of this too. One that has ended already is reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the marks that the process writes to its output beside the witness. The file is what is judged; this only tells
/// when.
fn follow(output: ChildStdout, marks: &watch::Sender<Vec<Mark>>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Ok(mark) = line.parse() {
            marks.send_modify(|marks| marks.push(mark));
        }
    }
}

/// The program of this crate, as it runs now.
///
/// # Errors
///
/// When the system does not say where it lies.
pub fn this_program() -> Result<PathBuf, Failure> {
    Ok(std::env::current_exe()?)
}

/// The setup of an ordinary worker of `store`, with its witness in `folder`.
#[must_use]
pub fn setup(program: &Path, store: Address, folder: &Path) -> Setup {
    Setup {
        program: program.to_path_buf(),
        lease: store.lease(),
        store,
        witness: folder.join("witness.log"),
        slots: 8,
        prefetch: 64,
        manner: Manner::Work,
        namespace: None,
    }
}
