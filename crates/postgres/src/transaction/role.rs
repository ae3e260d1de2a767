//! Running a handler's statements as whoever asked for the job.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};
use windlass_core::Invalid;
use windlass_store::StoreError;

use crate::error::During;

const NAME: &str = "begin a transaction as the submitter's role";

/// As long as the server lets a name be. A longer one cannot be a role.
const ROLE_BYTES_MAX: usize = 63;

/// Begins a transaction on the caller's connection in which statements are those of the role `submitted_by`: what it may
/// not do, they may not.
///
/// The role that the connection was made as has to be a member of that role (`GRANT alice TO app`), or a superuser. It is
/// the caller's connection and not one of the store's, because those carry settings of ours: a search path, timeouts.
///
/// Before the attempt is settled or a job is enqueued in the same transaction, [`resume_own_role`]: the submitter has no
/// business in the tables of the store. For the same reason this is no wall: whoever can send statements of their own in
/// the transaction can take the role off again. And who a job's submitter is was said by whoever enqueued it, so let the
/// connecting role be a member only of roles that those who may enqueue may act as.
///
/// # Errors
///
/// `Invalid(submitted_by)` for a name that is no role, and for a role that must not be taken on; `Unavailable`.
pub async fn begin_as<'a>(client: &'a mut Client, submitted_by: &str) -> Result<Transaction<'a>, StoreError> {
    check(submitted_by).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
    let transaction = client.transaction().await.during(NAME)?;
    // What `SET LOCAL ROLE` does, with the name as a value: nothing in it is ever read as SQL.
    let set = include_str!("../../sql/role/assume.sql");
    match transaction.query_typed(set, &[(&submitted_by, tokio_postgres::types::Type::TEXT)]).await {
        Ok(_) => Ok(transaction),
        Err(error) => match refusal(error.code(), submitted_by) {
            Some(invalid) => Err(StoreError::invalid(NAME, invalid)),
            None => Err(error).during(NAME),
        },
    }
}

/// Takes the submitter's role off again: from here on the statements of the transaction are those of the role that the
/// connection was made as.
///
/// # Errors
///
/// `Unavailable`: roll back.
pub async fn resume_own_role(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.batch_execute("RESET ROLE").await.during("take the submitter's role off")
}

fn check(role: &str) -> Result<(), Invalid> {
    let invalid = |problem| Err(Invalid::new("submitted_by", problem));
    if role.is_empty() {
        return invalid("is empty, and names no role");
    }
    // To the server this word is no name: it stands for the role that the connection was made as.
    if role == "none" {
        return invalid("names no role of the database");
    }
    if role.len() > ROLE_BYTES_MAX || role.contains('\0') {
        return invalid("is no name that a role can have");
    }
    Ok(())
}

fn refusal(code: Option<&SqlState>, role: &str) -> Option<Invalid> {
    let problem = match code?.code() {
        "22023" | "42704" => format!("{role:?} names no role of the database"),
        "42501" => format!("{role:?} is a role that the connecting one is no member of; grant it"),
        _ => return None,
    };
    Some(Invalid::new("submitted_by", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_means_nobody_is_not_taken_for_a_role() {
        for role in ["", "none", "a\0b", &"x".repeat(64)] {
            assert_eq!(check(role).unwrap_err().field, "submitted_by", "{role:?}");
        }
        assert_eq!(check("None of \"them\"; DROP"), Ok(()));
    }
}
