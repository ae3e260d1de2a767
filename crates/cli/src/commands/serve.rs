//! `windlass serve`

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use windlass::Address;
use windlass::metrics::Metrics;
use windlass_core::{AttemptError, Verdict};
use windlass_runtime::{RawJob, Worker};
use windlass_server::{Config, Door, Exposure, FirstToken, Tls, Tokens, serve_encrypted};
use windlass_store::SharedStore;

use super::work::unheard;
use crate::args::ServeArgs;
use crate::config::{Announced, Place, RunningServer, announce};
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::interrupt::Interrupt;
use crate::output::Output;

/// The name of the worker that looks after the store, of its queue, and of the kind it takes: jobs of the name cannot be
/// enqueued.
const OWN: &str = "windlass.server";

pub(crate) async fn run(args: ServeArgs, context: &Context) -> Result<Output, CliError> {
    let interrupt = Interrupt::listen().map_err(unheard)?;
    have_room();
    Exposure::check(args.listen, args.tls_cert.is_some(), !args.behind_proxy.is_empty())
        .map_err(|exposure| CliError::new(ErrorCode::Invalid, exposure.to_string()))?;
    let tls = certificate(&args)?;
    let (listener, at) = bound(args.listen).await?;
    let store = context.store_itself().await?;
    let token_file = token_file(&args, context)?;
    let metrics = Arc::new(Metrics::default());
    let config = guarded(&args, (&store, &token_file), context).await?.with_metrics(Arc::clone(&metrics));
    let url = url(at, tls.is_some());
    say_where(&url)?;
    let _announced = announced(&url, (&token_file, context.address()?), context);
    let keeper = keeper(&store, metrics)?.start();
    let served =
        serve_encrypted(listener, tls.clone(), (store, config), renewing(tls, interrupt.asked())).await;
    keeper.stop().await;
    let served = served
        .map_err(|error| CliError::new(ErrorCode::Local, "the server could not go on").with_source(error))?;
    let cut = if served.complete { "" } else { "; some requests were cut off" };
    context.tell(&format!("stopped after {} connections{cut}", served.connections));
    Ok(Output::default())
}

/// Lets this process have as many files open as it may at all: each connection is one, and many systems allow a thousand unless
/// asked for more.
fn have_room() {
    let limit = getrlimit(Resource::Nofile);
    let widened = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(error) = widened {
        tracing::debug!(%error, current = limit.current, "the bound on open files stays as it is");
    }
}

/// Listens at `listen`, and says where that is.
pub(super) async fn bound(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), CliError> {
    let listener = TcpListener::bind(listen).await.map_err(|error| not_bound(listen, error))?;
    let at = listener.local_addr().map_err(|error| not_bound(listen, error))?;
    Ok((listener, at))
}

/// Lets the commands of this user find the server as long as this is kept. A server that cannot say so serves all the same.
pub(super) fn announced(
    url: &str,
    (token_file, store): (&Path, Address),
    context: &Context,
) -> Option<Announced> {
    let token_file = std::path::absolute(token_file).ok()?;
    let server = RunningServer { url: url.to_owned(), token_file, store: Place::Store(store).anywhere() };
    let announced = announce(&context.folders().servers()?, &server);
    announced
        .inspect_err(|error| tracing::debug!(%error, "commands will not find this server by themselves"))
        .ok()
}

/// The token for everything, which there is from the first start on.
pub(super) async fn first_token(store: &SharedStore, path: &Path) -> Result<FirstToken, CliError> {
    FirstToken::at(store, path).await.map_err(|error| {
        CliError::new(ErrorCode::Local, error.to_string())
            .with_help("name another file with --admin-token-file")
            .with_source(error)
    })
}

