//! Prints the API as an `OpenAPI` document: `cargo run -p windlass-server --example openapi`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{:#}", windlass_server::openapi())
}
