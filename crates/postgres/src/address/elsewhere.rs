//! The same database by another way.

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use windlass_core::Invalid;

/// Servers as in `host:port`, or several of them with commas between, and nothing else of a database.
///
/// What is refused is not told again: it may be a whole address, with its password.
pub(crate) fn other_servers(text: &str) -> Result<Config, Invalid> {
    let invalid = || Invalid::new("listen", "must be host:port of the server itself, such as db:5432");
    let is_more = |c: char| c.is_whitespace() || ['/', '@', '?', '%', '='].contains(&c);
    if text.contains(is_more) {
        return Err(invalid());
    }
    let servers = format!("postgres://{text}").parse::<Config>().map_err(|_| invalid())?;
    let is_named = |host: &Host| !matches!(host, Host::Tcp(name) if name.is_empty());
    let hosts = servers.get_hosts();
    if hosts.is_empty() || !hosts.iter().all(is_named) { Err(invalid()) } else { Ok(servers) }
}

/// The same database, asked for in the same way, at other servers; encrypted as was asked for, though the way of `config` may
/// be one on which nothing is.
pub(crate) fn elsewhere(config: &Config, ssl_mode: SslMode, servers: &Config) -> Config {
    let mut other = servers.clone();
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
    if let Some(options) = config.get_options() {
        other.options(options);
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
        .ssl_mode(ssl_mode)
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs());
    other
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Address, Place};

    fn listening(url: &str) -> Config {
        let address = Address::parse(url).unwrap();
        elsewhere(&address.config, address.ssl_mode, &address.listen.unwrap())
    }

    #[test]
    fn the_same_database_is_asked_for_elsewhere_in_the_same_way() {
        let other = listening(
            "postgres://me:secret@pooler:6432/app?pooled=true&listen=db:5433&sslmode=require&application_name=mail&\
             connect_timeout=3",
        );

        assert_eq!(Place::of(&other, "jobs").to_string(), "postgres://db:5433/app");
        assert_eq!((other.get_user(), other.get_password()), (Some("me"), Some(&b"secret"[..])));
        assert_eq!((other.get_ssl_mode(), other.get_application_name()), (SslMode::Require, Some("mail")));
        assert_eq!(other.get_connect_timeout(), Some(&std::time::Duration::from_secs(3)));
    }

    #[test]
    fn a_pooler_on_this_machine_does_not_take_away_the_encryption_of_the_server() {
        let other = listening(
            "host=/run/pgbouncer user=me dbname=app pooled=true sslmode=verify-full listen=db:5432",
        );

        assert_eq!(other.get_ssl_mode(), SslMode::Require);
    }

    #[test]
    fn what_is_no_server_is_refused_and_not_told() {
        for text in [
            "",
            ":5432",
            "db:secret",
            "me:secret@db",
            "postgres://me:secret@db",
            "host=db password=secret",
            "db/secret",
        ] {
            let error = other_servers(text).map(drop).unwrap_err();

            assert_eq!(error.field, "listen", "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
