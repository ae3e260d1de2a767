//! Every statement on a real file: it can be prepared, and the hot ones read what they are meant to read.

use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::{Connection, StatementStatus};

use super::{ALL, job, lease, maintenance, worker};

fn schema() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    crate::open::equip(&connection).unwrap();
    for step in crate::open::MIGRATIONS {
        connection.execute_batch(step).unwrap();
    }
    connection
}

/// Enough rows, and statistics on them, that a planner which can be misled would be.
fn filled() -> Connection {
    let connection = schema();
    connection
        .execute_batch(
            "INSERT INTO lane (queue, kind, version) VALUES ('default', 'noop', 1), ('other', 'noop', 1);
             INSERT INTO worker (id, name, host, version, kinds, slots, lease, registered_at, seen_at, lease_until)
             VALUES (randomblob(16), 'w', 'h', '1', '[]', 1, 1, 1, 1, 1);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO job (id, lane, stage, reason, priority, run_at, attempts_max, losses_max, holder, worker,
                 created_at, finished_at, args)
             SELECT randomblob(16), 1 + i % 2, iif(i % 3 = 0, 5, iif(i % 97 = 0, 4, 1)), NULL, 1 + i % 5, i, 8, 2,
                 iif(i % 3 <> 0 AND i % 97 = 0, 1, NULL), 1, i, iif(i % 3 = 0, i, NULL), '{}'
             FROM n;
             ANALYZE;",
        )
        .unwrap();
    connection
}

fn plan(connection: &Connection, statement: &str) -> String {
    let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    let steps: Vec<String> = explained.raw_query().mapped(|row| row.get(3)).map(Result::unwrap).collect();
    steps.join("; ")
}

#[test]
fn every_statement_can_be_prepared() {
    let connection = schema();
    for (name, statement) in ALL {
        connection.prepare(statement).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn no_statement_is_prepared_anew_for_other_values() {
    let connection = schema();
    for (name, text) in ALL {
        let mut statement = connection.prepare(text).unwrap();
        for _ in 0..3 {
            for parameter in 1..=statement.parameter_count() {
                // Where no array is asked for, it is NULL.
                let value = Rc::new(vec![Value::from(1)]);
                statement.raw_bind_parameter(parameter, value).unwrap();
            }
            // Many refuse what they were given, and have been prepared anew before that, if they are.
            let _ = statement.raw_query().next();
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{name}");
    }
}

#[test]
fn hot_statements_use_their_index_on_empty_and_on_full_tables() {
    for connection in [schema(), filled()] {
        for (statement, expected) in [
            (
                lease::CANDIDATES,
                "SEARCH job USING COVERING INDEX job_waiting (lane=? AND priority=? AND run_at<?)",
            ),
            (
                lease::NEXT_DUE,
                "SEARCH job USING COVERING INDEX job_waiting (lane=? AND priority=? AND run_at>?)",
            ),
            (lease::READ_CANDIDATES, "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)"),
            (lease::READ_TOKENS, "SEARCH job USING INDEX job_id (id=?)"),
            (lease::CLAIM, "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)"),
            (lease::COMPLETE, "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)"),
            (lease::END, "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)"),
            (lease::STOPPING, "SEARCH job USING INDEX job_held (holder=?)"),
            (job::FACTS, "SEARCH job USING INDEX job_id (id=?)"),
            (job::READ, "SEARCH job USING INDEX job_id (id=?)"),
            (maintenance::HELD_BY_PROCESS, "SEARCH job USING INDEX job_held (holder=?)"),
            (maintenance::EXPIRED_LEASES, "SEARCH lease USING COVERING INDEX lease_until (until<?)"),
            (maintenance::MISSED_DEADLINES, "SEARCH deadline USING PRIMARY KEY (at<?)"),
            (
                maintenance::PRUNABLE,
                "SEARCH job USING INDEX job_finished (stage=? AND lane=? AND finished_at",
            ),
            (worker::HERE, "SEARCH worker USING INDEX"),
            (worker::HELD_TOKENS, "SEARCH job USING INDEX job_held (holder=?)"),
        ] {
            let plan = plan(&connection, statement);
            assert!(plan.contains(expected), "{statement}\nplan: {plan}");
            assert!(!plan.contains("SCAN job"), "reads every job: {statement}\nplan: {plan}");
        }
    }
}

#[test]
fn no_hot_statement_sorts_the_backlog() {
    let connection = filled();
    for statement in
        [lease::CANDIDATES, lease::NEXT_DUE, maintenance::PRUNABLE, maintenance::MISSED_DEADLINES]
    {
        let plan = plan(&connection, statement);
        assert!(!plan.contains("TEMP B-TREE"), "{statement}\nplan: {plan}");
    }
}
