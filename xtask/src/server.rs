//! The PostgreSQL server that all tests of a run share: each has a process of its own, and would start a server of its own.

use std::env;

use windlass_postgres_testing::{Binaries, Cluster, Config, SHARED};

use crate::steps::Step;

/// A server that ends with this value, and no later than this process: by a failure, or by Ctrl-C.
pub(crate) struct Server {
    /// None when the caller has named a cluster, which the tests find for themselves.
    cluster: Option<Cluster>,
}

impl Server {
    /// Starts it, after installing it where that is allowed; unless [`SHARED`] names another.
    pub(crate) fn start() -> Result<Self, String> {
        if env::var_os(SHARED).is_some() {
            return Ok(Self { cluster: None });
        }
        let cluster = installed().and_then(|it| Cluster::start(Config::quick().binaries(it)));
        Ok(Self {
            cluster: Some(cluster.map_err(|problem| format!("could not start PostgreSQL: {problem}"))?),
        })
    }

    /// Tells `step` where the server is.
    pub(crate) fn used_by(&self, step: Step) -> Step {
        match &self.cluster {
            Some(cluster) => step.with(SHARED, cluster.url()),
            None => step,
        }
    }
}

fn installed() -> Result<Binaries, windlass_postgres_testing::Error> {
    Binaries::find().or_else(|_| {
        println!("PostgreSQL is not installed: installing it, if this is root");
        Binaries::find_or_install()
    })
}
