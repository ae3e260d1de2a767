//! The guide does what it says: its commands, one after the other, as a reader would type them.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use windlass_mail_testing::MailServer;

const GUIDE: &str = include_str!("../../README.md");
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data");

/// The folder that has `import` and `windlass`. The gate builds both; who tests this example alone may have only the one.
fn programs() -> PathBuf {
    let import = Path::new(env!("CARGO_BIN_EXE_import"));
    if !import.with_file_name("windlass").exists() {
        let mut build = Command::new(env!("CARGO"));
        assert!(build.args(["build", "--locked", "--package", "windlass-cli"]).status().unwrap().success());
    }
    import.parent().unwrap().to_owned()
}

/// What stands in the `sh` blocks of the guide.
fn commands() -> String {
    let mut inside = false;
    let lines = GUIDE.lines().filter(|line| {
        let is_fence = line.starts_with("```");
        if is_fence {
            inside = *line == "```sh";
        }
        inside && !is_fence
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// What the script has started, ended with this.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        let _all_ended = kill_process_group(self.0, Signal::KILL);
    }
}

#[test]
fn the_guide_does_what_it_says() {
    let (folder, mail) = (TempDir::new().unwrap(), MailServer::plain());
    for file in ["iso3166.tab", "zone1970.tab"] {
        std::fs::copy(Path::new(DATA).join(file), folder.path().join(file)).unwrap();
    }
    let script = commands().replace("localhost:1025", &format!("127.0.0.1:{}", mail.port()));
    let path = std::env::join_paths([programs(), "/usr/local/bin".into(), "/usr/bin".into(), "/bin".into()]);
    let mut bash = Command::new("bash");
    bash.args(["-euxo", "pipefail", "-c", &script]).current_dir(folder.path());
    bash.env_clear().env("PATH", path.unwrap()).process_group(0);

    // Into files, because the services that the script starts would keep a pipe open when it fails.
    let output = |name| std::fs::File::create(folder.path().join(name)).unwrap();
    let mut script = bash.stdout(output("out")).stderr(output("err")).spawn().unwrap();
    let _services = Group(Pid::from_raw(i32::try_from(script.id()).unwrap()).unwrap());
    let status = script.wait().unwrap();

    let said = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(status.success(), "{}\n{}", said("out"), said("err"));
    assert_eq!(said("zones.tsv").lines().count(), 312);
    // The service goes on after the script, and writes when the job has ended.
    let mail = mail.conversation();
    assert!(mail.iter().any(|line| line == "RCPT TO:<ada@example.com>"), "{mail:#?}");
}
