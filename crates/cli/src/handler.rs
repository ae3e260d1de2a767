//! What a job is done with: a command.

mod inputs;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::sync::mpsc;
use windlass_core::{AttemptError, AttemptToken, JobId, Json, Limits, LogLevel, Verdict};
use windlass_runtime::extract::{JobLog, Progress};
use windlass_runtime::{CancelReason, JobCx, RawJob};
use windlass_store::{SharedStore, StoreError};
use windlass_wire::{InputShape, JobShape};

use self::inputs::StdinFrom;
use crate::child::{self, Listener, Order, Runner};
use crate::push::Push;
use crate::trace;

/// The kind whose args are a command.
pub(crate) const EXEC: &str = "exec";

/// What is kept of each stream of an `exec` job, in bytes.
const EXEC_OUTPUT_MAX: usize = 64 * 1024;

/// "Try again later" and "bad data", as `sysexits.h` has them.
const EX_TEMPFAIL: i32 = 75;
const EX_DATAERR: i32 = 65;
const EX_NOINPUT: i32 = 66;

/// Runs jobs as commands.
#[derive(Clone)]
pub(crate) struct Handler {
    pub(crate) store: SharedStore,
    pub(crate) runner: Runner,
    /// How long a job waits whose command asks to be asked again later.
    pub(crate) snooze: Duration,
    /// The command for jobs of any kind but `exec`.
    pub(crate) shell: Option<Arc<str>>,
    /// The web service for them, instead.
    pub(crate) push: Option<Arc<Push>>,
    /// Whether that command is given what its job's parents made.
    pub(crate) parents: bool,
    pub(crate) ended: Ended,
}

/// Tells of jobs whose attempt has just ended. Hints: where there is no room, they are dropped.
pub(crate) type Ended = mpsc::Sender<JobId>;

/// Args of the kind `exec`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExecArgs {
    command: Vec<String>,
    cwd: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    stdin: Option<String>,
    stdin_from: Option<StdinFrom>,
}

/// What an `exec` job makes.
#[derive(Debug, Serialize)]
struct ExecResult {
    exit_code: i32,
    stdout: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stdout_cut: bool,
    stderr: String,
}

/// What a command gets on stdin that does jobs of any kind.
#[derive(Debug, Serialize)]
struct Given {
    #[serde(flatten)]
    job: JobShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    parents: Option<Vec<InputShape>>,
}

impl Handler {
    /// Does a job of the kind `exec`.
    pub(crate) async fn exec(self, job: RawJob) -> Verdict {
        let args: ExecArgs = match job.args().decode() {
            Ok(args) => args,
            Err(error) => return undecodable(&error),
        };
        let Some((program, rest)) = args.command.split_first() else {
            return Verdict::Undecodable { error: AttemptError::new("args.command: must name a program") };
        };
        let input = match (args.stdin, args.stdin_from) {
            (Some(_), Some(_)) => {
                return Verdict::Undecodable {
                    error: AttemptError::new("args.stdin: cannot be given together with stdin_from"),
                };
            }
            (stdin, None) => stdin.unwrap_or_default().into_bytes(),
            (None, Some(from)) => match from.read(&self.store, job.token()).await {
                Ok(input) => input,
                Err(verdict) => return verdict,
            },
        };
        let mut command = Command::new(program);
        command.args(rest).envs(args.env);
        if let Some(cwd) = args.cwd {
            command.current_dir(cwd);
        }
        let ended = self.run((command, &input, EXEC_OUTPUT_MAX), &job).await;
        let result = |ended: child::Ended| {
            let child::Ended { stdout, stderr, .. } = ended;
            let (stdout_cut, stdout, stderr) = (stdout.cut, stdout.into_text(), stderr.into_text());
            Json::of("result", &ExecResult { exit_code: 0, stdout, stdout_cut, stderr }).ok()
        };
        self.verdict(&job, ended, |ended| Verdict::Succeeded { result: result(ended) })
    }

    /// Does a job of any kind with what was given: a command or a web service.
    pub(crate) async fn any(self, job: RawJob) -> Verdict {
        let Some(push) = self.push.clone() else { return self.shell(job).await };
        let verdict = match self.given(job.token()).await {
            Ok(given) => push.verdict(&job, serde_json::to_vec(&given).unwrap_or_default()).await,
            Err(error) => failed(AttemptError::new(error.to_string())),
        };
        let _ = self.ended.try_send(job.id());
        verdict
    }

    /// Does a job of any kind with the command that was given.
    async fn shell(self, job: RawJob) -> Verdict {
        let given = match self.given(job.token()).await {
            Ok(given) => given,
            Err(error) => return failed(AttemptError::new(error.to_string())),
        };
        let input = serde_json::to_vec(&given).unwrap_or_default();
        let mut command = Command::new("sh");
        command.arg("-c").arg(self.shell.as_deref().unwrap_or("false"));
        let output_max = Limits::default().result_bytes_max;
        let ended = self.run((command, &input, output_max), &job).await;
        self.verdict(&job, ended, |ended| match result(&ended) {
            Ok(result) => Verdict::Succeeded { result },
            Err(error) => failed(error),
        })
    }

    async fn given(&self, token: AttemptToken) -> Result<Given, StoreError> {
        let job = self.store.job_under(token).await?;
        let parents = if self.parents {
            Some(inputs::shapes(inputs::all(&self.store, token, &job).await?))
        } else {
            None
        };
        Ok(Given { job: JobShape::from(job), parents })
    }

