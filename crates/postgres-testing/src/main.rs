//! A cluster to play with: prints where it is, and ends with its input (Ctrl-D) or with itself. Arguments are settings of
//! the server, as in `work_mem=64MB`.

use std::io::{self, Read as _};
use std::process::ExitCode;

use windlass_postgres_testing::{Cluster, Config, Error};

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program talks to the person who started it"
)]
fn main() -> ExitCode {
    match hold(|cluster| {
        println!("url     {}", cluster.url());
        println!("socket  {}", cluster.socket_url());
        println!("pid     {}", cluster.pid().unwrap_or_default());
        println!("data    {}", cluster.data_folder().display());
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("could not start a cluster: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn hold(show: impl FnOnce(&Cluster)) -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let settings = arguments.iter().filter_map(|argument| argument.split_once('='));
    let config = settings.fold(Config::durable(), |config, (name, value)| config.set(name, value));
    let cluster = Cluster::start(config)?;
    show(&cluster);
    // The end of the input, or an error that says as much.
    let _ = io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}
