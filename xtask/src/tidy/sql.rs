//! SQL lives in `sql/<noun>/<verb>.sql`: one statement a file, with a header that says what the statement cannot.
//!
//! The header is the comment the file begins with. It says what the statement does and what each parameter is. One that
//! does not reach its rows by a primary key names the index it relies on, or says that it reads everything. One that looks
//! for a single row, or changes a row on a condition, says what it means when there is no row:
//!
//! ```sql
//! -- Leases ready jobs of one lane, in claim order.
//! --
//! --   :lane   integer        the lane
//! --   :limit  integer        1 to CLAIM_BATCH_MAX
//! --
//! -- Index: job_waiting.
//! -- No row: nothing is due.
//! ```
//!
//! No SQL stands in the Rust of a store, but for a line that says why, as in `// sql: the name of a table cannot be bound`.

use std::collections::BTreeSet;

use super::Finding;
use super::source::{is_test_file, is_word, product_lines};
use crate::repo::Repo;

/// Words that are written upper case in a statement.
const KEYWORDS: [&str; 40] = [
    "and",
    "as",
    "asc",
    "begin",
    "between",
    "by",
    "case",
    "commit",
    "conflict",
    "create",
    "delete",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "exists",
    "from",
    "group",
    "having",
    "in",
    "insert",
    "into",
    "is",
    "join",
    "left",
    "limit",
    "not",
    "null",
    "on",
    "or",
    "order",
    "returning",
    "select",
    "set",
    "update",
    "values",
    "when",
    "where",
    "with",
];

/// How a string begins that is a statement.
const STATEMENTS: [&str; 5] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];

/// Columns that are a primary key, or the first of one: to look there needs no further index, and no word about it.
const PRIMARY_KEYS: [&str; 5] = ["seq", "number", "name", "job", "at"];

/// How a header says what the statement is found by.
const INDEX_SAID: [&str; 4] = ["Index: ", "Reads every", "reads every", "Walks the table"];

/// Excuses the next line of Rust.
const EXCUSE: &str = "// sql: ";

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let statements = repo.files_of("sql").filter(|(path, _)| path.contains("/sql/"));
    let mut findings: Vec<Finding> =
        statements.flat_map(|(path, text)| check_statement(path, text)).collect();
    findings.extend(repo.files_of("rs").flat_map(|(path, text)| statements_in_rust(path, text)));
    findings
}

fn check_statement(path: &str, text: &str) -> Vec<Finding> {
    let header_lines = text.lines().take_while(|line| line.starts_with("--"));
    let header: String = header_lines.flat_map(|line| [line.trim_start_matches("--"), "\n"]).collect();
    let statement = bare(text);
    let mut problems = Vec::new();

    if path.split_once("/sql/").is_none_or(|(_, rest)| rest.split('/').count() != 2) {
        problems.push("must lie at sql/<noun>/<verb>.sql".to_owned());
    }
    if header.lines().next().is_none_or(|first| first.trim().is_empty()) {
        problems.push("must begin with a comment that says what it does".to_owned());
    }
    let described = parameters(&header);
    let unknown = parameters(&statement).into_iter().filter(|name| !described.contains(name));
    problems.extend(unknown.map(|name| format!("its header does not say what {name} is")));
    if needs_index(&statement) && !INDEX_SAID.iter().any(|said| header.contains(said)) {
        problems.push(
            "its header does not name the index it relies on (`Index: ..`), nor say `Reads every ..`"
                .to_owned(),
        );
    }
    if may_find_nothing(&statement) && !header.to_lowercase().contains("no row") {
        problems.push("its header does not say what it means when there is no row (`No row: ..`)".to_owned());
    }
    if statement.trim().trim_end_matches(';').trim().is_empty()
        || statement.trim().trim_end_matches(';').contains(';')
    {
        problems.push("must hold exactly one statement".to_owned());
    }
    problems.extend(lower_case(&statement).map(|word| format!("writes the keyword {word} in lower case")));
    problems.into_iter().map(|problem| Finding::about(path, problem)).collect()
}

/// Whether the statement looks for rows by something else than a primary key.
fn needs_index(statement: &str) -> bool {
    let reads =
        !is_insert(statement) && words(statement).any(|word| matches!(word, "FROM" | "UPDATE" | "DELETE"));
    reads && !finds_by(statement, &PRIMARY_KEYS)
}

