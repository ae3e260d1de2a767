//! Configuration: what holds, and why.

use serde_json::json;

use crate::shelf::Shelf;

/// Two contexts, of which one is production.
fn configured() -> Shelf {
    let shelf = Shelf::new();
    shelf.ok(&["config", "contexts", "add", "here", "--store", "here.db"]);
    shelf.ok(&["config", "contexts", "add", "prod", "--store", "prod.db", "--production"]);
    shelf
}

#[test]
fn every_value_says_where_it_is_from() {
    let shelf = configured();
    shelf.ok(&["config", "contexts", "use", "here"]);
    let place = |words: &[&str]| {
        let shown = shelf.json(&[&["config", "show", "--json"], words].concat());
        let place = shown.as_array().unwrap().iter().find(|value| value["key"] == "place").unwrap().clone();
        (place["value"].as_str().unwrap().to_owned(), place["origin"].as_str().unwrap().to_owned())
    };

    assert!(place(&[]).0.ends_with("/here.db"));
    assert_eq!(place(&[]).1, "context here");
    assert_eq!(place(&["--store", "x.db"]), ("x.db".to_owned(), "flag --store".to_owned()));
    shelf.write("windlass.toml", "store = 'project.db'\n");
    let (value, origin) = place(&[]);
    assert!(value.ends_with("/project.db") && origin.ends_with("/windlass.toml"), "{value} {origin}");
    assert_eq!(place(&["--context", "prod"]).1, "context prod");
    let table = shelf.ok(&["config", "show", "--origin", "--context", "prod"]);
    assert!(table.contains("production\ttrue\tcontext prod\n"), "{table}");
}

#[test]
fn a_key_that_is_not_known_stops_every_command_that_heeds_it() {
    let shelf = Shelf::new();
    shelf.write("windlass.toml", "\nstroe = 'a.db'\n");

    let ran = shelf.run(&["jobs"]);

    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("windlass.toml:2: stroe: is not known here: did you mean `store`?"),
        "{ran:?}"
    );
    assert!(ran.stderr.starts_with("error[WL0026]: "), "{ran:?}");
    for words in [&["version"][..], &["help", "environment"], &["config", "path"], &["completions", "bash"]] {
        assert_eq!(shelf.run(words).code, Some(0), "{words:?}");
    }
}

#[test]
fn contexts_are_listed_and_misspelt_ones_are_not_taken_for_others() {
    let shelf = configured();

    let listed = shelf.json(&["config", "contexts", "--json", "--context", "prod"]);

    assert_eq!((&listed[0]["name"], &listed[0]["taken"]), (&json!("here"), &json!(false)));
    assert_eq!((&listed[1]["production"], &listed[1]["taken"]), (&json!(true), &json!(true)));
    let ran = shelf.run(&["jobs", "--context", "pord"]);
    assert_eq!((ran.code, ran.stderr.contains("did you mean `prod`?")), (Some(2), true), "{ran:?}");
    let again = shelf.run(&["config", "contexts", "add", "prod", "--store", "x.db"]);
    assert_eq!(again.code, Some(5), "{again:?}");
    assert_eq!(shelf.run(&["config", "contexts", "add", "none"]).code, Some(2));
}

#[test]
fn in_production_nothing_is_removed_unless_it_is_confirmed_and_nobody_waits_for_an_answer() {
    let shelf = configured();
    let enqueue = || shelf.line(&["enqueue", "mail", "--context", "prod"]);
    let (one, other) = (enqueue(), enqueue());

    for words in [
        &["jobs", "delete", &one][..],
        &["jobs", "cancel", "--kind", "mail"],
        &["flows", "cancel", &one],
        &["tokens", "revoke", "0123456789abcdef"],
    ] {
        let refused = shelf.run(&[words, &["--context", "prod"]].concat());
        assert_eq!(refused.code, Some(6), "{words:?}: {refused:?}");
        assert!(refused.stderr.starts_with("refused[WL0027]: this would "), "{refused:?}");
        assert!(refused.stderr.contains("in context `prod` (production)"), "{refused:?}");
    }
    // However the place is named.
    assert_eq!(shelf.run(&["jobs", "delete", &one, "--store", "prod.db"]).code, Some(6));

    shelf.ok(&["jobs", "cancel", "--kind", "mail", "--context", "prod", "--yes"]);
    shelf.ok(&["jobs", "delete", &one, &other, "--context", "prod", "--yes"]);
    assert_eq!(shelf.ok(&["jobs", "--context", "prod"]), "");
}

#[test]
fn two_places_at_once_are_refused() {
    let shelf = Shelf::new();

    let ran = shelf.run(&["jobs", "--store", "a.db", "--url", "http://127.0.0.1:1"]);

    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("flag --store and flag --url each name a place"), "{ran:?}");
}
