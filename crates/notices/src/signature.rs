//! How a webhook shows that it is ours: the signatures of [Standard Webhooks](https://www.standardwebhooks.com), version 1.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use windlass_core::{Invalid, Timestamp};

/// How many bytes a secret has: enough that it cannot be guessed, and no more than a hash takes in.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What both sides know and nobody else. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Reads `whsec_` and 24 to 64 bytes in Base64, as in `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`.
    ///
    /// # Errors
    ///
    /// `Invalid(notices.secret)`, without the secret.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let bytes = text.strip_prefix("whsec_").and_then(|text| BASE64.decode(text).ok());
        match bytes {
            Some(bytes) if SECRET_BYTES.contains(&bytes.len()) => Ok(Self(bytes)),
            Some(bytes) => Err(invalid(&format!("has {} bytes", bytes.len()))),
            None => Err(invalid("cannot be read")),
        }
    }

    fn mac(&self, id: &str, seconds: u64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length will do");
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        mac
    }

    /// The signature of `body`, sent under `id` at `seconds` since 1970.
    pub(crate) fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> String {
        format!("v1,{}", BASE64.encode(self.mac(id, seconds, body).finalize().into_bytes()))
    }
}

fn invalid(problem: &str) -> Invalid {
    Invalid::new("notices.secret", format!("{problem}: expected whsec_ and 24 to 64 bytes in Base64"))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// How old a webhook may be when it is checked, or how far the clocks of the two sides may be apart: what the standard
/// recommends.
const AGE_MAX: Duration = Duration::from_secs(5 * 60);

/// What a webhook says of its origin, for a receiver in Rust.
///
/// ```
/// use windlass_core::Timestamp;
/// use windlass_notices::{Secret, Signed};
///
/// let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
/// let signed = Signed {
///     id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
///     timestamp: "1614265330",
///     signatures: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
/// };
/// let now: Timestamp = "2021-02-25T15:03:00Z".parse().unwrap();
///
/// assert!(signed.is_by(&secret, br#"{"test": 2432232314}"#, now));
/// assert!(!signed.is_by(&secret, b"{}", now));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed<'a> {
    /// The header `webhook-id`. The same for every attempt to deliver the same notice.
    pub id: &'a str,
    /// The header `webhook-timestamp`.
    pub timestamp: &'a str,
    /// The header `webhook-signature`.
    pub signatures: &'a str,
}

impl Signed<'_> {
    /// Whether someone who knows `secret` sent `body` under these headers, within five minutes of `now`.
    ///
    /// Takes as long for a wrong signature as for a right one.
    #[must_use]
    pub fn is_by(&self, secret: &Secret, body: &[u8], now: Timestamp) -> bool {
        let Ok(seconds) = self.timestamp.parse::<u64>() else { return false };
        if seconds.abs_diff(now.since(Timestamp::MIN).as_secs()) > AGE_MAX.as_secs() {
            return false;
        }
        let given = self.signatures.split(' ').filter_map(|one| BASE64.decode(one.strip_prefix("v1,")?).ok());
        let mut good = given.filter(|bytes| secret.mac(self.id, seconds, body).verify_slice(bytes).is_ok());
        good.next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::MIN.after(Duration::from_secs(seconds))
    }

    fn secret(letter: char) -> Secret {
        Secret::new(&format!("whsec_{}", letter.to_string().repeat(32))).unwrap()
    }

    #[test]
    fn the_example_of_the_standard_has_the_signature_it_says() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();

        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);

        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn nothing_may_be_changed() {
        let signatures = secret('A').sign("id", 1_000, b"body");
        let good = |secret: Secret, id, timestamp, body: &[u8], now| {
            Signed { id, timestamp, signatures: &signatures }.is_by(&secret, body, at(now))
        };

        assert!(good(secret('A'), "id", "1000", b"body", 1_300));
        assert!(good(secret('A'), "id", "1000", b"body", 700));
        assert!(!good(secret('B'), "id", "1000", b"body", 1_000));
        assert!(!good(secret('A'), "other", "1000", b"body", 1_000));
        assert!(!good(secret('A'), "id", "1001", b"body", 1_000));
        assert!(!good(secret('A'), "id", "1000", b"bodY", 1_000));
        assert!(!good(secret('A'), "id", "1000", b"body", 1_301));
        assert!(!good(secret('A'), "id", "soon", b"body", 1_000));
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        let both = format!("{} {}", secret('A').sign("id", 1, b""), secret('B').sign("id", 1, b""));
        let signed = |signatures| Signed { id: "id", timestamp: "1", signatures };

        assert!(signed(&both).is_by(&secret('B'), b"", at(1)));
        assert!(!signed(&both).is_by(&secret('C'), b"", at(1)));
        assert!(!signed("v1, v2,x nothing").is_by(&secret('A'), b"", at(1)));
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_told() {
        for text in ["", "sesame", "whsec_", "whsec_c2VzYW1l", "whsec_!!!!"] {
            let invalid = Secret::new(text).unwrap_err();
            assert_eq!(invalid.field, "notices.secret");
            let given = text.trim_start_matches("whsec_");
            assert!(given.is_empty() || !invalid.problem.contains(given), "{}", invalid.problem);
        }
        assert_eq!(format!("{:?}", secret('A')), "Secret(***)");
    }
}
