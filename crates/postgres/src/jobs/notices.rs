//! Notices: those who asked for it are told when a job has ended, and reminded of one in review.

use uuid::Uuid;
use windlass_core::NewJob;
use windlass_core::notice::{KIND, QUEUE, notices};
use windlass_store::StoreError;

use super::Columns;
use crate::database::Ask;
use crate::error::During;
use crate::{row, sql};

/// Enqueues what tells of the ends of these jobs, whose rows say already that they have ended.
pub(crate) async fn enqueue(
    ask: &impl Ask,
    ended: &[Uuid],
    operation: &'static str,
) -> Result<(), StoreError> {
    if ended.is_empty() {
        return Ok(());
    }
    let (queue, kind) = (QUEUE.as_str(), KIND.as_str());
    let rows = ask.query(sql::notice::TELL, &[&ask.now(), &ended, &queue, &kind]).await.during(operation)?;
    let mut made: Vec<NewJob> = Vec::new();
    for row in &rows {
        made.extend(notices(&row::job(row)?));
    }
    if made.is_empty() {
        return Ok(());
    }
    let lane = match rows.first().and_then(|row| row.get::<_, Option<i32>>(29)) {
        Some(lane) => lane,
        None => lane(ask, operation).await?,
    };
    insert(ask, (&made, lane), operation).await
}

/// Enqueues these reminders.
pub(crate) async fn remind(
    ask: &impl Ask,
    reminders: &[NewJob],
    operation: &'static str,
) -> Result<(), StoreError> {
    if reminders.is_empty() {
        return Ok(());
    }
    let lane = lane(ask, operation).await?;
    insert(ask, (reminders, lane), operation).await
}

async fn insert(
    ask: &impl Ask,
    (made, lane): (&[NewJob], i32),
    operation: &'static str,
) -> Result<(), StoreError> {
    let lanes = vec![lane; made.len()];
    let columns = Columns::of(made, &lanes)?;
    ask.query(sql::job::INSERT, &columns.values(&ask.now())).await.during(operation)?;
    ask.made_work();
    Ok(())
}

/// Makes the lane of notices, which is not there before there is a notice. Others who make it at the same time wait for this
/// transaction; that happens once in the life of a schema.
async fn lane(ask: &impl Ask, operation: &'static str) -> Result<i32, StoreError> {
    let (queues, kinds, versions) = (vec![QUEUE.as_str()], vec![KIND.as_str()], vec![1_i64]);
    ask.query(sql::lane::MAKE, &[&queues, &kinds, &versions, &vec![false]]).await.during(operation)?;
    let lanes = ask.query(sql::lane::ALL, &[]).await.during(operation)?;
    let is_ours = |row: &&tokio_postgres::Row| {
        (row.get::<_, &str>(1), row.get::<_, &str>(2), row::count(row, 3))
            == (QUEUE.as_str(), KIND.as_str(), 1)
    };
    let lane = lanes.iter().find(is_ours).map(|row| row.get(0));
    lane.ok_or_else(|| row::damaged("a lane that was just made is not there"))
}
