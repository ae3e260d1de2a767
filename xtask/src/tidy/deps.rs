//! Which way dependencies point.
//!
//! Every edge between two crates of the workspace is on the list below, and every outside crate that would give a layer
//! away (a driver, an async runtime, a terminal) is used only where that layer is. The list is ARCHITECTURE.md's drawing
//! in another form: change both, and say why.

use super::Finding;
use crate::repo::{Package, Repo};

/// What one crate of the workspace may use of the others.
struct Edges {
    from: &'static str,
    /// Ordinary and build dependencies.
    uses: &'static [&'static str],
    /// What its tests may use besides.
    tests_use: &'static [&'static str],
}

const EDGES: &[Edges] = &[
    Edges { from: "windlass-core", uses: &[], tests_use: &[] },
    Edges { from: "windlass-store", uses: &["windlass-core"], tests_use: &[] },
    Edges {
        from: "windlass-store-testing",
        uses: &["windlass-core", "windlass-store", "windlass-memory"],
        tests_use: &[],
    },
    Edges { from: "windlass-memory", uses: STORE_USES, tests_use: &["windlass-store-testing"] },
    Edges {
        from: "windlass-sqlite",
        uses: STORE_USES,
        tests_use: &["windlass-store-testing", "windlass-memory"],
    },
    // Servers to throw away. It knows PostgreSQL, and nothing of what is kept there.
    Edges { from: "windlass-postgres-testing", uses: &[], tests_use: &[] },
    Edges {
        from: "windlass-postgres",
        uses: STORE_USES,
        tests_use: &["windlass-store-testing", "windlass-memory", "windlass-postgres-testing"],
    },
    // Turns spans into what travels with a job and back; the only crate that knows what a span is to OpenTelemetry.
    Edges { from: "windlass-telemetry", uses: &["windlass-core"], tests_use: &[] },
    // What workers and servers count alike.
    Edges { from: "windlass-metrics", uses: &["windlass-core", "windlass-store"], tests_use: &[] },
    Edges {
        from: "windlass-runtime",
        uses: &["windlass-core", "windlass-store", "windlass-telemetry"],
        tests_use: &["windlass-memory", "windlass-store-testing"],
    },
    // Sends what the runtime claims, and knows no store.
    Edges {
        from: "windlass-notices",
        uses: &["windlass-core", "windlass-store", "windlass-runtime"],
        tests_use: &["windlass-memory", "windlass-mail-testing"],
    },
    // A server to send mail to. It knows nobody who does.
    Edges { from: "windlass-mail-testing", uses: &[], tests_use: &[] },
    // Names and spans are judged while the program is compiled, by the rules that judge them later.
    Edges { from: "windlass-macros", uses: &["windlass-core"], tests_use: &["windlass"] },
    Edges {
        from: "windlass",
        uses: &[
            "windlass-core",
            "windlass-store",
            "windlass-runtime",
            "windlass-macros",
            "windlass-notices",
            "windlass-metrics",
            "windlass-telemetry",
            "windlass-sqlite",
            "windlass-postgres",
            "windlass-memory",
            "windlass-remote",
        ],
        tests_use: &["windlass-store-testing", "windlass-postgres-testing"],
    },
    // What the port answers is turned into what is written there.
    Edges { from: "windlass-wire", uses: &["windlass-core", "windlass-store"], tests_use: &[] },
    // Speaks HTTP, and knows no store but through the port.
    Edges {
        from: "windlass-server",
        uses: &["windlass-core", "windlass-store", "windlass-wire", "windlass-metrics", "windlass-telemetry"],
        tests_use: &["windlass-memory", "windlass-sqlite", "windlass-postgres", "windlass-postgres-testing"],
    },
    // The port spoken to a server. It knows the shapes, and neither the server nor another store.
    Edges {
        from: "windlass-remote",
        uses: &["windlass-core", "windlass-store", "windlass-wire"],
        tests_use: &[
            "windlass-memory",
            "windlass-postgres",
            "windlass-postgres-testing",
            "windlass-runtime",
            "windlass-server",
            "windlass-sqlite",
            "windlass-store-testing",
        ],
    },
    Edges {
        from: "windlass-cli",
        uses: &[
            "windlass",
            "windlass-remote",
            "windlass-core",
            "windlass-store",
            "windlass-runtime",
            "windlass-server",
            "windlass-sqlite",
            "windlass-postgres",
            "windlass-wire",
        ],
        tests_use: &["windlass-postgres-testing"],
    },
    Edges { from: "archive-example", uses: &["windlass"], tests_use: &[] },
    Edges { from: "background-example", uses: &["windlass"], tests_use: &["windlass-postgres-testing"] },
    Edges {
        from: "import-example",
        uses: &["windlass"],
        tests_use: &["windlass-postgres-testing", "windlass-mail-testing"],
    },
    Edges {
        from: "windlass-e2e",
        uses: &[
            "windlass-core",
            "windlass-store",
            "windlass-runtime",
            "windlass-sqlite",
            "windlass-postgres",
            "windlass-postgres-testing",
        ],
        tests_use: &[],
    },
    Edges {
        from: "windlass-bench",
        uses: &[
            "windlass",
            "windlass-core",
            "windlass-store",
            "windlass-memory",
            "windlass-runtime",
            "windlass-sqlite",
            "windlass-postgres",
            "windlass-postgres-testing",
            "windlass-server",
        ],
        tests_use: &[],
    },
    // The drawing of the state machine is held against the model; the tests share a server.
    Edges { from: "xtask", uses: &["windlass-core", "windlass-postgres-testing"], tests_use: &[] },
];

