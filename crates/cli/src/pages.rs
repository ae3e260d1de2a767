//! Lists that may be longer than a page of the store.

use windlass_store::{Page, PageRequest, StoreError};

/// All of a list, whose pages `find` finds.
pub(crate) async fn all<T>(
    find: impl AsyncFn(PageRequest) -> Result<Page<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    first(usize::MAX, find).await
}

/// The first `most` of it.
pub(crate) async fn first<T>(
    most: usize,
    find: impl AsyncFn(PageRequest) -> Result<Page<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let (mut items, mut page) = (Vec::new(), PageRequest::first(u32::try_from(most).unwrap_or(u32::MAX)));
    while items.len() < most {
        let found = find(page).await?;
        items.extend(found.items);
        let Some(next) = found.next else { break };
        page = page.after(Some(next));
    }
    items.truncate(most);
    Ok(items)
}
