//! Mail: what the server is handed, and what its answers mean.

use windlass_core::notice::Target;
use windlass_mail_testing::{MailServer, Manners};
use windlass_notices::NoticeConfig;

use crate::certificates::Certificates;
use crate::http_server::HttpServer;
use crate::support::{fatal, passing, send, sent};

fn config(smtp: impl Into<String>) -> NoticeConfig {
    NoticeConfig::new().allow("example.com").smtp(smtp).from("Windlass <windlass@example.org>")
}

fn ops() -> Target {
    Target::Mail("ops@example.com".to_owned())
}

#[tokio::test]
async fn a_mail_tells_a_person_what_has_ended() {
    let server = MailServer::plain();

    sent(&send(config(server.url("127.0.0.1")), ops()).await);

    let said = server.conversation();
    let envelope: Vec<&str> = said.iter().take(4).map(String::as_str).collect();
    assert_eq!(
        envelope,
        ["EHLO example.org", "MAIL FROM:<windlass@example.org>", "RCPT TO:<ops@example.com>", "DATA"]
    );
    for line in [
        "From: Windlass <windlass@example.org>",
        "To: ops@example.com",
        "Subject: [windlass] report.build 0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11 dead",
        "Message-ID: <07070707-0707-0707-0707-070707070707@example.org>",
        "Auto-Submitted: auto-generated",
        "Job 0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11 (report.build) is dead.",
        "reason:    exhausted",
        "error:     no room",
    ] {
        assert!(said.iter().any(|known| known == line), "no {line:?} in {said:#?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_to_a_host_that_is_not_allowed() {
    let server = MailServer::plain();
    let elsewhere = Target::Mail("ops@mail.example.com".to_owned());

    let error = fatal(send(config(server.url("127.0.0.1")), elsewhere).await);

    assert!(error.message.contains("\"mail.example.com\" are not allowed"), "{}", error.message);
}

#[tokio::test]
async fn without_a_server_it_is_said_what_to_configure() {
    let error = fatal(send(NoticeConfig::new().allow("example.com"), ops()).await);

    assert!(error.message.contains("--smtp") && error.message.contains("--mail-from"), "{}", error.message);
}

#[tokio::test]
async fn a_receiver_that_is_refused_for_good_is_not_tried_again() {
    let refuse = Some(("RCPT", "550 5.1.1 nobody of this name"));
    let server = MailServer::with(Manners { refuse, ..Manners::default() });

    let error = fatal(send(config(server.url("127.0.0.1")), ops()).await);

    assert_eq!(error.message, "the mail server refuses the notice with 550");
    assert!(error.chain.iter().any(|cause| cause.contains("nobody of this name")), "{error:?}");
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for (refuse, message) in [
        (("RCPT", "451 4.7.1 greylisted"), "the mail server answered 451"),
        (("EHLO", "421 too many"), "the mail server answered 421"),
        // The configuration is at fault, which a person can mend while the notice waits.
        (("MAIL", "530 5.7.0 who are you"), "the mail server answered 530"),
    ] {
        let server = MailServer::with(Manners { refuse: Some(refuse), ..Manners::default() });

        let (error, _) = passing(send(config(server.url("127.0.0.1")), ops()).await);

        assert_eq!(error.message, message);
    }
    let away = format!("smtp://127.0.0.1:{}?tls=none", HttpServer::nowhere());
    let (error, _) = passing(send(config(away), ops()).await);
    assert_eq!(error.message, "the mail server did not take the notice");
}

#[tokio::test]
async fn nothing_is_said_in_the_open_to_a_server_that_cannot_encrypt() {
    let server = MailServer::plain();
    let smtp = format!("smtp://ada:sesame@localhost:{}", server.port());

    let (error, _) = passing(send(config(smtp), ops()).await);

    let said = server.conversation();
    assert!(said.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{said:?}");
    assert!(!format!("{error:?}").contains("sesame"), "{error:?}");
}

#[tokio::test]
async fn a_password_is_told_to_a_server_that_has_shown_who_it_is() {
    let certificates = Certificates::shared();
    let (offered, implicit) = (Some(certificates.server()), Some(certificates.server()));
    for (scheme, server) in [
        ("smtp", MailServer::with(Manners { start_tls: offered, ..Manners::default() })),
        ("smtps", MailServer::with(Manners { implicit_tls: implicit, ..Manners::default() })),
    ] {
        let smtp = format!("{scheme}://ada:sesame@localhost:{}", server.port());

        let (_stranger, _) = passing(send(config(&smtp), ops()).await);
        assert!(!server.conversation().iter().any(|line| line.starts_with("AUTH")), "{scheme}");

        sent(&send(config(&smtp).root_certificates(certificates.authority()), ops()).await);
        let said = server.conversation();
        let at = |start: &str| said.iter().position(|line| line.starts_with(start));
        assert!(at("AUTH PLAIN").is_some() && at("AUTH PLAIN") < at("MAIL"), "{said:?}");
        assert!(scheme == "smtps" || at("(encrypted)") < at("AUTH PLAIN"), "{said:?}");
    }
}
