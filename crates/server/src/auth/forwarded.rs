//! Where a request comes from that a proxy passed on.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where the request really comes from: `peer`, unless that is one of `proxies`, which are believed what they say. Of a row of
/// addresses the last that is not a proxy's counts: what stands before it anybody could have written.
pub(super) fn client(headers: &HeaderMap, peer: IpAddr, proxies: &[IpAddr]) -> IpAddr {
    if !proxies.contains(&peer) {
        return peer;
    }
    let said = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let row: Vec<&str> = said.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut client = peer;
    for said in row.iter().rev() {
        // What is no address ends what can be believed.
        let Ok(address) = said.parse() else { break };
        client = address;
        if !proxies.contains(&address) {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_is_believed_and_only_the_last_of_what_it_says() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxies = [ip("10.0.0.1"), ip("10.0.0.2")];
        let from = |peer: &str, said: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_FOR, said.parse().unwrap());
            client(&headers, ip(peer), &proxies)
        };

        assert_eq!(from("9.9.9.9", "1.2.3.4"), ip("9.9.9.9"));
        assert_eq!(from("10.0.0.1", "6.6.6.6, 1.2.3.4"), ip("1.2.3.4"));
        assert_eq!(from("10.0.0.1", "1.2.3.4, 10.0.0.2"), ip("1.2.3.4"));
        assert_eq!(from("10.0.0.1", "1.2.3.4, nonsense"), ip("10.0.0.1"));
        assert_eq!(client(&HeaderMap::new(), ip("10.0.0.1"), &proxies), ip("10.0.0.1"));
    }
}
