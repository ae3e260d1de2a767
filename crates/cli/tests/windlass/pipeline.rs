//! `examples/pipeline`: its flow, and its guide word for word.

use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::shelf::{Shelf, wait_for_the_end};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/pipeline");

/// The lease of a run that is killed: waited for, and longer than a busy machine stands still.
const LEASE: &str = "5s";

/// The steps, in the order in which they are enqueued.
const STEPS: [&str; 9] =
    ["fetch", "compile", "compile", "lint", "link", "test", "package", "manifest", "report"];

/// The example, copied into a folder of its own.
fn example(shelf: Shelf) -> Shelf {
    let from = Path::new(EXAMPLE);
    std::fs::create_dir(shelf.path("source")).unwrap();
    for file in std::fs::read_dir(from.join("source")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), shelf.path("source").join(file.file_name())).unwrap();
    }
    std::fs::copy(from.join("flow.toml"), shelf.path("flow.toml")).unwrap();
    shelf
}

/// On all stores at the same time: most of what these tests take is waiting for leases to end.
fn on_every_store(test: impl Fn(&Shelf) + Sync) {
    std::thread::scope(|scope| {
        scope.spawn(|| test(&example(Shelf::new())));
        test(&example(Shelf::with_database()));
    });
}

/// The newest job of a step.
fn step(shelf: &Shelf, tag: &str) -> String {
    shelf.line(&["jobs", "-q", "--tag", tag, "--limit", "1"])
}

