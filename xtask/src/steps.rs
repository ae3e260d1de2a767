//! Commands run one after the other, each with a heading and its time, until one fails.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// One thing to run.
pub(crate) struct Step {
    /// What it is called in the headings and in the table.
    name: &'static str,
    program: String,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    /// What to do when it fails.
    advice: &'static str,
}

impl Step {
    /// A step that runs `cargo` with these arguments.
    pub(crate) fn cargo(name: &'static str, arguments: &str) -> Self {
        Self::program(name, "cargo", arguments.split_whitespace())
    }

    /// A step that gives `line` to a shell, as a person would type it.
    pub(crate) fn shell(name: &'static str, line: &str) -> Self {
        Self::program(name, "sh", ["-c", line])
    }

    fn program<'a>(name: &'static str, program: &str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        Self { name, program: program.to_owned(), arguments, environment: Vec::new(), advice: "" }
    }

    pub(crate) fn and(mut self, arguments: &[String]) -> Self {
        self.arguments.extend_from_slice(arguments);
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    pub(crate) fn or_else(mut self, advice: &'static str) -> Self {
        self.advice = advice;
        self
    }

    fn line(&self) -> String {
        let shown = if self.program == "sh" { self.arguments[1..].join(" ") } else { self.words().join(" ") };
        let set = self.environment.iter().map(|(name, value)| format!("{name}=\"{value}\" "));
        set.chain([shown]).collect()
    }

    fn words(&self) -> Vec<&str> {
        [self.program.as_str()].into_iter().chain(self.arguments.iter().map(String::as_str)).collect()
    }

    fn run(&self, root: &Path) -> Result<(), String> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(self.environment.iter().cloned()).current_dir(root);
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{}` ended with {status}", self.line())),
            Err(error) => Err(format!("`{}` could not be started: {error}", self.program)),
        }
    }
}

/// Runs `steps` in order and prints what each took.
///
/// # Errors
///
/// What the first step that failed was, and what to do about it. The steps after it are not run.
pub(crate) fn run(root: &Path, steps: &[Step]) -> Result<(), String> {
    let mut done = Vec::new();
    for step in steps {
        println!("\n== {}: {}", step.name, step.line());
        let begun = Instant::now();
        let outcome = step.run(root);
        done.push((step.name, begun.elapsed(), outcome.is_ok()));
        if let Err(problem) = outcome {
            let advice = if step.advice.is_empty() { "" } else { "\n  to mend it: " };
            return Err(format!("{}\n\n{problem}{advice}{}", table(&done), step.advice));
        }
    }
    println!("{}", table(&done));
    Ok(())
}

fn table(done: &[(&str, Duration, bool)]) -> String {
    let mut text = String::new();
    for (name, took, passed) in done {
        let verdict = if *passed { "ok" } else { "FAILED" };
        let _ = write!(text, "\n  {name:<12} {:>8.1} s  {verdict}", took.as_secs_f64());
    }
    let total: Duration = done.iter().map(|(_, took, _)| *took).sum();
    let _ = write!(text, "\n  {:<12} {:>8.1} s", "in all", total.as_secs_f64());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(name: &'static str, line: &str) -> Step {
        Step::shell(name, line).or_else("do better")
    }

    #[test]
    fn the_first_failure_stops_the_run_and_says_what_to_do() {
        let root = std::env::temp_dir();
        let mark = root.join(format!("windlass-steps-{}", std::process::id()));
        let touch = format!("touch {}", mark.display());

        let outcome = run(&root, &[shell("good", "true"), shell("bad", "exit 3"), shell("never", &touch)]);

        let problem = outcome.unwrap_err();
        assert!(problem.contains("`exit 3` ended with exit status: 3\n  to mend it: do better"), "{problem}");
        assert!(problem.contains("FAILED"));
        assert!(!mark.exists());
    }

    #[test]
    fn a_program_that_is_not_there_is_a_failure() {
        let step = Step::program("gone", "windlass-no-such-program", []);

        assert!(run(&std::env::temp_dir(), &[step]).is_err());
    }
}
