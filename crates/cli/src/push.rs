//! Jobs that a web service does: each is sent there, and the answer says what becomes of it.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode, Uri};
use windlass_core::{AttemptError, Limits, Timestamp, Verdict};
use windlass_runtime::{CancelReason, JobCx};
use windlass_store::{Clock, SystemClock};

use crate::args::PushArgs;
use crate::error::{CliError, ErrorCode};
use crate::handler::result_of;
use crate::http::{Peer, is_too_long};

/// The longest wait that a service may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How much of an answer that is no success stands with the error, in bytes.
const SAID_BYTES_MAX: usize = 1024;

/// Whose names begin so says what job it is.
const JOB: [&str; 4] = ["windlass-job-id", "windlass-kind", "windlass-queue", "windlass-attempt"];

/// A web service that does jobs.
#[derive(Debug, Clone)]
pub(crate) struct Push {
    uri: Uri,
    peer: Peer,
    headers: HeaderMap,
    timeout: Duration,
    /// How long a job waits where the service is busy and does not say for how long.
    snooze: Duration,
}

impl Push {
    /// The service that was named, if one was.
    ///
    /// # Errors
    ///
    /// When what was named is none.
    pub(crate) fn of(args: &PushArgs, snooze: Duration) -> Result<Option<Self>, CliError> {
        let Some(url) = &args.http else { return Ok(None) };
        let wrong = |why: String| CliError::new(ErrorCode::Invalid, format!("--http {why}"));
        let uri: Uri = url.parse().map_err(|error| wrong(format!("is not a URL: {error}")))?;
        let peer = Peer::at(&uri).map_err(wrong)?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(wrong("must not hold a secret".to_owned()).with_help("give it by --header @FILE"));
        }
        let mut headers = HeaderMap::new();
        for header in &args.headers {
            add(&mut headers, header)?;
        }
        Ok(Some(Self { uri, peer, headers, timeout: args.http_timeout, snooze }))
    }

    /// Has the service do a job, whose JSON is `body`.
    pub(crate) async fn verdict(&self, job: &JobCx, body: Vec<u8>) -> Verdict {
        let request = match self.request(job, body) {
            Ok(request) => request,
            Err(error) => {
                return failed(AttemptError::new(format!("could not ask {}: {error}", self.shown())));
            }
        };
        let most = Limits::default().result_bytes_max;
        let asked = tokio::time::timeout(self.timeout, Box::pin(self.peer.send(request, most)));
        let cancel = job.cancel();
        match cancel.run_until_cancelled(asked).await {
            Some(Ok(Ok(answer))) => self.meaning(&answer, SystemClock.now()),
            Some(Ok(Err(error))) if is_too_long(&error) => failed(AttemptError::new(format!(
                "answered with more than {most} bytes: a result cannot be that large"
            ))),
            Some(Ok(Err(error))) => failed(self.unanswered(error.as_ref())),
            Some(Err(_)) => {
                let within = windlass_core::span::format(self.timeout);
                failed(AttemptError::new(format!("{} did not answer within {within}", self.shown())))
            }
            None => match cancel.reason() {
                Some(CancelReason::TimedOut | CancelReason::Deadline) => {
                    let error = AttemptError::new(format!("{} did not answer in time", self.shown()));
                    Verdict::TimedOut { error }
                }
                _ => Verdict::Interrupted,
            },
        }
    }

    fn request(&self, job: &JobCx, body: Vec<u8>) -> Result<Request<Bytes>, hyper::http::Error> {
        let mut request =
            Request::builder().method(Method::POST).uri(self.uri.clone()).body(Bytes::from(body))?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.1"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("windlass/", env!("CARGO_PKG_VERSION"))));
        let [id, kind, queue, attempt] = JOB.map(HeaderName::from_static);
        headers.insert(id, job.id().to_string().parse()?);
        // Names of kinds and queues are any text, which headers are not: what does not fit stands in the body alone.
        if let Ok(name) = HeaderValue::from_str(job.kind().as_str()) {
            headers.insert(kind, name);
        }
        if let Ok(name) = HeaderValue::from_str(job.queue().as_str()) {
            headers.insert(queue, name);
        }
        headers.insert(attempt, HeaderValue::from(job.attempt().number));
        headers.extend(self.headers.clone());
        Ok(request)
    }

    /// What an answer says of the job.
    fn meaning(&self, answer: &Response<Bytes>, now: Timestamp) -> Verdict {
        let status = answer.status();
        let wait = || answer.headers().get(RETRY_AFTER).and_then(|header| after(header.to_str().ok()?, now));
        let error = || AttemptError::new(described(status, answer.body()));
        match status {
            status if status.is_success() => match result_of(answer.body()) {
                Ok(result) => Verdict::Succeeded { result },
                Err(error) => failed(error),
            },
            StatusCode::TOO_MANY_REQUESTS => Verdict::Snoozed { delay: wait().unwrap_or(self.snooze) },
            StatusCode::SERVICE_UNAVAILABLE => {
                wait().map_or_else(|| failed(error()), |delay| Verdict::Snoozed { delay })
            }
            // The request came too late, or too early: that says nothing of the next one.
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => failed(error()),
            status if status.is_client_error() => Verdict::Fatal { error: error() },
            status if status.is_redirection() => {
                let error = AttemptError::new(format!(
                    "{status}: --http has to name where it is, no redirect is followed"
                ));
                failed(error)
            }
            _ => failed(error()),
        }
    }

    fn unanswered(&self, error: &(dyn std::error::Error + Send + Sync + 'static)) -> AttemptError {
        let mut chain = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(error) = cause {
            chain.push(error.to_string());
            cause = error.source();
        }
        AttemptError::new(format!("{} was not reached", self.shown())).with_chain(chain)
    }

    /// Where it is, without what may be a secret.
    fn shown(&self) -> String {
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        format!("{}://{authority}{}", self.uri.scheme_str().unwrap_or_default(), self.uri.path())
    }
}