/// Whether no row is an answer of its own: the statement asks for one row, or changes a row on a further condition.
fn may_find_nothing(statement: &str) -> bool {
    let has = |keyword| words(statement).any(|word| word == keyword);
    if is_insert(statement) {
        return false;
    }
    if has("ORDER") || has("GROUP") {
        return has("LIMIT") && statement.contains("LIMIT 1\n");
    }
    let changes =
        statement.trim_start().starts_with("UPDATE") || statement.trim_start().starts_with("DELETE");
    if changes {
        has("WHERE") && has("AND")
    } else {
        has("SELECT") && finds_by(statement, &[&PRIMARY_KEYS[..], &["id"]].concat())
    }
}

/// An insert looks for nothing but what its own constraints look for.
fn is_insert(statement: &str) -> bool {
    words(statement).find(|word| !word.is_empty()) == Some("INSERT")
}

/// Whether a condition of the statement is that one of `keys` equals something, or is among given values.
fn finds_by(statement: &str, keys: &[&str]) -> bool {
    let Some((_, conditions)) = statement.split_once("WHERE ").or_else(|| statement.split_once(" ON "))
    else {
        return false;
    };
    let terms = conditions.split("AND ").flat_map(|term| term.split("WHERE "));
    let mut keyed = terms.filter_map(|term| {
        let (column, rest) = term.trim_start().split_once(' ')?;
        (rest.starts_with("= ") || rest.starts_with("IN rarray("))
            .then(|| column.rsplit('.').next())
            .flatten()
    });
    keyed.any(|column| keys.contains(&column))
}

fn words(statement: &str) -> impl Iterator<Item = &str> {
    statement.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

fn lower_case(statement: &str) -> impl Iterator<Item = &str> {
    let words: BTreeSet<&str> = words(statement).collect();
    words.into_iter().filter(|word| KEYWORDS.contains(word))
}

/// The parameters in `text`: `?1`, `:name`, `@name`, `$1`.
fn parameters(text: &str) -> BTreeSet<&str> {
    let bytes = text.as_bytes();
    let mut found = BTreeSet::new();
    for (start, byte) in bytes.iter().enumerate() {
        let before = start.checked_sub(1).map(|index| bytes[index]);
        // A doubled colon is a cast, and one behind a word is a label.
        if !b"?:@$".contains(byte) || before.is_some_and(|byte| is_word(byte) || byte == b':') {
            continue;
        }
        let length = bytes[start + 1..].iter().take_while(|byte| is_word(**byte)).count();
        if length > 0 || *byte == b'?' {
            found.insert(&text[start..=start + length]);
        }
    }
    found
}

/// The statement without comments, and with nothing left of its strings.
fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if c == '\'' || c == '"' {
            rest[1..].find(c).map_or(rest.len(), |end| end + 2)
        } else {
            bare.push(c);
            c.len_utf8()
        };
        rest = &rest[skipped..];
    }
    bare
}

fn statements_in_rust(path: &str, text: &str) -> Vec<Finding> {
    let is_ours = path.starts_with("crates/") && !is_test_file(path);
    if !is_ours {
        return Vec::new();
    }
    let mut excused = false;
    let mut findings = Vec::new();
    for (number, line) in product_lines(text) {
        let code = line.trim_start();
        let is_comment = code.starts_with("//");
        if !is_comment && !excused && holds_statement(code) {
            let problem = format!(
                "holds SQL: move it to sql/<noun>/<verb>.sql, or say why not in a line `{EXCUSE}..` above it"
            );
            findings.push(Finding::at(path, number, problem));
        }
        excused = code.starts_with(EXCUSE);
    }
    findings
}

