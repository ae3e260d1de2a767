//! Panics of handlers: caught, and told as failed attempts.
//!
//! Where a panic happened is known only to the process's panic hook. So that a failed attempt can say it, the first
//! worker that runs in a process puts a hook in front of the one that is there: it notes the place of panics that
//! happen inside handlers, and then calls the other, so everything that was printed or reported before still is.
//! [`WorkerBuilder::panic_locations`](crate::WorkerBuilder::panic_locations) turns this off; attempts then tell
//! only the message.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use windlass_core::AttemptError;

thread_local! {
    /// Whether this thread is inside a handler.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic inside a handler happened on this thread.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls code of a handler. What it panics with is an error, and goes no further.
pub(crate) fn guard<T>(call: impl FnOnce() -> T) -> Result<T, AttemptError> {
    let outer = INSIDE.replace(true);
    let caught = catch_unwind(AssertUnwindSafe(call));
    INSIDE.set(outer);
    caught.map_err(told)
}

/// Drops something of a handler's, whose `Drop` may panic too.
pub(crate) fn drop_quietly<T>(thing: T) {
    if let Err(error) = guard(|| drop(thing)) {
        tracing::warn!(error = error.message, "a handler panicked while it was dropped");
    }
}

/// Puts the hook in front of the present one, once per process.
pub(crate) fn note_places() {
    static NOTED: Once = Once::new();
    NOTED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if INSIDE.get() {
                note(panic);
            }
            before(panic);
        }));
    });
}

fn note(panic: &PanicHookInfo<'_>) {
    let mut place = panic.location().map(|location| format!("at {location}")).unwrap_or_default();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        place.push('\n');
        place.push_str(&backtrace.to_string());
    }
    PLACE.with(|noted| *noted.borrow_mut() = Some(place));
}

fn told(payload: Box<dyn Any + Send>) -> AttemptError {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let error = AttemptError::new(format!("panicked: {}", text.unwrap_or("with something that is not text")));
    let error = error.with_class("panic");
    // A payload may panic in its own `Drop`; then nothing is left to be said.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    match PLACE.with(|place| place.borrow_mut().take()) {
        Some(place) => error.with_trace(place),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_message_and_its_place() {
        note_places();

        let error = guard(|| panic!("boom {}", 7)).unwrap_err();

        assert_eq!(error.message, "panicked: boom 7");
        assert!(error.trace.is_some_and(|trace| trace.starts_with("at ") && trace.contains("panics.rs")));
    }

    #[test]
    fn a_panic_without_text_is_told_too() {
        let error = guard(|| std::panic::panic_any(7)).unwrap_err();

        assert_eq!(error.message, "panicked: with something that is not text");
    }

    #[test]
    fn a_panic_in_a_drop_goes_no_further() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in drop");
            }
        }

        drop_quietly(Bomb);
    }
}
