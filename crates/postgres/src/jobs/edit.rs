//! Jobs that are edited by hand while they wait, and further copies of those that have ended.

use windlass_core::{Args, Job, JobId, NewJob, Stage, Traits};
use windlass_store::rules::edits::{Edited, edited};
use windlass_store::rules::{check_batch, copied};
use windlass_store::{Actor, Change, Enqueued, ErrorKind, JobEdit, JobStore, Noun, StoreError};

use super::change::{expect, note_changes};
use crate::database::{Session, Values};
use crate::error::During;
use crate::fates::{as_json, number};
use crate::tries::Tries;
use crate::value::Instant;
use crate::{Core, PostgresStore, audit, gates, row, sql, unique};

/// Edits a job; whether anything was changed.
pub(super) async fn edit(
    core: &Core,
    id: JobId,
    (edit, by): (&JobEdit, &Actor),
    name: &'static str,
) -> Result<bool, StoreError> {
    let mut tries = Tries::new(&core.database, name);
    loop {
        let mut missing = None;
        let transaction = tries.begin().await?;
        let outcome = edit_in(core, &transaction, (id, edit, by), (&mut missing, name)).await;
        if let Some(answer) = tries.end(transaction, outcome).await {
            return answer;
        }
        // Whoever has a connection must not wait for another one, so a lane is made between.
        core.lanes.ensure(missing.as_slice(), &core.database, name).await?;
    }
}

async fn edit_in(
    core: &Core,
    session: &Session,
    (id, edit, by): (JobId, &JobEdit, &Actor),
    (missing, name): (&mut Option<NewJob>, &'static str),
) -> Result<bool, StoreError> {
    let (facts, _) = expect(session, id, name).await?;
    let job = read(session, id, name).await?;
    let edited = edited((&job, facts.reason), edit, &core.limits, facts.now);
    let Some(edited) = edited.map_err(|kind| StoreError::new(name, kind))? else { return Ok(false) };
    let lanes = core.lanes.find(std::slice::from_ref(&edited.job));
    let Some(lane) = lanes.and_then(|lanes| lanes.first().copied()) else {
        *missing = Some(edited.job);
        return Err(StoreError::new(name, ErrorKind::Conflict));
    };
    let moved = edited.moved;
    write(session, (lane, &edited), name).await?;
    // One that waits for other jobs stands at no gate, and stays out of the sight of claims.
    if moved && facts.traits.has(Traits::GATED) && facts.stage == Stage::Waiting {
        gates::leave(session, id.as_uuid(), name).await?;
    }
    note_changes(session, &[&facts], (edit.verb(), by, vec![Some(edited.change)]), name).await?;
    Ok(true)
}

async fn write(
    session: &Session,
    (lane, edited): (i32, &Edited),
    name: &'static str,
) -> Result<(), StoreError> {
    let Edited { job, run_at, reason, .. } = edited;
    let priority = i16::from(job.priority.as_number());
    let options =
        (job.options != windlass_core::JobOptions::default()).then(|| as_json(&job.options)).transpose()?;
    let (form, has_form) = (Traits::BYTES.bits().cast_signed(), matches!(job.args, Args::Bytes(_)));
    let values: Values<'_> = &[
        &job.id.as_uuid(),
        &lane,
        &priority,
        &Instant(*run_at),
        &reason.map(number),
        &job.args.as_bytes(),
        &options,
        &form,
        &has_form,
    ];
    session.execute(sql::job::EDIT, values).await.during(name).map(|_| ())
}

/// Makes a further copy of a final job.
pub(super) async fn rerun(
    store: &PostgresStore,
    (id, copy): (JobId, JobId),
    by: &Actor,
    name: &'static str,
) -> Result<Enqueued, StoreError> {
    let core = &store.core;
    let new = copied(store.job(id).await?, copy).map_err(|kind| StoreError::new(name, kind))?;
    let jobs = [new];
    check_batch(&jobs, &core.limits).map_err(|invalid| StoreError::invalid(name, invalid))?;
    // Somebody else may be taking the same key at this moment.
    let mut tries = Tries::new(&core.database, name);
    loop {
        let mut missing = Vec::new();
        let transaction = tries.begin().await?;
        let outcome = rerun_in(core, &transaction, (id, &jobs, &mut missing), (by, name)).await;
        if let Some(answer) = tries.end(transaction, outcome).await {
            return answer;
        }
        core.lanes.ensure(&missing, &core.database, name).await?;
    }
}

async fn rerun_in(
    core: &Core,
    session: &Session,
    (id, jobs, missing): (JobId, &[NewJob], &mut Vec<NewJob>),
    (by, name): (&Actor, &'static str),
) -> Result<Enqueued, StoreError> {
    let made = unique::enqueue_within(core, session, (jobs, missing), name).await?;
    let made = made.first().copied().ok_or_else(|| StoreError::new(name, ErrorKind::Corrupt))?;
    if !made.repeated {
        let what = (Noun::Job, vec![id.to_string()], vec![Some(Change::of_rerun(jobs[0].id))]);
        audit::record_changes(session, "rerun", what, (by, name)).await?;
    }
    Ok(made)
}

async fn read(session: &Session, id: JobId, name: &'static str) -> Result<Job, StoreError> {
    let found = session.query_opt(sql::job::READ, &[&session.now, &id.as_uuid()]).await.during(name)?;
    found.as_ref().map(row::job).ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))?
}
