//! Where a host is.

use std::io;
use std::net::{IpAddr, SocketAddr};

use futures_util::future::BoxFuture;

/// Tells the addresses of a host by its name.
///
/// Asked once for each attempt to send a notice: what it answers is judged, and then connected to.
pub trait Resolve: Send + Sync {
    /// The addresses of `host`, the preferred one first.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// Asks the system, as every other program does.
pub(crate) struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address: SocketAddr| address.ip()).collect())
        })
    }
}
