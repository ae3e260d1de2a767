//! The lead: a lease by the server's clock, in one row. A lock of the session would end with a connection, and a pooler
//! may give every transaction another one.

use windlass_core::WorkerId;
use windlass_store::{ErrorKind, LEADER_LEASE, Leadership, StoreError};

use crate::database::{Session, Values};
use crate::error::During;
use crate::workers::micros;
use crate::{row, sql};

/// How often to ask where others change the row at the same time. Whoever changed it leads for seconds.
const TRIES: usize = 3;

pub(super) async fn lead(
    session: &Session,
    candidate: WorkerId,
    name: &'static str,
) -> Result<Leadership, StoreError> {
    let lease = micros(LEADER_LEASE);
    for _ in 0..TRIES {
        let values: Values<'_> = &[&session.now, &candidate.as_uuid(), &lease];
        if let Some(found) = session.query_opt(sql::leader::LEAD, values).await.committing(name)? {
            return Ok(Leadership {
                leader: WorkerId::from_uuid(found.get(0)),
                term: row::unsigned(&found, 1),
                until: row::instant(&found, 2),
                look_at: row::instant_option(&found, 3),
            });
        }
    }
    Err(StoreError::new(name, ErrorKind::Conflict))
}

pub(super) async fn resign(
    session: &Session,
    leader: WorkerId,
    name: &'static str,
) -> Result<(), StoreError> {
    let values: Values<'_> = &[&session.now, &leader.as_uuid()];
    session.execute(sql::leader::RESIGN, values).await.committing(name).map(|_| ())
}
