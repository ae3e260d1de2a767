//! Whom the server runs as. It refuses to run as root, so root lends it another account.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use crate::Error;
use crate::error::Attempted as _;

/// Accounts that have nothing to lose, the better one first. Every system has the second.
const LENT: [&str; 2] = ["postgres", "nobody"];

/// Whom the server runs as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    /// The user and the group to become; none when we may stay who we are.
    ids: Option<(u32, u32)>,
}

impl Account {
    /// Who we are.
    pub(crate) fn ours() -> Self {
        Self { ids: None }
    }

    /// Our own account, or one to be lent when we are root.
    pub(crate) fn find() -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Ok(Self::ours());
        }
        let lent = LENT.iter().find_map(|name| ids(name));
        let missing =
            || Error::Failed(format!("PostgreSQL does not run as root, and no account is there of {LENT:?}"));
        Ok(Self { ids: Some(lent.ok_or_else(missing)?) })
    }

    /// `program`, to be run as this account in `folder`, and in a process group of its own: what is typed at the terminal
    /// is for who started us, and it is for us to say what becomes of the server then.
    pub(crate) fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).process_group(0);
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
        without_settings(&mut command);
        command
    }

    /// Gives it what lies at `path`.
    pub(crate) fn own(self, path: &Path) -> Result<(), Error> {
        let Some((user, group)) = self.ids else { return Ok(()) };
        chown(path, Some(user), Some(group)).attempted(|| format!("give away {}", path.display()))
    }
}

/// Takes the settings away that a person has for their own clusters: `PGHOST`, `PGDATA`, `PGOPTIONS` and the like.
pub(crate) fn without_settings(command: &mut Command) {
    let settings = std::env::vars_os().map(|(name, _)| name);
    for name in settings.filter(|name| name.as_encoded_bytes().starts_with(b"PG")) {
        command.env_remove(name);
    }
}

/// The user and the group of an account. Asks the system, since accounts need not stand in a file.
fn ids(name: &str) -> Option<(u32, u32)> {
    let output = Command::new("id").arg(name).stderr(Stdio::null()).output().ok()?;
    parse_ids(&String::from_utf8(output.stdout).ok()?)
}

/// `uid=101(postgres) gid=104(postgres) groups=104(postgres)`
fn parse_ids(text: &str) -> Option<(u32, u32)> {
    let number = |name: &str| {
        let word = text.split(' ').find_map(|word| word.strip_prefix(name))?;
        word.split('(').next()?.trim_end().parse().ok()
    };
    Some((number("uid=")?, number("gid=")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_user_and_a_group() {
        assert_eq!(parse_ids("uid=101(postgres) gid=104(postgres) groups=104(postgres)\n"), Some((101, 104)));
        assert_eq!(parse_ids("uid=7 gid=8\n"), Some((7, 8)));
        assert_eq!(parse_ids(""), None);
    }
}
