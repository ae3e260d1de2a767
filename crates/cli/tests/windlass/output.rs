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

#[test]
fn lists_are_printed_for_spreadsheets_and_without_being_cut() {
    let shelf = Shelf::new();
    let id = shelf.line(&["enqueue", "mail"]);
    shelf.ok(&["queues", "pause", "default", "--by", "ada", "--reason", "say \"no\", you"]);

    let csv = shelf.ok(&["jobs", "-o", "csv"]);
    let queues = shelf.ok(&["queues", "-o", "csv"]);
    let wide = shelf.ok(&["jobs", "-o", "wide", "--color", "never"]);

    assert!(csv.starts_with("id,state,kind,queue,attempt,run_at,created,error\n"), "{csv}");
    assert!(csv.contains(&format!("\n{id},ready,mail,default,0,")), "{csv}");
    assert!(queues.ends_with(",\"by ada: say \"\"no\"\", you\"\n"), "{queues}");
    assert!(wide.starts_with("ID  ") && wide.contains("○ ready") && wide.contains(" ago"), "{wide}");
    assert_eq!(shelf.ok(&["jobs", "-o", "json"]), shelf.ok(&["jobs", "--json"]));
    assert_eq!(shelf.run(&["work", "-o", "json"]).code, Some(2));
    assert_eq!(shelf.run(&["jobs", "-o", "csv", "--json"]).code, Some(2));
}

#[test]
fn what_only_looks_is_watched_and_what_does_more_is_not() {
    use std::io::BufRead;

    let shelf = Shelf::new();
    let id = shelf.line(&["enqueue", "mail"]);

    let mut watch = shelf.start(&["jobs", "--watch=100ms", "--jsonl=id"]);
    let lines: Vec<String> = watch.stdout().lines().take(3).map(Result::unwrap).collect();
    watch.signal(rustix::process::Signal::INT);

    assert!(lines.iter().all(|line| *line == format!("{{\"id\":\"{id}\"}}")), "{lines:?}");
    assert!([Some(0), None].contains(&watch.ended().code));
    let refused = shelf.run(&["enqueue", "mail", "--watch"]);
    assert_eq!(
        (refused.code, refused.stderr.contains("does more than look")),
        (Some(2), true),
        "{refused:?}"
    );
}

#[test]
fn a_page_of_a_server_is_named_and_not_opened_without_a_display() {
    let shelf = Shelf::new();

    assert_eq!(
        shelf.line(&["open", "queue", "a b", "--url", "http://127.0.0.1:1"]),
        "http://127.0.0.1:1/queues/a%20b"
    );
    let ran = shelf.run(&["open"]);
    assert_eq!((ran.code, ran.stderr.contains("windlass serve")), (Some(69), true), "{ran:?}");
    assert!(shelf.run(&["open", "erors"]).stderr.contains("did you mean `errors`?"));
}

#[test]
fn the_topics_and_the_manual_are_printed() {
    let shelf = Shelf::new();

    for (topic, said) in [
        ("environment", "WINDLASS_URL"),
        ("filter", "--state dead,cancelled"),
        ("formatting", "--jsonl"),
        ("stores", "postgres://"),
    ] {
        assert!(shelf.ok(&["help", topic]).contains(said), "{topic}");
    }
    assert!(shelf.ok(&["man"]).contains(".TH windlass 1"));
    shelf.ok(&["man", "--folder", "man"]);
    assert!(shelf.read("man/windlass-jobs-list.1").contains(".TH windlass-jobs-list 1"));
}

#[test]
fn the_reference_says_what_the_program_takes() {
    let shelf = Shelf::new();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");

    let kept = std::fs::read_to_string(path).unwrap();

    let made = shelf.ok(&["man", "--markdown"]);
    assert!(kept == made, "docs/cli.md is not what `windlass man --markdown` prints: write it there");
}
