//! Copying who may do what, and who did what by hand: before anything is done by hand in the new store.

use windlass_postgres::PostgresStore;
use windlass_sqlite::SqliteStore;
use windlass_store::{AuditEntry, AuditFilter, AuditStore, StoreError, Token, TokenStore};

use crate::pages;

/// Copies all of it. What is there already stays, so it may be done again.
pub(super) async fn copy(source: &SqliteStore, target: &PostgresStore) -> Result<(), StoreError> {
    target.import_tokens(&tokens(source).await?).await?;
    target.import_audit(&audit(source).await?).await
}

/// Every token, the oldest first.
async fn tokens(source: &SqliteStore) -> Result<Vec<Token>, StoreError> {
    let mut all = pages::all(async |page| source.tokens(page).await).await?;
    all.reverse();
    Ok(all)
}

/// Every entry of the audit, the oldest first.
async fn audit(source: &SqliteStore) -> Result<Vec<AuditEntry>, StoreError> {
    let mut all = pages::all(async |page| source.audit(AuditFilter::default(), page).await).await?;
    all.reverse();
    Ok(all)
}
