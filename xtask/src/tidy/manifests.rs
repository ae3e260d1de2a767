//! Every crate takes its lints, its edition and its version from the workspace, so no crate can quietly opt out.
//!
//! A benchmark may be a workspace of its own, where what it is compared with would weigh on everybody's build; it has nobody
//! to take them from.

use super::Finding;
use crate::repo::Repo;

/// Keys of `[package]` that are set once, for all.
const INHERITED: [&str; 4] = ["version", "edition", "rust-version", "license"];

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let manifests = repo.files_of("toml").filter(|(path, _)| path.ends_with("/Cargo.toml"));
    manifests.flat_map(|(path, text)| check_manifest(path, text)).collect()
}

fn check_manifest(path: &str, text: &str) -> Vec<Finding> {
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![Finding::about(path, format!("is no TOML: {error}"))],
    };
    if path.starts_with("bench/") && manifest.contains_key("workspace") {
        return Vec::new();
    }
    let is_inherited = |value: Option<&toml::Value>| {
        value.and_then(|it| it.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
    };
    let mut findings = Vec::new();
    if !is_inherited(manifest.get("lints")) {
        findings.push(Finding::about(
            path,
            "does not take its lints from the workspace: [lints] workspace = true",
        ));
    }
    let package = manifest.get("package");
    for key in INHERITED {
        if !is_inherited(package.and_then(|package| package.get(key))) {
            findings.push(Finding::about(path, format!("sets its own {key}: write {key}.workspace = true")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\n[lints]\nworkspace = true\n";

    fn problems(text: &str) -> usize {
        check(&Repo::of(&[("crates/a/Cargo.toml", text)])).len()
    }

    #[test]
    fn a_crate_that_opts_out_is_found() {
        assert_eq!(problems(GOOD), 0);
        assert_eq!(problems(&GOOD.replace("[lints]\nworkspace = true\n", "")), 1);
        assert_eq!(problems(&GOOD.replace("edition.workspace = true", "edition = \"2021\"")), 1);
        assert_eq!(problems("not toml"), 1);
    }

    #[test]
    fn only_a_benchmark_may_be_a_workspace_of_its_own() {
        let own = GOOD.replace("[lints]\nworkspace = true\n", "[workspace]\n");

        assert_eq!(problems(&own), 1);
        assert!(check(&Repo::of(&[("bench/peers/Cargo.toml", &own)])).is_empty());
    }
}
