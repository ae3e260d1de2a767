//! Webhooks: one signed POST, and what its answer means.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::http::uri::Scheme;
use hyper::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use windlass_core::notice::About;
use windlass_core::{JobId, Timestamp};

use crate::connect::{Place, Stream};
use crate::failure::Failure;
use crate::signature::Secret;

/// The longest wait that a receiver may ask for: longer, and the notice would be about another day.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// How much of an answer's head is read. Of its body nothing is: only the status is looked at.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What a webhook says.
#[derive(Debug, Serialize)]
struct Body<T> {
    /// `job.completed`, `job.cancelled`, `job.dead` or `review.reminder`.
    #[serde(rename = "type")]
    kind: String,
    /// When it happened.
    timestamp: Timestamp,
    data: T,
}

/// Where the URL points.
pub(crate) fn place(url: &str) -> Result<(Uri, Place), Failure> {
    let broken = || Failure::fatal("the URL cannot be read");
    let uri: Uri = url.parse().map_err(|error| broken().because(&error))?;
    let encrypted = uri.scheme() == Some(&Scheme::HTTPS);
    let host = uri.host().ok_or_else(broken)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
    Ok((uri, Place { host, port, encrypted }))
}

/// The request that tells of `about`, signed with each of `secrets` as of `now`.
pub(crate) fn request(
    uri: &Uri,
    (id, about): (JobId, &About),
    secrets: &[&Secret],
    now: Timestamp,
) -> Result<Request<Full<Bytes>>, Failure> {
    let broken = |error: &(dyn std::error::Error + 'static)| {
        Failure::fatal("the notice cannot be written down").because(error)
    };
    let body = body(about)?.map_err(|error| broken(&error))?;
    let (id, seconds) = (id.to_string(), now.since(Timestamp::MIN).as_secs());
    let signatures: Vec<String> = secrets.iter().map(|secret| secret.sign(&id, seconds, &body)).collect();
    // The path and the host apart, as a server is told them that is no proxy.
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    Request::post(path)
        .header(HOST, host)
        .header(USER_AGENT, concat!("windlass/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signatures.join(" "))
        .body(Full::new(body.into()))
        .map_err(|error| broken(&error))
}

/// What is said of it; no JSON of it can be made, or this version does not know what it is.
fn body(about: &About) -> Result<serde_json::Result<Vec<u8>>, Failure> {
    Ok(match about {
        About::Job(job) => {
            let kind = format!("job.{}", job.state);
            serde_json::to_vec(&Body { kind, timestamp: job.finished_at, data: job })
        }
        About::Review(job) => {
            let kind = "review.reminder".to_owned();
            serde_json::to_vec(&Body { kind, timestamp: job.reminded_at, data: job })
        }
        _ => return Err(Failure::fatal("this version does not know what the notice is about")),
    })
}

/// Sends the request and waits for the head of its answer.
pub(crate) async fn exchange(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
) -> Result<Response<()>, Failure> {
    let failed = |error: hyper::Error| {
        Failure::passing("the connection broke before there was an answer").because(&error)
    };
    let handshake = http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(failed)?;
    // The connection does the work, and how it ends is told by the answer or its absence.
    let drive = async {
        let _ended = connection.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        answer = sender.send_request(request) => Ok(answer.map_err(failed)?.map(drop)),
        () = drive => unreachable!("it waits for ever"),
    }
}

/// What the answer means.
///
/// A redirect is not followed: it could lead where nobody allowed anything to be sent.
pub(crate) fn judge(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Result<(), Failure> {
    let answered = |meaning: &str| format!("the receiver answered {}{meaning}", status.as_u16());
    match status.as_u16() {
        200..=299 => Ok(()),
        300..=399 => Err(Failure::fatal(answered(": redirects are not followed, name where it leads to"))),
        410 => Err(Failure::fatal(answered(": it wants no more notices"))),
        408 | 425 | 429 => Err(Failure::passing(answered("")).after(retry_after(headers, now))),
        400..=499 => Err(Failure::fatal(answered(": it refuses the notice"))),
        _ => Err(Failure::passing(answered("")).after(retry_after(headers, now))),
    }
}

/// How long the receiver asks to be left alone: seconds, or an instant.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Timestamp::from(httpdate::parse_http_date(text).ok()?).since(now),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use windlass_core::Verdict;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const NOW: Timestamp = Timestamp::from_micros(784_111_777_000_000);

    fn verdict(status: u16, retry_after: Option<&str>) -> Result<(), Verdict> {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(RETRY_AFTER, text.parse().unwrap());
        }
        judge(StatusCode::from_u16(status).unwrap(), &headers, NOW).map_err(Failure::into_verdict)
    }

    fn wait(status: u16, retry_after: &str) -> Option<Duration> {
        match verdict(status, Some(retry_after)) {
            Err(Verdict::Failed { retry_after, .. }) => retry_after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_says_whether_it_is_worth_another_try() {
        for status in [200, 201, 204, 299] {
            assert_eq!(verdict(status, None), Ok(()), "{status}");
        }
        for status in [301, 302, 307, 308, 400, 401, 403, 404, 410, 422, 451] {
            assert!(matches!(verdict(status, None), Err(Verdict::Fatal { .. })), "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            let verdict = verdict(status, None);
            assert!(matches!(verdict, Err(Verdict::Failed { retry_after: None, .. })), "{status}");
        }
    }

    #[test]
    fn a_receiver_says_how_long_to_wait_and_is_believed_within_bounds() {
        assert_eq!(wait(503, "120"), Some(Duration::from_secs(120)));
        assert_eq!(wait(429, "Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(wait(429, "Sun, 06 Nov 1994 08:40:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait(503, "99999999999"), Some(RETRY_AFTER_MAX));
        assert_eq!(wait(503, "soon"), None);
    }

    #[test]
    fn a_url_says_where_it_points() {
        let place = |url| place(url).unwrap().1;
        let of = |host: &str, port, encrypted| Place { host: host.to_owned(), port, encrypted };

        assert_eq!(place("https://Hooks.Example.com/x?y"), of("hooks.example.com", 443, true));
        assert_eq!(place("http://[::1]:8080"), of("::1", 8080, false));
        assert_eq!(place("http://127.0.0.1"), of("127.0.0.1", 80, false));
    }
}
