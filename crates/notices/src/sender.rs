//! Sends notices, each to the one target it names.

use std::time::Duration;

use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use windlass_core::notice::{About, Notice, Target};
use windlass_core::{Invalid, JobId, Verdict, span};

use crate::config::{NoticeConfig, Standing};
use crate::failure::Failure;
use crate::mail::Mailer;
use crate::{connect, webhook};

/// The longest time that the sending of a notice may be given: less than its job has, so that what is stored is what
/// happened and not that it took too long.
const TIMEOUT_MAX: Duration = Duration::from_secs(50);

/// Sends notices where it was allowed to.
pub struct Sender {
    config: NoticeConfig,
    mailer: Option<Mailer>,
    tls: TlsConnector,
}

impl Sender {
    /// A sender that does what `config` allows. Connects to nobody yet.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the first field at fault, below `notices`.
    pub fn new(mut config: NoticeConfig) -> Result<Self, Invalid> {
        if let Some(invalid) = config.fault.take() {
            return Err(invalid);
        }
        if config.timeout.is_zero() || config.timeout > TIMEOUT_MAX {
            let range = format!("must be more than zero and at most {}", span::format(TIMEOUT_MAX));
            return Err(Invalid::new("notices.timeout", range));
        }
        let tls = connect::tls(&config.roots)?;
        let mailer = match (&config.smtp, &config.from) {
            (Some(url), Some(from)) => Some(Mailer::new(url, from, &config.roots, config.timeout)?),
            (None, None) => None,
            (Some(_), None) => return Err(Invalid::new("notices.from", "must say from whom mail is sent")),
            (None, Some(_)) => return Err(Invalid::new("notices.smtp", "must say which server takes mail")),
        };
        Ok(Self { config, mailer, tls })
    }

    /// How many notices it wants to be given at a time.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.config.slots
    }

    /// Sends the notice `id`, and says what becomes of it.
    ///
    /// A target that is not allowed is fatal, and so is an answer that no further try can change; everything else is
    /// tried again. What is told of an answer is its status and nothing else: who may enqueue is not thereby allowed to
    /// read what the hosts say that this one can reach.
    pub async fn send(&self, id: JobId, notice: &Notice) -> Verdict {
        let late = |_elapsed| {
            let span = span::format(self.config.timeout);
            Err(Failure::passing(format!("the receiver did not answer within {span}")))
        };
        let sent = timeout(self.config.timeout, self.deliver(id, notice)).await.unwrap_or_else(late);
        sent.map_or_else(Failure::into_verdict, |()| Verdict::Succeeded { result: None })
    }

    async fn deliver(&self, id: JobId, notice: &Notice) -> Result<(), Failure> {
        match &notice.to {
            Target::Mail(address) => self.mail(id, address, &notice.about).await,
            Target::Webhook(url) => self.post(id, url, &notice.about).await,
            _ => Err(Failure::fatal("this version knows no way to such a target")),
        }
    }

    async fn mail(&self, id: JobId, address: &str, about: &About) -> Result<(), Failure> {
        let host = address.rsplit_once('@').map_or("", |(_, host)| host).to_ascii_lowercase();
        self.allowed(&host)?;
        let mailer = self.mailer.as_ref().ok_or_else(|| {
            Failure::fatal(
                "no mail server is configured: name one by `smtp` and `from`, or `--smtp` and `--mail-from` of the command",
            )
        })?;
        mailer.send(id, address, about).await
    }

    async fn post(&self, id: JobId, url: &str, about: &About) -> Result<(), Failure> {
        let (uri, place) = webhook::place(url)?;
        let standing = self.allowed(&place.host)?;
        if !place.encrypted && standing != Standing::Internal {
            return Err(Failure::fatal(format!(
                "the host {:?} is not internal, and nothing is sent to others by plain http: name an https URL",
                place.host
            )));
        }
        let secrets = self.config.secrets_for(&place.host);
        if secrets.is_empty() {
            return Err(Failure::fatal(
                "there is no secret to sign webhooks with: give one by `secret`, or `--webhook-secrets` to the command",
            ));
        }
        let request = webhook::request(&uri, (id, about), &secrets, self.config.clock.now())?;
        let addresses = connect::judged(&place, standing, &*self.config.resolver).await?;
        let stream = connect::connect(&place, &addresses, &self.tls).await?;
        let answer = webhook::exchange(stream, request).await?;
        webhook::judge(answer.status(), answer.headers(), self.config.clock.now())
    }

    fn allowed(&self, host: &str) -> Result<Standing, Failure> {
        match self.config.standing(host) {
            Standing::Refused => Err(Failure::fatal(format!(
                "notices to {host:?} are not allowed: allow them by `allow({host:?})`, or `--allow-host {host}` of the \
                 command"
            ))),
            standing => Ok(standing),
        }
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("config", &self.config).finish_non_exhaustive()
    }
}
