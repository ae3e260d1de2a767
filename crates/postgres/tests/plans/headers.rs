//! Which indexes the header of a statement says that it relies on.

use std::collections::BTreeSet;

/// The indexes that a header names; `known` are all there are. Refuses a name that none of them has.
///
/// It is the sentence behind `Index:`, a list of names, or of tables behind `the primary key of` and `the primary keys of`. What
/// more it says of one is left alone.
pub(crate) fn indexes(text: &str, known: &BTreeSet<String>) -> Result<Vec<String>, String> {
    let Some(sentence) = sentence(text) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for part in sentence.split(';') {
        let mut of_tables = false;
        for item in
            part.split(',').flat_map(|items| items.split(" and ")).filter(|item| !item.trim().is_empty())
        {
            let item = item.trim();
            let tables = item.strip_prefix("the primary keys of ");
            of_tables |= tables.is_some();
            let table = tables.or_else(|| item.strip_prefix("the primary key of "));
            let first = table.unwrap_or(item).split_whitespace().next().unwrap_or_default();
            let key = format!("{first}_pkey");
            if table.is_some() || (of_tables && !known.contains(first)) {
                found.push(key);
            } else if known.contains(first) || item == first {
                found.push(first.to_owned());
            }
        }
    }
    match found.iter().find(|index| !known.contains(*index)) {
        Some(unknown) => Err(format!("names {unknown}, and there is no such index")),
        None => Ok(found),
    }
}

/// What stands behind `Index:`, up to the end of its sentence.
fn sentence(text: &str) -> Option<String> {
    let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("--")).map(str::trim).collect();
    let header = header.join(" ");
    let (_, behind) = header.split_once("Index: ")?;
    let sentence = behind.split(". ").next().unwrap_or_default().trim_end_matches('.');
    (!sentence.starts_with("none")).then(|| sentence.to_owned())
}

#[test]
fn a_header_is_read_as_it_is_meant() {
    let known = ["job_pkey", "log_pkey", "edge_parent", "history_id"].map(str::to_owned).into();
    let indexes = |header: &str| indexes(&format!("-- Does it.\n--\n-- Index: {header}\nSELECT 1"), &known);

    assert_eq!(indexes("the primary key of job. No row: never.").unwrap(), ["job_pkey"]);
    assert_eq!(
        indexes("the primary keys of job and log; edge_parent, history_id.").unwrap(),
        ["job_pkey", "log_pkey", "edge_parent", "history_id"]
    );
    assert_eq!(
        indexes("the primary key of job decides what is there, and history_id what has ended.").unwrap(),
        ["job_pkey", "history_id"]
    );
    assert_eq!(indexes("none, as it reads no table.").unwrap(), Vec::<String>::new());
    assert!(indexes("job_palce.").is_err());
    assert!(indexes("the primary key of jobs.").is_err());
}
