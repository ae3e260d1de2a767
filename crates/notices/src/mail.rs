//! Notices by mail: what a person reads, and the server that takes it.

mod server;
mod words;

use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Severity;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use windlass_core::notice::About;
use windlass_core::{Invalid, JobId};

use crate::failure::Failure;
use server::{Security, Server};

/// Answers by which a server says that we, and not the notice, are at fault: it wants us to show who we are, or refuses what
/// we showed. To be mended in the configuration, so the notice waits for that.
const NOT_WELCOME: [u16; 4] = [530, 534, 535, 538];

/// Hands mails to a server.
pub(crate) struct Mailer {
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Mailer {
    /// One that speaks to the server at `url` as `from`.
    pub(crate) fn new(url: &str, from: &str, roots: &[Vec<u8>], timeout: Duration) -> Result<Self, Invalid> {
        let from: Mailbox = from.parse().map_err(|_| {
            Invalid::new(
                "notices.from",
                format!("{from:?} is no mail address: expected such as windlass@example.com"),
            )
        })?;
        let server = Server::read(url)?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.clone())
            .port(server.port)
            .tls(tls(&server, roots)?)
            .timeout(Some(timeout))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()));
        if let Some((name, password)) = server.login {
            builder = builder.credentials(Credentials::new(name, password));
        }
        Ok(Self { from, transport: builder.build() })
    }

    /// Hands over the notice `id`. Once it returns, the server has taken the mail upon itself.
    pub(crate) async fn send(&self, id: JobId, to: &str, about: &About) -> Result<(), Failure> {
        let message = message(&self.from, id, to, about)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure(&error)),
        }
    }
}

fn tls(server: &Server, roots: &[Vec<u8>]) -> Result<Tls, Invalid> {
    if server.security == Security::None {
        return Ok(Tls::None);
    }
    let at_fault = |error: lettre::transport::smtp::Error| {
        Invalid::new("notices.root_certificates", format!("cannot be used: {error}"))
    };
    let mut parameters = TlsParameters::builder(server.host.clone());
    for text in roots {
        parameters = parameters.add_root_certificate(Certificate::from_pem(text).map_err(at_fault)?);
    }
    let parameters = parameters.build_rustls().map_err(at_fault)?;
    Ok(match server.security {
        Security::Implicit => Tls::Wrapper(parameters),
        _ => Tls::Required(parameters),
    })
}

/// The mail, as a person reads it. Sent again, it has the same id, by which servers and programs for mail know it again.
fn message(from: &Mailbox, id: JobId, to: &str, about: &About) -> Result<Message, Failure> {
    let broken = |error: &(dyn std::error::Error + 'static)| {
        Failure::fatal("the mail cannot be written").because(error)
    };
    let said = words::of(about)?;
    let address: Address = to.parse().map_err(|error: lettre::address::AddressError| broken(&error))?;
    let by_machine =
        HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, address))
        .subject(said.subject)
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .raw_header(by_machine)
        .header(ContentType::TEXT_PLAIN)
        .body(said.text)
        .map_err(|error| broken(&error))
}

fn failure(error: &lettre::transport::smtp::Error) -> Failure {
    let code = error.status();
    let number = code.map(u16::from);
    let refused = code.is_some_and(|code| code.severity == Severity::PermanentNegativeCompletion);
    match number {
        Some(number) if refused && !NOT_WELCOME.contains(&number) => {
            Failure::fatal(format!("the mail server refuses the notice with {number}")).because(error)
        }
        Some(number) => Failure::passing(format!("the mail server answered {number}")).because(error),
        None => Failure::passing("the mail server did not take the notice").because(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_known_again_by_its_id() {
        let from = "Windlass <windlass@example.com>".parse().unwrap();
        let id = JobId::from_bytes([7; 16]);

        let mail = message(&from, id, "ops@example.com", &words::tests::ended()).unwrap().formatted();

        let mail = String::from_utf8(mail).unwrap();
        assert!(
            mail.contains("Message-ID: <07070707-0707-0707-0707-070707070707@example.com>\r\n"),
            "{mail}"
        );
        assert!(mail.contains("Auto-Submitted: auto-generated\r\n"), "{mail}");
        assert!(mail.contains("To: ops@example.com\r\n"), "{mail}");
    }
}
