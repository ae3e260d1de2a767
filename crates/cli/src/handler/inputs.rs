//! What a command is given of the jobs that its own job waited for.

use serde::Deserialize;
use serde::de::IgnoredAny;
use windlass_core::limits::PAGE_MAX;
use windlass_core::{AttemptError, AttemptToken, Job, JobId, Json, Verdict};
use windlass_store::{Input, PageRequest, SharedStore, StoreError};
use windlass_wire::InputShape;

use super::{EXEC, failed};

/// Where an `exec` job has its stdin from, if not from its args.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StdinFrom {
    /// What each job that it waited for made, as text: what it wrote to stdout, one after the other.
    Parents,
    /// The same as a JSON array, with how each of them ended.
    ParentsJson,
}

/// What is read of the result of an `exec` job.
#[derive(Deserialize)]
struct Said {
    stdout: String,
    #[serde(default)]
    stdout_cut: bool,
    #[serde(rename = "exit_code")]
    _exit_code: IgnoredAny,
}

impl StdinFrom {
    /// Reads what the parents of the job made.
    ///
    /// # Errors
    ///
    /// The end of the attempt: a failure when the store does not answer; fatal when a part of what is needed is gone.
    pub(super) async fn read(self, store: &SharedStore, token: AttemptToken) -> Result<Vec<u8>, Verdict> {
        let unread = |error: StoreError| failed(AttemptError::new(error.to_string()));
        let job = store.job_under(token).await.map_err(unread)?;
        let inputs = all(store, token, &job).await.map_err(unread)?;
        match self {
            Self::ParentsJson => serde_json::to_vec(&shapes(inputs))
                .map_err(|error| failed(AttemptError::new(error.to_string()))),
            Self::Parents => inputs.iter().try_fold(Vec::new(), |mut text, input| {
                text.extend(said(input)?);
                // Two results are never one line.
                if text.last().is_some_and(|last| *last != b'\n') {
                    text.push(b'\n');
                }
                Ok(text)
            }),
        }
    }
}

/// What the jobs have made that the job waited for, or the one that it cleans up behind, in the order of the edges.
pub(super) async fn all(
    store: &SharedStore,
    token: AttemptToken,
    job: &Job,
) -> Result<Vec<Input>, StoreError> {
    let about = job.options.cleans.unwrap_or(job.id);
    let (mut all, mut request) = (Vec::new(), PageRequest::first(PAGE_MAX));
    loop {
        let page = store.inputs_under(token, about, request).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => request = request.after(Some(next)),
            None => return Ok(all),
        }
    }
}

pub(super) fn shapes(inputs: Vec<Input>) -> Vec<InputShape> {
    inputs.into_iter().map(InputShape::from).collect()
}

/// What one parent made, as text. Of one that did not complete there is nothing.
fn said(input: &Input) -> Result<Vec<u8>, Verdict> {
    let Some(result) = &input.result else { return Ok(Vec::new()) };
    if input.kind.as_str() == EXEC
        && let Ok(said) = result.decode::<Said>()
    {
        return if said.stdout_cut { Err(cut(input.parent)) } else { Ok(said.stdout.into_bytes()) };
    }
    Ok(result.decode::<String>().map_or_else(|_| text(result), String::into_bytes))
}

fn text(result: &Json) -> Vec<u8> {
    result.as_bytes().to_vec()
}

/// Half of what is needed is worse than nothing.
fn cut(parent: JobId) -> Verdict {
    let text = format!(
        "job {parent} wrote more to stdout than is kept: let it write a file, and print the name of that"
    );
    Verdict::Fatal { error: AttemptError::new(text).caused_by_parent() }
}
