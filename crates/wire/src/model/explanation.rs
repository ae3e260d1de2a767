//! Why a job does not run.

use windlass_core::{Gate, GateForm, Invalid, Need, Timestamp};
use windlass_store::{Explanation, GateHolder, GateObstacle, Obstacle, Pause};

use super::unknown;
use crate::explanation::word;
use crate::{ExplanationShape, HolderShape, ObstacleShape};

impl TryFrom<ExplanationShape> for Explanation {
    type Error = Invalid;

    fn try_from(shape: ExplanationShape) -> Result<Self, Invalid> {
        let obstacles = shape.obstacles.into_iter().map(Obstacle::try_from).collect::<Result<_, _>>()?;
        let ExplanationShape { id, state, reason, ahead, now, .. } = shape;
        Ok(Self { id, state, reason, obstacles, ahead, now })
    }
}

impl TryFrom<ObstacleShape> for Obstacle {
    type Error = Invalid;

    fn try_from(shape: ObstacleShape) -> Result<Self, Invalid> {
        let ObstacleShape { since, until, .. } = shape;
        let told =
            |time: Option<Timestamp>, field: &str| time.ok_or_else(|| Invalid::new(field, "is missing"));
        Ok(match shape.what.as_str() {
            "final" => Self::Final { since },
            "running" => Self::Running { worker: shape.worker, since },
            "scheduled" => Self::Scheduled { until: told(until, "until")? },
            "late" => Self::Late { deadline: told(since, "since")? },
            "dependencies" => {
                let count = shape.count.unwrap_or(shape.jobs.len() as u64);
                Self::Dependencies { jobs: shape.jobs, count }
            }
            "review" => Self::Review { since },
            "paused" => {
                let pause = shape.pause.map(Pause::from);
                Self::Paused(pause.ok_or_else(|| Invalid::new("pause", "is missing"))?)
            }
            "no_worker" => Self::NoWorker,
            _ => Self::Gate(gate(shape)?),
        })
    }
}

fn gate(shape: ObstacleShape) -> Result<GateObstacle, Invalid> {
    let form = GateForm::ALL.into_iter().find(|form| word(*form) == shape.what);
    let form = form.ok_or_else(|| unknown("what", &shape.what))?;
    let missing = |field: &str| Invalid::new(field, "is missing");
    let gate = shape.gate.ok_or_else(|| missing("gate"))?;
    let name = shape.name.ok_or_else(|| missing("name"))?;
    Ok(GateObstacle {
        need: Need { gate: Gate::new(form, name), wish: gate.wish()? },
        refusal: gate.refusal(shape.until)?,
        holders: shape.holders.into_iter().map(GateHolder::from).collect(),
        held: gate.held,
        before: shape.before,
    })
}

impl From<HolderShape> for GateHolder {
    fn from(shape: HolderShape) -> Self {
        Self { job: shape.job, exclusive: shape.exclusive, since: shape.since }
    }
}
