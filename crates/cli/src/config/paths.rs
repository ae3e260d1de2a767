//! Where configuration lies, and where servers of this machine say that they run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{CliError, ErrorCode};

/// A project's file, looked for in the working folder and in those above it.
pub(crate) const PROJECT_FILE: &str = "windlass.toml";

/// What the environment says of folders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folders {
    /// Where the command was started.
    pub(crate) working: PathBuf,
    pub(crate) home: Option<PathBuf>,
    pub(crate) config_home: Option<PathBuf>,
    pub(crate) state_home: Option<PathBuf>,
    pub(crate) runtime: Option<PathBuf>,
}

impl Folders {
    /// Those of this process. What is set to nothing, or to a relative path, is not set: so say the rules for these
    /// variables.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        Self {
            working: std::env::current_dir().unwrap_or_default(),
            home: absolute("HOME"),
            config_home: absolute("XDG_CONFIG_HOME"),
            state_home: absolute("XDG_STATE_HOME"),
            runtime: absolute("XDG_RUNTIME_DIR"),
        }
    }

    /// The folder of this user's configuration.
    pub(crate) fn config(&self) -> Option<PathBuf> {
        let base = self.config_home.clone().or_else(|| Some(self.home.as_ref()?.join(".config")));
        base.map(|base| base.join("windlass"))
    }

    /// This user's configuration file, be it there or not.
    pub(crate) fn user_file(&self) -> Option<PathBuf> {
        self.config().map(|folder| folder.join("config.toml"))
    }

    /// The same, where one is needed.
    ///
    /// # Errors
    ///
    /// When the environment names no home.
    pub(crate) fn user_file_needed(&self) -> Result<PathBuf, CliError> {
        self.user_file().ok_or_else(no_home)
    }

    /// The project's file that is nearest to the working folder, if there is one.
    pub(crate) fn project_file(&self) -> Option<PathBuf> {
        let own = self.user_file();
        let candidates = self.working.ancestors().map(|folder| folder.join(PROJECT_FILE));
        candidates.filter(|path| Some(path) != own.as_ref()).find(|path| path.is_file())
    }

    /// Where servers say that they run.
    pub(crate) fn servers(&self) -> Option<PathBuf> {
        let state = || self.state_home.clone().or_else(|| Some(self.home.as_ref()?.join(".local/state")));
        self.runtime.clone().or_else(state).map(|base| base.join("windlass"))
    }
}

fn no_home() -> CliError {
    CliError::new(
        ErrorCode::Local,
        "there is no configuration folder: neither XDG_CONFIG_HOME nor HOME is set",
    )
    .with_help("set one of them to an absolute path")
}

/// A path of a file, read from where that file lies. Addresses of databases and servers are no paths.
pub(super) fn beside(file: &Path, named: &str) -> PathBuf {
    let is_address = named.contains("://") || named.starts_with("postgres");
    match file.parent() {
        Some(folder) if !is_address => folder.join(named),
        _ => PathBuf::from(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_of_a_project_is_found_from_the_folders_below_it() {
        let root = tempfile::tempdir().unwrap();
        let (below, elsewhere) = (root.path().join("a/b"), root.path().join("a"));
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(root.path().join(PROJECT_FILE), "").unwrap();
        let at = |working: &Path| Folders { working: working.to_owned(), ..Folders::default() };

        assert_eq!(at(&below).project_file(), Some(root.path().join(PROJECT_FILE)));

        std::fs::write(elsewhere.join(PROJECT_FILE), "").unwrap();
        assert_eq!(at(&below).project_file(), Some(elsewhere.join(PROJECT_FILE)));
    }

    #[test]
    fn folders_that_are_relative_or_empty_are_not_set() {
        let said = |name: &str| match name {
            "XDG_CONFIG_HOME" => Some(OsString::from("relative")),
            "XDG_RUNTIME_DIR" => Some(OsString::new()),
            "HOME" => Some(OsString::from("/srv/ada")),
            _ => None,
        };

        let folders = Folders::of(said);

        assert_eq!(folders.user_file(), Some("/srv/ada/.config/windlass/config.toml".into()));
        assert_eq!(folders.servers(), Some("/srv/ada/.local/state/windlass".into()));
        assert_eq!(Folders::default().user_file(), None);
    }

    #[test]
    fn a_store_in_a_file_is_named_from_where_the_file_lies() {
        let file = Path::new("/srv/app/windlass.toml");

        assert_eq!(beside(file, "jobs.db"), Path::new("/srv/app/jobs.db"));
        assert_eq!(beside(file, "/data/jobs.db"), Path::new("/data/jobs.db"));
        assert_eq!(beside(file, "postgres://h/d"), Path::new("postgres://h/d"));
    }
}
