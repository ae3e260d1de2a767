//! Webhooks: what is sent, what is never sent, and what an answer means.

use std::net::TcpListener;
use std::time::Duration;

use windlass_core::Timestamp;
use windlass_core::notice::{About, Target};
use windlass_notices::{NoticeConfig, Secret, Sender, Signed};
use windlass_store::ManualClock;

use crate::certificates::Certificates;
use crate::http_server::{Answer, HttpServer, Request, was_connected_to};
use crate::support::{Rebinding, SECRET, fatal, id, passing, send, send_about, sent};

const NEXT_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn now() -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000)
}

/// What a request says of its origin.
fn signed(request: &Request) -> Signed<'_> {
    Signed {
        id: request.header("webhook-id"),
        timestamp: request.header("webhook-timestamp"),
        signatures: request.header("webhook-signature"),
    }
}

fn config() -> NoticeConfig {
    NoticeConfig::new().secret(SECRET).clock(ManualClock::at(now())).allow_internal("127.0.0.1")
}

fn webhook(url: impl Into<String>) -> Target {
    Target::Webhook(url.into())
}

#[tokio::test]
async fn a_webhook_tells_what_has_ended_and_shows_whose_it_is() {
    let server = HttpServer::answering(Answer::status("204 No Content"));

    sent(&send(config(), webhook(server.url("127.0.0.1"))).await);

    let request = server.request();
    assert_eq!(request.line, "POST /hook?of=jobs HTTP/1.1");
    assert_eq!(request.header("host"), format!("127.0.0.1:{}", server.port));
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(
        String::from_utf8(request.body.clone()).unwrap(),
        r#"{"type":"job.dead","timestamp":"2026-11-21T09:00:01Z","data":{"id":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11","#
            .to_owned()
            + r#""kind":"report.build","queue":"reports","state":"dead","reason":"exhausted","attempt":8,"#
            + r#""created_at":"2026-11-21T08:00:00Z","started_at":"2026-11-21T09:00:00Z","#
            + r#""finished_at":"2026-11-21T09:00:01Z","error":"no room","result_bytes":null}}"#
    );
    let signed = signed(&request);
    assert_eq!((signed.id, signed.timestamp), (id().to_string().as_str(), "1800000000"));
    let is_by = |secret, body| signed.is_by(&Secret::new(secret).unwrap(), body, now());
    assert!(is_by(SECRET, &request.body));
    assert!(!is_by(NEXT_SECRET, &request.body));
    assert!(!is_by(SECRET, b"{}"));
}

#[tokio::test]
async fn a_reminder_says_what_is_to_be_decided_and_not_about_what() {
    let server = HttpServer::answering(Answer::status("204 No Content"));
    let data = concat!(
        r#"{"id":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11","kind":"report.build","queue":"reports","of":"start","#,
        r#""round":1,"asked_at":"2026-11-21T08:00:00Z","reminder":2,"reminded_at":"2026-11-21T10:00:00Z","#,
        r#""submitted_by":"ada"}"#
    );
    let about = About::Review(serde_json::from_str(data).unwrap());

    sent(&send_about(config(), webhook(server.url("127.0.0.1")), about).await);

    let body = String::from_utf8(server.request().body).unwrap();
    let expected = r#"{"type":"review.reminder","timestamp":"2026-11-21T10:00:00Z","data":"#;
    assert_eq!(body, format!("{expected}{data}}}"));
}

#[tokio::test]
async fn both_secrets_sign_while_one_follows_the_other() {
    let server = HttpServer::answering(Answer::status("200 OK"));

    sent(&send(config().secret(NEXT_SECRET), webhook(server.url("127.0.0.1"))).await);

    let request = server.request();
    for secret in [SECRET, NEXT_SECRET] {
        assert!(signed(&request).is_by(&Secret::new(secret).unwrap(), &request.body, now()));
    }
}

