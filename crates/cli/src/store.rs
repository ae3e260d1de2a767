//! Opens the store that was named.

use std::path::Path;
use std::sync::Arc;

use windlass::Address;
use windlass_postgres::{PostgresOptions, PostgresStore, migrate};
use windlass_remote::RemoteOptions;
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::{ErrorKind, SharedStore, StoreError};

use crate::config::{Place, Settings};
use crate::error::{CliError, ErrorCode};

/// What makes a store.
const MAKERS: &str = "`windlass enqueue`, `run` and `work` make one";

/// What was named, made if it is a store and there is none.
pub(crate) async fn open_or_make(settings: &Settings) -> Result<SharedStore, CliError> {
    match &settings.place.value {
        Place::Store(address) => make(address).await,
        Place::Server(url) => server(url, settings).await,
    }
}

/// What was named, which must be there: looking into a misspelt path or the wrong database must not make a store of it, and who
/// only looks does not change its schema either.
pub(crate) async fn open(settings: &Settings) -> Result<SharedStore, CliError> {
    match &settings.place.value {
        Place::Store(address @ Address::File(path)) => {
            check_there(path)?;
            make(address).await
        }
        Place::Store(address) => Ok(Arc::new(open_database(address).await?)),
        Place::Server(url) => server(url, settings).await,
    }
}

/// The store at `address`, made if there is none.
pub(crate) async fn make(address: &Address) -> Result<SharedStore, CliError> {
    match address.open().await {
        Ok(store) => Ok(store),
        Err(error) => Err(not_opened(address, error).await),
    }
}

/// The store behind a server.
async fn server(url: &str, settings: &Settings) -> Result<SharedStore, CliError> {
    let mut options = RemoteOptions::new(url);
    if let Some(token) = &settings.token {
        options = options.token(token.value.token()?);
    }
    if let Some(path) = &settings.ca_certificate {
        let pem = std::fs::read(&path.value).map_err(|error| CliError::unreadable(&path.value, error))?;
        options = options.ca_certificate(pem);
    }
    match options.connect().await {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(not_reached(url, error, settings.token.is_some())),
    }
}

/// Why a server is not asked, in words that fit it.
fn not_reached(url: &str, error: StoreError, has_token: bool) -> CliError {
    let is_there = !matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Incompatible);
    let error = CliError::from(error);
    if error.code == ErrorCode::Forbidden {
        return error.with_help(if has_token {
            "`windlass config show --origin` says where the token is from; `windlass tokens create` makes one, on the store"
        } else {
            "give it by WINDLASS_TOKEN (beside --url or WINDLASS_URL), or by a context with a token_command: `windlass help environment`"
        });
    }
    if is_there {
        return error;
    }
    let what = error.what();
    let help = if what.contains("peer certificate") {
        "nobody known here vouches for it: --ca-certificate FILE, or WINDLASS_CA_CERTIFICATE, names who does"
    } else {
        "start one with `windlass dev`, or point at yours: --url, WINDLASS_URL, `windlass config contexts`"
    };
    CliError::new(ErrorCode::Unreachable, format!("cannot reach the server at {url}: {what}")).with_help(help)
}

/// The file at `path`, which must be there, even if its jobs were moved.
pub(crate) async fn open_file(path: &Path) -> Result<SqliteStore, CliError> {
    check_there(path)?;
    let opened = SqliteOptions::new(path).even_if_moved().open().await;
    match opened {
        Ok(store) => Ok(store),
        Err(error) => Err(not_opened(&Address::File(path.to_owned()), error).await),
    }
}

async fn open_database(address: &Address) -> Result<PostgresStore, CliError> {
    let options = database(address)?.migrate(false);
    match options.open().await {
        Ok(store) => Ok(store),
        Err(error) => Err(not_opened(address, error).await),
    }
}

/// The database at `address`, and its schema made or renewed.
pub(crate) async fn make_database(address: &Address) -> Result<PostgresStore, CliError> {
    match database(address)?.open().await {
        Ok(store) => Ok(store),
        Err(error) => Err(not_opened(address, error).await),
    }
}

/// How to reach the database at `address`.
pub(crate) fn database(address: &Address) -> Result<PostgresOptions, CliError> {
    address.postgres_options().ok_or_else(|| {
        CliError::new(ErrorCode::Invalid, format!("{address} is a file, and no PostgreSQL database"))
            .with_help("name one as postgres://user@host/database")
    })
}

/// Why a store was not opened, in words that fit it.
pub(crate) async fn not_opened(address: &Address, error: StoreError) -> CliError {
    match (address, error.kind()) {
        (Address::File(path), ErrorKind::Incompatible) if was_moved(path).await => {
            let error = CliError::from(error);
            CliError::new(ErrorCode::StoreMoved, error.what())
                .with_help("name the new store with --store or WINDLASS_STORE; `windlass help WL0020` says more")
        }
        (Address::File(_), ErrorKind::Unavailable) => CliError::from(error)
            .with_help("is the folder there and writable, and is no other program holding the file?"),
        (Address::File(_), _) => error.into(),
        (_, ErrorKind::Incompatible) => no_schema(address, error).await,
        (_, ErrorKind::Unavailable) => CliError::from(error).with_help(format!(
            "is the server of {address} up and reachable, and are the user, the password and the database right?"
        )),
        _ => error.into(),
    }
}

async fn was_moved(path: &Path) -> bool {
    let Ok(store) = SqliteOptions::new(path).even_if_moved().open().await else { return false };
    store.moved().await.is_ok_and(|moved| moved.is_some())
}

/// A schema that is missing or too old is one thing to do, and one that is too new another.
async fn no_schema(address: &Address, error: StoreError) -> CliError {
    let Some(options) = address.postgres_options() else { return error.into() };
    match migrate::status(&options).await {
        Ok(status) if status.version.is_none() => CliError::new(
            ErrorCode::NoStore,
            format!("there is no store in {address}: it has no schema \"{}\"", status.schema),
        )
        .with_help(format!(
            "{MAKERS}, as does `windlass migrate up`; or point at yours with --store or WINDLASS_STORE"
        )),
        Ok(status) if status.version < Some(status.newest) => {
            let (schema, newest) = (&status.schema, status.newest);
            let version = status.version.unwrap_or_default();
            let what = format!(
                "the schema \"{schema}\" of {address} has version {version}, and this program needs {newest}"
            );
            CliError::new(ErrorCode::StoreOutdated, what)
                .with_help("`windlass migrate up` brings it up to date; `windlass migrate sql` prints how")
        }
        _ => error.into(),
    }
}

fn check_there(path: &Path) -> Result<(), CliError> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(CliError::new(ErrorCode::NoStore, format!("there is no store at {}", path.display()))
                .with_help(format!("{MAKERS}; or point at yours with --store, --url or --context")))
        }
        // Whatever else is wrong with it, opening it says so.
        _ => Ok(()),
    }
}
