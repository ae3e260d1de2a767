//! What handlers write down of themselves, one line for each thing that happens.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::str::FromStr;

use windlass_core::{AttemptToken, JobId};

use crate::Failure;

/// One attempt, as a handler knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The job.
    pub job: JobId,
    /// The number of the attempt's token.
    pub number: u64,
    /// The process it ran in.
    pub process: String,
}

impl Run {
    /// The attempt of `token` in `process`.
    #[must_use]
    pub fn of(token: &AttemptToken, process: &str) -> Self {
        Self { job: token.job, number: token.number, process: process.to_owned() }
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// The process takes jobs from now on.
    Ready,
    /// A handler was entered.
    Started(Run),
    /// A handler is about to return.
    Ended(Run),
    /// A handler was asked to stop, and stops.
    Halted(Run),
    /// Something was written under the token of an attempt whose process had been stopped.
    Late {
        /// The attempt.
        run: Run,
        /// What was tried.
        verb: String,
        /// The code of the store's error, or `ok`.
        answer: String,
    },
    /// A handler about to be entered holds a resource alone.
    Fenced {
        /// The attempt.
        run: Run,
        /// The resource.
        resource: String,
        /// The number of the grant.
        fence: u64,
    },
    /// A job is about to be enqueued.
    Asked {
        /// Its id.
        job: JobId,
        /// Its unique key, if it has one.
        key: Option<String>,
    },
    /// An enqueue was answered.
    Answered {
        /// The job that was asked for.
        job: JobId,
        /// What happened: `created`, `existing`, `replaced` or `duplicate`.
        answer: String,
        /// The job that stands for it.
        stands: JobId,
    },
    /// A person is about to decide about a job.
    Decided(JobId),
    /// A process is about to be killed.
    Killed(String),
}

impl Mark {
    /// The attempt that entered its handler, if that is what the line says.
    #[must_use]
    pub fn started(&self) -> Option<&Run> {
        if let Self::Started(run) = self { Some(run) } else { None }
    }

    /// The attempt that is about to leave its handler, if that is what the line says.
    #[must_use]
    pub fn ended(&self) -> Option<&Run> {
        if let Self::Ended(run) = self { Some(run) } else { None }
    }
}

/// What a line says of a job without a unique key.
const NO_KEY: &str = "-";

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.job, self.number, self.process)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Started(run) => write!(f, "start {run}"),
            Self::Ended(run) => write!(f, "end {run}"),
            Self::Halted(run) => write!(f, "halt {run}"),
            Self::Late { run, verb, answer } => write!(f, "late {run} {verb} {answer}"),
            Self::Fenced { run, resource, fence } => write!(f, "fence {run} {resource} {fence}"),
            Self::Asked { job, key } => write!(f, "ask {job} {}", key.as_deref().unwrap_or(NO_KEY)),
            Self::Answered { job, answer, stands } => write!(f, "answer {job} {answer} {stands}"),
            Self::Decided(job) => write!(f, "decide {job}"),
            Self::Killed(process) => write!(f, "kill {process}"),
        }
    }
}

impl FromStr for Mark {
    type Err = Failure;

    fn from_str(line: &str) -> Result<Self, Failure> {
        let words: Vec<&str> = line.split(' ').collect();
        let run = |job: &str, number: &str, process: &str| {
            Ok::<_, Failure>(Run { job: job.parse()?, number: number.parse()?, process: process.to_owned() })
        };
        match words[..] {
            ["ready"] => Ok(Self::Ready),
            ["start", job, number, process] => Ok(Self::Started(run(job, number, process)?)),
            ["end", job, number, process] => Ok(Self::Ended(run(job, number, process)?)),
            ["halt", job, number, process] => Ok(Self::Halted(run(job, number, process)?)),
            ["late", job, number, process, verb, answer] => {
                let (verb, answer) = (verb.to_owned(), answer.to_owned());
                Ok(Self::Late { run: run(job, number, process)?, verb, answer })
            }
            ["fence", job, number, process, resource, fence] => Ok(Self::Fenced {
                run: run(job, number, process)?,
                resource: resource.to_owned(),
                fence: fence.parse()?,
            }),
            ["ask", job, key] => {
                let key = (key != NO_KEY).then(|| key.to_owned());
                Ok(Self::Asked { job: job.parse()?, key })
            }
            ["answer", job, answer, stands] => {
                let answer = answer.to_owned();
                Ok(Self::Answered { job: job.parse()?, answer, stands: stands.parse()? })
            }
            ["decide", job] => Ok(Self::Decided(job.parse()?)),
            ["kill", process] => Ok(Self::Killed(process.to_owned())),
            _ => Err(Failure::new(format!("the witness has a line that nobody writes: {line:?}"))),
        }
    }
}

