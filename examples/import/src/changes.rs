//! What an import would change, for those who decide about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::table::Rows;

/// What a file would change, in numbers: what is decided about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Rows that the file has.
    pub(crate) rows: usize,
    /// Lines that make no row.
    pub(crate) rejected: usize,
    pub(crate) added: usize,
    pub(crate) changed: usize,
    pub(crate) removed: usize,
}

/// What becomes of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Added,
    Changed,
    Removed,
}

/// What becomes of the rows with these keys, where anything does: those of the file first.
pub(crate) fn between(now: &Rows, file: &Rows) -> Vec<(Change, String)> {
    let new = file.iter().filter_map(|(key, row)| match now.get(key) {
        None => Some((Change::Added, key)),
        Some(known) => (known != row).then_some((Change::Changed, key)),
    });
    let gone = now.keys().filter(|key| !file.contains_key(*key)).map(|key| (Change::Removed, key));
    new.chain(gone).map(|(change, key)| (change, key.clone())).collect()
}

impl Summary {
    pub(crate) fn of(rows: usize, rejected: usize, changes: &[(Change, String)]) -> Self {
        let count = |wanted| changes.iter().filter(|(change, _)| *change == wanted).count();
        Self {
            rows,
            rejected,
            added: count(Change::Added),
            changed: count(Change::Changed),
            removed: count(Change::Removed),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, rejected, added, changed, removed } = self;
        write!(
            f,
            "{rows} rows: {added} added, {changed} changed, {removed} removed; {rejected} lines rejected"
        )
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(pairs: &[(&str, &str)]) -> Rows {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), vec![(*key).to_owned(), (*value).to_owned()]))
            .collect()
    }

    #[test]
    fn what_is_new_other_or_gone_is_told_and_the_rest_is_not() {
        let now = rows(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let file = rows(&[("a", "1"), ("b", "0"), ("d", "4")]);

        let changes = between(&now, &file);

        let told: Vec<String> = changes.iter().map(|(change, key)| format!("{change} {key}")).collect();
        assert_eq!(told, ["changed b", "added d", "removed c"]);
        let summary = Summary::of(file.len(), 7, &changes);
        assert_eq!(summary.to_string(), "3 rows: 1 added, 1 changed, 1 removed; 7 lines rejected");
        assert_eq!(between(&now, &now), []);
    }
}
