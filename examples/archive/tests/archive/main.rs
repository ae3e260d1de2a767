//! The tool itself, on a small tree: whole, killed midway, and once more after a change.

#[cfg(test)]
mod tree;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::tree::{FILES, archive, assert_whole, done, report, tree};

#[test]
fn a_tree_is_archived_whole_and_summed_up() {
    let folder = tree();

    let output = done(folder.path(), &[]);

    assert_whole(folder.path());
    let report = report(folder.path());
    assert_eq!((&report["files"], &report["objects"]), (&FILES.into(), &(FILES - 1).into()));
    assert_eq!(report["duplicates"], serde_json::json!([["1/298.txt", "2/299.txt"]]));
    assert_eq!(report["failed"], serde_json::json!([]));
    assert_eq!(report["largest"].as_array().unwrap().len(), 5);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("files") && table.contains(&FILES.to_string()), "{table}");
}

#[test]
fn killed_midway_it_goes_on_when_started_again() {
    let folder = tree();
    let mut first = archive(folder.path(), &["--slots", "2", "--verbose"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(first.stderr.take().unwrap()).lines();
    let told: Vec<String> = stderr.by_ref().take(20).collect::<Result<_, _>>().unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(told.iter().all(|line| line.starts_with("completed ")), "{told:?}");
    assert!(!folder.path().join("out/report.json").exists());

    done(folder.path(), &[]);

    assert_whole(folder.path());
}

#[test]
fn started_once_more_it_does_what_is_new_and_nothing_else() {
    let folder = tree();
    done(folder.path(), &[]);
    let objects = || -> Vec<_> {
        let found = std::fs::read_dir(folder.path().join("out/objects")).unwrap();
        let mut objects: Vec<_> = found
            .flat_map(|shelf| std::fs::read_dir(shelf.unwrap().path()).unwrap())
            .map(|object| {
                (object.as_ref().unwrap().path(), object.unwrap().metadata().unwrap().modified().unwrap())
            })
            .collect();
        objects.sort();
        objects
    };
    let before = objects();
    std::fs::write(folder.path().join("tree/0/000.txt"), "changed").unwrap();

    done(folder.path(), &[]);

    assert_whole(folder.path());
    let after = objects();
    assert_eq!(after.iter().filter(|object| !before.contains(object)).count(), 1);
    let first = report(folder.path());
    done(folder.path(), &[]);
    assert_eq!(objects(), after);
    assert_eq!(report(folder.path()), first);
}

#[test]
fn a_folder_that_is_not_there_is_named_and_nothing_is_made() {
    let folder = tempfile::TempDir::new().unwrap();

    let output = archive(folder.path(), &[]).output().unwrap();

    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: cannot read tree: No such file"), "{said}");
    assert!(!folder.path().join("out").exists());
}
