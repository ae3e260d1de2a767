//! What a mail address and a URL look like: enough that neither can mean two things to two readers, and no more.

use std::net::Ipv6Addr;

use crate::limits::{
    HOST_BYTES_MAX, HOST_LABEL_BYTES_MAX, MAIL_BYTES_MAX, MAIL_LOCAL_BYTES_MAX, URL_BYTES_MAX,
};

/// What stands before the `@` of a mail address unquoted, besides letters and digits.
const MAIL_MARKS: &str = "!#$%&'*+/=?^_`{|}~.-";

/// Refuses what is no plain `name@host`; says what is wrong.
pub(super) fn check_mail(address: &str) -> Result<(), String> {
    check_length(address, MAIL_BYTES_MAX)?;
    let (name, host) = address.rsplit_once('@').ok_or("has no @: expected such as ops@example.com")?;
    if name.is_empty() || name.len() > MAIL_LOCAL_BYTES_MAX {
        return Err(format!("must have 1 to {MAIL_LOCAL_BYTES_MAX} bytes before the @"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || MAIL_MARKS.contains(c);
    if let Some(wrong) = name.chars().find(|c| !allowed(*c)) {
        return Err(format!("contains {wrong:?} before the @"));
    }
    check_host_name(host)
}

/// Refuses what is no absolute `http` or `https` URL, and one that carries a name and a password.
pub(super) fn check_url(url: &str) -> Result<(), String> {
    check_length(url, URL_BYTES_MAX)?;
    if let Some(wrong) = url.chars().find(|c| !c.is_ascii_graphic() || "\\\"<>^`{|}".contains(*c)) {
        return Err(format!("contains {wrong:?}, which a URL has only encoded"));
    }
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or("must begin with https:// or http://")?;
    if rest.contains('#') {
        return Err("has a fragment, which is never sent".to_owned());
    }
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    if authority.contains('@') {
        return Err("must not carry a user name or a password: a notice is signed instead".to_owned());
    }
    check_authority(authority)
}

/// A host, and perhaps a port.
fn check_authority(authority: &str) -> Result<(), String> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("has a [ without a ]")?;
        host.parse::<Ipv6Addr>().map_err(|_| format!("has no IPv6 address in its brackets: {host:?}"))?;
        (None, rest)
    } else {
        let end = authority.find(':').unwrap_or(authority.len());
        (Some(&authority[..end]), &authority[end..])
    };
    host.map_or(Ok(()), check_host_name)?;
    if port.is_empty() {
        return Ok(());
    }
    let digits = port.strip_prefix(':').ok_or("has something other than a port behind its host")?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse::<u16>() {
        Ok(1..) if is_number => Ok(()),
        _ => Err(format!("has the port {digits:?}; it runs from 1 to 65535")),
    }
}

/// A name of labels with dots between them. An address of four numbers is one too, by its looks.
fn check_host_name(host: &str) -> Result<(), String> {
    if host.is_empty() {
        return Err("has no host".to_owned());
    }
    if host.len() > HOST_BYTES_MAX {
        return Err(format!("has a host of {} bytes; at most {HOST_BYTES_MAX} are allowed", host.len()));
    }
    let good = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=HOST_LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.split('.').all(good) { Ok(()) } else { Err(format!("has {host:?} for a host, which is no name")) }
}

fn check_length(text: &str, bytes_max: usize) -> Result<(), String> {
    if text.len() > bytes_max {
        return Err(format!("is {} bytes long; at most {bytes_max} are allowed", text.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_and_urls_pass() {
        for address in ["ops@example.com", "o'neil+jobs@mail.example.co.uk", "root@localhost"] {
            assert_eq!(check_mail(address), Ok(()), "{address}");
        }
        for url in [
            "https://hooks.example.com",
            "https://hooks.example.com/a/b?token=%20x&y=1",
            "http://localhost:8080/",
            "http://127.0.0.1:9/x",
            "https://[2001:db8::1]:8443/x",
            "https://a_b.example.com?x=user@host",
        ] {
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for address in [
            "",
            "ops",
            "@example.com",
            "ops@",
            "a b@example.com",
            "a@b@example.com",
            "ops@example.com\r\nBcc: all@example.com",
            "<ops@example.com>",
            "a,b@example.com",
            "ops@example..com",
            "ops@-example.com",
            "ops@exämple.com",
            "größe@example.com",
            long.as_str(),
        ] {
            assert!(check_mail(address).is_err(), "{address}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        let long = format!("https://example.com/{}", "a".repeat(URL_BYTES_MAX));
        for url in [
            "",
            "example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://",
            "https:///path",
            "https://user:secret@example.com/",
            "https://user@example.com/",
            "https://example.com#part",
            "https://example.com/a b",
            "https://example.com/\r\nHost: other",
            "https://example.com\\@other.example",
            "https://example.com:0/",
            "https://example.com:65536/",
            "https://example.com:+80/",
            "https://example.com:/",
            "https://[::1/",
            "https://[fe80::1%25eth0]/",
            "https://[::1]x/",
            "https://exa%6dple.com/",
            "https://example.com./",
            "https://exämple.com/",
            long.as_str(),
        ] {
            assert!(check_url(url).is_err(), "{url}");
        }
    }
}