#[tokio::test]
async fn nothing_is_sent_to_a_host_that_is_not_allowed() {
    let server = HttpServer::answering(Answer::status("200 OK"));
    let config = NoticeConfig::new().secret(SECRET).allow("hooks.example.com");

    let error = fatal(send(config, webhook(server.url("127.0.0.1"))).await);

    assert!(error.message.contains("\"127.0.0.1\" are not allowed"), "{}", error.message);
    assert!(error.message.contains("--allow-host 127.0.0.1"), "{}", error.message);
    assert!(server.is_untouched());
}

#[tokio::test]
async fn nothing_is_sent_that_is_not_signed() {
    let server = HttpServer::answering(Answer::status("200 OK"));
    let config = NoticeConfig::new().allow_internal("127.0.0.1");

    let error = fatal(send(config, webhook(server.url("127.0.0.1"))).await);

    assert!(error.message.contains("no secret"), "{}", error.message);
    assert!(server.is_untouched());
}

#[tokio::test]
async fn nothing_is_sent_in_the_open_unless_the_host_is_internal() {
    let server = HttpServer::answering(Answer::status("200 OK"));
    let config = NoticeConfig::new().secret(SECRET).allow("127.0.0.1");

    let error = fatal(send(config, webhook(server.url("127.0.0.1"))).await);

    assert!(error.message.contains("name an https URL"), "{}", error.message);
    assert!(server.is_untouched());
}

#[tokio::test]
async fn an_address_that_is_not_public_is_not_even_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let inside = Rebinding::between([127, 0, 0, 1], [127, 0, 0, 1]);
    let config = || {
        let config = NoticeConfig::new().secret(SECRET).resolver(inside.clone());
        config.allow("127.0.0.1").allow("::ffff:127.0.0.1").allow("*.example.com")
    };

    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "hooks.example.com"] {
        let error = fatal(send(config(), webhook(format!("https://{host}:{port}/"))).await);
        assert!(error.message.contains("127.0.0.1, which is not public"), "{}", error.message);
    }

    assert!(!was_connected_to(&listener));
    assert_eq!(inside.asked(), 1);
}

#[tokio::test]
async fn the_address_that_was_judged_is_the_one_that_is_connected_to() {
    let judged = HttpServer::answering(Answer::status("200 OK"));
    let other = HttpServer::on(&format!("127.0.0.2:{}", judged.port), Answer::status("200 OK"));
    let rebinding = Rebinding::between([127, 0, 0, 1], [127, 0, 0, 2]);
    let config = config().allow_internal("hooks.example.com").resolver(rebinding.clone());

    sent(&send(config, webhook(judged.url("hooks.example.com"))).await);

    assert_eq!(judged.request().header("host"), format!("hooks.example.com:{}", judged.port));
    assert_eq!(rebinding.asked(), 1);
    assert!(other.is_untouched());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let inside = HttpServer::answering(Answer::status("200 OK"));
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = inside.url("127.0.0.1");
        let answer = format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let server = HttpServer::answering(Answer::Bytes(answer.into_bytes()));

        let error = fatal(send(config(), webhook(server.url("127.0.0.1"))).await);

        assert!(error.message.contains("redirects are not followed"), "{}", error.message);
        server.request();
    }
    assert!(inside.is_untouched());
}

#[tokio::test]
async fn a_refusal_is_final_and_tells_nothing_of_what_was_said() {
    let answer = "HTTP/1.1 403 Forbidden\r\ncontent-length: 6\r\nx-note: sesame\r\n\r\nsesame";
    let server = HttpServer::answering(Answer::Bytes(answer.as_bytes().to_vec()));

    let error = fatal(send(config(), webhook(server.url("127.0.0.1"))).await);

    assert_eq!(error.message, "the receiver answered 403: it refuses the notice");
    assert!(!format!("{error:?}").contains("sesame"), "{error:?}");
}

