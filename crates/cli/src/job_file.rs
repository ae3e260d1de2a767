//! Files of jobs: one a line as JSON, or a `[[job]]` each in TOML.
//!
//! A file is read whole and checked whole before anything of it is enqueued; what is kept of it meanwhile is its
//! text, not its jobs.

mod links;
mod toml_jobs;

use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use uuid::Uuid;
use windlass_core::{Invalid, JobId, Limits, NewJob};
use windlass_wire::JobRequest;

use crate::error::{CliError, ErrorCode};
use links::{Links, Named, Reading};

/// A file of jobs, every one of which can be enqueued.
#[derive(Debug)]
pub(crate) struct JobFile {
    /// As it was named on the command line.
    pub(crate) name: String,
    digest: [u8; 32],
    jobs: Jobs,
    links: Links,
}

#[derive(Debug)]
enum Jobs {
    Lines(String),
    Tables(Vec<toml_jobs::Table>),
}

/// Where in its file a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// What its id is made of: its line, or which table it is.
    number: u32,
    /// Its line, 1 the first.
    line: usize,
}

/// One job of a file.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) number: u32,
    pub(crate) request: JobRequest,
}

/// Which round of the same file it is: 0 the first, one more with each fresh start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(pub(crate) u32);

impl JobFile {
    /// Reads and checks a file; `-` is standard input.
    ///
    /// # Errors
    ///
    /// When it cannot be read; when it has no jobs; when one of its jobs cannot be enqueued, naming line and field.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let (name, bytes) = if path == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map_err(|error| CliError::unreadable(path, error))?;
            ("stdin".to_owned(), bytes)
        } else {
            (
                path.display().to_string(),
                std::fs::read(path).map_err(|error| CliError::unreadable(path, error))?,
            )
        };
        let toml = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => true,
            Some("jsonl" | "ndjson") | None => false,
            Some(other) => {
                let problem = format!("{name}: .{other} is not the name of a job file");
                return Err(CliError::new(ErrorCode::JobFile, problem)
                    .with_help("name it .jsonl (JSON, one job a line) or .toml (a [[job]] each)"));
            }
        };
        Self::parse(name, bytes, toml.then_some(toml_jobs::parse as ParseToml))
    }

    fn parse(name: String, bytes: Vec<u8>, toml: Option<ParseToml>) -> Result<Self, CliError> {
        let digest = Sha256::digest(&bytes).into();
        let text = String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            wrong(&name, 1 + newlines(before), "is not UTF-8")
        })?;
        let jobs = match toml {
            Some(parse) => {
                Jobs::Tables(parse(&text).map_err(|(line, problem)| wrong(&name, line, &problem))?)
            }
            None => Jobs::Lines(text),
        };
        let mut file = Self { name, digest, jobs, links: Links::default() };
        file.links = file.check()?;
        Ok(file)
    }

    /// Its jobs, in order; but for those that wait for a later one, which come behind that.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        let texts: Box<dyn Iterator<Item = (Place, &str)>> = if self.links.order.is_empty() {
            self.texts()
        } else {
            let texts: Vec<(Place, &str)> = self.texts().collect();
            Box::new(self.links.order.iter().map(move |index| texts[*index]))
        };
        texts.map(|(place, text)| Entry {
            number: place.number,
            request: JobRequest::from_json(text).expect("every job was read once when the file was"),
        })
    }

    /// A job of this round of the file.
    pub(crate) fn new_job(&self, generation: Generation, entry: Entry) -> NewJob {
        let Entry { number, mut request } = entry;
        let id = |named: Named| named.id.unwrap_or_else(|| self.id(generation, named.number));
        let resolved = request.resolve(|name| self.links.get(name).map(id));
        resolved.expect("every name was found when the file was read");
        request.into_new_job(self.id(generation, number))
    }

    /// The SHA-256 digest of its content, in hexadecimal.
    pub(crate) fn digest(&self) -> String {
        use std::fmt::Write as _;
        self.digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The id of the `number`th job in this round of the file, if it has none of its own.
    ///
    /// It is the same wherever and whenever it is asked for: that is how a file that is started again finds its jobs.
    /// Ids of one round differ in their last bytes only, so they lie side by side in a store.
    pub(crate) fn id(&self, generation: Generation, number: u32) -> JobId {
        let mut hash = Sha256::new_with_prefix(b"windlass run\0");
        hash.update(self.digest);
        hash.update(generation.0.to_be_bytes());
        let mut bytes = [0; 16];
        bytes[..12].copy_from_slice(&hash.finalize()[..12]);
        bytes[12..].copy_from_slice(&number.to_be_bytes());
        JobId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The line that the job of this id stands on, if its id was made here.
    pub(crate) fn line(&self, generation: Generation, id: JobId) -> Option<usize> {
        let number = id.as_bytes().last_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))?;
        if self.id(generation, number) == id { self.line_of_number(number) } else { None }
    }

    /// The line that the `number`th job stands on.
    pub(crate) fn line_of_number(&self, number: u32) -> Option<usize> {
        let index = usize::try_from(number).ok()?;
        match &self.jobs {
            Jobs::Lines(_) => Some(index),
            Jobs::Tables(tables) => tables.get(index.checked_sub(1)?).map(|table| table.line),
        }
    }

    fn texts(&self) -> Box<dyn Iterator<Item = (Place, &str)> + '_> {
        match &self.jobs {
            Jobs::Lines(text) => Box::new(lines(text)),
            Jobs::Tables(tables) => Box::new((1..).zip(tables).map(|(number, table)| {
                let place = Place { number, line: table.line };
                (place, table.json.as_str())
            })),
        }
    }

    fn check(&self) -> Result<Links, CliError> {
        let (mut jobs, mut ids, mut reading) = (0_u64, HashSet::new(), Reading::default());
        let fault = |place: Place, invalid: Invalid| {
            wrong(&self.name, self.line_of(place, &invalid.field), &invalid.to_string())
        };
        for (place, text) in self.texts() {
            jobs += 1;
            let request = check(text, &mut ids).map_err(|invalid| fault(place, invalid))?;
            reading.add(place, &request).map_err(|invalid| fault(place, invalid))?;
        }
        if jobs == 0 {
            return Err(CliError::new(ErrorCode::JobFile, format!("{}: there are no jobs in it", self.name))
                .with_help(
                    "a job is a line such as {\"kind\": \"exec\", \"args\": {\"command\": [\"true\"]}}",
                ));
        }
        reading.finish().map_err(|(place, invalid)| fault(place, invalid))
    }

    /// The line of the field at fault, as near as the form of the file allows.
    fn line_of(&self, place: Place, field: &str) -> usize {
        let Jobs::Tables(tables) = &self.jobs else { return place.line };
        let root = field.split(['.', '[']).next().unwrap_or(field);
        let table = usize::try_from(place.number - 1).ok().and_then(|index| tables.get(index));
        table.and_then(|table| table.lines.get(root).copied()).unwrap_or(place.line)
    }
}

