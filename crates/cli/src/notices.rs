//! Where this worker may send notices: the options, made into what the library takes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use windlass::notices::NoticeConfig;

use crate::args::NoticeArgs;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};

/// Those whom a file of secrets is for: its owner, and nobody else.
const OTHERS: u32 = 0o077;

impl NoticeArgs {
    /// What the worker may send; none if no host is allowed, for then it leaves notices to others.
    pub(crate) fn config(&self, context: &Context) -> Result<Option<NoticeConfig>, CliError> {
        if self.allowed.is_empty() && self.internal.is_empty() {
            if self.smtp.is_some() || self.webhook_secrets.is_some() {
                context.tell("no notices are sent: say with --allow-host where they may go");
            }
            return Ok(None);
        }
        let config = self.allowed.iter().fold(NoticeConfig::new(), |config, host| config.allow(host));
        let mut config = self.internal.iter().fold(config, |config, host| config.allow_internal(host));
        if let (Some(url), Some(from)) = (&self.smtp, &self.mail_from) {
            config = config.smtp(url).from(from);
        }
        if let Some(path) = &self.webhook_secrets {
            config = secrets(config, path, context)?;
        }
        if let Some(path) = &self.trust {
            config = config.root_certificates(read(path)?);
        }
        Ok(Some(config))
    }
}

fn secrets(config: NoticeConfig, path: &Path, context: &Context) -> Result<NoticeConfig, CliError> {
    let text = read(path)?;
    if is_open(path) {
        context.tell(&format!("{} can be read by others: chmod 600 it", path.display()));
    }
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let mut said = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    said.try_fold(config, |config, (number, line)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [secret] => Ok(config.secret(secret)),
            [host, secret] => Ok(config.secret_for(host, secret)),
            _ => {
                let place =
                    format!("{}:{number}: is neither a secret nor a host and a secret", path.display());
                Err(CliError::new(ErrorCode::Invalid, place)
                    .with_help("a secret is whsec_ and random bytes in Base64"))
            }
        }
    })
}

fn is_open(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & OTHERS != 0)
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| CliError::unreadable(path, error))
}
