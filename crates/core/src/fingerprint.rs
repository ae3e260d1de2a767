//! Errors that are the same but for what changes from one time to the next.
//!
//! A message says `user 4711 not found` and then `user 4712 not found`. Without its numbers, ids, texts in quotes, paths and
//! addresses it says the same each time; together with the kind of the job and the type of the error that is what errors are
//! counted by.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::attempt::safe_text;
use crate::limits::ERROR_GROUP_MESSAGE_BYTES_MAX;
use crate::{AttemptError, AttemptOutcome, Invalid, KindName};

/// What the errors of a group have in common, as a short number: sixteen hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// That of errors of jobs of this kind that are the same as `error`.
    #[must_use]
    pub fn of(kind: &KindName, error: &AttemptError) -> Self {
        let class = error.class.as_deref().unwrap_or_default();
        let mut hash = Sha256::new_with_prefix(b"windlass error\0");
        for part in [kind.as_str(), class, &normalised(&error.message)] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        Self(digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The fingerprint that stores keep as this number.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number.cast_unsigned())
    }

    /// The number that stores keep.
    #[must_use]
    pub const fn as_number(self) -> i64 {
        self.0.cast_signed()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:016x}", self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_whole = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| is_whole);
        number.map(Self).ok_or_else(|| {
            Invalid::new("fingerprint", "is no fingerprint: expected sixteen hexadecimal digits")
        })
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|invalid: Invalid| serde::de::Error::custom(invalid.problem))
    }
}

impl AttemptOutcome {
    /// Whether an attempt that ended so is counted among the errors.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Lost)
    }
}

/// The message without what changes from one time to the next.
#[must_use]
pub fn normalised(message: &str) -> String {
    let mut plain = String::with_capacity(message.len());
    let unquoted = without_quotes(message);
    for word in unquoted.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        add_word(&mut plain, word);
        if plain.len() > ERROR_GROUP_MESSAGE_BYTES_MAX {
            break;
        }
    }
    safe_text(&plain, ERROR_GROUP_MESSAGE_BYTES_MAX)
}

/// The text with `<text>` for each part in quotes. A quote within a word, as in `don't`, is none.
fn without_quotes(message: &str) -> String {
    let mut plain = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(opening) = rest.find(['"', '\'', '`']) {
        let (before, quoted) = rest.split_at(opening);
        let quote = &quoted[..1];
        let opens = !before.ends_with(char::is_alphanumeric);
        plain.push_str(before);
        if let Some(length) = quoted[1..].find(quote).filter(|_| opens) {
            plain.push_str("<text>");
            rest = &quoted[length + 2..];
        } else {
            plain.push_str(quote);
            rest = &quoted[1..];
        }
    }
    plain + rest
}

fn add_word(plain: &mut String, word: &str) {
    const AROUND: [char; 13] = [',', '.', ';', ':', '!', '?', '(', ')', '[', ']', '{', '}', '='];
    let core = word.trim_matches(AROUND);
    let start = word.find(core).unwrap_or(0);
    let (before, after) = (&word[..start], &word[start + core.len()..]);
    plain.push_str(before);
    match stand_in(core) {
        Some(stand_in) => plain.push_str(stand_in),
        None => add_without_numbers(plain, core),
    }
    plain.push_str(after);
}

/// What stands for a word that is different each time.
fn stand_in(word: &str) -> Option<&'static str> {
    let is_address = |word: &str| {
        let host = word.rsplit_once(':').map_or(word, |(host, _)| host);
        word.parse::<IpAddr>().is_ok() || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
    };
    if word.contains("://") {
        return Some("<url>");
    }
    if is_address(word)
        || word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    {
        return Some("<address>");
    }
    let is_path = |word: &str| word.starts_with(['/', '~']) || word.starts_with("./") || word.contains(":\\");
    if word.len() > 1 && is_path(word) {
        return Some("<path>");
    }
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let is_hex = |word: &str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if uuid::Uuid::try_parse(word).is_ok() {
        return Some("<id>");
    }
    let is_long = digits.len() >= 8 && digits.bytes().any(|byte| byte.is_ascii_digit());
    if !digits.is_empty()
        && is_hex(digits)
        && (digits.len() < word.len() || (is_long && digits.bytes().any(|byte| byte.is_ascii_alphabetic())))
    {
        return Some("<hex>");
    }
    None
}

/// The word with `<n>` for each number in it.
fn add_without_numbers(plain: &mut String, word: &str) {
    let mut in_number = false;
    for c in word.chars() {
        if !c.is_ascii_digit() {
            plain.push(c);
        } else if !in_number {
            plain.push_str("<n>");
        }
        in_number = c.is_ascii_digit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_each_time_is_taken_out() {
        for (message, plain) in [
            ("user 4711 not found", "user <n> not found"),
            ("took 3.25s, at most 10s", "took <n>.<n>s, at most <n>s"),
            ("no row \"ada's\" in 'users'", "no row <text> in <text>"),
            ("it doesn't say `why'", "it doesn't say `why'"),
            ("open /var/lib/x/7.db: denied", "open <path>: denied"),
            ("GET https://a.example/7?x=1 failed", "GET <url> failed"),
            ("connect 10.0.0.7:5432 failed", "connect <address> failed"),
            ("mail to ada@example.com bounced", "mail to <address> bounced"),
            ("job 0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11 at 0x7ffe deadbeef99", "job <id> at <hex> <hex>"),
            ("  many\n blanks\t", "many blanks"),
            ("", ""),
        ] {
            assert_eq!(normalised(message), plain, "{message}");
        }
    }

    #[test]
    fn the_same_error_has_the_same_fingerprint_and_others_have_others() {
        let kind = |name: &str| KindName::new(name).unwrap();
        let of = |name, class: &str, message| {
            let error = AttemptError::new(message);
            let error = if class.is_empty() { error } else { error.with_class(class) };
            Fingerprint::of(&kind(name), &error)
        };
        let one = of("mail", "io", "user 1 not found");

        assert_eq!(one, of("mail", "io", "user 22 not found"));
        for other in [
            of("post", "io", "user 1 not found"),
            of("mail", "db", "user 1 not found"),
            of("mail", "io", "gone"),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(one.to_string().parse(), Ok(one));
        assert_eq!(Fingerprint::from_number(one.as_number()), one);
        assert!("7".parse::<Fingerprint>().is_err() && "+000000000000007".parse::<Fingerprint>().is_err());
    }

    #[test]
    fn no_text_is_too_strange_or_too_long() {
        for text in ["\"", "'''", "ü'ü\"ü", "=(", &"é\"".repeat(5_000), &"x7 ".repeat(5_000)] {
            assert!(normalised(text).len() <= ERROR_GROUP_MESSAGE_BYTES_MAX, "{}", text.len());
        }
    }
}
