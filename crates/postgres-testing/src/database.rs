//! Databases that are empty and go away.

use std::path::PathBuf;

use crate::folder::unique;
use crate::{Binaries, Error, psql, url};

/// An empty database that is dropped with this value, whoever is still connected to it. Needs PostgreSQL 13.
#[derive(Debug)]
pub struct Database {
    psql: PathBuf,
    /// Of the database that the cluster had before.
    cluster_url: String,
    url: String,
    name: String,
}

impl Database {
    /// Makes a database with a name of its own on the cluster at `url`, as the user that `url` names.
    ///
    /// # Errors
    ///
    /// What the server says to it.
    pub fn create(url: &str) -> Result<Self, Error> {
        // The cluster may be anywhere; then there need be no server here, only a client.
        let psql = Binaries::find().map_or_else(|_| PathBuf::from("psql"), |found| found.psql());
        let name = format!("test_{}", unique());
        // Nobody is ever connected to this template, so nobody is in the way of a copy.
        psql::run(&psql, url, &format!("CREATE DATABASE {name} TEMPLATE template0"))?;
        Ok(Self { psql, cluster_url: url.to_owned(), url: url::with_database(url, &name), name })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // The cluster may be down, and goes away itself.
        let _ = psql::run(&self.psql, &self.cluster_url, &statement);
    }
}