type ParseToml = fn(&str) -> Result<Vec<toml_jobs::Table>, (usize, String)>;

/// Refuses what no store would take, so that nothing of the file is enqueued when some of it could not be.
fn check(text: &str, ids: &mut HashSet<JobId>) -> Result<JobRequest, Invalid> {
    let request = JobRequest::from_json(text)?;
    if let Some(id) = request.id
        && !ids.insert(id)
    {
        return Err(Invalid::new("id", "is that of an earlier job of the file"));
    }
    request.clone().into_new_job(JobId::from_uuid(Uuid::max())).validate(&Limits::default())?;
    Ok(request)
}

fn lines(text: &str) -> impl Iterator<Item = (Place, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let numbered = (1..).zip(text.lines()).map(|(number, line)| {
        let place = Place { number, line: usize::try_from(number).unwrap_or(usize::MAX) };
        (place, line.trim())
    });
    numbered.filter(|(_, line)| !line.is_empty())
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

fn wrong(name: &str, line: usize, problem: &str) -> CliError {
    CliError::new(ErrorCode::JobFile, format!("{name}:{line}: {problem}"))
        .with_help("nothing of the file was enqueued; mend the line and start again")
}

#[cfg(test)]
mod tests {
    use windlass_core::Edge;

    use super::*;

    fn jsonl(text: &str) -> Result<JobFile, CliError> {
        JobFile::parse("jobs.jsonl".to_owned(), text.as_bytes().to_vec(), None)
    }

    fn toml(text: &str) -> Result<JobFile, CliError> {
        JobFile::parse("jobs.toml".to_owned(), text.as_bytes().to_vec(), Some(toml_jobs::parse))
    }

    #[test]
    fn ids_are_the_same_for_the_same_content_and_differ_otherwise() {
        let (one, same) = (jsonl("{\"kind\":\"a\"}\n").unwrap(), jsonl("{\"kind\":\"a\"}\n").unwrap());
        let other = jsonl("{\"kind\":\"b\"}\n").unwrap();

        let id = |file: &JobFile, generation, number| file.id(Generation(generation), number);
        assert_eq!(id(&one, 0, 1), id(&same, 0, 1));
        let ids: HashSet<_> = [id(&one, 0, 1), id(&one, 0, 2), id(&one, 1, 1), id(&other, 0, 1)].into();
        assert_eq!(ids.len(), 4);
        assert_eq!(id(&one, 0, 1).as_uuid().get_version_num(), 8);
    }

    #[test]
    fn empty_lines_are_no_jobs_but_count_as_lines() {
        let file = jsonl("\u{feff}\n{\"kind\":\"a\"}\r\n\n  {\"kind\":\"b\"}\n").unwrap();

        let jobs: Vec<_> =
            file.entries().map(|entry| (entry.number, entry.request.kind.to_string())).collect();

        assert_eq!(jobs, [(2, "a".to_owned()), (4, "b".to_owned())]);
    }

    #[test]
    fn what_is_wrong_is_named_with_file_line_and_field() {
        for (text, said) in [
            (
                "{\"kind\":\"a\"}\n{\"kind\":\"a\",\"que\":1}\n",
                "jobs.jsonl:2: que: is not a field of a job: did you mean `queue`?",
            ),
            ("{\"kind\":\"a\",\"queue\":\"\"}", "jobs.jsonl:1: queue: must not be empty"),
            (
                "{\"kind\":\"a\",\"attempts_max\":0}",
                "jobs.jsonl:1: attempts_max: must be 1 or more: 1 is no retry",
            ),
            ("\n{\"kind\"\n", "jobs.jsonl:2: job: is not JSON: EOF while parsing an object at column 7"),
            ("", "jobs.jsonl: there are no jobs in it"),
        ] {
            assert_eq!(jsonl(text).unwrap_err().to_string(), said);
        }
        let twice = "{\"kind\":\"a\",\"id\":\"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11\"}\n".repeat(2);
        assert_eq!(
            jsonl(&twice).unwrap_err().to_string(),
            "jobs.jsonl:2: id: is that of an earlier job of the file"
        );
    }

    #[test]
    fn jobs_that_wait_for_others_come_behind_them() {
        let file = toml(
            "[[job]]\nkind = 'c'\nafter = ['a', { ref = 'b', on = 'on_finish' }]\n\n[[job]]\nkind = 'a'\nref = 'a'\n\n\
             [[job]]\nkind = 'b'\nref = 'b'\nafter = ['a']\n",
        );
        let file = file.unwrap();

        let jobs: Vec<NewJob> = file.entries().map(|entry| file.new_job(Generation(0), entry)).collect();

        let kinds: Vec<&str> = jobs.iter().map(|job| job.kind.as_str()).collect();
        assert_eq!(kinds, ["a", "b", "c"]);
        let id = |number| file.id(Generation(0), number);
        assert_eq!(jobs[2].after, [Edge::on_success(id(2)), Edge::on_finish(id(3))]);
        for (text, said) in [
            (
                "[[job]]\nkind = 'a'\nafter = ['b']\n",
                "jobs.toml:3: after[0]: no job of the file has the ref \"b\"",
            ),
            (
                "[[job]]\nkind = 'a'\nref = 'a'\n[[job]]\nkind = 'a'\nref = 'a'\n",
                "jobs.toml:6: ref: is that of an earlier job of the file",
            ),
            (
                "[[job]]\nkind = 'a'\n[[job]]\nkind = 'a'\nref = 'a'\nafter = ['b']\n[[job]]\nkind = 'a'\nref = 'b'\nafter = ['a']\n",
                "jobs.toml:6: after: closes a circle, in which each waits for the next: a → b → a",
            ),
        ] {
            assert_eq!(toml(text).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn toml_says_the_same_and_names_the_line_of_the_field() {
        let file = toml("[[job]]\nkind = 'exec'\n[job.args]\ncommand = ['true']\nn = 1.5\nat = 2026-11-21\n")
            .unwrap();

        let entry = file.entries().next().unwrap();

        assert_eq!(entry.number, 1);
        assert_eq!(entry.request.args.unwrap().as_str(), r#"{"at":"2026-11-21","command":["true"],"n":1.5}"#);
        for (text, said) in [
            (
                "[[job]]\nkind = 'a'\n\n[[job]]\nkind = 'b'\nque = 1\n",
                "jobs.toml:6: que: is not a field of a job: did you mean `queue`?",
            ),
            ("[[job]]\nkind = 'a'\nqueue = ''\n", "jobs.toml:3: queue: must not be empty"),
            ("[[job]]\nqueue = 'a'\n", "jobs.toml:1: kind: is missing: every job needs one"),
            ("[[jobs]]\nkind = 'a'\n", "jobs.toml:1: jobs: is not known here: jobs are written as [[job]]"),
            ("[job]\nkind = 'a'\n", "jobs.toml:1: job: is one table: jobs are written as [[job]]"),
            ("[[job]]\nkind = 'a\n", "jobs.toml:2: is not TOML: invalid literal string, expected `'`"),
            ("[[job]]\nkind = 'a'\nargs = inf\n", "jobs.toml:3: args: has a number without a JSON form"),
        ] {
            assert_eq!(toml(text).unwrap_err().to_string(), said);
        }
    }
}