#[tokio::test]
async fn a_busy_receiver_is_asked_again_when_it_says() {
    let answer = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n";
    let server = HttpServer::answering(Answer::Bytes(answer.as_bytes().to_vec()));

    let (error, retry_after) = passing(send(config(), webhook(server.url("127.0.0.1"))).await);

    assert_eq!(error.message, "the receiver answered 503");
    assert_eq!(retry_after, Some(Duration::from_secs(120)));
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_in_time_is_asked_again() {
    let server = HttpServer::answering(Answer::Nothing);
    let sender = Sender::new(config().timeout(Duration::from_millis(100))).unwrap();
    let notice = windlass_core::notice::Notice {
        to: webhook(server.url("127.0.0.1")),
        about: About::Job(crate::support::ended()),
    };

    let (error, _) = passing(sender.send(id(), &notice).await);

    assert_eq!(error.message, "the receiver did not answer within 100ms");
}

#[tokio::test]
async fn an_answer_without_an_end_is_not_read_for_ever() {
    let server = HttpServer::answering(Answer::Endless);

    let (error, _) = passing(send(config(), webhook(server.url("127.0.0.1"))).await);

    assert!(error.message.contains("before there was an answer"), "{}", error.message);
}

#[tokio::test]
async fn what_is_no_answer_is_a_broken_connection() {
    for bytes in [&b""[..], b"220 mail.example.com ESMTP\r\n", b"HTTP/1.1 banana\r\n\r\n"] {
        let server = HttpServer::answering(Answer::Bytes(bytes.to_vec()));

        let (error, _) = passing(send(config(), webhook(server.url("127.0.0.1"))).await);

        assert!(error.message.contains("before there was an answer"), "{}", error.message);
    }
}

#[tokio::test]
async fn a_receiver_that_is_away_is_asked_again() {
    let url = format!("http://127.0.0.1:{}/", HttpServer::nowhere());

    let (error, _) = passing(send(config(), webhook(url)).await);

    assert_eq!(error.message, "could not connect to \"127.0.0.1\"");
    assert!(!error.chain.is_empty());
}

#[tokio::test]
async fn an_encrypted_receiver_is_believed_by_its_certificate_alone() {
    let certificates = Certificates::shared();
    let server = HttpServer::encrypted(Answer::status("200 OK"), certificates.server());
    let url = format!("https://localhost:{}/hook", server.port);
    let wrong_name = format!("https://127.0.0.1:{}/hook", server.port);
    let trusting = config().allow_internal("localhost").root_certificates(certificates.authority());

    let (stranger, _) = passing(send(config().allow_internal("localhost"), webhook(&url)).await);
    let (misnamed, _) = passing(send(trusting.clone(), webhook(wrong_name)).await);
    sent(&send(trusting, webhook(url)).await);

    for error in [stranger, misnamed] {
        assert!(error.message.starts_with("could not speak TLS with"), "{}", error.message);
    }
    assert_eq!(server.request().line, "POST /hook HTTP/1.1");
    assert!(server.is_untouched());
}

#[test]
fn what_makes_no_sense_is_refused_by_field() {
    let field = |config: NoticeConfig| Sender::new(config).unwrap_err().field;

    assert_eq!(field(config().allow("https://example.com")), "notices.allow");
    assert_eq!(field(config().allow_internal("")), "notices.allow_internal");
    assert_eq!(field(config().secret("sesame")), "notices.secret");
    assert_eq!(field(config().secret_for("*", SECRET)), "notices.secret");
    assert_eq!(field(config().timeout(Duration::ZERO)), "notices.timeout");
    assert_eq!(field(config().timeout(Duration::from_secs(51))), "notices.timeout");
    assert_eq!(field(config().root_certificates("sesame")), "notices.root_certificates");
    assert_eq!(field(config().smtp("smtp://mail.example.com")), "notices.from");
    assert_eq!(field(config().from("ops@example.com")), "notices.smtp");
    assert_eq!(field(config().smtp("http://mail.example.com").from("ops@example.com")), "notices.smtp");
    assert_eq!(field(config().smtp("smtp://mail.example.com").from("nobody")), "notices.from");
}
