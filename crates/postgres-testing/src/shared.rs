//! The cluster that all tests of a run share.

use std::sync::OnceLock;

use crate::{Cluster, Config, Error};

/// Holds the URL of the cluster to use. `cargo xtask test` and `cargo xtask ci` set it for all tests; anybody may set it to
/// a cluster of theirs, whose user has to be allowed to make databases.
pub const SHARED: &str = "WINDLASS_TEST_POSTGRES";

/// The URL of a cluster for tests that change nothing but their own [`Database`](crate::Database): that of
/// [`SHARED`], or of one that this process starts at the first call and that ends with it.
///
/// # Errors
///
/// As [`Cluster::start`]; and the same again at every call.
pub fn shared() -> Result<&'static str, Error> {
    static URL: OnceLock<Result<Cluster, Error>> = OnceLock::new();
    static GIVEN: OnceLock<Option<String>> = OnceLock::new();
    let given = GIVEN.get_or_init(|| std::env::var_os(SHARED).and_then(|url| url.into_string().ok()));
    if let Some(url) = given {
        return Ok(url);
    }
    URL.get_or_init(|| Cluster::start(Config::quick())).as_ref().map(Cluster::url).map_err(Clone::clone)
}
