//! Runs one command: feeds it, listens to it, and ends it with everything it started.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::guard::{self, Group, Guard};

/// How commands are run.
#[derive(Debug, Clone)]
pub(crate) struct Runner {
    pub(crate) guard: Arc<Guard>,
    /// How long a command may take to end after SIGTERM.
    pub(crate) grace: Duration,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Captured,
    pub(crate) stderr: Captured,
    /// Whether it was told to end before it did.
    pub(crate) stopped: bool,
}

/// The beginning of what a command wrote.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    pub(crate) bytes: Vec<u8>,
    /// Whether there was more than is kept.
    pub(crate) cut: bool,
}

impl Captured {
    /// What was written, as text, with the cut marked.
    pub(crate) fn into_text(self) -> String {
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.cut {
            text.push_str("… [cut]");
        }
        text
    }

    fn keep(&mut self, bytes: &[u8], most: usize) {
        let room = most.saturating_sub(self.bytes.len());
        self.cut |= bytes.len() > room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Hears the lines a command writes to stderr while it runs.
pub(crate) trait Listener {
    /// Takes one line, without its end. The command waits while this does.
    fn line(&mut self, line: &str) -> impl Future<Output = ()> + Send;
}

/// One command to be run.
#[derive(Debug)]
pub(crate) struct Order<'a, S, L> {
    pub(crate) command: Command,
    /// What it gets on stdin.
    pub(crate) input: &'a [u8],
    /// How much is kept of each stream it writes, in bytes.
    pub(crate) output_max: usize,
    /// Completes when it has to stop.
    pub(crate) stop: S,
    /// Hears its stderr.
    pub(crate) listener: &'a mut L,
}

/// Longest line that is passed on in one piece: longer ones are cut into several, so none is held whole.
const LINE_BYTES_MAX: usize = 4 * 1024;

impl Runner {
    /// Starts a command in a group of its own, which ends with us.
    fn start(&self, mut command: Command) -> io::Result<(Child, Group)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command.env(guard::MARK, self.guard.mark());
        let child = command.spawn()?;
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let leader = leader.ok_or_else(|| io::Error::other("the command has no process id"))?;
        Ok((child, self.guard.watch(leader)))
    }

    /// Runs a command until it ends, or until it has to stop: then it gets SIGTERM, and SIGKILL after the grace.
    ///
    /// When it has ended, so has every process that it left in its group. Dropping the future ends them too.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) async fn run<S, L>(&self, order: Order<'_, S, L>) -> io::Result<Ended>
    where
        S: Future<Output = ()> + Send,
        L: Listener + Send,
    {
        let Order { command, input, output_max, stop, listener } = order;
        let (mut child, group) = self.start(command)?;
        let (stdin, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());

        let (mut stdout, mut stderr) = (Captured::default(), Captured::default());
        let (status, stopped) = {
            let talk = async {
                let feed = async {
                    if let Some(mut stdin) = stdin {
                        // A command need not read what it is given.
                        let _ = stdin.write_all(input).await;
                    }
                };
                let read_out = read(out, &mut stdout, output_max, None::<&mut Silent>);
                let read_err = read(err, &mut stderr, output_max, Some(listener));
                tokio::join!(feed, read_out, read_err);
            };
            let mut talk = std::pin::pin!(talk);
            let mut supervise = std::pin::pin!(supervise(&mut child, &group, stop, self.grace));
            let mut talking = true;
            let ended = loop {
                tokio::select! {
                    ended = &mut supervise => break ended?,
                    () = &mut talk, if talking => talking = false,
                }
            };
            // What it left running in its group ends with it. What left the group may hold our pipes, but not for ever.
            group.signal(Signal::KILL);
            if talking {
                let _ = tokio::time::timeout(self.grace, &mut talk).await;
            }
            ended
        };
        Ok(Ended { status, stdout, stderr, stopped })
    }
}

async fn supervise(
    child: &mut Child,
    group: &Group,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> io::Result<(ExitStatus, bool)> {
    tokio::select! {
        status = child.wait() => return Ok((status?, false)),
        () = stop => group.signal(Signal::TERM),
    }
    if let Ok(status) = tokio::time::timeout(grace, child.wait()).await {
        return Ok((status?, true));
    }
    group.signal(Signal::KILL);
    Ok((child.wait().await?, true))
}

async fn read<L: Listener>(
    from: Option<impl AsyncRead + Unpin>,
    captured: &mut Captured,
    most: usize,
    mut listener: Option<&mut L>,
) {
    let Some(mut from) = from else { return };
    let (mut chunk, mut line) = (vec![0; 8 * 1024], Vec::new());
    loop {
        let bytes = match from.read(&mut chunk).await {
            Ok(0) | Err(_) => break,
            Ok(count) => &chunk[..count],
        };
        captured.keep(bytes, most);
        if let Some(listener) = &mut listener {
            hear(bytes, &mut line, *listener).await;
        }
    }
    if let Some(listener) = listener
        && !line.is_empty()
    {
        listener.line(&String::from_utf8_lossy(&line)).await;
    }
}

/// Passes on every line that ends in `bytes`, and keeps the beginning of the next.
async fn hear<L: Listener>(bytes: &[u8], line: &mut Vec<u8>, listener: &mut L) {
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        line.extend_from_slice(piece);
        if line.ends_with(b"\n") || line.len() >= LINE_BYTES_MAX {
            listener.line(String::from_utf8_lossy(line).trim_end_matches(['\r', '\n'])).await;
            line.clear();
        }
    }
}

/// Hears nothing.
#[derive(Debug)]
struct Silent;

impl Listener for Silent {
    async fn line(&mut self, _line: &str) {}
}
