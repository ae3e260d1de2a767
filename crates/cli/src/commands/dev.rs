//! `windlass dev`: everything in one process, to try it out.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use windlass::Address;
use windlass::metrics::Metrics;
use windlass_server::{Config, Door, Exposure, Tokens, serve};
use windlass_store::SharedStore;

use super::serve::{announced, bound, first_token, keeper, url};
use super::work::unheard;
use crate::args::DevArgs;
use crate::config::Origin;
use crate::context::Context;
use crate::demo;
use crate::error::{CliError, ErrorCode};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::store;

/// The store, and the folder that goes with it if nobody keeps it.
struct Kept {
    address: Address,
    /// Also keeps the token. Removed when this is dropped.
    folder: TempDir,
}

pub(crate) async fn run(args: DevArgs, context: &Context) -> Result<Output, CliError> {
    let interrupt = Interrupt::listen().map_err(unheard)?;
    Exposure::check(args.listen, false, false)
        .map_err(|exposure| CliError::new(ErrorCode::Invalid, exposure.to_string()))?;
    let (listener, at) = bound(args.listen).await?;
    let kept = kept(context)?;
    let store = store::make(&kept.address).await?;
    let token_file = kept.folder.path().join("token");
    first_token(&store, &token_file).await?;
    let url = url(at, false);
    let announced = announced(&url, (&token_file, kept.address.clone()), context);
    let metrics = Arc::new(Metrics::default());
    let workers = workers(&store, &metrics, &args)?;
    greet(&url, &kept, (&args, &token_file), context)?;
    let tokens = Tokens::of(SharedStore::clone(&store)).at_most(None);
    let config = Config::default().with_authorizer(tokens).with_door(Door::new()).with_metrics(metrics);
    let served = serve(listener, store, config, interrupt.asked()).await;
    drop(announced);
    for worker in workers {
        worker.stop().await;
    }
    served
        .map_err(|error| CliError::new(ErrorCode::Local, "the server could not go on").with_source(error))?;
    context.tell(if is_kept(context) { "stopped" } else { "stopped; the jobs are gone" });
    Ok(Output::default())
}

/// Whether the store stays: it was named on the command line. What the environment or a file names is no store to play with.
fn is_kept(context: &Context) -> bool {
    context.settings().place.origin == Origin::Flag("--store")
}

fn kept(context: &Context) -> Result<Kept, CliError> {
    let folder = tempfile::Builder::new().prefix("windlass-dev-").tempdir().map_err(|error| {
        CliError::new(ErrorCode::Local, "could not make a folder for the throw-away store").with_source(error)
    })?;
    let address =
        if is_kept(context) { context.address()? } else { Address::File(folder.path().join("windlass.db")) };
    Ok(Kept { address, folder })
}

fn workers(
    store: &SharedStore,
    metrics: &Arc<Metrics>,
    args: &DevArgs,
) -> Result<Vec<windlass_runtime::RunningWorker>, CliError> {
    let mut workers = vec![keeper(store, Arc::clone(metrics))?.start()];
    if !args.no_worker {
        let demo = demo::worker(store, args.slots, Arc::clone(metrics));
        let demo = demo.map_err(|error| CliError::new(ErrorCode::Invalid, error.to_string()))?;
        workers.push(demo.start());
    }
    Ok(workers)
}

/// Says what there is, and what to try.
fn greet(
    url: &str,
    kept: &Kept,
    (args, token_file): (&DevArgs, &Path),
    context: &Context,
) -> Result<(), CliError> {
    let version = env!("CARGO_PKG_VERSION");
    let store = if is_kept(context) {
        format!("store {}", kept.address)
    } else {
        "throw-away store (gone on exit; keep one with --store ./dev.db)".to_owned()
    };
    let worker = if args.no_worker {
        "none".to_owned()
    } else {
        format!("queue `{}`, kinds {} (demo)", demo::QUEUE, demo::KINDS.join(", "))
    };
    let token = token_file.display();
    let text = format!(
        "windlass {version} · {store}\n\
         server     {url}\n\
         token      {token} (your own commands find it)\n\
         worker     {worker}\n\
         try        windlass enqueue hello '{{\"name\":\"Ada\"}}' --wait\n\
         \u{20}          windlass enqueue flaky --count 200; windlass errors\n\
         \u{20}          windlass enqueue approve '{{\"amount\":900}}' --review outcome; windlass reviews approve --latest\n\
         \u{20}          windlass top\n\
         Ctrl-C to stop\n"
    );
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(CliError::output)
}
