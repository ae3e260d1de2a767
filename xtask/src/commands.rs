//! What each command runs. Only lists: how steps are run is told in `steps`.

use std::process::{Command, Stdio};

use crate::clients;
use crate::fuzz;
use crate::repo::{self, Repo};
use crate::server::Server;
use crate::steps::{Step, run};

/// The gate.
pub(crate) fn ci() -> Result<(), String> {
    // Before anything else: a machine that cannot have a server is told at once.
    let server = Server::start()?;
    let mut steps = vec![
        Step::cargo("format", "fmt --all --check").or_else("cargo xtask fmt"),
        Step::cargo("lint", "clippy --workspace --all-targets --locked -- -D warnings")
            .or_else("follow the lint, or write #[expect(.., reason = \"..\")] where it is wrong"),
    ];
    steps.extend(supply());
    steps.push(
        Step::cargo("docs", "doc --workspace --no-deps --locked --quiet")
            .with("RUSTDOCFLAGS", "-D warnings")
            .or_else("mend the link or the markup that rustdoc names"),
    );
    let fuzz = fuzz::step()?;
    let clients = clients::steps()?;
    steps.extend(tests(&[], &server));
    steps.push(fuzz);
    steps.extend(clients);
    steps.push(
        Step::shell("quick start", &repo::quick_start(&Repo::read()?)?)
            .or_else("the first command of README.md must work on a fresh clone"),
    );
    // Everything is built once: what a second build would go by is not worth the gigabytes it takes.
    let steps: Vec<_> = steps.into_iter().map(|step| step.with("CARGO_INCREMENTAL", "0")).collect();
    run(&repo::root(), &steps)
}

/// The tests that match `rest`, or all of them and the doctests.
pub(crate) fn test(rest: &[String]) -> Result<(), String> {
    let server = Server::start()?;
    let mut steps = tests(rest, &server);
    if !rest.is_empty() {
        steps.truncate(1);
    }
    run(&repo::root(), &steps)
}

/// A benchmark. Always optimised, always with everything it is compared with.
pub(crate) fn bench(rest: &[String]) -> Result<(), String> {
    run(
        &repo::root(),
        &[Step::cargo("bench", "run --release --locked --package windlass-bench --").and(rest)],
    )
}

/// The black-box tests at the size the README speaks of.
pub(crate) fn long() -> Result<(), String> {
    let e2e = |name, rest: &str| {
        Step::cargo(name, &format!("run --release --locked --package windlass-e2e -- {rest}")).or_else(
            "the lines above name the folder with the witness log, and the seed to run it again with",
        )
    };
    run(
        &repo::root(),
        &[
            e2e("kill", "kill --jobs 20000 --kills 200"),
            e2e("zombie", "zombie --pauses 200"),
            e2e("pair", "pair --jobs 20000"),
            e2e("recovery", "recovery --kills 50"),
            e2e("pause", "pause --pauses 20"),
            e2e("fire", "fire --kills 20"),
            e2e("shared things", "gates --jobs 6000 --kills 60"),
            e2e("decisions", "review --jobs 1000 --kills 50"),
            e2e("kill on PostgreSQL", "--engine postgres kill --jobs 20000 --kills 500"),
            e2e("zombie on PostgreSQL", "--engine postgres zombie --pauses 100"),
            e2e("pair on PostgreSQL", "--engine postgres pair --jobs 20000"),
            e2e("recovery on PostgreSQL", "--engine postgres recovery --kills 50"),
            e2e("pause on PostgreSQL", "--engine postgres pause --pauses 20"),
            e2e("fire on PostgreSQL", "--engine postgres fire --kills 20"),
            e2e("shared things on PostgreSQL", "--engine postgres gates --jobs 6000 --kills 60"),
            e2e("decisions on PostgreSQL", "--engine postgres review --jobs 1000 --kills 50"),
            e2e("crash of the server", "crash --kills 20 --calm-ms 3000"),
            e2e("control: a server that does not flush", "control"),
            e2e("cut commits", "cut --cuts 2000"),
            e2e("ended connections", "evict --seconds 60"),
            e2e("cut links", "partition --cuts 10"),
            Step::cargo("windlass", "build --release --locked --package windlass-cli"),
            e2e("overload", "overload"),
        ],
    )
}

/// Formats everything.
pub(crate) fn fmt() -> Result<(), String> {
    run(&repo::root(), &[Step::cargo("format", "fmt --all")])
}

/// nextest where it is installed, because it runs each test in a process of its own; `cargo test` elsewhere. Both run the
/// same tests, the tidy checks among them.
fn tests(rest: &[String], server: &Server) -> Vec<Step> {
    let runner = if is_installed("nextest") {
        "nextest run --workspace --locked"
    } else {
        "test --workspace --lib --bins --tests --locked"
    };
    let adapters = "test --package windlass-postgres --features sqlx,diesel --test transaction_sqlx --test \
                    transaction_diesel --locked";
    let steps = [
        Step::cargo("tests", runner).and(rest).or_else("run one test alone with `cargo xtask test NAME`"),
        Step::cargo("doctests", "test --workspace --doc --locked")
            .or_else("an example in the documentation is wrong"),
        // Features that nobody has unless they ask for them.
        Step::cargo("adapters", adapters)
            .or_else("the adapters for other drivers are features of windlass-postgres"),
    ];
    steps.into_iter().map(|step| server.used_by(step)).collect()
}

/// cargo-deny where it is installed. It takes minutes to build, so the gate does not fetch it: the tidy checks hold the
/// same `deny.toml` against every dependency, and cargo-deny only looks at more of each.
fn supply() -> Option<Step> {
    if !is_installed("deny") {
        println!("cargo-deny is not installed: deny.toml is enforced by the tidy checks among the tests");
        return None;
    }
    let step = Step::cargo("supply", "deny --workspace check bans licenses sources");
    Some(step.or_else("drop the dependency, or add it to deny.toml with a reason"))
}

fn is_installed(subcommand: &str) -> bool {
    let mut command = Command::new("cargo");
    command.args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
