//! `windlass top`: what goes on, live, in a terminal.
//!
//! One question is asked at a time, no more often than once a second, and less often where the store takes long to answer: who
//! watches must not be what makes it slow. What is seen ([`app`]), what is asked ([`ask`]) and what is drawn ([`draw`]) know
//! nothing of the terminal, so all of it is tested without one.

mod app;
mod ask;
mod draw;
mod keys;
#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::time::Duration;

use ratatui::DefaultTerminal;
use tokio::time::{Instant, MissedTickBehavior};
use windlass_store::{Clock, SharedStore, SystemClock};

use self::app::{App, Wish};
use self::keys::Keys;
use crate::commands::unheard;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::interrupt::Interrupt;
use crate::output::Output;

/// How often the screen is drawn anew if nothing happens: ages grow.
const DRAW: Duration = Duration::from_millis(500);

/// Shows it until somebody has seen enough.
pub(crate) async fn run(context: &Context) -> Result<Output, CliError> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(CliError::new(ErrorCode::Invalid, "this needs a terminal, on stdin and stdout")
            .with_help(
                "`windlass queues --watch` prints the numbers again and again; --jsonl for programs",
            ));
    }
    let store = context.store().await?;
    let interrupt = Interrupt::listen().map_err(unheard)?;
    let settings = context.settings();
    let mut place = settings.place.value.to_string();
    if let Some(name) = &settings.context {
        let care = if settings.production.value { ", production" } else { "" };
        place = format!("{place} ({}{care})", name.value);
    }
    let app = App::new(place, settings.production.value);
    let screen = Screen::open()?;
    let ended = watch(app, store, screen, &interrupt).await;
    ended.map(|()| Output::default())
}

/// The terminal, which is given back as it was, however this ends: a panic is told on the screen it leaves.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> Result<Self, CliError> {
        ratatui::try_init().map(Self).map_err(broken)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

fn broken(error: std::io::Error) -> CliError {
    CliError::new(ErrorCode::Local, "the terminal cannot be used").with_source(error)
}

async fn watch(
    mut app: App,
    store: SharedStore,
    mut screen: Screen,
    interrupt: &Interrupt,
) -> Result<(), CliError> {
    let mut keys = Keys::listen();
    let mut draws = tokio::time::interval(DRAW);
    draws.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pending = None;
    loop {
        if pending.is_none()
            && let Some(question) = app.due(Instant::now())
        {
            pending = Some(Box::pin(ask::ask(SharedStore::clone(&store), question)));
        }
        screen.0.draw(|frame| draw::draw(&app, SystemClock.now(), frame)).map_err(broken)?;
        tokio::select! {
            () = interrupt.asked() => return Ok(()),
            key = keys.next() => {
                let Some(key) = key else { return Ok(()) };
                if app.press(key) == Wish::Leave {
                    return Ok(());
                }
            }
            answer = async { pending.as_mut().expect("there is one that is waited for").await }, if pending.is_some() => {
                pending = None;
                app.hear(answer, Instant::now());
            }
            _ = draws.tick() => {}
        }
    }
}
