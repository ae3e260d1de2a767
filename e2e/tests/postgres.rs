//! The black-box scenarios on PostgreSQL, at the size of the gate. `cargo xtask long` runs them at full size.

use std::path::Path;

use windlass_e2e::address::Engine::Postgres;
use windlass_e2e::{
    block, crash, cut, evict, fire, gates, kill, orphan, partition, pause, recovery, review, stall, zombie,
};
use windlass_store::ids;

const PROGRAM: &str = env!("CARGO_BIN_EXE_windlass-e2e");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g03_every_acknowledged_job_ends_exactly_once_however_often_workers_are_killed() {
    let plan = kill::Plan { jobs: 600, kills: 10 };

    let report = kill::scenario(Path::new(PROGRAM), Postgres, plan, ids::nonce()).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g15_each_tick_makes_one_job_however_often_leaders_are_killed() {
    let plan = fire::Plan { kills: 2 };

    let report = fire::scenario(Path::new(PROGRAM), Postgres, plan, ids::nonce()).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g12_what_jobs_share_is_shared_by_the_rules_however_often_processes_are_killed() {
    let plan = gates::Plan { jobs: 240, kills: 4 };

    let report = gates::scenario(Path::new(PROGRAM), Postgres, plan, ids::nonce()).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g03_each_decision_is_carried_out_and_its_job_ends_once_however_often_workers_are_killed() {
    let plan = review::Plan { jobs: 40, kills: 3 };

    let report = review::scenario(Path::new(PROGRAM), Postgres, plan, ids::nonce()).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g06_a_worker_that_was_stopped_past_its_lease_can_write_nothing() {
    let plan = zombie::Plan { pauses: 3 };

    let report = zombie::scenario(Path::new(PROGRAM), Postgres, plan).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g19_the_job_of_a_killed_worker_runs_again_within_its_lease_and_a_second() {
    let plan = recovery::Plan { kills: 2 };

    let report = recovery::scenario(Path::new(PROGRAM), Postgres, plan).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_what_was_acknowledged_survives_the_death_of_the_server() {
    // A machine that has other things to do may be slower from one second to the next: here it is enough that work goes on.
    let plan = crash::Plan { kills: 2, calm_ms: 700, back_percent: 10 };

    let report = crash::scenario(Path::new(PROGRAM), plan).await.unwrap();

    println!("{report}");
}

// Without this, the test above might as well look at nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_a_server_that_does_not_flush_is_found_to_lose_what_it_acknowledged() {
    let (lost, acknowledged) = crash::control_scenario(Path::new(PROGRAM)).await.unwrap();

    println!("lost {lost} of {acknowledged} jobs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g02_a_commit_whose_answer_is_cut_off_is_unknown_and_asking_again_tells_of_it() {
    let report = cut::scenario(Path::new(PROGRAM), cut::Plan { cuts: 200 }).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g03_connections_that_the_server_ends_cost_no_job_and_start_none_twice() {
    let report = evict::scenario(Path::new(PROGRAM), evict::Plan { seconds: 5 }).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g03_a_worker_that_stood_still_costs_no_job_whoever_does_the_duties() {
    let plan = pause::Plan { pauses: 2 };

    let report = pause::scenario(Path::new(PROGRAM), Postgres, plan).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g06_a_worker_that_is_cut_off_stops_its_handlers_before_another_has_their_jobs() {
    let report = partition::scenario(Path::new(PROGRAM), partition::Plan { cuts: 1 }).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g03_handlers_that_block_every_thread_cost_their_worker_no_lease() {
    let report = block::scenario(Path::new(PROGRAM), Postgres).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g03_a_worker_whose_connections_fall_silent_comes_back_on_new_ones() {
    let report = stall::scenario(Path::new(PROGRAM)).await.unwrap();

    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g03_what_a_late_claim_brings_is_found_by_a_worker_that_lives_on() {
    let report = orphan::scenario(Path::new(PROGRAM)).await.unwrap();

    println!("{report}");
}
