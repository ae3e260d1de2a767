//! Random operations, held against the model.
//!
//! A sequence of operations on every method of the port runs on the memory store and on another one side by side,
//! under the same clock. Every answer must agree, and at the end everything that can be read. What no case has thought
//! of is found here: a cancel between a rescue and a late settle, a retry of a job whose old token is still about.
//!
//! Operations name jobs, workers and tokens by small numbers and mean something in any order, so a sequence that
//! fails can be cut down to the few that matter, and is shown as such.

mod answer;
mod coverage;
mod dead;
#[cfg(test)]
mod defects;
mod edits;
mod gates;
mod generate;
mod op;
mod reviews;
mod schedules;
mod shrink;
mod world;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use windlass_memory::MemoryStore;

use crate::clock::{TestClock, test_clock};
use crate::fixture::{Start, block_on};

use answer::Answer;
use coverage::Coverage;
use generate::Generator;
use op::Op;
use world::World;

/// Runs the random sequences of these numbers, of `operations` each, on the model and on a store that `start` makes, side by
/// side.
///
/// A number means the same sequence in every run; further ones are had by other numbers. From 50,000 operations on, it also
/// makes sure that they did what they are for: that every operation and every kind of answer came up.
///
/// # Panics
///
/// When the two differ, with the shortest sequence found that shows it; and when the operations were too tame.
pub fn random_sequences(start: impl Start, sequences: Range<u64>, operations: usize) {
    match hunt(&start, sequences, operations) {
        Ok(coverage) => coverage.assert_not_vacuous(),
        Err(report) => panic!("{report}"),
    }
}

/// How a store differed from the model.
struct Report {
    sequence: u64,
    script: Vec<Op>,
    divergence: Divergence,
}

/// Where two stores first answered differently.
struct Divergence {
    /// The operation, counted from 0; the length of the script where only the final state differs.
    step: usize,
    model: String,
    store: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence, script, divergence } = self;
        let count = script.len();
        writeln!(
            f,
            "the store differs from the model; sequence {sequence}, cut down to {count} operations:"
        )?;
        for (step, op) in script.iter().enumerate() {
            let mark = if step == divergence.step { ">" } else { " " };
            writeln!(f, "{mark} {:>3}  {op:?}", step + 1)?;
        }
        if divergence.step == count {
            writeln!(f, ">      (everything that can be read)")?;
        }
        let (mut model, mut store) = (divergence.model.lines(), divergence.store.lines());
        loop {
            match (model.next(), store.next()) {
                (None, None) => return Ok(()),
                (said, other) if said == other => {}
                (said, other) => {
                    write!(f, "model: {}\nstore: {}\n", said.unwrap_or_default(), other.unwrap_or_default())?;
                }
            }
        }
    }
}

fn hunt(start: &impl Start, sequences: Range<u64>, operations: usize) -> Result<Coverage, Report> {
    let mut coverage = Coverage::default();
    for sequence in sequences {
        let script = Generator::new(sequence).script(operations);
        if run(start, &script, &mut coverage).is_err() {
            return Err(cut_down(start, sequence, script));
        }
    }
    Ok(coverage)
}

fn cut_down(start: &impl Start, sequence: u64, script: Vec<Op>) -> Report {
    let fails = |script: &[Op]| run(start, script, &mut Coverage::default()).is_err();
    let script = shrink::shrink(script, fails);
    let divergence = run(start, &script, &mut Coverage::default())
        .expect_err("a script that was kept because it fails, fails again");
    Report { sequence, script, divergence }
}

/// Runs one script on a fresh pair of stores.
fn run(start: &impl Start, script: &[Op], coverage: &mut Coverage) -> Result<(), Divergence> {
    block_on(async {
        let clock = test_clock();
        let fixture = start(clock.clone()).await;
        let mut model = World::new(Arc::new(MemoryStore::with_clock(clock.clone())), clock.clone());
        let mut store = World::new(fixture.store.clone(), clock.clone());
        for (step, op) in script.iter().enumerate() {
            turn_clock(op, &clock, [&model, &store]).await;
            let (expected, given) = (model.apply(op).await, store.apply(op).await);
            coverage.count(op, &expected);
            compare(step, expected, given)?;
        }
        let (expected, given) = (model.dump().await, store.dump().await);
        coverage.count_ends(&expected);
        compare(script.len(), expected, given)
    })
}

/// Moves the clock that both stores go by. Before it goes back, both look at it: what a store has not seen, it need not remember.
async fn turn_clock(op: &Op, clock: &TestClock, worlds: [&World; 2]) {
    use windlass_store::Clock;
    match op {
        Op::Advance(span) => drop(clock.advance(*span)),
        Op::SetBack(span) => {
            for world in worlds {
                world.look_at_clock().await;
            }
            clock.set(clock.now().before(*span));
        }
        _ => {}
    }
}

fn compare(step: usize, model: Answer, store: Answer) -> Result<(), Divergence> {
    if store.agrees_with(&model) {
        return Ok(());
    }
    Err(Divergence { step, model: model.text, store: store.text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fixture;

    #[test]
    fn the_model_agrees_with_itself() {
        random_sequences(
            |clock| Box::pin(async { Fixture::new(Arc::new(MemoryStore::with_clock(clock))) }),
            0..500,
            100,
        );
    }
}
