//! Who is told when jobs end, and where a worker may send the notices.

use std::path::PathBuf;

use clap::Args;
use windlass_core::JobState;
use windlass_core::notice::Target;

use super::values::problem;

/// Whom to tell of a job's end.
#[derive(Debug, Args, Default)]
pub(crate) struct NotifyOptions {
    /// Tell `mailto:ADDRESS` or an `https://…` when it has ended. Repeatable; sent by `work` and `run` with --allow-host.
    #[arg(long = "notify", value_name = "TARGET", value_parser = target)]
    pub(crate) notify: Vec<Target>,
    /// Tell them only if it ends completed, cancelled or dead. Repeatable, or comma-separated [default: however it ends].
    #[arg(long, value_name = "STATE", requires = "notify", value_delimiter = ',', value_parser = end)]
    pub(crate) notify_on: Vec<JobState>,
}

/// Where notices may be sent, and how.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Notices")]
pub(crate) struct NoticeArgs {
    /// Send notices to this host, or to *.HOST: of an https URL, or behind the @ of a mail address. Repeatable.
    #[arg(long = "allow-host", value_name = "HOST")]
    pub(crate) allowed: Vec<String>,
    /// The same for a host of your own network: its address may be a private one, and plain http will do. Repeatable.
    #[arg(long = "allow-internal-host", value_name = "HOST")]
    pub(crate) internal: Vec<String>,
    /// Send mail by this server, as `smtp://NAME:PASSWORD@HOST:587`; `smtps://` for TLS from the first byte.
    // Its value may hold a password.
    #[arg(long, env = "WINDLASS_SMTP", hide_env_values = true, value_name = "URL", requires = "mail_from")]
    pub(crate) smtp: Option<String>,
    /// Send mail from this address.
    #[arg(long, env = "WINDLASS_MAIL_FROM", value_name = "ADDRESS", requires = "smtp")]
    pub(crate) mail_from: Option<String>,
    /// Sign webhooks with the secrets of this file: one a line, `whsec_…` for all hosts or `HOST whsec_…` for one.
    #[arg(long, env = "WINDLASS_WEBHOOK_SECRETS", value_name = "FILE")]
    pub(crate) webhook_secrets: Option<PathBuf>,
    /// Trust the certificates that the authorities in this PEM file gave, besides those that the system trusts.
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
}

pub(super) fn target(text: &str) -> Result<Target, String> {
    let target = match text.strip_prefix("mailto:") {
        Some(address) => Target::Mail(address.to_owned()),
        None if text.contains("://") => Target::Webhook(text.to_owned()),
        None => return Err("is neither such as mailto:ops@example.com nor a URL".to_owned()),
    };
    target.validate().map_err(problem)?;
    Ok(target)
}

fn end(text: &str) -> Result<JobState, String> {
    match text.parse::<JobState>() {
        Ok(state) if state.is_final() => Ok(state),
        _ => Err("no job ends so: completed, cancelled and dead are the ends there are".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_says_by_its_looks_what_it_is() {
        assert_eq!(target("mailto:ops@example.com"), Ok(Target::Mail("ops@example.com".to_owned())));
        assert_eq!(target("https://example.com/x"), Ok(Target::Webhook("https://example.com/x".to_owned())));
        for text in ["ops@example.com", "mailto:ops", "ftp://example.com", "example.com"] {
            assert!(target(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_an_end_can_be_told() {
        assert_eq!(end("dead"), Ok(JobState::Dead));
        assert!(end("running").is_err() && end("failed").is_err());
    }
}
