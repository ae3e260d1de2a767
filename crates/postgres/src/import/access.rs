//! Who may do what, and who did what by hand.

use windlass_core::Invalid;
use windlass_store::{AuditEntry, StoreError, Token};

use super::NAME;
use crate::database::{Session, Values};
use crate::error::During;
use crate::value::{Instant, instant};
use crate::{PostgresStore, sql};

/// How many entries of the audit are written by one statement.
const PART: usize = 1_000;

impl PostgresStore {
    /// Takes over tokens as they are, given in the order in which they were made: whoever has one is let in here too. One that
    /// is here already is left alone, so a call may be repeated.
    ///
    /// # Errors
    ///
    /// `Invalid(tokens)` where one has the name of another that is here and not revoked, and then none was taken over.
    pub async fn import_tokens(&self, tokens: &[Token]) -> Result<(), StoreError> {
        if tokens.is_empty() {
            return Ok(());
        }
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = write_tokens(&transaction, tokens).await;
        transaction.end(outcome, NAME).await
    }

    /// Takes over what was done by hand, given in the order in which it was done, before all that is done from now on: all of it
    /// or nothing. Where it is here already nothing is done, so a call may be repeated.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Full`; `Unknown`: ask again.
    pub async fn import_audit(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let Some(first) = entries.first() else { return Ok(()) };
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = async {
            transaction.query(sql::import::LOCK, &[&self.core.schema]).await.during(NAME)?;
            if is_there(&transaction, first).await? {
                return Ok(());
            }
            for part in entries.chunks(PART) {
                write_audit(&transaction, part).await?;
            }
            Ok(())
        };
        let outcome = outcome.await;
        transaction.end(outcome, NAME).await
    }
}

async fn write_tokens(session: &Session, tokens: &[Token]) -> Result<(), StoreError> {
    let ids: Vec<String> = tokens.iter().map(|token| token.made.id.to_string()).collect();
    let hashes: Vec<&[u8]> = tokens.iter().map(|token| token.made.hash.as_bytes().as_slice()).collect();
    let names: Vec<&str> = tokens.iter().map(|token| token.made.name.as_str()).collect();
    let roles =
        |token: &Token| token.made.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" ");
    let roles: Vec<String> = tokens.iter().map(roles).collect();
    let queues = |token: &Token| token.made.queues.as_ref().map(|queues| queues.join(" "));
    let queues: Vec<Option<String>> = tokens.iter().map(queues).collect();
    let expires_at: Vec<Option<Instant>> =
        tokens.iter().map(|token| instant(token.made.expires_at)).collect();
    let created_at: Vec<Instant> = tokens.iter().map(|token| Instant(token.created_at)).collect();
    let created_by: Vec<&str> = tokens.iter().map(|token| token.created_by.as_str()).collect();
    let revoked_at: Vec<Option<Instant>> = tokens.iter().map(|token| instant(token.revoked_at)).collect();
    let used_at: Vec<Option<Instant>> = tokens.iter().map(|token| instant(token.used_at)).collect();
    let values: Values<'_> = &[
        &ids,
        &hashes,
        &names,
        &roles,
        &queues,
        &expires_at,
        &created_at,
        &created_by,
        &revoked_at,
        &used_at,
    ];
    session.execute(sql::import::TOKENS, values).await.during(NAME)?;
    match session.query(sql::import::MISSING_TOKENS, &[&ids, &names]).await.during(NAME)?.first() {
        None => Ok(()),
        Some(missing) => {
            let name: &str = missing.get(0);
            let problem =
                format!("have one named {name:?}, and another token that is not revoked has this name");
            Err(StoreError::invalid(NAME, Invalid::new("tokens", problem)))
        }
    }
}

async fn is_there(session: &Session, entry: &AuditEntry) -> Result<bool, StoreError> {
    let at = Instant(entry.at);
    let values: Values<'_> = &[&at, &entry.verb, &entry.noun.as_str(), &entry.subject, &entry.by.name];
    let there = session.query_opt(sql::import::AUDITED, values).await.during(NAME)?;
    Ok(there.is_some_and(|there| there.get(0)))
}

async fn write_audit(session: &Session, entries: &[AuditEntry]) -> Result<(), StoreError> {
    let at: Vec<Instant> = entries.iter().map(|entry| Instant(entry.at)).collect();
    let verbs: Vec<&str> = entries.iter().map(|entry| entry.verb.as_str()).collect();
    let nouns: Vec<&str> = entries.iter().map(|entry| entry.noun.as_str()).collect();
    let subjects: Vec<&str> = entries.iter().map(|entry| entry.subject.as_str()).collect();
    let actors: Vec<&str> = entries.iter().map(|entry| entry.by.name.as_str()).collect();
    let whys: Vec<Option<&str>> = entries.iter().map(|entry| entry.by.why.as_deref()).collect();
    let via = |entry: &AuditEntry| entry.by.via.as_ref().map(ToString::to_string);
    let vias: Vec<Option<String>> = entries.iter().map(via).collect();
    let change = |entry: &AuditEntry| entry.change.as_ref().map(ToString::to_string);
    let changes: Vec<Option<String>> = entries.iter().map(change).collect();
    let values: Values<'_> = &[&at, &verbs, &nouns, &subjects, &actors, &whys, &vias, &changes];
    session.execute(sql::import::AUDIT, values).await.during(NAME).map(|_| ())
}
