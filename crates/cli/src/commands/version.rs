//! `windlass version`

use serde::Serialize;
use windlass_wire::SCHEMA_VERSION;

use crate::output::{Cell, Output, Record, fields};

pub(crate) const FIELDS: &[&str] = &["version", "schema"];

#[derive(Serialize)]
struct Version {
    version: &'static str,
    /// The version of all JSON that this command prints.
    schema: u32,
}

pub(crate) fn run() -> Output {
    let version = env!("CARGO_PKG_VERSION");
    Output::record(Record {
        id: version.to_owned(),
        lines: vec![("windlass", Cell::text(version))],
        sections: Vec::new(),
        fields: fields(&Version { version, schema: SCHEMA_VERSION }),
    })
}