/// Each step of the newest round with its state.
fn states(shelf: &Shelf) -> Vec<(String, String)> {
    let flow = shelf.json(&["flows", "show", &step(shelf, "fetch"), "--json"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    flow["jobs"].as_array().unwrap().iter().map(|job| (text(&job["tags"][0]), text(&job["state"]))).collect()
}

/// Asserts that the first steps are completed and the others are as said.
fn assert_steps(shelf: &Shelf, completed: usize, others: &[&str]) {
    let expected = STEPS.iter().zip(std::iter::repeat_n(&"completed", completed).chain(others));
    let expected: Vec<_> = expected.map(|(step, state)| ((*step).to_owned(), (*state).to_owned())).collect();
    assert_eq!(states(shelf), expected);
}

fn assert_whole(shelf: &Shelf) {
    let told_by = |line: &str| {
        let output = Command::new("sh").args(["-ec", line]).current_dir(shelf.path("")).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(told_by("sha256sum --check build/SHA256SUMS"), "build/tally.tar: OK\n");
    assert_eq!(told_by("tar -tf build/tally.tar"), "tally\nwords.h\n");
    assert_eq!(
        told_by("mkdir -p out && tar -xf build/tally.tar -C out && echo so it runs | out/tally"),
        "3\n"
    );
}

/// A test step that says when it has begun, and then waits for ever.
fn held(shelf: &Shelf) {
    shelf.pipe("gate");
    shelf.pipe("never");
    let source = shelf.read("source/test.sh");
    shelf.write(
        "source/test.sh",
        &format!("if [ -p gate ]; then exec 9> gate; echo up >&9; cat never; fi\n{source}"),
    );
}

#[test]
fn an_artefact_is_built_from_what_the_steps_hand_on() {
    on_every_store(|shelf| {
        let summary = shelf.json(&["run", "flow.toml", "--slots", "4", "--json"]);

        assert_eq!((&summary["total"], &summary["completed"]), (&json!(9), &json!(9)));
        assert_whole(shelf);
        assert_steps(shelf, 9, &[]);
        let report: Value = serde_json::from_str(&shelf.read("build/report.json")).unwrap();
        assert_eq!(report[2]["result"]["stdout"], shelf.read("build/SHA256SUMS"));
    });
}

#[test]
fn a_failure_closes_what_needs_it_and_is_reported() {
    let shelf = example(Shelf::new());
    let source = shelf.read("source/words.c");
    shelf.write("source/words.c", &source.replace("count++", "count += 2"));

    let ran = shelf.run(&["run", "flow.toml", "--slots", "4"]);

    assert_eq!(ran.code, Some(8), "{ran:?}");
    assert_steps(&shelf, 5, &["dead", "cancelled", "cancelled", "completed"]);
    let errors = shelf.ok(&["flows", "errors", &step(&shelf, "manifest")]);
    assert!(errors.contains("exit code 123: 'one' has 1 words, not 2"), "{errors}");
    assert!(!shelf.path("build/tally.tar").exists());
    let report: Value = serde_json::from_str(&shelf.read("build/report.json")).unwrap();
    assert_eq!(report[2]["reason"], "dependency_failed");
}

#[test]
fn a_cancelled_pipeline_stops_the_step_that_runs_and_starts_no_other() {
    on_every_store(|shelf| {
        held(shelf);
        let run = shelf.start(&["run", "flow.toml", "--slots", "4", "--lease", "9s"]);
        let (_, gate) = shelf.reached("gate");

        shelf.ok(&["flows", "cancel", &step(shelf, "test"), "--reason", "wrong branch"]);
        wait_for_the_end(gate);
        let ran = run.ended();

        assert_eq!(ran.code, Some(8), "{ran:?}");
        // Lint may have been cancelled, too: nobody waited for it.
        let states = states(shelf);
        assert!(states[5..].iter().all(|(_, state)| state == "cancelled"), "{states:?}");
        assert_eq!(shelf.of_job(&step(shelf, "test"), "events")[0]["reason"], "wrong branch");
        assert_eq!(shelf.of_job(&step(shelf, "package"), "attempts"), json!([]));
    });
}

#[test]
fn a_step_that_is_lost_with_its_worker_is_done_by_the_next() {
    on_every_store(|shelf| {
        held(shelf);
        let run = shelf.start(&["run", "flow.toml", "--slots", "4", "--lease", LEASE]);
        let (_, gate) = shelf.reached("gate");

        run.kill();
        wait_for_the_end(gate);
        std::fs::remove_file(shelf.path("gate")).unwrap();
        let summary = shelf.json(&["run", "flow.toml", "--slots", "4", "--json"]);

        assert_eq!((&summary["completed"], &summary["resumed"]), (&json!(9), &json!(9)));
        assert_whole(shelf);
        let test = step(shelf, "test");
        let outcomes = shelf.of_job(&test, "attempts");
        let outcomes: Vec<&Value> = outcomes.as_array().unwrap().iter().map(|one| &one["outcome"]).collect();
        assert_eq!(outcomes, ["lost", "succeeded"]);
        assert_eq!(shelf.of_job(&test, "losses"), 1);
        assert_eq!(shelf.of_job(&step(shelf, "link"), "attempts").as_array().unwrap().len(), 1);
    });
}

#[test]
fn a_step_that_kills_each_worker_is_given_up_and_its_children_end_as_they_said() {
    on_every_store(|shelf| {
        let run = || {
            let mut command = shelf.command(&["run", "flow.toml", "--slots", "4", "--lease", LEASE]);
            let status =
                command.env("CRASH", "1").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            std::os::unix::process::ExitStatusExt::signal(&status)
                .map_or(status.code(), |signal| Some(-signal))
        };
        let killed = Some(-Signal::KILL.as_raw());

        assert_eq!([run(), run(), run()], [killed, killed, Some(8)]);

        let test = step(shelf, "test");
        assert_eq!(
            (shelf.of_job(&test, "reason"), shelf.of_job(&test, "losses")),
            (json!("poison"), json!(2))
        );
        let states = states(shelf);
        let ends: Vec<&str> = states[5..].iter().map(|(_, state)| state.as_str()).collect();
        assert_eq!(ends, ["dead", "cancelled", "cancelled", "completed"]);
        let report: Value = serde_json::from_str(&shelf.read("build/report.json")).unwrap();
        assert_eq!(report[1]["reason"], "poison");
    });
}

/// The `sh` blocks of the guide, one after the other.
fn guide() -> String {
    let text = std::fs::read_to_string(Path::new(EXAMPLE).join("README.md")).unwrap();
    let mut script = String::from("set -eu\n");
    let mut inside = false;
    for line in text.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => script.extend([line, "\n"]),
            _ => {}
        }
    }
    script
}

#[test]
fn the_guide_does_what_it_says() {
    on_every_store(|shelf| {
        let script = guide();
        let folder = Path::new(env!("CARGO_BIN_EXE_windlass")).parent().unwrap().to_owned();
        let path = std::env::join_paths(
            [folder].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(shelf.path("")).env("PATH", path.unwrap());
        // The same environment as that of every command here.
        for (name, value) in shelf.command(&[]).get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }

        let output = shell.output().unwrap();

        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        for part in [
            "build/tally.tar\n",
            "9 jobs: 9 completed",
            "\tlost\t",
            "killed once\nkilled twice\n",
            "not built\n",
        ] {
            assert!(said.contains(part), "{part:?} is not in {said}");
        }
        assert_eq!(said.matches("whose success it needs, died").count(), 2, "{said}");
        // Of what was enqueued for any worker, and of what was brought back.
        assert_steps(shelf, 9, &[]);
        assert_eq!(shelf.ok(&["jobs", "-q", "--state", "dead"]), "");
        assert_whole(shelf);
    });
}
