//! What the product is made of: licences, sources and doubled packages, judged by `deny.toml`.
//!
//! The file is cargo-deny's, and cargo-deny looks at more of each dependency where it is installed. These checks need
//! nothing but cargo, so they hold on every machine.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use spdx::{Expression, ParseMode};

use super::Finding;
use crate::repo::{Package, Repo};

const PATH: &str = "deny.toml";

/// As much of `deny.toml` as these checks enforce.
#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Named>,
    skip: Vec<Named>,
}

/// A package, with a version where only one of several is meant: `hashbrown@0.15.5`.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "crate")]
    package: String,
    reason: String,
}

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let rules: Rules = match repo.text(PATH).map(toml::from_str) {
        Some(Ok(rules)) => rules,
        Some(Err(error)) => return vec![Finding::about(PATH, format!("is not what is expected: {error}"))],
        None => return vec![Finding::about(PATH, "is missing")],
    };
    let mut findings = unreasoned(&rules);
    for package in repo.packages() {
        let problems =
            [license_problem(package, &rules), source_problem(package), ban_problem(package, &rules)];
        let name = format!("{} {}", package.name, package.version);
        findings.extend(problems.into_iter().flatten().map(|problem| Finding::about(&name, problem)));
    }
    findings.extend(doubled(repo.packages(), &rules));
    findings
}

fn unreasoned(rules: &Rules) -> Vec<Finding> {
    let named = rules.bans.deny.iter().chain(&rules.bans.skip).filter(|named| named.reason.trim().is_empty());
    named.map(|named| Finding::about(PATH, format!("gives no reason for {}", named.package))).collect()
}

fn license_problem(package: &Package, rules: &Rules) -> Option<String> {
    let Some(text) = &package.license else {
        return Some("names no licence".to_owned());
    };
    let mode = ParseMode { allow_slash_as_or_operator: true, ..ParseMode::STRICT };
    let Ok(expression) = Expression::parse_mode(text, mode) else {
        return Some(format!("has a licence that cannot be read: {text}"));
    };
    let allowed = expression.evaluate(|requirement| rules.licenses.allow.contains(&requirement.to_string()));
    (!allowed).then(|| format!("has a licence that is not allowed: {text}"))
}

/// Packages come from this repository or from the registry; a git repository can change under the same name.
fn source_problem(package: &Package) -> Option<String> {
    let source = package.source.as_deref()?;
    (!source.starts_with("registry+")).then(|| format!("comes from {source}, which is not the registry"))
}

fn ban_problem(package: &Package, rules: &Rules) -> Option<String> {
    let banned = rules.bans.deny.iter().find(|named| named.package == package.name)?;
    Some(format!("is banned: {}", banned.reason))
}

/// Packages in several versions: compiled twice, and their types do not meet. One version of each may be excused.
fn doubled(packages: &[Package], rules: &Rules) -> Vec<Finding> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        let excused = format!("{}@{}", package.name, package.version);
        if !rules.bans.skip.iter().any(|named| named.package == package.name || named.package == excused) {
            versions.entry(&package.name).or_default().insert(&package.version);
        }
    }
    let several = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    several
        .map(|(name, versions)| Finding::about(name, format!("is there in several versions: {versions:?}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "[licenses]\nallow = [\"MIT\", \"Apache-2.0\", \"Unicode-3.0\"]\n[bans]\n\
        deny = [{ crate = \"openssl\", reason = \"C\" }]\nskip = [{ crate = \"twice@1.0.0\", reason = \"old\" }]\n";

    /// Packages by name, version, licence and source.
    fn problems(rules: &str, packages: &[(&str, &str, &str, &str)]) -> Vec<String> {
        let package = |(name, version, license, source): &(&str, &str, &str, &str)| {
            format!(
                r#"{{"name":"{name}","version":"{version}","id":"{name}","license":{license},"source":"{source}","dependencies":[]}}"#
            )
        };
        let packages: Vec<String> = packages.iter().map(package).collect();
        let graph = format!(r#"{{"packages":[{}],"workspace_members":[]}}"#, packages.join(","));
        let repo = Repo::of(&[(PATH, rules)]).with_graph(&graph);
        check(&repo).iter().map(ToString::to_string).collect()
    }

    const REGISTRY: &str = "registry+https://example.invalid/index";

    #[test]
    fn a_licence_must_be_allowed() {
        let with = |license| problems(RULES, &[("a", "1.0.0", license, REGISTRY)]).len();

        assert_eq!(with("\"MIT OR GPL-3.0-only\""), 0);
        assert_eq!(with("\"MIT/Apache-2.0\""), 0);
        assert_eq!(with("\"(MIT OR Apache-2.0) AND Unicode-3.0\""), 0);
        assert_eq!(with("\"GPL-3.0-only\""), 1);
        assert_eq!(with("\"MIT AND GPL-3.0-only\""), 1);
        assert_eq!(with("\"whatever you like\""), 1);
        assert_eq!(with("null"), 1);
    }

    #[test]
    fn a_package_comes_from_the_registry() {
        assert_eq!(problems(RULES, &[("a", "1.0.0", "\"MIT\"", "git+https://example.invalid/a")]).len(), 1);
    }

    #[test]
    fn a_banned_package_is_found() {
        assert_eq!(
            problems(RULES, &[("openssl", "1.0.0", "\"MIT\"", REGISTRY)]),
            ["openssl 1.0.0: is banned: C"]
        );
    }

    #[test]
    fn a_doubled_package_is_found_unless_one_version_is_excused() {
        let two = |name| {
            problems(RULES, &[(name, "1.0.0", "\"MIT\"", REGISTRY), (name, "2.0.0", "\"MIT\"", REGISTRY)])
                .len()
        };

        assert_eq!(two("other"), 1);
        assert_eq!(two("twice"), 0);
    }

    #[test]
    fn a_rule_without_a_reason_and_a_missing_file_are_found() {
        assert_eq!(problems(&RULES.replace("\"C\"", "\"\""), &[]).len(), 1);
        assert_eq!(problems("[licenses]\n", &[]).len(), 1);
        assert_eq!(check(&Repo::default()).len(), 1);
    }
}
