//! Every promise of the port, on a server.

mod common;

use std::process::ExitCode;

use windlass_store::SharedStore;
use windlass_store_testing::{Fixture, conformance};

fn main() -> ExitCode {
    conformance(|clock| {
        Box::pin(async move {
            let schema = common::fresh_schema();
            let store = common::open(&schema, clock.clone()).await;
            let reopen = move || -> futures_util::future::BoxFuture<'static, SharedStore> {
                let (schema, clock) = (schema.clone(), clock.clone());
                Box::pin(async move { common::open(&schema, clock).await })
            };
            Fixture::new(store).with_reopen(reopen)
        })
    })
}
