//! `windlass jobs why`

use windlass_core::gate::Refusal;
use windlass_core::{GateForm, JobId, JobState, Timestamp, Wish};
use windlass_store::{Explanation, GateObstacle, Obstacle};
use windlass_wire::ExplanationShape;

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, List, Output, Record, Row, fields};

const WHY: &[Column] = &[Column::whole("WHY"), Column::new("SINCE"), Column::new("UNTIL")];

pub(crate) async fn run(id: JobId, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let why = store.explain(id).await.map_err(|error| CliError::about(id, error))?;
    let lines = vec![
        ("id", Cell::text(id)),
        ("state", Cell::State(why.state)),
        ("answer", Cell::Text(answer(&why))),
        ("not before", Cell::maybe(why.until(), Cell::Time)),
    ];
    let rows: Vec<Row> = why.obstacles.iter().flat_map(reasons).map(Reason::into_row).collect();
    let sections = if rows.is_empty() { Vec::new() } else { vec![("why", List { columns: WHY, rows })] };
    let fields = fields(&ExplanationShape::from(why));
    Ok(Output::record(Record { id: id.to_string(), lines, sections, fields }))
}

/// The answer in a few words.
fn answer(why: &Explanation) -> String {
    match (why.state, why.ahead) {
        (state, _) if state.is_final() => "it is over".to_owned(),
        (JobState::Running, _) => "it runs".to_owned(),
        _ if !why.is_ready() => "it waits".to_owned(),
        (_, 0) => "ready, next".to_owned(),
        (_, 1) => "ready, behind 1 job of its queue".to_owned(),
        (_, ahead) if ahead >= windlass_core::limits::AHEAD_COUNT_MAX as u64 => {
            format!("ready, behind {ahead} jobs of its queue or more")
        }
        (_, ahead) => format!("ready, behind {ahead} jobs of its queue"),
    }
}

/// One thing that stands in the way, as a person reads it.
struct Reason {
    text: String,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Reason {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), since: None, until: None }
    }

    fn into_row(self) -> Row {
        let times = [self.since, self.until].map(|time| Cell::maybe(time, Cell::Time));
        let [since, until] = times;
        Row {
            id: String::new(),
            cells: vec![Cell::Text(self.text), since, until],
            fields: windlass_wire::Fields::default(),
        }
    }
}

fn reasons(obstacle: &Obstacle) -> Vec<Reason> {
    let one = match obstacle {
        Obstacle::Final { since } => Reason { since: *since, ..Reason::new("it has ended") },
        Obstacle::Running { worker, since } => {
            let on = worker.as_ref().map_or(String::new(), |worker| format!(" on worker \"{worker}\""));
            Reason { since: *since, ..Reason::new(format!("it runs{on}")) }
        }
        Obstacle::Scheduled { until } => Reason { until: Some(*until), ..Reason::new("it is due later") },
        Obstacle::Late { deadline } => Reason {
            since: Some(*deadline),
            ..Reason::new("it was not started by its deadline, and will end")
        },
        Obstacle::Dependencies { jobs, .. } => {
            let jobs: Vec<String> = jobs.iter().map(ToString::to_string).collect();
            Reason::new(format!("it waits for {}", jobs.join(", ")))
        }
        Obstacle::Review { since } => {
            Reason { since: *since, ..Reason::new("it waits for a person to decide") }
        }
        Obstacle::Paused(pause) => {
            let why = pause.by.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
            Reason {
                since: Some(pause.since),
                ..Reason::new(format!("its queue is paused by {}{why}", pause.by.name))
            }
        }
        Obstacle::Gate(gate) => return at_gate(gate),
        Obstacle::NoWorker => Reason::new("no live worker takes its queue, kind and version"),
        _ => Reason::new("something that this version does not know"),
    };
    vec![one]
}

fn at_gate(gate: &GateObstacle) -> Vec<Reason> {
    let first = Reason { until: gate.refusal.until(), ..Reason::new(refused(gate)) };
    let holder = |holder: &windlass_store::GateHolder| {
        let how = match (gate.need.gate.form, holder.exclusive) {
            (GateForm::Lock, true) => " alone",
            (GateForm::Lock, false) => " shared",
            _ => "",
        };
        Reason { since: Some(holder.since), ..Reason::new(format!("  held{how} by job {}", holder.job)) }
    };
    let more = gate.held.saturating_sub(gate.holders.len() as u64);
    let rest = (more > 0).then(|| Reason::new(format!("  and by {more} others")));
    std::iter::once(first).chain(gate.holders.iter().map(holder)).chain(rest).collect()
}

fn refused(gate: &GateObstacle) -> String {
    let name = &gate.need.gate.name;
    let what = match gate.need.gate.form {
        GateForm::Lock => format!("lock \"{name}\""),
        GateForm::Limit => format!("limit \"{name}\""),
        GateForm::Rate => format!("rate \"{name}\""),
        GateForm::Order => format!("order key \"{name}\""),
        GateForm::QueueLimit => format!("the limit of queue \"{name}\""),
        GateForm::QueueRate => format!("the rate of queue \"{name}\""),
        GateForm::KindLimit => format!("the limit of kind \"{name}\""),
        GateForm::KindRate => format!("the rate of kind \"{name}\""),
    };
    let before = gate.before.map_or_else(|| "an earlier job".to_owned(), |job| format!("job {job}"));
    match (gate.refusal, gate.need.wish) {
        (Refusal::Held, _) => format!("{what} is held"),
        (Refusal::Behind { .. }, _) => format!("{what}: {before} stands in line before it"),
        (Refusal::Full, Wish::Slot { max }) => format!("{what}: {} of {max} run", gate.held),
        (Refusal::Full, _) => format!("{what} has no room"),
        (Refusal::Early { .. }, _) => format!("{what}: it is too early for another start"),
        (Refusal::Turn, _) => format!("{what}: it is the turn of {before}"),
    }
}
