//! As much of a connection URL as is needed to name another database.

use std::fmt::Write as _;

/// The same URL with `name` for its database.
pub(crate) fn with_database(url: &str, name: &str) -> String {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = |from: usize, marks: &[char]| url[from..].find(marks).map_or(url.len(), |at| from + at);
    let path = end(authority, &['/', '?']);
    let query = end(path, &['?']);
    format!("{}/{name}{}", &url[..path], &url[query..])
}

/// `bytes` as they may stand anywhere in a URL.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_changes() {
        for (url, expected) in [
            ("postgres://u@127.0.0.1:5432/postgres", "postgres://u@127.0.0.1:5432/x"),
            ("postgres://u:p%2F@h", "postgres://u:p%2F@h/x"),
            ("postgresql://h?sslmode=disable", "postgresql://h/x?sslmode=disable"),
            ("postgres://u@%2Ftmp%2Fa:1/postgres?a=/b/c", "postgres://u@%2Ftmp%2Fa:1/x?a=/b/c"),
            ("postgres:///postgres?host=/tmp", "postgres:///x?host=/tmp"),
        ] {
            assert_eq!(with_database(url, "x"), expected);
        }
    }

    #[test]
    fn what_means_something_in_a_url_is_encoded() {
        assert_eq!(encoded(b"/tmp/a-b_c.d"), "%2Ftmp%2Fa-b_c.d");
        assert_eq!(encoded("p@ß:%".as_bytes()), "p%40%C3%9F%3A%25");
    }
}
