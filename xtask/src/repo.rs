//! The repository as the checks see it: the text of its files, and what cargo says of its packages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// Every text file by its path from the root, and every package of the dependency graph.
#[derive(Debug, Default)]
pub(crate) struct Repo {
    files: BTreeMap<String, String>,
    graph: Graph,
}

/// What `cargo metadata` says.
#[derive(Debug, Default, Deserialize)]
struct Graph {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
}

/// One package, ours or not.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// Where it comes from; none for the packages of this repository.
    pub(crate) source: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    id: String,
}

/// What one package asks of another.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// None for an ordinary dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().expect("xtask lies in a folder of the workspace").to_path_buf()
}

impl Repo {
    /// Reads the repository this program was built in.
    pub(crate) fn read() -> Result<Self, String> {
        let root = root();
        let ignored = std::fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
        let mut reader = Reader { ignored: ignored.lines().collect(), files: BTreeMap::new() };
        reader.folder(&root, "").map_err(|error| format!("could not read {}: {error}", root.display()))?;
        Ok(Self { files: reader.files, graph: graph(&root)? })
    }

    /// A repository with just these files.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { files, graph: Graph::default() }
    }

    /// A repository with just these packages, as `cargo metadata` would list them.
    #[cfg(test)]
    pub(crate) fn with_graph(self, json: &str) -> Self {
        Self { graph: serde_json::from_str(json).expect("the sample is what cargo prints"), ..self }
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Every file, by path.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every file whose name ends in `.extension`.
    pub(crate) fn files_of(&self, extension: &str) -> impl Iterator<Item = (&str, &str)> {
        let ends = format!(".{extension}");
        self.files().filter(move |(path, _)| path.ends_with(&ends))
    }

    /// The packages of this repository.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.graph.packages.iter().filter(|package| self.graph.workspace_members.contains(&package.id))
    }

    /// Every package of the graph, ours and others.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.graph.packages
    }
}

/// The first command of the README: the first line of its first `sh` block.
pub(crate) fn quick_start(repo: &Repo) -> Result<String, String> {
    let commands = quick_start_commands(repo.text("README.md").unwrap_or_default());
    commands.first().cloned().ok_or_else(|| "README.md has no `sh` block with a command in it".to_owned())
}

/// The commands of the first `sh` block of `readme`, without the comments beside them.
pub(crate) fn quick_start_commands(readme: &str) -> Vec<String> {
    let block = readme.lines().skip_while(|line| *line != "```sh").skip(1).take_while(|line| *line != "```");
    let commands = block.map(|line| line.split(" #").next().unwrap_or_default().trim());
    commands.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// Reads what is written here, and leaves what is made here.
struct Reader<'a> {
    /// The lines of `.gitignore`. Only names at the root are understood, such as `/target`.
    ignored: Vec<&'a str>,
    files: BTreeMap<String, String>,
}

impl Reader<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if path == ".git"
                || path.ends_with("/target")
                || self.ignored.contains(&format!("/{path}").as_str())
            {
                continue;
            }
            if kind.is_dir() {
                self.folder(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file()
                // What is not text is not ours to read.
                && let Ok(text) = String::from_utf8(std::fs::read(entry.path())?)
            {
                self.files.insert(path, text);
            }
        }
        Ok(())
    }
}

fn graph(root: &Path) -> Result<Graph, String> {
    let mut command = Command::new("cargo");
    command.args(["metadata", "--format-version", "1", "--locked"]).current_dir(root);
    let output = command.output().map_err(|error| format!("could not start cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata printed something else: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_start_is_the_first_sh_block_without_its_comments() {
        let readme = "# W\n```rust\nfn main() {}\n```\n```sh\n# now\ncargo run  # prints\ncargo test\n```\n```sh\nls\n```\n";

        assert_eq!(quick_start_commands(readme), ["cargo run", "cargo test"]);
    }

    #[test]
    fn a_readme_without_a_command_is_an_error() {
        assert!(quick_start(&Repo::of(&[("README.md", "# W\n")])).is_err());
    }

    #[test]
    fn this_repository_can_be_read() {
        let repo = Repo::read().unwrap();

        assert!(repo.text("xtask/src/repo.rs").is_some());
        assert!(repo.members().any(|package| package.name == "windlass-core"));
        assert!(!repo.files().any(|(path, _)| path.starts_with("target/")));
    }
}
