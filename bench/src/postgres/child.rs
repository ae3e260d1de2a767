//! What the benchmarks do in a process of its own.

use std::io::BufRead;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Subcommand;
use windlass::Windlass;

use super::ours::{Fixture, open};
use super::server::{Server, runtime};
use crate::figures::per_second;
use crate::noop;
use crate::process::{Helper, enqueue_when_told};

/// The parts, named on the command line of this very program.
#[derive(Subcommand)]
pub(crate) enum Part {
    /// Enqueues a job for each line it reads.
    #[command(name = "postgres-enqueue", hide = true)]
    Enqueue {
        /// The database.
        url: String,
    },
    /// Says 0, works off jobs from the first line it reads, and says again and again how many it has settled.
    #[command(name = "postgres-work", hide = true)]
    Work {
        /// The database.
        url: String,
        /// How many at once.
        slots: u32,
    },
}

/// Does a part.
pub(crate) fn run(part: &Part) {
    runtime().block_on(async {
        match part {
            Part::Enqueue { url } => enqueue_when_told(&Windlass::with_store(open(url).await)).await,
            Part::Work { url, slots } => work(url, *slots).await,
        }
    });
}

/// How often a worker process says how far it is.
const SAY: Duration = Duration::from_millis(2);

#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn work(url: &str, slots: u32) {
    let windlass = Windlass::with_store(open(url).await);
    println!("0");
    std::io::stdin().lock().lines().next().expect("a line").expect("text");
    let worker = noop::start(&windlass, slots);
    let (mut beat, mut said) = (tokio::time::interval(SAY), 0);
    loop {
        beat.tick().await;
        let settled = worker.snapshot().settled;
        if settled > said {
            println!("{settled}");
            said = settled;
        }
    }
}

/// Works off `count` jobs by so many processes with so many slots each; jobs a second.
pub(super) fn drain(server: &Server, count: usize, (processes, slots): (usize, u32)) -> f64 {
    let fixture = Fixture::new(server);
    fixture.fill(count);
    let database = fixture.closed();
    database.rest();
    let (say, heard) = mpsc::sync_channel::<(usize, usize)>(64);
    let mut helpers: Vec<Helper> = (0..processes)
        .map(|index| {
            let say = say.clone();
            let arguments = ["postgres-work", database.url(), &slots.to_string()];
            Helper::start(&arguments, move |line| {
                // Nobody listens any more once all is done.
                let _ = say.send((index, line.parse().expect("a number")));
            })
        })
        .collect();
    for _ in 0..processes {
        heard.recv().expect("a process that is ready");
    }
    let begun = Instant::now();
    helpers.iter_mut().for_each(Helper::go);
    let mut settled = vec![0; processes];
    while settled.iter().sum::<usize>() < count {
        let (index, number) = heard.recv().expect("a process that goes on");
        settled[index] = number;
    }
    let rate = per_second(count, begun.elapsed());
    // Before the processes end, which may be in the midst of saying something.
    drop(heard);
    drop(helpers);
    rate
}