/// Adds `NAME: VALUE`, or all that stand in the file behind an `@`.
fn add(headers: &mut HeaderMap, text: &str) -> Result<(), CliError> {
    if let Some(path) = text.strip_prefix('@') {
        let path = Path::new(path);
        let lines = std::fs::read_to_string(path).map_err(|error| CliError::unreadable(path, error))?;
        let mut lines =
            lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        return lines.try_for_each(|line| add(headers, line));
    }
    // Not shown: it may be a secret.
    let wrong =
        || CliError::new(ErrorCode::Invalid, "--header: is no header").with_help("write it as 'Name: value'");
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    let name: HeaderName = name.trim().parse().map_err(|_| wrong())?;
    let mut value: HeaderValue = value.trim().parse().map_err(|_| wrong())?;
    value.set_sensitive(true);
    headers.append(name, value);
    Ok(())
}

/// How long to wait: so many seconds, or until a date.
fn after(text: &str, now: Timestamp) -> Option<Duration> {
    let wait = match text.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Timestamp::from(httpdate::parse_http_date(text.trim()).ok()?).since(now),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// What went wrong, in the words of the service if it has any.
fn described(status: StatusCode, body: &[u8]) -> String {
    let said = String::from_utf8_lossy(&body[..body.len().min(SAID_BYTES_MAX)]);
    match said.trim() {
        "" => format!("answered {status}"),
        said => format!("answered {status}: {said}"),
    }
}

const fn failed(error: AttemptError) -> Verdict {
    Verdict::Failed { error, retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push() -> Push {
        let args = PushArgs {
            http: Some("http://127.0.0.1:1/jobs?key=secret".to_owned()),
            headers: Vec::new(),
            http_timeout: Duration::from_secs(1),
        };
        Push::of(&args, Duration::from_secs(30)).unwrap().unwrap()
    }

    fn meaning(status: u16, retry_after: Option<&'static str>, body: &'static str) -> Verdict {
        let mut answer = Response::new(Bytes::from_static(body.as_bytes()));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(text) = retry_after {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(text));
        }
        push().meaning(&answer, Timestamp::from_micros(0))
    }

    #[test]
    fn the_status_says_what_becomes_of_the_job() {
        assert!(
            matches!(meaning(200, None, "{\"a\": 1}"), Verdict::Succeeded { result: Some(result) } if result.as_str() == "{\"a\": 1}")
        );
        assert!(matches!(meaning(204, None, ""), Verdict::Succeeded { result: None }));
        for status in [400, 404, 422] {
            assert!(
                matches!(meaning(status, None, "no"), Verdict::Fatal { error } if error.message.ends_with(": no")),
                "{status}"
            );
        }
        for status in [302, 408, 500, 502, 503] {
            assert!(matches!(meaning(status, None, ""), Verdict::Failed { .. }), "{status}");
        }
    }

    #[test]
    fn a_service_says_when_to_ask_again() {
        let wait = |status, retry_after| match meaning(status, retry_after, "") {
            Verdict::Snoozed { delay } => delay.as_secs(),
            other => panic!("{other:?}"),
        };

        assert_eq!(wait(429, Some("7")), 7);
        assert_eq!(wait(503, Some("7")), 7);
        assert_eq!(wait(429, None), 30, "as --snooze says");
        assert_eq!(wait(429, Some("Thu, 01 Jan 1970 00:01:00 GMT")), 60);
        assert_eq!(wait(503, Some("99999999999")), RETRY_AFTER_MAX.as_secs());
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        let mut headers = HeaderMap::new();
        add(&mut headers, "Authorization: Bearer secret").unwrap();

        assert_eq!(push().shown(), "http://127.0.0.1:1/jobs");
        assert!(!format!("{headers:?}").contains("secret"));
        assert!(!add(&mut headers, "secret").unwrap_err().render().contains("secret"));
    }
}
