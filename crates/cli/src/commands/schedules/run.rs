//! `windlass schedules run`

use windlass_store::ids::job_id;
use windlass_wire::JobShape;

use super::actor;
use crate::args::ScheduleRunArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, Output, Row, fields};

const ID: &[Column] = &[Column::whole("ID")];

pub(super) async fn run(args: ScheduleRunArgs, context: &Context) -> Result<Output, CliError> {
    let (store, id) = (context.store().await?, job_id());
    store.run_schedule(&args.name, id, actor(args.by, args.reason)).await?;
    // An id is what the next command needs: it is printed as nothing but itself, also for people.
    if context.form().is_for_people() {
        return Ok(Output::text(format!("{id}\n")));
    }
    let fields = fields(&JobShape::from(store.job(id).await?));
    Ok(Output::list(ID, vec![Row { id: id.to_string(), cells: vec![Cell::text(id)], fields }]))
}
