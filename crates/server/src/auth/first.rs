//! The first token: who may do everything, on the machine that the server was started on.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use windlass_store::{Actor, ErrorKind, NewToken, Role, Secret, SharedStore, StoreError};

/// Who makes it, in the audit.
const MAKER: &str = "windlass.server";

/// Longest file that is read: a token and a line's end, and some room for blanks.
const BYTES_MAX: u64 = 1024;

/// A token for everything, in a file that nobody else may read.
#[derive(Debug)]
pub struct FirstToken {
    /// The token.
    pub secret: Secret,
    /// Whether it was made now.
    pub made: bool,
}

/// Why there is no first token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FirstTokenError {
    /// The file cannot be read or written.
    #[error("could not keep the first token in {}", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// Others may read the file.
    #[error("others may read {}, which holds a token for everything: run `chmod 600 {}`", .0.display(), .0.display())]
    Readable(PathBuf),
    /// What the file holds is no token.
    #[error("{} holds no token: move it away, and a new one is made", .0.display())]
    NoToken(PathBuf),
    /// The token lets nobody in.
    #[error("the token in {} was revoked or has expired: move the file away, and a new one is made", .0.display())]
    Outdated(PathBuf),
    /// The store did not keep it.
    #[error("could not keep the first token")]
    Store(#[from] StoreError),
}

impl FirstToken {
    /// The token in the file at `path`. Where there is no file, one is made, which only its owner may read; where the store
    /// does not know the token, it is told.
    ///
    /// The token has the roles `admin` and `worker`, for all queues, and does not expire: it is for those who can read the
    /// machine's files anyway.
    ///
    /// # Errors
    ///
    /// [`FirstTokenError`].
    pub async fn at(store: &SharedStore, path: &Path) -> Result<Self, FirstTokenError> {
        let file = |error| FirstTokenError::File(path.to_owned(), error);
        let (secret, made) = match write_new(path) {
            Ok(secret) => (secret, true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (read(path)?, false),
            Err(error) => return Err(file(error)),
        };
        match store.token(secret.id()).await {
            Ok(token) if token.revoked_at.is_none() && token.made.hash.is_of(&secret) => {}
            Ok(_) => return Err(FirstTokenError::Outdated(path.to_owned())),
            Err(error) if *error.kind() == ErrorKind::NotFound => keep(store, &secret).await?,
            Err(error) => return Err(error.into()),
        }
        Ok(Self { secret, made })
    }
}

async fn keep(store: &SharedStore, secret: &Secret) -> Result<(), StoreError> {
    let token = |name: String| NewToken::new(secret, name, [Role::Admin, Role::Worker]);
    let by = || Actor::new(MAKER).because("there was no token yet");
    match store.create_token(token("admin".to_owned()), by()).await {
        // The file of an earlier one was moved away.
        Err(error) if matches!(error.kind(), ErrorKind::Invalid(invalid) if invalid.field == "name") => {
            store.create_token(token(format!("admin {}", secret.id())), by()).await
        }
        answer => answer,
    }
}

/// Writes a fresh token to a file that is not there yet.
fn write_new(path: &Path) -> io::Result<Secret> {
    let secret = Secret::draw();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = writeln!(file, "{}", secret.reveal()).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half a token would have to be cleared away by a person.
        let _ = std::fs::remove_file(path);
        return Err(error);
    }
    Ok(secret)
}

fn read(path: &Path) -> Result<Secret, FirstTokenError> {
    let failed = |error| FirstTokenError::File(path.to_owned(), error);
    let file = File::open(path).map_err(failed)?;
    check_private(&file, path)?;
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Secret::parse(text.trim()).ok_or_else(|| FirstTokenError::NoToken(path.to_owned()))
}

#[cfg(unix)]
fn check_private(file: &File, path: &Path) -> Result<(), FirstTokenError> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = file.metadata().map_err(|error| FirstTokenError::File(path.to_owned(), error))?;
    let for_others = metadata.permissions().mode() & 0o077;
    if for_others == 0 {
        return Ok(());
    }
    Err(FirstTokenError::Readable(path.to_owned()))
}

#[cfg(not(unix))]
const fn check_private(_: &File, _: &Path) -> Result<(), FirstTokenError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use windlass_memory::MemoryStore;

    use super::*;

    fn store() -> SharedStore {
        Arc::new(MemoryStore::new())
    }

    #[tokio::test]
    async fn the_first_token_is_made_once_and_nobody_else_may_read_it() {
        let (folder, store) = (tempfile::tempdir().unwrap(), store());
        let path = folder.path().join("app.db.token");

        let first = FirstToken::at(&store, &path).await.unwrap();
        let again = FirstToken::at(&store, &path).await.unwrap();

        assert!(first.made && !again.made);
        assert_eq!(first.secret.reveal(), again.secret.reveal());
        let token = store.token(first.secret.id()).await.unwrap();
        assert_eq!((token.made.roles, token.made.expires_at), (vec![Role::Admin, Role::Worker], None));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn a_store_that_does_not_know_the_token_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let first = FirstToken::at(&store(), &path).await.unwrap();

        let other = store();
        FirstToken::at(&other, &path).await.unwrap();

        assert!(other.token(first.secret.id()).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_no_good_token_is_refused_with_what_to_do() {
        let (folder, store) = (tempfile::tempdir().unwrap(), store());
        let path = folder.path().join("token");
        let first = FirstToken::at(&store, &path).await.unwrap();
        store.revoke_token(first.secret.id(), Actor::new("ada")).await.unwrap();
        let told = async || FirstToken::at(&store, &path).await.unwrap_err().to_string();
        assert!(told().await.contains("was revoked"));

        std::fs::write(&path, "hello").unwrap();
        assert!(told().await.contains("holds no token"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(told().await.contains("chmod 600"));
        }
        std::fs::remove_file(&path).unwrap();
        assert!(FirstToken::at(&store, &path).await.unwrap().made, "beside the one that was revoked");
    }
}
