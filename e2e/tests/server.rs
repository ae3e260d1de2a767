//! The black-box scenarios of `windlass serve`, at the size of the gate. `cargo xtask long` runs them at full size.

use std::path::Path;

use windlass_e2e::overload;

const PROGRAM: &str = env!("CARGO_BIN_EXE_windlass-e2e");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_leases_does_not_notice_a_crowd_and_who_waits_costs_nothing() {
    let plan = overload::Plan { sockets: 200, seconds: 5, polls: 200 };

    let report = overload::scenario(Path::new(PROGRAM), plan).await.unwrap();

    println!("{report}");
}
