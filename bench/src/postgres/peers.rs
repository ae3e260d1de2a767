//! Other queues, each in a process of its own.

use std::process::{Command, Stdio};

use super::server::Server;

/// A queue that we are held against.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    /// What its program and its feature are called.
    pub(super) name: &'static str,
    /// How its settings are told in the report.
    pub(super) beside: &'static str,
    /// `best` or `default`.
    pub(super) settings: &'static str,
    /// How many times quicker we want to be.
    pub(super) wanted: f64,
}

/// All of them, at their best and as they come.
pub(super) const PEERS: [Peer; 6] = [
    Peer { name: "graphile-worker", beside: "at its best", settings: "best", wanted: 2.0 },
    Peer { name: "graphile-worker", beside: "with its defaults", settings: "default", wanted: 2.0 },
    Peer { name: "awa", beside: "at its best", settings: "best", wanted: 10.0 },
    Peer { name: "awa", beside: "with its defaults", settings: "default", wanted: 10.0 },
    Peer { name: "apalis-postgres", beside: "at its best", settings: "best", wanted: 5.0 },
    Peer { name: "apalis-postgres", beside: "with its defaults", settings: "default", wanted: 5.0 },
];

impl Peer {
    /// Works off `count` jobs; jobs a second.
    pub(super) fn drain(self, server: &Server, count: usize) -> f64 {
        let database = server.fresh();
        let mut command = Command::new("cargo");
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/postgres"));
        command.args(["run", "--release", "--quiet", "--target-dir", "../../../target/peers/postgres"]);
        command.args(["--features", self.name, "--bin", self.name, "--"]);
        command.args([database.url(), &count.to_string(), self.settings]);
        let output = command.stderr(Stdio::inherit()).output().expect("cargo can be started");
        assert!(output.status.success(), "the peer {} failed", self.name);
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
    }
}
