//! What `serve` takes.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
The first line on stdout is `listening on http://HOST:PORT`. The server also looks after the store: it takes back what lost \
workers held, fires schedules, and removes what is past its retention.")]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 for any that is free.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7117")]
    pub(crate) listen: SocketAddr,
    /// Where the token for everything lies; made at the first start. `<store>.token` beside a file unless said, else in the
    /// configuration folder.
    #[arg(long, value_name = "PATH")]
    pub(crate) admin_token_file: Option<PathBuf>,
    /// The certificate, and those that lead to a root, in PEM. SIGHUP reads it again.
    #[arg(long, value_name = "PATH", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM.
    #[arg(long, value_name = "PATH", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The address of a proxy that encrypts, and is believed for whom it speaks. Repeatable.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) behind_proxy: Vec<IpAddr>,
    /// A name that the server is called by, besides its addresses and localhost. Repeatable.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// An origin whose pages may call the server, such as `https://example.com`. Repeatable.
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// How many requests a token may make in a second, and twice as many at once; 0 for as many as it likes. Those of workers
    /// about their jobs are not counted.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) requests_per_token: u32,
}