    async fn run(
        &self,
        (mut command, input, output_max): (Command, &[u8], usize),
        job: &JobCx,
    ) -> Result<(child::Ended, Option<String>), AttemptError> {
        let cancel = job.cancel();
        let mut voice = Voice { log: job.log(), progress: job.progress(), last: None };
        let stop = cancel.cancelled();
        let what = named(command.as_std());
        command
            .env("WINDLASS_JOB_ID", job.id().to_string())
            .env("WINDLASS_KIND", job.kind().as_str())
            .env("WINDLASS_QUEUE", job.queue().as_str())
            .env("WINDLASS_ATTEMPT", job.attempt().number.to_string());
        trace::hand_on(&mut command, job.trace().as_ref());
        let ended = self.runner.run(Order { command, input, output_max, stop, listener: &mut voice }).await;
        let _ = self.ended.try_send(job.id());
        ended.map(|ended| (ended, voice.last)).map_err(|error| unstarted(&what, &error))
    }

    fn verdict(
        &self,
        job: &JobCx,
        ended: Result<(child::Ended, Option<String>), AttemptError>,
        succeeded: impl FnOnce(child::Ended) -> Verdict,
    ) -> Verdict {
        let (ended, last) = match ended {
            Ok(ended) => ended,
            // A program that is not there today may be there after the next deploy.
            Err(error) => return failed(error),
        };
        let error = || AttemptError::new(described(ended.status, last.as_deref()));
        if ended.stopped {
            return match job.cancel().reason() {
                // What it was stopped for is told by the worker; how it took that is told here.
                Some(CancelReason::TimedOut | CancelReason::Deadline) => Verdict::TimedOut { error: error() },
                _ => Verdict::Interrupted,
            };
        }
        match ended.status.code() {
            Some(0) => succeeded(ended),
            Some(EX_TEMPFAIL) => Verdict::Snoozed { delay: self.snooze },
            Some(EX_DATAERR | EX_NOINPUT) => Verdict::Fatal { error: error() },
            _ => failed(error()),
        }
    }
}

/// Turns what a command says on stderr into log lines and progress.
struct Voice {
    log: JobLog,
    progress: Progress,
    last: Option<String>,
}

impl Listener for Voice {
    async fn line(&mut self, line: &str) {
        if let Some((percent, message)) = progress(line) {
            // A lost lease is told by the attempt's own cancel; anything else is not worth the command.
            let _ = self.progress.set(percent, message).await;
            return;
        }
        self.log.write(LogLevel::Info, line);
        if !line.trim().is_empty() {
            self.last = Some(line.trim().to_owned());
        }
    }
}

/// Reads `::progress 40 resizing`.
fn progress(line: &str) -> Option<(u8, &str)> {
    let said = line.strip_prefix("::progress ")?.trim();
    let (percent, message) = said.split_once(' ').unwrap_or((said, ""));
    let percent = percent.trim_end_matches('%').parse().ok().filter(|percent| *percent <= 100)?;
    Some((percent, message.trim()))
}

/// What a command wrote to stdout, as a result: JSON if it is, text if not, none if it wrote nothing.
fn result(ended: &child::Ended) -> Result<Option<Json>, AttemptError> {
    if ended.stdout.cut {
        let bytes = ended.stdout.bytes.len();
        return Err(AttemptError::new(format!(
            "wrote more than {bytes} bytes to stdout: a result cannot be that large"
        )));
    }
    result_of(&ended.stdout.bytes)
}

/// The same of any bytes.
pub(crate) fn result_of(bytes: &[u8]) -> Result<Option<Json>, AttemptError> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let json = Json::new("result", text.as_bytes().to_vec()).or_else(|_| Json::of("result", text));
    json.map(Some).map_err(|invalid| AttemptError::new(invalid.to_string()))
}

/// The program of `command`, and where it is started if not here.
fn named(command: &std::process::Command) -> String {
    let program = command.get_program().display();
    command
        .get_current_dir()
        .map_or_else(|| program.to_string(), |folder| format!("{program} in {}", folder.display()))
}

fn unstarted(what: &str, error: &io::Error) -> AttemptError {
    AttemptError::new(format!("could not start {what}")).with_chain([error.to_string()])
}

fn described(status: ExitStatus, last: Option<&str>) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "ended in an unknown way".to_owned(),
    };
    last.map_or(how.clone(), |last| format!("{how}: {last}"))
}

fn failed(error: AttemptError) -> Verdict {
    Verdict::Failed { error, retry_after: None }
}

fn undecodable(error: &serde_json::Error) -> Verdict {
    Verdict::Undecodable { error: AttemptError::new(format!("args: {error}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_line_of_its_own_kind() {
        assert_eq!(progress("::progress 40 resizing a"), Some((40, "resizing a")));
        assert_eq!(progress("::progress 100"), Some((100, "")));
        assert_eq!(progress("::progress 7%  x "), Some((7, "x")));
        for line in ["::progress", "::progress 101", "::progress soon", "progress 40", " ::progress 1"] {
            assert_eq!(progress(line), None, "{line}");
        }
    }

    #[test]
    fn a_failure_ends_with_the_last_thing_that_was_said() {
        assert_eq!(
            described(ExitStatus::from_raw(3 << 8), Some("no such file")),
            "exit code 3: no such file"
        );
        assert_eq!(described(ExitStatus::from_raw(9), None), "killed by signal 9");
    }
}
