//! The same database by another way.

use tokio_postgres::Config;
use windlass_core::Invalid;

use super::cause;

/// The same database, asked for in the same way, at other servers: `host:port`, or several of them with commas between.
pub(crate) fn elsewhere(config: &Config, servers: &str) -> Result<Config, Invalid> {
    let why = |why: String| Invalid::new("listen", format!("must be host:port of the server itself: {why}"));
    if servers.is_empty() || servers.contains(['/', '@', '?', '%']) {
        return Err(why(format!("{servers:?}")));
    }
    let mut other = format!("postgres://{servers}").parse::<Config>().map_err(|error| why(cause(&error)))?;
    if let Some(user) = config.get_user() {
        other.user(user);
    }
    if let Some(password) = config.get_password() {
        other.password(password);
    }
    if let Some(database) = config.get_dbname() {
        other.dbname(database);
    }
    if let Some(name) = config.get_application_name() {
        other.application_name(name);
    }
    if let Some(bound) = config.get_connect_timeout() {
        other.connect_timeout(*bound);
    }
    if let Some(bound) = config.get_tcp_user_timeout() {
        other.tcp_user_timeout(*bound);
    }
    if let Some(every) = config.get_keepalives_interval() {
        other.keepalives_interval(every);
    }
    if let Some(times) = config.get_keepalives_retries() {
        other.keepalives_retries(times);
    }
    other
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs());
    Ok(other)
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::SslMode;

    use super::*;
    use crate::address::{Address, Place};

    #[test]
    fn the_same_database_is_asked_for_elsewhere_in_the_same_way() {
        let address = Address::parse(
            "postgres://me:secret@pooler:6432/app?pooled=true&listen=db:5433&sslmode=require&application_name=mail&\
             connect_timeout=3",
        );
        let address = address.unwrap();
        let other = elsewhere(&address.config, address.listen.as_deref().unwrap()).unwrap();

        assert_eq!(Place::of(&other, "jobs").to_string(), "postgres://db:5433/app");
        assert_eq!((other.get_user(), other.get_password()), (Some("me"), Some(&b"secret"[..])));
        assert_eq!((other.get_ssl_mode(), other.get_application_name()), (SslMode::Require, Some("mail")));
        assert_eq!(other.get_connect_timeout(), address.config.get_connect_timeout());
        for nowhere in ["", "db:port", "me@db", "db/app", "postgres://db"] {
            let error = elsewhere(&address.config, nowhere).map(drop).unwrap_err();
            assert_eq!(error.field, "listen", "{nowhere}");
        }
    }
}
