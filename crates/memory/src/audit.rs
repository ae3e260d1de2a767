//! The audit: who did what by hand.

use async_trait::async_trait;
use windlass_core::Timestamp;
use windlass_store::{
    Actor, AuditEntry, AuditFilter, AuditStore, Change, Cursor, Noun, Page, PageRequest, StoreError,
};

use crate::MemoryStore;
use crate::state::State;

#[async_trait]
impl AuditStore for MemoryStore {
    async fn audit(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>, StoreError> {
        self.act("read the audit", |state, _| {
            let before = page.cursor().map_or(u64::MAX, |cursor| cursor.position().cast_unsigned());
            let matching = state.audit.iter().rev().filter(|entry| entry.number < before);
            let limit = page.limit() as usize;
            let mut rest = matching.filter(|entry| matches(&filter, entry)).peekable();
            let items: Vec<AuditEntry> = rest.by_ref().take(limit).cloned().collect();
            let last = items.last().map(|entry| Cursor::at(entry.number.cast_signed()));
            Ok(Page { items, next: rest.peek().and(last) })
        })
    }
}

impl State {
    /// Keeps for ever who did this.
    pub(crate) fn audited(&mut self, verb: &str, what: (Noun, impl ToString), by: Actor) {
        self.audited_change(verb, what, (by, None));
    }

    /// The same, with what was changed.
    pub(crate) fn audited_change(
        &mut self,
        verb: &str,
        (noun, subject): (Noun, impl ToString),
        (by, change): (Actor, Option<Change>),
    ) {
        let (number, at): (u64, Timestamp) = (self.audit.len() as u64 + 1, self.now);
        let (verb, subject) = (verb.to_owned(), subject.to_string());
        self.audit.push(AuditEntry { number, at, by, verb, noun, subject, change });
    }
}

fn matches(filter: &AuditFilter, entry: &AuditEntry) -> bool {
    filter.actor.as_ref().is_none_or(|actor| *actor == entry.by.name)
        && filter.verb.as_ref().is_none_or(|verb| *verb == entry.verb)
        && filter.noun.is_none_or(|noun| noun == entry.noun)
        && filter.subject.as_ref().is_none_or(|subject| *subject == entry.subject)
        && filter.since.is_none_or(|since| entry.at >= since)
}
