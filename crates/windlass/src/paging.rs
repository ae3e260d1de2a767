//! Lists that the port reads page by page, read to their end.

use windlass_core::limits::PAGE_MAX;
use windlass_store::{Page, PageRequest};

use crate::Error;

/// Every item of a list, each page asked for by `read`.
///
/// An empty page is the last one also where a list says how to go on behind it, for what is still to come.
pub(crate) async fn all<T, F>(mut read: impl FnMut(PageRequest) -> F) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let (mut items, mut request) = (Vec::new(), PageRequest::first(PAGE_MAX));
    loop {
        let page = read(request).await?;
        let is_last = page.items.is_empty();
        items.extend(page.items);
        match page.next {
            Some(next) if !is_last => request = request.after(Some(next)),
            _ => return Ok(items),
        }
    }
}
