//! Where the token for a server comes from.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::error::{CliError, ErrorCode};

/// Where the token for a server comes from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// It was said.
    Said(String),
    /// A shell command prints it.
    Command(String),
    /// It lies in a file.
    File(PathBuf),
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl TokenSource {
    /// How it is shown: never the token itself.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Said(_) => "set".to_owned(),
            Self::Command(command) => format!("printed by `{command}`"),
            Self::File(path) => format!("in {}", path.display()),
        }
    }

    /// The token.
    ///
    /// # Errors
    ///
    /// When the command fails or prints nothing, or the file cannot be read.
    pub(crate) fn token(&self) -> Result<String, CliError> {
        match self {
            Self::Said(token) => Ok(token.clone()),
            Self::Command(command) => printed(command),
            Self::File(path) => std::fs::read_to_string(path)
                .map(|text| text.trim().to_owned())
                .map_err(|error| CliError::unreadable(path, error)),
        }
    }
}

/// What the command prints. It may ask for a password: it has our stdin and stderr.
fn printed(command: &str) -> Result<String, CliError> {
    let failed = |how: &str| {
        CliError::new(ErrorCode::Configuration, format!("token_command {how}: {command}"))
            .with_help("it has to print the token, and nothing else; or set WINDLASS_TOKEN")
    };
    let ran =
        Command::new("sh").arg("-c").arg(command).stderr(Stdio::inherit()).stdin(Stdio::inherit()).output();
    let ran = ran.map_err(|error| failed("could not be started").with_source(error))?;
    if !ran.status.success() {
        return Err(failed("failed"));
    }
    let token = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(failed("printed no token"));
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_prints_the_token_and_nothing_else() {
        let token = |command: &str| TokenSource::Command(command.to_owned()).token();

        assert_eq!(token("echo wl_1").unwrap(), "wl_1");
        for (command, said) in
            [("true", "printed no token"), ("echo a b", "printed no token"), ("exit 3", "failed")]
        {
            assert!(token(command).unwrap_err().to_string().contains(said), "{command}");
        }
    }

    #[test]
    fn no_token_is_shown() {
        let source = TokenSource::Said("wl_secret".to_owned());

        assert_eq!((source.shown(), format!("{source:?}")), ("set".to_owned(), "set".to_owned()));
    }
}
