//! Wake-ups: one stream of hints for the whole process, as long as somebody may wait for them.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::StatusCode;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use windlass_store::Signals;

use crate::ask::Ask;
use crate::client::Client;

/// How long to wait before the stream is opened once more after it broke; twice as long each time, up to the other.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// How long nothing may come before the stream is taken to be dead. Servers send something every fifteen seconds.
const SILENCE_MAX: Duration = Duration::from_secs(45);

/// The hints of a server, as those of a store.
pub(crate) struct Wakes {
    signals: Arc<Signals>,
    /// Begins with the first who asks for hints, and ends with the store.
    task: OnceLock<AbortOnDropHandle<()>>,
}

impl Wakes {
    pub(crate) fn new() -> Self {
        Self { signals: Arc::default(), task: OnceLock::new() }
    }

    /// The hints; from now on they are listened to.
    pub(crate) fn signals(&self, client: &Arc<Client>, on: &Handle) -> &Signals {
        self.task.get_or_init(|| {
            let listening = listen(Arc::clone(client), Arc::clone(&self.signals));
            AbortOnDropHandle::new(TaskTracker::new().spawn_on(listening, on))
        });
        &self.signals
    }
}

async fn listen(client: Arc<Client>, signals: Arc<Signals>) {
    let mut pause = PAUSE;
    loop {
        let opened_at = Instant::now();
        match follow(&client, &signals).await {
            Ok(()) => pause = PAUSE,
            Err(why) => {
                tracing::debug!(server = %client.server(), %why, "hints are not told; it is looked from time to time");
                pause = if opened_at.elapsed() > PAUSE_MAX { PAUSE } else { (pause * 2).min(PAUSE_MAX) };
            }
        }
        sleep_until(Instant::now() + pause).await;
    }
}

/// Hands on what the server hints at until the stream ends.
async fn follow(client: &Client, signals: &Signals) -> Result<(), String> {
    let ask = Ask::get(&[&"signals"]);
    let response = timeout(client.timeout(), client.send(&ask))
        .await
        .map_err(|_| "silence".to_owned())?
        .map_err(|lost| format!("{lost:?}"))?;
    if response.status() != StatusCode::OK {
        return Err(response.status().to_string());
    }
    // What was hinted at before now is not told.
    signals.notify_work();
    signals.notify_ended();
    let (mut body, mut lines) = (response.into_body(), Lines::default());
    loop {
        let Ok(frame) = timeout(SILENCE_MAX, body.frame()).await else { return Err("silence".to_owned()) };
        let Some(frame) = frame else { return Ok(()) };
        let Ok(bytes) = frame.map_err(|error| error.to_string())?.into_data() else { continue };
        lines.take(&bytes, |event| match event {
            b"work" => signals.notify_work(),
            b"ended" => signals.notify_ended(),
            _ => {}
        });
    }
}

/// The names of events, in a stream of them that comes in pieces.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    /// The longest line that is looked at.
    const LINE_BYTES_MAX: usize = 256;

    fn take(&mut self, bytes: &[u8], mut tell: impl FnMut(&[u8])) {
        for byte in bytes {
            match byte {
                b'\n' | b'\r' => {
                    if let Some(name) = self.0.strip_prefix(b"event:") {
                        tell(name.trim_ascii());
                    }
                    self.0.clear();
                }
                byte if self.0.len() < Self::LINE_BYTES_MAX => self.0.push(*byte),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_however_the_stream_is_cut() {
        let stream = b"event: work\ndata:\n\n:\n\nevent:ended\r\ndata: event: x\r\n\r\n";

        for size in 1..stream.len() {
            let (mut lines, mut told) = (Lines::default(), Vec::new());
            for piece in stream.chunks(size) {
                lines.take(piece, |name| told.push(String::from_utf8_lossy(name).into_owned()));
            }
            assert_eq!(told, ["work", "ended"], "{size}");
        }
    }
}
