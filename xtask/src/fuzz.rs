//! The HTTP API under everything that its document allows, and much that it does not: requests that `schemathesis` makes of the
//! document, sent to a server that runs as it does everywhere, with the token for everything.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use crate::clients;
use crate::python;
use crate::repo;
use crate::steps::Step;

/// Names the program, so that what the tests have built is not built again.
const PROGRAM: &str = "WINDLASS_BIN";

/// What it is pinned to.
const REQUIREMENTS: &str = "xtask/schemathesis.txt";

/// What must hold of every answer. Those are left out that ask for what is not so: that every request which fits the document
/// is done, for a job may be running; that every other one is refused, for `null` says what leaving a field out says; and that a
/// wrong token is always told so, for who guesses is made to wait.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method,allow_header_conformance,use_after_free,\
                      ensure_resource_availability";

/// The boundaries of each field, then random requests, then calls that use what others answered; for a minute in all, with the
/// same random numbers each time. Streams have no end, and whoever revokes the token that is shown has nothing more to say.
const BOUNDS: &str = "--phases coverage,fuzzing,stateful --max-examples 10 --max-time 60 --seed 1 --workers 1 \
                      --request-timeout 20 --exclude-path /api/v1/live --exclude-path /api/v1/signals \
                      --exclude-operation-id post_tokens_token_id_revoke --no-color";

/// The gate's step.
///
/// # Errors
///
/// What to install, where Python is missing and cannot be installed.
pub(crate) fn step() -> Result<Step, String> {
    // Before anything is run: a machine that cannot have it is told at once.
    python::venv(REQUIREMENTS)?;
    let program = clients::program()?.display().to_string();
    Ok(Step::cargo("api fuzz", "xtask fuzz")
        .with(PROGRAM, &program)
        .or_else("`curl` above repeats the request; the answer must fit docs/openapi.json"))
}

/// Does it; `rest` is passed on.
///
/// # Errors
///
/// When an answer is not as it must be, or the server ends.
pub(crate) fn run(rest: &[String]) -> Result<(), String> {
    let tools = python::venv(REQUIREMENTS)?;
    let mut server = Server::start()?;
    let mut command = Command::new(tools.join("bin/schemathesis"));
    command.args(["run", &format!("{}/api/v1/openapi.json", server.url)]).args(["--checks", CHECKS]);
    command.args(BOUNDS.split_whitespace()).args(rest);
    command.args(["--header", &format!("Authorization: Bearer {}", server.token)]);
    // It keeps what it has found in files beside it.
    command.current_dir(&server.folder);
    let status = command.status().map_err(|error| format!("schemathesis could not be started: {error}"))?;
    if let Ok(Some(ended)) = server.child.try_wait() {
        return Err(format!("the server ended with {ended}"));
    }
    if !status.success() {
        return Err("the API is not as its document says".to_owned());
    }
    // A run in which requests were not let in would have shown nothing.
    server.lets_in()
}

/// `windlass serve` on a file of its own. Killed, and the file removed, when it is dropped.
struct Server {
    child: Child,
    folder: PathBuf,
    url: String,
    token: String,
}

impl Server {
    fn start() -> Result<Self, String> {
        let program = program()?;
        let folder = env::temp_dir().join(format!("windlass-fuzz-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("could not make a folder: {error}"))?;
        let store = folder.join("jobs.db");
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--store"]).arg(&store);
        // It tells the commands of its user where it is: those of nobody else.
        command.env("HOME", &folder).env_remove("XDG_CONFIG_HOME").env_remove("XDG_RUNTIME_DIR");
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("`windlass serve` could not be started: {error}"))?;
        let mut server = Self { child, folder, url: String::new(), token: String::new() };
        server.url = server.address()?;
        server.token = token(&store)?;
        Ok(server)
    }

    /// Where it listens, which it says first.
    fn address(&mut self) -> Result<String, String> {
        let output = self.child.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).map_err(|error| format!("could not read: {error}"))?;
        let url = line.trim().strip_prefix("listening on ");
        url.map(str::to_owned).ok_or_else(|| format!("the server says {line:?}, and not where it listens"))
    }
}

impl Server {
    /// Whether the token is still good for everything, as it was from the start.
    fn lets_in(&self) -> Result<(), String> {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(self.url.trim_start_matches("http://"))?;
            let host = "Host: localhost\r\nConnection: close";
            write!(
                stream,
                "GET /api/v1/tokens HTTP/1.1\r\n{host}\r\nAuthorization: Bearer {}\r\n\r\n",
                self.token
            )?;
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line)?;
            Ok(line)
        };
        let line = ask().map_err(|error| format!("the server does not answer: {error}"))?;
        if line.contains(" 200 ") {
            Ok(())
        } else {
            Err(format!("the server did not let the requests in: {line}"))
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What has ended already is no error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The `windlass` that is named, or else a new one.
fn program() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os(PROGRAM) {
        return Ok(named.into());
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--locked", "--package", "windlass-cli"]).current_dir(repo::root());
    match cargo.status() {
        Ok(status) if status.success() => clients::program(),
        Ok(status) => Err(format!("the program could not be built: {status}")),
        Err(error) => Err(format!("cargo could not be started: {error}")),
    }
}

fn token(store: &Path) -> Result<String, String> {
    let file = store.with_extension("db.token");
    let token = fs::read_to_string(&file);
    token
        .map(|token| token.trim().to_owned())
        .map_err(|error| format!("no token in {}: {error}", file.display()))
}
