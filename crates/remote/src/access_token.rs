//! What lets somebody in, and must not be printed.

use std::fmt;

use hyper::header::HeaderValue;
use windlass_core::Invalid;

/// A token of access, as its owner has it: `wl_…`. Shown nowhere: neither by `{:?}` nor by `{}`.
///
/// ```
/// use windlass_remote::AccessToken;
///
/// let token = AccessToken::new("wl_0123456789abcdef_secret");
/// assert_eq!(format!("{token} {token:?}"), "*** AccessToken(***)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// This one. Blanks around it are none of it.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim().to_owned())
    }

    /// The header that shows it.
    pub(crate) fn header(&self) -> Result<HeaderValue, Invalid> {
        let wrong = |_| Invalid::new("token", "has a character in it that no token has");
        let mut header = HeaderValue::from_str(&format!("Bearer {}", self.0)).map_err(wrong)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl fmt::Display for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(***)")
    }
}

impl From<&str> for AccessToken {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for AccessToken {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_shown_by_its_header_either() {
        let header = AccessToken::new(" wl_secret\n").header().unwrap();

        assert_eq!(header, "Bearer wl_secret");
        assert!(!format!("{header:?}").contains("secret"));
        assert_eq!(AccessToken::new("a\nb").header().unwrap_err().field, "token");
    }
}
