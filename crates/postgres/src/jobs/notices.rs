//! What the end of a job enqueues: notices for those who asked for it, and what cleans up behind it; and reminders of reviews.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;
use windlass_core::notice::{KIND, QUEUE, notices};
use windlass_core::{KindName, NewJob, QueueName, cleanup};
use windlass_store::StoreError;

use super::Columns;
use crate::database::Ask;
use crate::error::During;
use crate::{row, sql};

/// Enqueues what tells of the ends of `notifying`, and what cleans up behind `left`: jobs whose rows say already that they have
/// ended.
pub(crate) async fn enqueue(
    ask: &impl Ask,
    (notifying, left): (&[Uuid], &[Uuid]),
    operation: &'static str,
) -> Result<(), StoreError> {
    let ended = [notifying, left].concat();
    if ended.is_empty() {
        return Ok(());
    }
    let (queue, kind) = (QUEUE.as_str(), KIND.as_str());
    let rows = ask.query(sql::notice::TELL, &[&ask.now(), &ended, &queue, &kind]).await.during(operation)?;
    let notifying: HashSet<&Uuid> = notifying.iter().collect();
    let places: HashMap<&Uuid, usize> = left.iter().zip(0..).collect();
    let (mut made, mut lanes, mut cleanups) = (Vec::new(), Vec::new(), BTreeMap::new());
    for row in &rows {
        let (job, of_notices, of_cleanups) = (row::job(row)?, row.get(29), row.get(30));
        let id = job.id.as_uuid();
        if notifying.contains(&id) {
            made.extend(notices(&job));
            lanes.resize(made.len(), of_notices);
        }
        if let Some(place) = places.get(&id) {
            cleanups.insert(*place, (cleanup::behind(&job), of_cleanups));
        }
    }
    // In the order of the ends that they are about, as every store enqueues them.
    for (cleanup, lane) in cleanups.into_values() {
        made.push(cleanup);
        lanes.push(lane);
    }
    if made.is_empty() {
        return Ok(());
    }
    let lanes = with_missing(ask, &made, lanes, operation).await?;
    insert(ask, (&made, &lanes), operation).await
}

/// The lanes of these jobs, made where they are not there yet.
async fn with_missing(
    ask: &impl Ask,
    made: &[NewJob],
    lanes: Vec<Option<i32>>,
    operation: &'static str,
) -> Result<Vec<i32>, StoreError> {
    let mut all = Vec::with_capacity(lanes.len());
    let mut missing: HashMap<_, i32> = HashMap::new();
    for (job, known) in made.iter().zip(lanes) {
        let place = (&job.queue, &job.kind, job.version);
        let lane = match known.or_else(|| missing.get(&place).copied()) {
            Some(lane) => lane,
            None => lane(ask, place, operation).await?,
        };
        missing.insert(place, lane);
        all.push(lane);
    }
    Ok(all)
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
    let lane = lane(ask, (&QUEUE, &KIND, 1), operation).await?;
    insert(ask, (reminders, &vec![lane; reminders.len()]), operation).await
}

async fn insert(
    ask: &impl Ask,
    (made, lanes): (&[NewJob], &[i32]),
    operation: &'static str,
) -> Result<(), StoreError> {
    let columns = Columns::of(made, lanes)?;
    ask.query(sql::job::INSERT, &columns.values(&ask.now())).await.during(operation)?;
    ask.made_work();
    Ok(())
}

/// Makes a lane that is not there before there is such a job: that of notices, or one that only jobs with gates had a twin of.
/// Others who make it at the same time wait for this transaction; that happens once in the life of a schema.
async fn lane(
    ask: &impl Ask,
    (queue, kind, version): (&QueueName, &KindName, u32),
    operation: &'static str,
) -> Result<i32, StoreError> {
    let (queues, kinds, versions) = (vec![queue.as_str()], vec![kind.as_str()], vec![i64::from(version)]);
    ask.query(sql::lane::MAKE, &[&queues, &kinds, &versions, &vec![false]]).await.during(operation)?;
    let lanes = ask.query(sql::lane::ALL, &[]).await.during(operation)?;
    let is_it = |row: &&tokio_postgres::Row| {
        let place = (row.get::<_, &str>(1), row.get::<_, &str>(2), row::count(row, 3));
        place == (queue.as_str(), kind.as_str(), version) && !row.get::<_, bool>(4)
    };
    let lane = lanes.iter().find(is_it).map(|row| row.get(0));
    lane.ok_or_else(|| row::damaged("a lane that was just made is not there"))
}
