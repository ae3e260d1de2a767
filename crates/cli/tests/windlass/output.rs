//! How things are printed.

use std::process::Command;

use crate::shelf::Shelf;

#[test]
fn pipes_get_data_and_nothing_else() {
    let shelf = Shelf::new();
    let id = shelf.line(&["enqueue", "mail", "--queue", "out"]);

    let listed = shelf.run(&["jobs", "list"]);

    let cells: Vec<&str> = listed.stdout.trim_end_matches('\n').split('\t').collect();
    assert_eq!(&cells[..5], [&id, "ready", "mail", "out", "0"]);
    assert!(cells[5].ends_with('Z') && cells[6].ends_with('Z'), "{cells:?}");
    assert_eq!(cells[7], "");
    assert_eq!(listed.stderr, "");
}

#[test]
fn chosen_fields_are_printed_in_the_order_they_are_named() {
    let shelf = Shelf::new();
    shelf.ok(&["enqueue", "mail"]);

    assert_eq!(
        shelf.ok(&["jobs", "list", "--jsonl=state,result,kind"]),
        "{\"state\":\"ready\",\"result\":null,\"kind\":\"mail\"}\n"
    );
    let pretty = "[\n  {\n    \"kind\": \"mail\"\n  }\n]\n";
    assert_eq!(shelf.ok(&["jobs", "list", "--json=kind"]), pretty);
    assert_eq!(shelf.ok(&["jobs", "list", "--json", "--state", "dead"]), "[]\n");
}

#[test]
fn an_unknown_field_lists_the_valid_ones_and_nothing_is_done() {
    let shelf = Shelf::new();

    let ran = shelf.run(&["enqueue", "mail", "--json=knid"]);

    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .starts_with("error[WL0001]: --json: there is no field `knid`\n  help: did you mean `kind`?\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("the fields are id, kind, version,"), "{}", ran.stderr);
    assert!(!shelf.path("windlass.db").exists());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let shelf = Shelf::new();
    let jobs = "{\"kind\":\"mail\",\"args\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}\n".repeat(400);
    shelf.write("jobs.jsonl", &jobs);
    shelf.ok(&["enqueue", "--bulk", "jobs.jsonl"]);

    let mut listing = shelf.start(&["jobs", "list", "--limit", "400", "--json"]);
    listing.turn_away();
    let listing = listing.ended();

    assert_eq!((listing.code, listing.stderr.as_str()), (Some(0), ""));
    let mut bash = Command::new("bash");
    bash.args([
        "-c",
        &format!(
            "set -o pipefail; {} jobs list --limit 400 --json | head -1",
            env!("CARGO_BIN_EXE_windlass")
        ),
    ]);
    let output = bash.current_dir(shelf.path(".")).output().unwrap();
    assert_eq!((output.status.code(), &*output.stdout, &*output.stderr), (Some(0), &b"[\n"[..], &b""[..]));
}

#[test]
fn the_help_explains_commands_codes_and_errors() {
    let shelf = Shelf::new();

    let codes = shelf.ok(&["help", "exit-codes"]);
    for code in [0, 1, 2, 3, 4, 5, 6, 7, 8, 69, 75, 130] {
        assert!(codes.lines().any(|line| line.trim_start().starts_with(&format!("{code}  "))), "{code}");
    }
    assert!(shelf.ok(&["help", "wl0003"]).starts_with("WL0003: there is no store\n"));
    assert!(shelf.ok(&["help", "jobs", "list"]).contains("Usage: windlass jobs list"));
    assert!(shelf.ok(&["help"]).contains("Commands:"));
    assert!(shelf.run(&["help", "exitcodes"]).stderr.contains("did you mean `exit-codes`?"));
    assert_eq!(shelf.run(&["jbos"]).code, Some(2));
}

#[test]
fn the_version_and_completions_are_printed() {
    let shelf = Shelf::new();

    assert_eq!(
        shelf.json(&["version", "--json"]),
        serde_json::json!({"version": env!("CARGO_PKG_VERSION"), "schema": 1})
    );
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(shelf.ok(&["completions", shell]).contains("windlass"), "{shell}");
    }
}

#[test]
fn a_terminal_gets_a_table_a_footer_and_nothing_that_could_take_it_over() {
    let shelf = Shelf::new();
    let id = shelf.line(&["enqueue", "mail", "\"\u{9b}2J\u{202e}\"", "--tag", "t"]);

    let table = shelf.on_a_terminal("jobs list --limit 1 --color never");
    let json = shelf.on_a_terminal("jobs list --json=args");
    let colour = shelf.on_a_terminal("jobs list");

    assert!(table.starts_with("ID "), "{table}");
    assert!(table.contains(&format!("{id}  ○ ready")), "{table}");
    assert!(table.contains(" ago") && table.ends_with("1 job\n"), "{table}");
    assert!(json.contains(r#""\u009b2J\u202e""#), "{json}");
    assert!(!table.contains('\u{1b}') && colour.contains('\u{1b}'), "{colour}");
}
