//! Lists, a page at a time.

use windlass_core::limits::PAGE_MAX;

/// Where the next page begins. Opaque: only the store that gave it can read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(i64);

impl Cursor {
    /// A cursor that stands for `position` in the store that makes it.
    #[must_use]
    pub const fn at(position: i64) -> Self {
        Self(position)
    }

    /// The position it stands for.
    #[must_use]
    pub const fn position(self) -> i64 {
        self.0
    }
}

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    limit: u32,
    after: Option<Cursor>,
}

impl PageRequest {
    /// The first `limit` rows; 1 to [`PAGE_MAX`], moved into that range.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self { limit: limit.clamp(1, PAGE_MAX), after: None }
    }

    /// The same number of rows, from `cursor` on.
    #[must_use]
    pub const fn after(mut self, cursor: Option<Cursor>) -> Self {
        self.after = cursor;
        self
    }

    /// How many rows at the most.
    #[must_use]
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// From where on, if not from the beginning.
    #[must_use]
    pub const fn cursor(self) -> Option<Cursor> {
        self.after
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Cursor>,
}
