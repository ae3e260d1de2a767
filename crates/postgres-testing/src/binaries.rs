//! Where the programs of PostgreSQL lie on this machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// Names the folder of the programs, before every other place.
const OVERRIDE: &str = "WINDLASS_POSTGRES_BIN";

/// Folders that have one installation for each major version, as `<folder>/<version><rest>`.
const VERSIONED: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
];

/// The programs of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// The programs of `$WINDLASS_POSTGRES_BIN`, else those on the path, else those of the newest major version in the
    /// places where systems put them.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], with what to install.
    pub fn find() -> Result<Self, Error> {
        if let Some(folder) = env::var_os(OVERRIDE) {
            return Self::in_folder(Path::new(&folder));
        }
        let places = on_path().into_iter().chain(versioned());
        let found = places.into_iter().find_map(|folder| Self::in_folder(&folder).ok());
        found.ok_or_else(|| Error::Missing { looked: "is on the path or in a usual place".to_owned() })
    }

    /// The programs in `folder`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when it has not all that is needed: `postgres`, `initdb` and `psql`.
    pub fn in_folder(folder: &Path) -> Result<Self, Error> {
        let found = Self { folder: folder.to_path_buf() };
        let all = [found.postgres(), found.initdb(), found.psql()];
        if all.iter().all(|program| program.is_file()) {
            return Ok(found);
        }
        Err(Error::Missing { looked: format!("with `initdb` and `psql` is in {}", folder.display()) })
    }

    /// The server.
    #[must_use]
    pub fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    /// What makes an empty cluster.
    #[must_use]
    pub fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    /// The client.
    #[must_use]
    pub fn psql(&self) -> PathBuf {
        self.folder.join("psql")
    }

    /// The folder with all of them.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Where the servers on the path really lie. A link to one often has no client beside it, or a wrapper that looks for
/// clusters of its own.
fn on_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let servers = env::split_paths(&path).filter_map(|folder| folder.join("postgres").canonicalize().ok());
    servers.filter_map(|server| Some(server.parent()?.to_path_buf())).collect()
}

/// Every usual place with its version, the newest first.
fn versioned() -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> =
        VERSIONED.iter().flat_map(|place| in_place(Path::new(place.0), place.1, place.2)).collect();
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn in_place(parent: &Path, before: &str, after: &str) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let entries = entries.filter_map(Result::ok);
    let versions = entries.filter_map(|entry| {
        let version = entry.file_name().to_str()?.strip_prefix(before)?.parse().ok()?;
        Some((version, entry.path().join(after)))
    });
    versions.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_only_what_is_named_like_a_version() {
        let parent = env::temp_dir().join(format!("windlass-binaries-{}", std::process::id()));
        for name in ["pgsql-9", "pgsql-15", "pgsql-x", "16"] {
            fs::create_dir_all(parent.join(name)).unwrap();
        }

        let mut found = in_place(&parent, "pgsql-", "bin");
        found.sort();

        fs::remove_dir_all(&parent).unwrap();
        assert_eq!(found, [(9, parent.join("pgsql-9/bin")), (15, parent.join("pgsql-15/bin"))]);
        assert!(in_place(&parent, "pgsql-", "bin").is_empty());
    }
}
