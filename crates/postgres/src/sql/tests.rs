//! What every statement has in common, and those that say the same.

use super::*;

#[test]
fn every_header_names_the_types_that_its_statement_uses() {
    let ready = Statements::for_schema(SCHEMA);
    for statement in ALL {
        let Ready { text, types } = ready.get(*statement);
        let last = (1..100).take_while(|number| text.contains(&format!("${number}"))).last().unwrap_or(0);
        assert_eq!(types.len(), last, "{}", statement.name);
    }
}

#[test]
fn another_schema_is_named_wherever_the_first_was() {
    let ready = Statements::for_schema("app \"jobs\"");

    let strays = ALL.iter().filter(|statement| ready.get(**statement).text.contains("windlass."));
    assert_eq!(strays.count(), 0);
    assert_eq!(in_schema("FROM windlass.job", "a\"b"), "FROM \"a\"\"b\".job");
}

/// How a statement makes jobs, from its `INSERT` to its last column, and what it takes the columns from.
fn making(text: &str) -> (String, String) {
    let text: String = text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join(" ");
    let (_, text) = text.split_once("INSERT INTO windlass.job ").expect("it makes jobs");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(").replace(" )", ")");
    let (columns, from) = text.split_once(" FROM unnest(").expect("it makes them of columns");
    let (parameters, names) = from.split_once(')').expect("they end");
    let (_, names) = names.split_once("AS given (").expect("they have names");
    let (names, _) = names.split_once(')').expect("and those end");
    let count = parameters.split(", ").count();
    (columns.to_owned(), names.split(", ").take(count).collect::<Vec<_>>().join(", "))
}

/// The same, but that jobs which wait for others are parked as they are made.
fn held_back((columns, names): &(String, String)) -> (String, String) {
    let columns = columns
        .replace("options) SELECT", "options, stage, reason) SELECT")
        .replace("given.lane,", "CASE WHEN given.waits IS NULL THEN given.lane ELSE -given.lane END,");
    let parked =
        "CASE WHEN given.waits IS NULL THEN 1 ELSE 2 END, CASE WHEN given.waits IS NOT NULL THEN 7 END";
    (format!("{columns}, {parked}"), format!("{names}, waits"))
}

/// A statement cannot include another, and one message is worth more than one source: so the copies are held together here.
#[test]
fn jobs_are_made_of_the_same_columns_wherever_they_are_made() {
    let drawn = making(job::INSERT_DRAWN.text);
    // The time when schedules were looked at is told to the statement that fires them.
    let fired = (drawn.0.replace("coalesce($1, statement_timestamp())", "$1"), drawn.1.clone());

    assert!(drawn.0.contains("given.deadline_delay") && drawn.1.ends_with("options"), "{drawn:?}");
    assert_eq!(making(job::INSERT.text), drawn);
    assert_eq!(making(edge::MAKE.text), held_back(&drawn));
    let answering =
        |text: &'static str| text.split_once("SELECT made.id").expect("it answers what it made").1;
    assert_eq!(answering(edge::MAKE.text), answering(job::INSERT.text));
    assert_eq!(making(schedule::FIRE.text), fired);
}
