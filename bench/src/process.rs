//! Parts of a measurement that are done in a process of its own, by this very program.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use windlass::Windlass;

use crate::noop::Noop;
use crate::pickup::nanos;

/// Runs a part to its end and reads the one number it prints.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
pub(crate) fn number(arguments: &[&str]) -> f64 {
    let output = command(arguments).output().expect("this program can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse::<u64>().expect("a number") as f64
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(arguments);
    command
}

/// A part that is told what to do, a line at a time. Ends when it is dropped.
pub(crate) struct Helper {
    child: Child,
    stdin: ChildStdin,
    reader: Option<JoinHandle<()>>,
}

impl Helper {
    /// Starts a part. `heard` gets each line it prints, on a thread of its own.
    pub(crate) fn start(arguments: &[&str], mut heard: impl FnMut(String) + Send + 'static) -> Self {
        let mut command = command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                heard(line.expect("text"));
            }
        });
        Self { child, stdin, reader: Some(reader) }
    }

    /// Tells it to go on.
    pub(crate) fn go(&mut self) {
        self.stdin.write_all(b"\n").expect("it listens");
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.reader.take().expect("it is there until this is dropped").join();
    }
}

/// Enqueues a job that says when, for each line this process is sent.
pub(crate) async fn enqueue_when_told(windlass: &Windlass) {
    for _ in std::io::stdin().lock().lines() {
        windlass.enqueue(Noop { to: nanos().to_string(), n: 1 }).await.expect("enqueued");
    }
}
