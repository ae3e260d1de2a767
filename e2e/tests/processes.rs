//! The black-box scenarios on a file, at the size of the gate. `cargo xtask long` runs them at full size.

use std::path::Path;

use windlass_e2e::address::Engine::Sqlite;
use windlass_e2e::{block, fire, gates, kill, pair, pause, recovery, review, zombie};
use windlass_store::ids;

const PROGRAM: &str = env!("CARGO_BIN_EXE_windlass-e2e");

#[tokio::test]
async fn g03_every_acknowledged_job_ends_exactly_once_however_often_workers_are_killed() {
    let plan = kill::Plan { jobs: 1_000, kills: 10 };

    let report = kill::scenario(Path::new(PROGRAM), Sqlite, plan, ids::nonce()).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g05_no_handler_was_entered_that_the_store_does_not_know_of() {
    // Short rounds, so that many are killed in the middle of a claim.
    let plan = kill::Plan { jobs: 200, kills: 10 };

    let report = kill::scenario(Path::new(PROGRAM), Sqlite, plan, ids::nonce()).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g15_each_tick_makes_one_job_however_often_leaders_are_killed() {
    let plan = fire::Plan { kills: 3 };

    let report = fire::scenario(Path::new(PROGRAM), Sqlite, plan, ids::nonce()).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g12_what_jobs_share_is_shared_by_the_rules_however_often_processes_are_killed() {
    let plan = gates::Plan { jobs: 240, kills: 4 };

    let report = gates::scenario(Path::new(PROGRAM), Sqlite, plan, ids::nonce()).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g03_each_decision_is_carried_out_and_its_job_ends_once_however_often_workers_are_killed() {
    let plan = review::Plan { jobs: 40, kills: 3 };

    let report = review::scenario(Path::new(PROGRAM), Sqlite, plan, ids::nonce()).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g06_a_worker_that_was_stopped_past_its_lease_can_write_nothing() {
    let report = zombie::scenario(Path::new(PROGRAM), Sqlite, zombie::Plan { pauses: 5 }).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g04_two_processes_on_one_file_start_every_job_once_within_their_slots() {
    let report = pair::scenario(Path::new(PROGRAM), Sqlite, pair::Plan { jobs: 1_000 }).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g19_the_job_of_a_killed_worker_runs_again_within_its_lease_and_a_second() {
    let report = recovery::scenario(Path::new(PROGRAM), Sqlite, recovery::Plan { kills: 3 }).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g03_a_worker_that_stood_still_costs_no_job_whoever_does_the_duties() {
    let report = pause::scenario(Path::new(PROGRAM), Sqlite, pause::Plan { pauses: 2 }).await.unwrap();

    println!("{report}");
}

#[tokio::test]
async fn g03_handlers_that_block_every_thread_cost_their_worker_no_lease() {
    let report = block::scenario(Path::new(PROGRAM), Sqlite).await.unwrap();

    println!("{report}");
}
