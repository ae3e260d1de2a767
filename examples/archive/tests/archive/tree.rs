//! A small tree, and the tool run on it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub(crate) const FILES: usize = 300;

/// A tree of [`FILES`] files in three folders, the last two of the same content, and some that are left aside.
pub(crate) fn tree() -> TempDir {
    let folder = TempDir::new().unwrap();
    for n in 0..FILES {
        let here = folder.path().join(format!("tree/{}", n % 3));
        std::fs::create_dir_all(&here).unwrap();
        let content = n.min(FILES - 2);
        let line = format!("file {content}\n");
        std::fs::write(here.join(format!("{n:03}.txt")), line.repeat(1 + content)).unwrap();
    }
    for aside in ["tree/.git", "tree/target"] {
        std::fs::create_dir_all(folder.path().join(aside)).unwrap();
        std::fs::write(folder.path().join(aside).join("x"), "x").unwrap();
    }
    folder
}

pub(crate) fn archive(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_archive"));
    command.args(["tree", "--out", "out"]).args(words).current_dir(folder);
    command
}

pub(crate) fn done(folder: &Path, words: &[&str]) -> Output {
    let output = archive(folder, words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

pub(crate) fn report(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder.join("out/report.json")).unwrap()).unwrap()
}

/// Asserts that the archive has every file of the tree, and its content.
pub(crate) fn assert_whole(folder: &Path) {
    let index = std::fs::read_to_string(folder.join("out/index.tsv")).unwrap();
    let rows: BTreeMap<&str, (&str, &str)> = index
        .lines()
        .map(|line| {
            let [path, size, sha256] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            (path, (size, sha256))
        })
        .collect();
    assert_eq!(rows.len(), FILES);
    for (path, (size, sha256)) in rows {
        let content = std::fs::read(folder.join("tree").join(path)).unwrap();
        let object = folder.join("out/objects").join(&sha256[..2]).join(format!("{sha256}.gz"));
        let mut packed = Vec::new();
        GzDecoder::new(File::open(object).unwrap()).read_to_end(&mut packed).unwrap();
        assert_eq!(size, content.len().to_string(), "{path}");
        assert_eq!(sha256, hex(&content), "{path}");
        assert_eq!(packed, content, "{path}");
    }
    assert!(!folder.join("out/parts").exists());
}

fn hex(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
