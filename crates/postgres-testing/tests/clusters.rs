//! Clusters as their owners meet them: real servers, started, killed and left behind.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use windlass_postgres_testing::{Binaries, Cluster, Config, Database, shared};

/// The program of this crate, which holds a cluster until its input ends.
const HOLDER: &str = env!("CARGO_BIN_EXE_windlass-postgres-testing");

#[test]
fn a_cluster_answers_over_tcp_and_over_its_socket_and_is_gone_when_dropped() {
    let cluster = Cluster::start(Config::quick()).unwrap();
    let (folder, pid) = (folder_of(&cluster), cluster.pid().unwrap());

    for url in [cluster.url().to_owned(), cluster.socket_url()] {
        let database = Database::create(&url).unwrap();
        assert!(database.url().ends_with(database.name()), "{}", database.url());
    }
    assert_eq!(
        cluster.query("SELECT current_setting('fsync'), current_setting('port')").unwrap(),
        format!("off|{}", cluster.port())
    );
    assert_eq!(cluster.query("SHOW server_encoding").unwrap(), "UTF8");
    drop(cluster);

    assert!(!folder.exists());
    assert!(!runs(pid));
}

#[test]
fn what_was_committed_survives_a_kill() {
    let mut cluster = Cluster::start(Config::durable()).unwrap();
    let (url, first) = (cluster.url().to_owned(), cluster.pid().unwrap());
    cluster.query("CREATE TABLE kept (n int)").unwrap();

    for round in 1..=2 {
        cluster.query(&format!("INSERT INTO kept VALUES ({round})")).unwrap();
        cluster.kill().unwrap();
        assert_eq!(cluster.pid(), None);
        assert!(cluster.query("SELECT 1").is_err());
        cluster.restart().unwrap();
    }

    assert_eq!(cluster.query("SELECT n FROM kept ORDER BY n").unwrap(), "1\n2");
    assert!(cluster.log_tail().contains("automatic recovery"), "{}", cluster.log_tail());
    assert_eq!(cluster.url(), url);
    assert_ne!(cluster.pid(), Some(first));
}

#[test]
fn a_kill_takes_the_backends_too() {
    let mut cluster = Cluster::start(Config::quick()).unwrap();
    let mut busy = busy_client(cluster.url());
    let backends = cluster.query("SELECT pid FROM pg_stat_activity").unwrap();

    cluster.kill().unwrap();

    let backends: Vec<u32> = backends.lines().map(|pid| pid.parse().unwrap()).collect();
    assert!(backends.len() > 2, "{backends:?}");
    assert!(!backends.iter().any(|pid| runs(*pid)));
    assert!(!busy.wait().unwrap().success());
}

#[test]
fn a_cluster_that_was_stopped_in_order_needs_no_recovery() {
    let mut cluster = Cluster::start(Config::quick()).unwrap();
    cluster.query("CREATE TABLE kept AS SELECT 1 AS n").unwrap();

    cluster.stop().unwrap();
    assert_eq!(cluster.pid(), None);
    cluster.stop().unwrap();
    cluster.restart().unwrap();
    cluster.restart().unwrap();

    assert_eq!(cluster.query("SELECT n FROM kept").unwrap(), "1");
    assert!(!cluster.log_tail().contains("automatic recovery"), "{}", cluster.log_tail());
}

#[test]
fn two_clusters_do_not_see_one_another() {
    let one = Cluster::start(Config::quick()).unwrap();
    let other = Cluster::start(Config::quick()).unwrap();

    one.query("CREATE TABLE mine (n int)").unwrap();

    assert_ne!(one.port(), other.port());
    assert!(other.query("SELECT * FROM mine").unwrap_err().to_string().contains("does not exist"));
}

#[test]
fn settings_are_the_last_that_were_asked_for() {
    let config = Config::quick().set("work_mem", "1MB").set("work_mem", "7MB").set("shared_buffers", "16MB");
    let cluster = Cluster::start(config).unwrap();

    assert_eq!(cluster.query("SHOW work_mem").unwrap(), "7MB");
    assert_eq!(cluster.query("SHOW shared_buffers").unwrap(), "16MB");
}

#[test]
fn a_setting_that_the_server_refuses_is_told_in_its_own_words() {
    let problem = Cluster::start(Config::quick().set("work_mem", "much")).unwrap_err();

    assert!(problem.to_string().contains("invalid value for parameter \"work_mem\""), "{problem}");
}

#[test]
fn a_cluster_with_a_password_refuses_a_wrong_one_and_none() {
    let cluster = Cluster::start(Config::quick().password("it's: a/s@cret")).unwrap();
    let none = format!("postgres://postgres@127.0.0.1:{}/postgres", cluster.port());
    let wrong = none.replace('@', ":wrong@");

    Database::create(cluster.url()).unwrap();

    let refused = |url: &str| Database::create(url).unwrap_err().to_string();
    assert!(refused(&wrong).contains("password authentication failed"), "{}", refused(&wrong));
    assert!(refused(&none).contains("no password supplied"), "{}", refused(&none));
}

#[test]
fn a_database_is_empty_and_goes_with_whoever_is_connected() {
    let url = shared().unwrap();
    let database = Database::create(url).unwrap();
    let other = Database::create(url).unwrap();
    let mut connected = busy_client(database.url());

    let name = database.name().to_owned();
    drop(database);

    assert!(!connected.wait().unwrap().success());
    let left = databases(url);
    assert!(!left.contains(&name), "{left:?}");
    assert!(left.contains(other.name()), "{left:?}");
}

