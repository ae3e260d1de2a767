//! What a notification says, and where it is heard.

use windlass_store::ids;

use crate::sql::SCHEMA;

/// A set of things that may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Hints(u8);

impl Hints {
    /// There may be something to claim, or an attempt to stop.
    pub(super) const WORK: Self = Self(1);
    /// A job may have ended.
    pub(super) const ENDED: Self = Self(2);
    /// A job came to lie before places that were claimed already: floors must be forgotten, and there is work.
    pub(super) const FORGET: Self = Self(4);
    /// What may have been missed while nobody listened.
    pub(super) const ALL: Self = Self(7);

    /// Each with its letter on the wire.
    pub(super) const EACH: [(Self, char); 3] = [(Self::WORK, 'w'), (Self::ENDED, 'e'), (Self::FORGET, 'f')];

    pub(super) const fn of_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }

    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The longest name that the server takes for a channel.
const CHANNEL_BYTES_MAX: usize = 63;

/// Where hints are sent and heard, and by whom.
#[derive(Debug, Clone)]
pub(super) struct Address {
    channel: String,
    /// Tells what this store sent itself from what others did. The server's own number for a connection would not: hints
    /// are sent on any, and behind a pooler it is not even ours.
    sender: u64,
}

impl Address {
    pub(super) fn new(schema: &str) -> Self {
        Self { channel: channel(schema), sender: ids::nonce() }
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// The channel as it stands in a statement.
    pub(super) fn channel_quoted(&self) -> String {
        format!("\"{}\"", self.channel.replace('"', "\"\""))
    }

    /// What is sent: `we 5f3a…`.
    pub(super) fn payload(&self, hints: Hints) -> String {
        let letters: String =
            Hints::EACH.iter().filter(|(hint, _)| hints.has(*hint)).map(|(_, letter)| *letter).collect();
        format!("{letters} {:016x}", self.sender)
    }

    /// What was heard; nothing if it was said here. Letters that mean nothing to us may mean something to a newer version.
    /// No text at all, as a person or a trigger may send it, says that there is work.
    pub(super) fn heard(&self, payload: &str) -> Hints {
        let (letters, sender) = payload.split_once(' ').unwrap_or((payload, ""));
        if u64::from_str_radix(sender, 16) == Ok(self.sender) {
            return Hints::default();
        }
        if payload.is_empty() {
            return Hints::WORK;
        }
        let heard = Hints::EACH.iter().filter(|(_, letter)| letters.contains(*letter));
        heard.fold(Hints::default(), |all, (hint, _)| all.with(*hint))
    }
}

/// One channel for each schema: `windlass` for the one that is used unless another is named. Schemas so long that they share
/// one hear of each other's jobs, which costs them a look.
fn channel(schema: &str) -> String {
    if schema == SCHEMA {
        return SCHEMA.to_owned();
    }
    let name = format!("{SCHEMA}_{schema}");
    let end = (0..=CHANNEL_BYTES_MAX.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    name[..end.unwrap_or(0)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_sends_another_hears_and_itself_does_not() {
        let (one, other) = (Address::new("a"), Address::new("a"));

        for bits in 1..=7 {
            let hints = Hints::of_bits(bits);
            assert_eq!(other.heard(&one.payload(hints)), hints);
            assert!(one.heard(&one.payload(hints)).is_empty());
        }
    }

    #[test]
    fn what_others_say_is_taken_as_far_as_it_is_understood() {
        let address = Address::new("a");

        assert_eq!(address.heard(""), Hints::WORK);
        assert_eq!(address.heard("w"), Hints::WORK);
        assert_eq!(address.heard("exz 12 more"), Hints::ENDED);
        assert!(address.heard("?").is_empty());
    }

    #[test]
    fn a_channel_is_a_name_that_the_server_takes() {
        assert_eq!(channel("windlass"), "windlass");
        assert_eq!(channel("jobs"), "windlass_jobs");
        let long = channel(&"ü".repeat(60));
        assert!(long.starts_with("windlass_ü") && long.len() == CHANNEL_BYTES_MAX, "{long}");
        assert_eq!(Address::new("a\"b").channel_quoted(), "\"windlass_a\"\"b\"");
    }
}
