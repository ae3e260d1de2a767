//! How far a run has come, on stderr.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::ProgressWhen;

/// Shorter runs show no bar: it would only flicker.
const QUIET: Duration = Duration::from_millis(300);

/// Where there is no terminal, a line this often.
const EVERY: Duration = Duration::from_secs(10);

/// Shows how far a run has come.
#[derive(Debug)]
pub(crate) struct ProgressShow {
    form: Form,
    started: Instant,
}

#[derive(Debug)]
enum Form {
    Bar(ProgressBar),
    Lines { name: String, last: Instant },
    Nothing,
}

/// How many jobs of a run are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) total: usize,
    /// Final, however they ended.
    pub(crate) done: usize,
    /// Final, but not completed.
    pub(crate) failed: usize,
    /// Waiting for a further attempt.
    pub(crate) retrying: usize,
    /// With a worker.
    pub(crate) running: usize,
}

impl Counts {
    /// Why it may take longer than it seems.
    fn troubles(self) -> String {
        let told = [(self.failed, "failed"), (self.retrying, "to be retried")]
            .into_iter()
            .filter(|(count, _)| *count > 0);
        told.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
    }
}

impl ProgressShow {
    /// Begins to show the run of `name`.
    pub(crate) fn new(when: ProgressWhen, terminal: bool, name: &str) -> Self {
        let started = Instant::now();
        let form = match when {
            ProgressWhen::Never => Form::Nothing,
            ProgressWhen::Auto if terminal => Form::Bar(bar()),
            ProgressWhen::Auto => Form::Lines { name: name.to_owned(), last: started },
        };
        Self { form, started }
    }

    /// Shows `counts`.
    #[expect(
        clippy::print_stderr,
        reason = "progress is no output: it is shown while the command has none yet"
    )]
    pub(crate) fn update(&mut self, counts: Counts) {
        let Counts { total, done, .. } = counts;
        match &mut self.form {
            Form::Bar(bar) => {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
                bar.set_message(counts.troubles());
                if bar.is_hidden() && self.started.elapsed() >= QUIET {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                }
            }
            Form::Lines { name, last } if last.elapsed() >= EVERY => {
                *last = Instant::now();
                eprintln!("{name}: {done} of {total} jobs done {}", counts.troubles());
            }
            Form::Lines { .. } | Form::Nothing => {}
        }
    }
}

impl Drop for ProgressShow {
    fn drop(&mut self) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40.cyan} {pos}/{len} {elapsed} {msg:.red}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_style(style)
}
