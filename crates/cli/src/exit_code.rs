//! How the command ends, as a number that scripts can rely on.

/// How the command ended. The numbers never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ExitCode {
    /// What was asked for was done.
    #[default]
    Done = 0,
    /// Something failed that no other number stands for.
    Failed = 1,
    /// The command line, the job or the job file is wrong; nothing was done.
    Usage = 2,
    /// There is no such job, queue or worker.
    NotFound = 3,
    /// It is not allowed here.
    NotAllowed = 4,
    /// The job's state, or another job, stands in the way.
    Conflict = 5,
    /// It needs to be confirmed.
    Refused = 6,
    /// Some of what was asked for was done; the rest is reported on stderr.
    Partial = 7,
    /// A job that was waited for did not complete.
    JobFailed = 8,
    /// The store cannot be reached, or has no room.
    Unavailable = 69,
    /// It took too long, or it is not known whether it happened. Trying again is safe.
    TimedOut = 75,
    /// Stopped by a signal.
    Interrupted = 130,
}

impl ExitCode {
    /// Every code.
    const ALL: [Self; 12] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::NotFound,
        Self::NotAllowed,
        Self::Conflict,
        Self::Refused,
        Self::Partial,
        Self::JobFailed,
        Self::Unavailable,
        Self::TimedOut,
        Self::Interrupted,
    ];

    /// The number a shell sees.
    pub(crate) const fn as_number(self) -> u8 {
        self as u8
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "the command line, the job or the job file is wrong; nothing was done",
            Self::NotFound => "there is no such job, queue or worker",
            Self::NotAllowed => "not allowed here",
            Self::Conflict => "the job's state, or another job, stands in the way",
            Self::Refused => "refused: needs to be confirmed",
            Self::Partial => "done in part; what failed is reported on stderr",
            Self::JobFailed => "a job that was waited for did not complete",
            Self::Unavailable => "the store cannot be reached, or has no room",
            Self::TimedOut => "timed out, or unknown whether it happened; trying again is safe",
            Self::Interrupted => "stopped by a signal",
        }
    }

    /// The topic `help exit-codes`.
    pub(crate) fn manual() -> String {
        let line = |code: Self| format!("{:>5}  {}\n", code.as_number(), code.meaning());
        Self::ALL.into_iter().map(line).collect()
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.as_number())
    }
}