fn holds_statement(code: &str) -> bool {
    code.split('"')
        .skip(1)
        .step_by(2)
        .any(|string| STATEMENTS.iter().any(|start| string.trim_start().starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
-- Leases the jobs that are due.
--
--   :lane  integer  the lane
--   ?2     integer  how many
--
-- Index: job_waiting.
-- No row: nothing is due.
UPDATE job SET stage = 'select; :x' -- set to :running
WHERE lane = :lane AND id IN (SELECT id FROM job LIMIT ?2)
RETURNING id;
";

    fn problems(path: &str, text: &str) -> Vec<String> {
        check(&Repo::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    fn statement(from: &str, to: &str) -> Vec<String> {
        assert!(GOOD.contains(from), "{from}");
        problems("crates/sqlite/sql/job/claim.sql", &GOOD.replace(from, to))
    }

    #[test]
    fn a_statement_with_its_header_is_fine() {
        assert!(statement("due", "due").is_empty());
        let insert = "-- Adds a kind.\n--   ?1  text  its name\nINSERT INTO kind (name) VALUES (?1)\n";
        assert!(problems("crates/sqlite/sql/kind/add.sql", insert).is_empty());
    }

    #[test]
    fn every_part_of_the_header_is_missed() {
        for (from, to, problem) in [
            ("-- Leases the jobs that are due.\n", "", "must begin with a comment"),
            ("--   :lane  integer  the lane\n", "", "does not say what :lane is"),
            ("--   ?2     integer  how many\n", "", "does not say what ?2 is"),
            ("-- Index: job_waiting.\n", "", "does not name the index"),
            ("-- No row: nothing is due.\n", "", "no row"),
        ] {
            let found = statement(from, to);
            assert_eq!(found.len(), 1, "{from}: {found:?}");
            assert!(found[0].contains(problem), "{found:?}");
        }
    }

    #[test]
    fn what_is_found_by_its_key_needs_no_word_about_it() {
        let update = "-- Keeps a result.\n--   ?1  seq\n--   ?2  result\nUPDATE job\nSET result = ?2\nWHERE seq = ?1\n";
        let list = "-- Names of queues. Reads every queue.\nSELECT name\nFROM queue\n";

        assert!(problems("crates/sqlite/sql/lease/result.sql", update).is_empty());
        assert!(problems("crates/sqlite/sql/queue/names.sql", list).is_empty());
        assert_eq!(
            problems("crates/sqlite/sql/queue/names.sql", &list.replace(" Reads every queue.", "")).len(),
            1
        );
    }

    #[test]
    fn what_asks_for_one_row_says_what_none_means() {
        let one = "-- Its error.\n--   ?1  seq\nSELECT error\nFROM job\nWHERE job.seq = ?1\n";
        let guarded = "-- Ends it.\n--   ?1  seq\nUPDATE job\nSET stage = 5\nWHERE seq = ?1 AND stage = 4\n";

        for text in [one, guarded] {
            assert_eq!(problems("crates/sqlite/sql/job/one.sql", text).len(), 1, "{text}");
            let said = text.replacen(".\n", ". No row: there is none.\n", 1);
            assert!(problems("crates/sqlite/sql/job/one.sql", &said).is_empty(), "{said}");
        }
    }

    #[test]
    fn lower_case_keywords_and_further_statements_are_found() {
        assert!(statement("UPDATE job", "update job")[0].contains("keyword update"));
        assert!(statement("RETURNING id;", "RETURNING id; SELECT 1")[0].contains("exactly one"));
        let empty = problems("crates/sqlite/sql/job/none.sql", "-- Nothing.\n");
        assert!(empty[0].contains("exactly one"), "{empty:?}");
    }

    #[test]
    fn a_file_lies_under_its_noun() {
        assert_eq!(problems("crates/sqlite/sql/claim.sql", GOOD).len(), 1);
        assert!(
            problems("crates/sqlite/migrations/0001_first.sql", "create table a; create table b;").is_empty()
        );
    }

    #[test]
    fn sql_in_rust_is_found_unless_it_says_why() {
        let code = "fn f() {\n    db.execute(\"SELECT 1\");\n}\n";
        let excused = code.replace("    db", "    // sql: asks the engine for its version\n    db");
        let in_tests = format!("#[cfg(test)]\n{code}");

        assert_eq!(problems("crates/sqlite/src/open.rs", code).len(), 1);
        assert!(problems("crates/sqlite/src/open.rs", &excused).is_empty());
        assert!(problems("crates/sqlite/src/open.rs", &in_tests).is_empty());
        assert!(problems("crates/sqlite/tests/plans.rs", code).is_empty());
        assert!(problems("crates/sqlite/src/open.rs", "/// \"SELECT 1\"\nlet a = \"SELECTED\";").is_empty());
    }
}
