//! What `dev` takes.

use std::net::SocketAddr;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Not for production: everything in one process, and a store that is gone when it ends unless --store keeps one. Other \
commands of the same user find it by themselves while it runs, where no store and no server is named.

  windlass enqueue hello '{\"name\": \"Ada\"}' --wait
  windlass enqueue flaky --count 200")]
pub(crate) struct DevArgs {
    /// Where to listen; port 0 for any that is free.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7117")]
    pub(crate) listen: SocketAddr,
    /// How many demo jobs to run at a time.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) slots: u32,
    /// Run no demo jobs.
    #[arg(long)]
    pub(crate) no_worker: bool,
}