/// Who is let in: whoever has a token that the store knows.
async fn guarded(
    args: &ServeArgs,
    (store, token_file): (&SharedStore, &Path),
    context: &Context,
) -> Result<Config, CliError> {
    if first_token(store, token_file).await?.made {
        let place = token_file.display();
        context.tell(&format!("the token for everything is in {place}: keep it to yourself"));
    }
    let mut door = Door::new();
    door = args.allow_host.iter().fold(door, |door, name| door.allow_host(name.as_str()));
    door = args.allow_origin.iter().fold(door, |door, origin| door.allow_origin(origin.as_str()));
    door = args.behind_proxy.iter().fold(door, |door, address| door.behind_proxy(*address));
    if args.tls_cert.is_some() {
        door = door.encrypted();
    }
    let most = (args.requests_per_token > 0).then_some(args.requests_per_token);
    let tokens = Tokens::of(SharedStore::clone(store)).at_most(most);
    Ok(Config::default().with_authorizer(tokens).with_door(door))
}

/// Where the first token of a store lies, unless said: beside a file; else in the configuration folder.
fn token_file(args: &ServeArgs, context: &Context) -> Result<PathBuf, CliError> {
    if let Some(path) = &args.admin_token_file {
        return Ok(path.clone());
    }
    if let Address::File(path) = context.address()? {
        let mut beside = path.into_os_string();
        beside.push(".token");
        return Ok(beside.into());
    }
    let folder = context.folders().config().ok_or_else(|| {
        CliError::new(
            ErrorCode::Local,
            "there is no configuration folder: neither XDG_CONFIG_HOME nor HOME is set",
        )
        .with_help("say where the token for everything lies, with --admin-token-file")
    })?;
    std::fs::create_dir_all(&folder).map_err(|error| {
        CliError::new(ErrorCode::Local, format!("could not make {}", folder.display())).with_source(error)
    })?;
    Ok(folder.join("server.token"))
}

fn certificate(args: &ServeArgs) -> Result<Option<Tls>, CliError> {
    let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) else { return Ok(None) };
    let read = Tls::read(certificate, key);
    read.map(Some).map_err(|error| CliError::new(ErrorCode::Invalid, error.to_string()).with_source(error))
}

/// Waits for `stop`, and reads the certificate again whenever a SIGHUP comes.
async fn renewing(tls: Option<Tls>, stop: impl Future<Output = ()>) {
    let hung_up = signal(SignalKind::hangup());
    let (Some(tls), Ok(mut hung_up)) = (tls, hung_up) else { return stop.await };
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            Some(()) = hung_up.recv() => {}
        }
        match tls.renew() {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(error) => tracing::error!(%error, "the certificate is not renewed, the old one goes on"),
        }
    }
}

/// How the server is called.
pub(super) fn url(at: SocketAddr, encrypted: bool) -> String {
    let scheme = if encrypted { "https" } else { "http" };
    format!("{scheme}://{at}")
}

/// The one line that programs read which start a server and want to know where it is.
fn say_where(url: &str) -> Result<(), CliError> {
    let mut stdout = anstream::stdout().lock();
    writeln!(stdout, "listening on {url}").and_then(|()| stdout.flush()).map_err(CliError::output)
}

fn not_bound(listen: SocketAddr, error: std::io::Error) -> CliError {
    CliError::new(ErrorCode::Local, format!("could not listen on {listen}"))
        .with_source(error)
        .with_help("name another address with --listen; port 0 is any that is free")
}

/// A worker that does the duties of the store, and no jobs. What it finds is counted in `metrics`.
pub(super) fn keeper(store: &SharedStore, metrics: Arc<Metrics>) -> Result<Worker, CliError> {
    let never = |_: RawJob| async { Verdict::Fatal { error: AttemptError::new("the server runs no jobs") } };
    let worker = Worker::builder(SharedStore::clone(store)).name(OWN).queue(OWN, 1).handle_kind(OWN, never);
    worker
        .observed_by(metrics)
        .build()
        .map_err(|error| CliError::new(ErrorCode::Local, "could not look after the store").with_source(error))
}
