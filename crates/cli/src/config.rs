//! What the command was told before it was told what to do: where the jobs are, who may reach them, and how to print.
//!
//! Flags win over the environment, that over the file of the project, that over the user's own, and all over what holds
//! unless something is said. Each value knows where it is from, because the first question is always "why does it do that?".

pub(crate) mod edit;
mod file;
pub(crate) mod paths;
mod place;
mod servers;
mod settings;
mod token;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

pub(crate) use file::{ConfigFile, ContextEntry, Whose};
pub(crate) use paths::Folders;
pub(crate) use place::Place;
pub(crate) use servers::{Announced, RunningServer, announce, running};
pub(crate) use settings::{Settings, Sources};
pub(crate) use token::TokenSource;

/// Where a server is, unless something is said.
pub(crate) const SERVER_DEFAULT: &str = "http://127.0.0.1:7117";

/// The store, unless something is said.
pub(crate) const STORE_DEFAULT: &str = "./windlass.db";

/// Where a value is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Flag(&'static str),
    /// A variable of the environment.
    Environment(&'static str),
    /// A configuration file.
    File(PathBuf),
    /// A context of the user's file.
    Context(String),
    /// A server that said it runs here.
    Running,
    /// Nothing was said.
    Default,
}

impl Origin {
    /// What stands before the value there.
    pub(crate) fn named(&self) -> String {
        match self {
            Self::Flag(name) | Self::Environment(name) => (*name).to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Context(name) => write!(f, "context {name}"),
            Self::Running => f.write_str("a server that runs here"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

impl<T> Setting<T> {
    pub(crate) const fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// A variable of this process's environment. What is set to nothing is not set.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