/// A store knows the port and the model, never another store or the runtime: so a third store costs nobody anything.
const STORE_USES: &[&str] = &["windlass-core", "windlass-store"];

/// Outside crates that belong to one layer. Tests may use what they like.
struct Confined {
    /// A name, or the beginning of one that ends in `*`.
    outside: &'static str,
    only: &'static [&'static str],
    why: &'static str,
}

const ASYNC: &[&str] = &[
    "windlass-store",
    "windlass-store-testing",
    "windlass-memory",
    "windlass-sqlite",
    "windlass-postgres",
    "windlass-runtime",
    "windlass-notices",
    "windlass-remote",
    "windlass-server",
    "windlass",
    "windlass-cli",
    "archive-example",
    "background-example",
    "import-example",
    "windlass-e2e",
    "windlass-bench",
];

const FACES: &[&str] = &[
    "windlass-cli",
    "archive-example",
    "background-example",
    "import-example",
    "windlass-e2e",
    "windlass-bench",
    "xtask",
];

const BENCH: &[&str] = &["windlass-bench"];

const CONFINED: &[Confined] = &[
    Confined { outside: "tokio*", only: ASYNC, why: "the model and the wire types are not async" },
    Confined { outside: "futures*", only: ASYNC, why: "the model and the wire types are not async" },
    Confined { outside: "async-trait", only: ASYNC, why: "the model and the wire types are not async" },
    Confined {
        outside: "rusqlite",
        only: &["windlass-sqlite", "import-example", "windlass-bench"],
        why: "one crate speaks to SQLite; an example keeps its own data there",
    },
    Confined { outside: "libsqlite3-sys", only: &["windlass-sqlite"], why: "one crate speaks to SQLite" },
    Confined { outside: "axum*", only: &["windlass-server"], why: "one crate serves HTTP" },
    Confined {
        outside: "utoipa",
        only: &["windlass-core", "windlass-wire", "windlass-server"],
        why: "one crate serves HTTP",
    },
    Confined { outside: "lettre", only: &["windlass-notices"], why: "one crate sends mail" },
    Confined { outside: "clap*", only: FACES, why: "only programs have arguments" },
    Confined { outside: "comfy-table", only: FACES, why: "only programs have a terminal" },
    Confined { outside: "ratatui", only: FACES, why: "only programs have a terminal" },
    Confined { outside: "indicatif", only: FACES, why: "only programs have a terminal" },
    Confined { outside: "tracing-subscriber", only: FACES, why: "where logs go is the program's business" },
    Confined { outside: "anyhow", only: FACES, why: "libraries name their errors" },
    Confined { outside: "apalis*", only: BENCH, why: "what we are compared with is not what we are made of" },
    Confined {
        outside: "sqlx*",
        only: &["windlass-postgres", "windlass", "windlass-bench"],
        why: "one crate speaks to PostgreSQL, in its adapters; elsewhere it is what we are compared with",
    },
];

/// All that the model is made of. Anything more has to argue its way in here.
const CORE_USES: &[&str] =
    &["base64", "bytes", "croner", "jiff", "serde", "serde_json", "sha2", "thiserror", "utoipa", "uuid"];

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let members: Vec<&str> = repo.members().map(|package| package.name.as_str()).collect();
    repo.members().flat_map(|package| check_package(package, &members)).collect()
}