#[test]
fn databases_are_made_and_dropped_side_by_side() {
    let url = shared().unwrap();
    let make_some = || (0..3).map(|_| Database::create(url).unwrap().name().to_owned()).collect::<Vec<_>>();

    let made: BTreeSet<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(make_some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });

    assert_eq!(made.len(), 24);
    assert!(databases(url).is_disjoint(&made));
}

#[test]
fn a_folder_with_a_long_path_gets_its_socket_elsewhere() {
    let parent = empty_folder(&"long".repeat(30));

    let cluster = Cluster::start(Config::quick().folder(&parent)).unwrap();
    let answer = cluster.query("SELECT 1");
    let data = cluster.data_folder();
    drop(cluster);

    std::fs::remove_dir(&parent).expect("the folder is empty again");
    assert_eq!(answer.unwrap(), "1");
    assert!(data.starts_with(&parent));
}

#[test]
fn a_cluster_ends_with_its_owner_even_if_that_is_killed() {
    let mut owner = hold(&[]);
    let (pid, folder) = seen(&mut owner);
    assert!(runs(pid));
    assert!(folder.exists());

    owner.kill().unwrap();
    owner.wait().unwrap();

    until("the cluster is gone", || !runs(pid) && !folder.exists());
}

#[test]
fn a_cluster_ends_with_its_owner_even_if_it_is_frozen_itself() {
    let mut owner = hold(&[]);
    let (pid, folder) = seen(&mut owner);
    assert!(Command::new("kill").args(["-STOP", &pid.to_string()]).status().unwrap().success());

    owner.kill().unwrap();
    owner.wait().unwrap();

    until("the cluster is gone", || !runs(pid) && !folder.exists());
}

#[test]
fn an_owner_killed_at_any_moment_of_the_start_leaves_nothing() {
    let temporary = empty_folder("moments");
    for step in 0..12 {
        let mut owner = hold(&[("TMPDIR", temporary.as_os_str())]);
        pause(Duration::from_millis(25 * step));
        owner.kill().unwrap();
        owner.wait().unwrap();
    }

    until("the folders are gone", || std::fs::read_dir(&temporary).unwrap().next().is_none());
    std::fs::remove_dir(&temporary).unwrap();
}

#[test]
fn without_postgresql_the_error_says_what_to_install() {
    let empty = empty_folder("empty");

    let output =
        Command::new(HOLDER).env("WINDLASS_POSTGRES_BIN", &empty).stdin(Stdio::null()).output().unwrap();

    std::fs::remove_dir(&empty).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.contains(empty.to_str().unwrap()) && said.contains("apt-get install postgresql"), "{said}");
}

/// A process of its own that has a cluster.
fn hold(environment: &[(&str, &OsStr)]) -> Child {
    let mut command = Command::new(HOLDER);
    command.envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().expect("the program of this crate was built")
}

/// The server and the folder of the cluster that `owner` has started.
fn seen(owner: &mut Child) -> (u32, PathBuf) {
    let lines = read_lines(owner, 4);
    let value = |name: &str| {
        let found = lines.iter().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_else(|| panic!("{name} expected in {lines:?}")).trim()
    };
    let data = PathBuf::from(value("data"));
    (value("pid").parse().expect("it prints a number"), data.parent().expect("data is in it").to_path_buf())
}

/// A client that is connected and busy.
fn busy_client(url: &str) -> Child {
    let mut command = psql();
    command.args([url, "-c", "SELECT 1", "-c", "SELECT pg_sleep(1000)"]);
    let mut client = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("psql is there");
    read_lines(&mut client, 1);
    client
}

/// The first lines that `process` prints.
fn read_lines(process: &mut Child, count: usize) -> Vec<String> {
    let output = process.stdout.as_mut().expect("its output is a pipe");
    BufReader::new(output).lines().take(count).map(|line| line.expect("it prints text")).collect()
}

fn databases(url: &str) -> BTreeSet<String> {
    let listed = psql().args([url, "-c", "SELECT datname FROM pg_database"]).output().expect("psql is there");
    assert!(listed.status.success(), "{listed:?}");
    String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect()
}

fn psql() -> Command {
    let mut command = Command::new(Binaries::find().expect("PostgreSQL is installed").psql());
    command.arg("-XAt");
    command
}

fn folder_of(cluster: &Cluster) -> PathBuf {
    cluster.data_folder().parent().expect("data is in the folder of the cluster").to_path_buf()
}

fn empty_folder(what: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("windlass-{what}-{}", std::process::id()));
    std::fs::create_dir(&path).expect("nobody else has this name");
    path
}

/// Whether a process runs. One that only waits to be asked how it ended does not.
fn runs(pid: u32) -> bool {
    let mut command = Command::new("ps");
    let printed = command.args(["-o", "stat=", "-p", &pid.to_string()]).output().expect("ps is there").stdout;
    printed.first().is_some_and(|letter| *letter != b'Z')
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited too long until {what}");
        pause(Duration::from_millis(10));
    }
}

#[expect(clippy::disallowed_methods, reason = "what ends here has no owner any more, and tells nobody")]
fn pause(pause: Duration) {
    std::thread::sleep(pause);
}
