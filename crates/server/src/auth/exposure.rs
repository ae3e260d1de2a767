//! Where the server may listen.

use std::fmt;
use std::net::SocketAddr;

/// Why the server does not listen where it was told to: tokens and payloads could be read on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposure(SocketAddr);

impl Exposure {
    /// Refuses an address that other machines reach, where nothing encrypts what they send: neither the server nor a proxy
    /// before it.
    ///
    /// # Errors
    ///
    /// The refusal, which says what to add.
    pub const fn check(listen: SocketAddr, encrypted: bool, behind_proxy: bool) -> Result<(), Self> {
        if listen.ip().is_loopback() || encrypted || behind_proxy {
            return Ok(());
        }
        Err(Self(listen))
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "other machines reach {}, and tokens would be sent there in the clear: add --tls-cert and --tls-key, or \
             --behind-proxy ADDRESS for a proxy that encrypts, or listen on 127.0.0.1",
            self.0
        )
    }
}

impl std::error::Error for Exposure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_over_a_network_in_the_clear() {
        let check = |listen: &str, tls, proxy| Exposure::check(listen.parse().unwrap(), tls, proxy);

        assert!(check("127.0.0.1:7117", false, false).is_ok() && check("[::1]:7117", false, false).is_ok());
        for open in ["0.0.0.0:7117", "[::]:7117", "10.0.0.1:7117"] {
            let refusal = check(open, false, false).unwrap_err().to_string();
            assert!(refusal.contains("--tls-cert") && refusal.contains("--behind-proxy"), "{refusal}");
            assert!(check(open, true, false).is_ok() && check(open, false, true).is_ok());
        }
    }
}