fn check_package(package: &Package, members: &[&str]) -> Vec<Finding> {
    let Some(edges) = EDGES.iter().find(|edges| edges.from == package.name) else {
        return vec![Finding::about(
            &package.name,
            "is on no list of xtask/src/tidy/deps.rs: say what it may use",
        )];
    };
    let uses = package.dependencies.iter().map(|it| (it.name.as_str(), it.kind.as_deref() == Some("dev")));
    let problems = uses.filter_map(|(name, for_tests)| {
        if members.contains(&name) {
            inner_problem(edges, name, for_tests)
        } else {
            outer_problem(edges, name, for_tests)
        }
    });
    problems.map(|problem| Finding::about(&package.name, problem)).collect()
}

fn inner_problem(edges: &Edges, name: &str, for_tests: bool) -> Option<String> {
    let allowed = edges.uses.contains(&name) || for_tests && edges.tests_use.contains(&name);
    (!allowed).then(|| format!("must not use {name}: no such edge is on the list of xtask/src/tidy/deps.rs"))
}

fn outer_problem(edges: &Edges, name: &str, for_tests: bool) -> Option<String> {
    if for_tests {
        return None;
    }
    if edges.from == "windlass-core" && !CORE_USES.contains(&name) {
        return Some(format!("must not use {name}: the model has nothing that could fail"));
    }
    let confined = CONFINED.iter().find(|rule| match rule.outside.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == rule.outside,
    })?;
    (!confined.only.contains(&edges.from)).then(|| format!("must not use {name}: {}", confined.why))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace of the named crates, of which `from` has one dependency.
    fn problems(from: &str, uses: &str, kind: &str) -> Vec<String> {
        let package = |name: &str, dependencies: &str| {
            format!(r#"{{"name":"{name}","version":"0.1.0","id":"{name}","dependencies":[{dependencies}]}}"#)
        };
        let dependency = format!(r#"{{"name":"{uses}","kind":{kind}}}"#);
        let others = [
            "windlass-core",
            "windlass-store",
            "windlass-store-testing",
            "windlass-memory",
            "windlass-runtime",
        ];
        let others: Vec<&str> = others.into_iter().filter(|name| *name != from).collect();
        let packages: Vec<String> =
            others.iter().map(|name| package(name, "")).chain([package(from, &dependency)]).collect();
        let members: Vec<String> = others.iter().chain([&from]).map(|name| format!("\"{name}\"")).collect();
        let graph =
            format!(r#"{{"packages":[{}],"workspace_members":[{}]}}"#, packages.join(","), members.join(","));
        check(&Repo::default().with_graph(&graph)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn edges_on_the_list_are_fine() {
        assert!(problems("windlass-store", "windlass-core", "null").is_empty());
        assert!(problems("windlass-runtime", "windlass-memory", "\"dev\"").is_empty());
        assert!(problems("windlass-sqlite", "rusqlite", "null").is_empty());
        assert!(problems("windlass-core", "proptest", "\"dev\"").is_empty());
    }

    #[test]
    fn edges_that_are_not_on_the_list_are_found() {
        for (from, uses, kind) in [
            ("windlass-core", "windlass-store", "null"),
            ("windlass-sqlite", "windlass-runtime", "null"),
            ("windlass-sqlite", "windlass-memory", "null"),
            ("windlass-runtime", "windlass-memory", "null"),
            ("windlass-memory", "windlass-store-testing", "null"),
            ("windlass-memory", "windlass-store-testing", "\"build\""),
        ] {
            assert_eq!(problems(from, uses, kind).len(), 1, "{from} -> {uses}");
        }
    }

    #[test]
    fn outside_crates_stay_in_their_layer() {
        for (from, uses) in [
            ("windlass-core", "tokio"),
            ("windlass-core", "rand"),
            ("windlass-wire", "tokio-util"),
            ("windlass-runtime", "rusqlite"),
            ("windlass", "clap"),
            ("windlass-sqlite", "apalis-sqlite"),
        ] {
            assert_eq!(problems(from, uses, "null").len(), 1, "{from} -> {uses}");
        }
    }

    #[test]
    fn a_crate_that_is_on_no_list_is_found() {
        assert_eq!(problems("windlass-surprise", "serde", "null").len(), 1);
    }
}
