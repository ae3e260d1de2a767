//! The black-box scenarios, at the size of the gate. `cargo xtask long` runs them at full size.

use std::path::Path;

use windlass_e2e::{kill, pair, recovery, zombie};
use windlass_store::ids;

const PROGRAM: &str = env!("CARGO_BIN_EXE_windlass-e2e");

#[tokio::test]
async fn g03_every_acknowledged_job_ends_exactly_once_however_often_workers_are_killed() {
    let plan = kill::Plan { jobs: 1_000, kills: 10 };

    let report = kill::scenario(Path::new(PROGRAM), plan, ids::nonce()).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g05_no_handler_was_entered_that_the_store_does_not_know_of() {
    // Short rounds, so that many are killed in the middle of a claim.
    let plan = kill::Plan { jobs: 200, kills: 10 };

    let report = kill::scenario(Path::new(PROGRAM), plan, ids::nonce()).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g06_a_worker_that_was_stopped_past_its_lease_can_write_nothing() {
    let report = zombie::scenario(Path::new(PROGRAM), zombie::Plan { pauses: 5 }).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g04_two_processes_on_one_file_start_every_job_once_within_their_slots() {
    let report = pair::scenario(Path::new(PROGRAM), pair::Plan { jobs: 1_000 }).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g19_the_job_of_a_killed_worker_runs_again_within_its_lease_and_a_second() {
    let report = recovery::scenario(Path::new(PROGRAM), recovery::Plan { kills: 3 }).await.unwrap();

    println!("{report}");
}
