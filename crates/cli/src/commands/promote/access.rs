//! Copying who may do what, and who did what by hand: before anything is done by hand in the new store.

use windlass_core::limits::PAGE_MAX;
use windlass_postgres::PostgresStore;
use windlass_sqlite::SqliteStore;
use windlass_store::{AuditEntry, AuditFilter, AuditStore, PageRequest, StoreError, Token, TokenStore};

/// Copies all of it. What is there already stays, so it may be done again.
pub(super) async fn copy(source: &SqliteStore, target: &PostgresStore) -> Result<(), StoreError> {
    target.import_tokens(&tokens(source).await?).await?;
    target.import_audit(&audit(source).await?).await
}

/// Every token, the oldest first.
async fn tokens(source: &SqliteStore) -> Result<Vec<Token>, StoreError> {
    let (mut all, mut ahead) = (Vec::new(), Some(PageRequest::first(PAGE_MAX)));
    while let Some(request) = ahead {
        let page = source.tokens(request).await?;
        ahead = page.next.map(|next| request.after(Some(next)));
        all.extend(page.items);
    }
    all.reverse();
    Ok(all)
}

/// Every entry of the audit, the oldest first.
async fn audit(source: &SqliteStore) -> Result<Vec<AuditEntry>, StoreError> {
    let (mut all, mut ahead) = (Vec::new(), Some(PageRequest::first(PAGE_MAX)));
    while let Some(request) = ahead {
        let page = source.audit(AuditFilter::default(), request).await?;
        ahead = page.next.map(|next| request.after(Some(next)));
        all.extend(page.items);
    }
    all.reverse();
    Ok(all)
}
