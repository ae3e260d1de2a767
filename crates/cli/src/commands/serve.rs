//! `windlass serve`

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use windlass::Address;
use windlass_core::{AttemptError, Verdict};
use windlass_runtime::{RawJob, Worker};
use windlass_server::{Config, Door, Exposure, FirstToken, Tls, Tokens, serve_encrypted};
use windlass_store::SharedStore;

use super::work::unheard;
use crate::args::ServeArgs;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::interrupt::Interrupt;
use crate::output::Output;

/// The name of the worker that looks after the store, of its queue, and of the kind it takes: jobs of the name cannot be
/// enqueued.
const OWN: &str = "windlass.server";

pub(crate) async fn run(args: ServeArgs, context: &Context) -> Result<Output, CliError> {
    let interrupt = Interrupt::listen().map_err(unheard)?;
    Exposure::check(args.listen, args.tls_cert.is_some(), !args.behind_proxy.is_empty())
        .map_err(|exposure| CliError::new(ErrorCode::Invalid, exposure.to_string()))?;
    let tls = certificate(&args)?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| not_bound(args.listen, error))?;
    let at = listener.local_addr().map_err(|error| not_bound(args.listen, error))?;
    let store = context.store_or_make().await?;
    let config = guarded(&args, &store, context).await?;
    say_where(at, tls.is_some())?;
    let keeper = keeper(&store)?.start();
    let served =
        serve_encrypted(listener, tls.clone(), (store, config), renewing(tls, interrupt.asked())).await;
    keeper.stop().await;
    let served = served
        .map_err(|error| CliError::new(ErrorCode::Local, "the server could not go on").with_source(error))?;
    let cut = if served.complete { "" } else { "; some requests were cut off" };
    context.tell(&format!("stopped after {} connections{cut}", served.connections));
    Ok(Output::default())
}

/// Who is let in: whoever has a token that the store knows. There is one from the first start on.
async fn guarded(args: &ServeArgs, store: &SharedStore, context: &Context) -> Result<Config, CliError> {
    let path = match &args.admin_token_file {
        Some(path) => path.clone(),
        None => token_file(context.address())?,
    };
    let first = FirstToken::at(store, &path).await.map_err(|error| {
        CliError::new(ErrorCode::Local, error.to_string())
            .with_help("name another file with --admin-token-file")
            .with_source(error)
    })?;
    if first.made {
        context.tell(&format!("the token for everything is in {}: keep it to yourself", path.display()));
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

/// Where the first token of a store lies: beside a file; else in the configuration folder.
fn token_file(address: &Address) -> Result<PathBuf, CliError> {
    if let Address::File(path) = address {
        let mut beside = path.clone().into_os_string();
        beside.push(".token");
        return Ok(beside.into());
    }
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    let folder = folder.map(|folder| folder.join("windlass")).ok_or_else(|| {
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

/// The one line that programs read which start a server and want to know where it is.
fn say_where(at: SocketAddr, encrypted: bool) -> Result<(), CliError> {
    let mut stdout = anstream::stdout().lock();
    let scheme = if encrypted { "https" } else { "http" };
    writeln!(stdout, "listening on {scheme}://{at}").and_then(|()| stdout.flush()).map_err(CliError::output)
}

fn not_bound(listen: SocketAddr, error: std::io::Error) -> CliError {
    CliError::new(ErrorCode::Local, format!("could not listen on {listen}"))
        .with_source(error)
        .with_help("name another address with --listen; port 0 is any that is free")
}

/// A worker that does the duties of the store, and no jobs.
fn keeper(store: &SharedStore) -> Result<Worker, CliError> {
    let never = |_: RawJob| async { Verdict::Fatal { error: AttemptError::new("the server runs no jobs") } };
    let built =
        Worker::builder(SharedStore::clone(store)).name(OWN).queue(OWN, 1).handle_kind(OWN, never).build();
    built
        .map_err(|error| CliError::new(ErrorCode::Local, "could not look after the store").with_source(error))
}
