//! Runs that alternate, their medians, and the table of what came out.

use std::time::{Duration, Instant};

/// One line of the report: what we do, what we are held against, and what the ratio should be.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) ours: f64,
    pub(crate) against: f64,
    pub(crate) beside: &'static str,
    pub(crate) wanted: Wanted,
}

/// What a figure should come to.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// Ours is at least this many times the other.
    AtLeast(f64),
    /// Ours alone is at most this.
    AtMost(f64),
    /// Ours is at most this many times the other.
    TimesAtMost(f64),
}

impl Figure {
    fn ratio(&self) -> f64 {
        self.ours / self.against
    }

    fn met(&self) -> bool {
        match self.wanted {
            Wanted::AtLeast(least) => self.ratio() >= least,
            Wanted::AtMost(most) => self.ours <= most,
            Wanted::TimesAtMost(most) => self.ratio() <= most,
        }
    }
}

/// As many digits as tell something.
pub(crate) fn shown(value: f64) -> String {
    match value {
        0.0 => String::new(),
        _ if value < 1.0 => format!("{value:.4}"),
        _ if value < 100.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

/// The median; the lower of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) / 2]
}

/// The value below which `share` of them lie.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let index = ((values.len() - 1) as f64 * share).round() as usize;
    values[index]
}

/// How many of `count` things happen in a second, when they took `elapsed` together.
pub(crate) fn per_second(count: usize, elapsed: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let count = count as f64;
    count / elapsed.as_secs_f64()
}

/// Runs `work` and says how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    (made, start.elapsed())
}

/// Runs ours and the other in turn, `runs` times each, and returns both medians.
pub(crate) fn alternate(
    runs: usize,
    mut ours: impl FnMut() -> f64,
    mut other: impl FnMut() -> f64,
) -> (f64, f64) {
    let pairs: Vec<(f64, f64)> =
        (0..runs).map(|_| (other(), ours())).map(|(other, ours)| (ours, other)).collect();
    (median(pairs.iter().map(|pair| pair.0).collect()), median(pairs.iter().map(|pair| pair.1).collect()))
}

/// Prints the report.
#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
pub(crate) fn report(figures: &[Figure]) {
    println!("{:<44} {:>12} {:>12}  {:<26} {:>8} {:>9}", "figure", "ours", "beside", "", "ratio", "wanted");
    for figure in figures {
        let wanted = match figure.wanted {
            Wanted::AtLeast(least) => format!(">= {least}x"),
            Wanted::AtMost(most) => format!("<= {most}"),
            Wanted::TimesAtMost(most) => format!("<= {most}x"),
        };
        let ratio = if figure.against == 0.0 { 0.0 } else { figure.ratio() };
        println!(
            "{:<44} {:>12} {:>12}  {:<26} {:>8} {:>9}{}",
            figure.name,
            shown(figure.ours),
            shown(figure.against),
            figure.beside,
            shown(ratio),
            wanted,
            if figure.met() { "" } else { "  MISSED" }
        );
    }
}