/// What every line takes, in bytes, filled up with blanks. A kill ends a `write` between two pages of the file, and only
/// there: lines of a width that a page is a multiple of lie across none.
const WIDTH: usize = 128;

/// The log that all processes of a scenario append to.
#[derive(Debug)]
pub struct Witness(File);

impl Witness {
    /// Opens the log, making it if there is none.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(Self)
    }

    /// Appends a line, whole: by one `write` into one page, which a kill comes before or after.
    ///
    /// # Panics
    ///
    /// When it cannot be written, or is longer than a line may be; then nothing could be said about the run.
    pub fn write(&self, mark: &Mark) {
        let line = format!("{:<1$}\n", mark.to_string(), WIDTH - 1);
        assert_eq!(line.len(), WIDTH, "no line may be longer: {mark}");
        let written = (&self.0).write(line.as_bytes()).expect("the witness can be written");
        assert_eq!(written, line.len(), "the witness took a part of a line");
    }

    /// Reads a whole log.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or has a line that nobody writes.
    pub fn read(path: &Path) -> Result<Vec<Mark>, Failure> {
        parsed(&std::fs::read_to_string(path)?)
    }

    /// Reads the whole lines of a log that others still append to.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn so_far(path: &Path) -> Result<Vec<Mark>, Failure> {
        let text = std::fs::read_to_string(path)?;
        parsed(text.rsplit_once('\n').map_or("", |(whole, _)| whole))
    }
}

fn parsed(text: &str) -> Result<Vec<Mark>, Failure> {
    text.lines().map(|line| line.trim_end().parse()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        Run { job: JobId::from_bytes([7; 16]), number: 3, process: "worker-1".to_owned() }
    }

    #[test]
    fn a_line_reads_back() {
        let late = Mark::Late { run: run(), verb: "settle".to_owned(), answer: "lease_lost".to_owned() };
        let fenced = Mark::Fenced { run: run(), resource: "r1".to_owned(), fence: 7 };
        let asked = |key: Option<&str>| Mark::Asked { job: run().job, key: key.map(str::to_owned) };
        let stands = JobId::from_bytes([8; 16]);
        let answered = Mark::Answered { job: run().job, answer: "existing".to_owned(), stands };
        let plain = [Mark::Ready, Mark::Started(run()), Mark::Ended(run()), Mark::Halted(run())];
        let told = [late, fenced, asked(None), asked(Some("k")), answered, Mark::Decided(stands)];
        for mark in plain.into_iter().chain(told).chain([Mark::Killed("worker-1".to_owned())]) {
            assert_eq!(mark.to_string().parse::<Mark>().unwrap(), mark);
        }
    }

    #[test]
    fn a_torn_line_is_no_line() {
        let line = Mark::Started(run()).to_string();

        assert!((0..line.len() - "worker-1".len()).all(|end| line[..end].parse::<Mark>().is_err()));
    }

    #[test]
    fn a_line_that_is_being_written_is_left_for_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness");
        std::fs::write(&path, format!("{}\nstart 07", Mark::Started(run()))).unwrap();

        assert_eq!(Witness::so_far(&path).unwrap(), [Mark::Started(run())]);
        assert!(Witness::read(&path).is_err());
    }

    #[test]
    fn no_line_lies_across_two_pages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness");
        let witness = Witness::open(&path).unwrap();
        let stands = JobId::from_bytes([8; 16]);
        let longest = Mark::Answered { job: run().job, answer: "duplicate".to_owned(), stands };
        for _ in 0..50 {
            witness.write(&Mark::Ready);
            witness.write(&longest);
        }

        let page = 4_096;
        let text = std::fs::read(&path).unwrap();
        assert!(text.len() > 2 * page);
        assert!(text.chunks(page).all(|of| of.ends_with(b"\n")));
    }

    #[test]
    fn several_writers_share_a_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness");
        let (one, other) = (Witness::open(&path).unwrap(), Witness::open(&path).unwrap());

        one.write(&Mark::Started(run()));
        other.write(&Mark::Ready);
        one.write(&Mark::Ended(run()));

        assert_eq!(Witness::read(&path).unwrap(), [Mark::Started(run()), Mark::Ready, Mark::Ended(run())]);
    }
}
