//! The trace that a command is in, as programs tell each other of it: by two variables of the environment.

use tokio::process::Command;
use windlass_core::Trace;

use crate::config::variable;

const PARENT: &str = "TRACEPARENT";
const STATE: &str = "TRACESTATE";

/// The trace that this program was started in, if whoever started it said so. A command that a worker runs is: so what it
/// enqueues goes on in the trace of its job.
pub(crate) fn around() -> Option<Trace> {
    let text = |name| variable(name).and_then(|text| text.into_string().ok());
    Trace::parse(&text(PARENT)?, text(STATE).as_deref())
}

/// Tells a program that a job runs of the job's trace, and of no other: that of the worker is not its own.
pub(crate) fn hand_on(command: &mut Command, trace: Option<&Trace>) {
    command.env_remove(PARENT).env_remove(STATE);
    if let Some(trace) = trace {
        command.env(PARENT, trace.traceparent());
        if let Some(state) = trace.tracestate() {
            command.env(STATE, state);
        }
    }
}
