//! What documents tell people to type can be typed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shelf::Shelf;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The documents that people type from.
fn documents() -> Vec<(PathBuf, String)> {
    let folder = root().join("docs/runbooks");
    let runbooks = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let others = ["README.md", "docs/metrics.md", "docs/traces.md"].map(|name| root().join(name));
    let read = |path: PathBuf| std::fs::read_to_string(&path).map(|text| (path, text)).unwrap();
    runbooks.chain(others).map(read).collect()
}

/// Each use of the command in a document, up to where the shell takes over again: in blocks of `sh`, and between backticks.
fn uses(text: &str) -> Vec<String> {
    let mut code = Vec::new();
    let mut fence = None;
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(language.to_owned()) };
            continue;
        }
        match fence.as_deref() {
            Some("sh") => code.push(line.split("  #").next().unwrap_or(line).to_owned()),
            Some(_) => {}
            None => code.extend(line.split('`').skip(1).step_by(2).map(str::to_owned)),
        }
    }
    code.iter().flat_map(|line| uses_in(line)).collect()
}

fn uses_in(line: &str) -> Vec<String> {
    let line = without_quoted(line);
    let begins = |index: usize| index == 0 || line[..index].ends_with(['(', ' ', '|']);
    let starts = line.match_indices("windlass ").filter(|(index, _)| begins(*index));
    let command =
        |index: usize| line[index..].split(['|', ')', ';', '…']).next().unwrap_or_default().to_owned();
    starts.map(|(index, _)| command(index)).collect()
}

/// What stands between quotes is for the command to read, and says nothing of its form.
fn without_quoted(line: &str) -> String {
    let mut quote = None;
    let mut bare = String::new();
    for c in line.chars() {
        match quote {
            Some(open) if open == c => quote = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None => bare.push(c),
        }
    }
    bare
}

#[test]
fn every_command_in_the_documents_exists_with_its_options() {
    let shelf = Shelf::new();
    let mut count = 0;

    for (path, text) in documents() {
        for used in uses(&text) {
            let words: Vec<&str> = used.split_whitespace().skip(1).collect();
            let is_verb = |word: &&&str| {
                word.starts_with(|c: char| c.is_ascii_lowercase())
                    && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            };
            let verbs: Vec<&str> = words.iter().take_while(is_verb).copied().collect();
            let help = shelf.run(&[verbs.as_slice(), &["--help"]].concat());
            assert_eq!(help.code, Some(0), "{}: `{used}`: {}", path.display(), help.stderr);
            let known: Vec<&str> =
                help.stdout.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
            for option in words.iter().filter(|word| word.starts_with("--")) {
                let option = option.split('=').next().unwrap_or_default();
                assert!(known.contains(&option), "{}: `{used}` has no {option}", path.display());
            }
            count += 1;
        }
    }

    assert!(count > 60, "the documents were read: {count} commands");
}

#[test]
fn uses_are_found_where_people_see_them() {
    let text = "Say `windlass doctor` or `app.db`.\n```sh\nbuilt=$(windlass enqueue build '{\"x y\": \"--no\"}' -q)  # why\n\
                windlass jobs -q | xargs windlass jobs why\n```\n```rust\nwindlass jobs\n```\n";

    let found: Vec<String> = uses(text).iter().map(|used| used.trim().to_owned()).collect();

    assert_eq!(
        found,
        ["windlass doctor", "windlass enqueue build  -q", "windlass jobs -q", "windlass jobs why"]
    );
}

#[test]
fn the_readme_shows_what_jobs_can_ask_for_as_it_works() {
    let shelf = Shelf::new();
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("## Jobs that need more").nth(1).expect("the section is there");
    let script =
        section.split("```sh").nth(1).and_then(|rest| rest.split("```").next()).expect("it shows commands");

    let folder = Path::new(env!("CARGO_BIN_EXE_windlass")).parent().unwrap().to_owned();
    let script = format!("PATH=\"{}:$PATH\"\n{script}", folder.display());
    let ran = Command::new("sh")
        .args(["-euc", &script])
        .current_dir(shelf.path("").as_path())
        .env_remove("WINDLASS_STORE")
        .output()
        .unwrap();

    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{stdout}{stderr}");
    assert!(stdout.contains("nightly") && stdout.contains("no live worker"), "{stdout}");
}
