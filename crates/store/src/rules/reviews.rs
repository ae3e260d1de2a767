//! What every store decides alike about reviews: what is kept of one, whether a decision may be taken, and what time alone
//! brings about.

use windlass_core::limits::REMINDERS_MAX;
use windlass_core::notice::{self, ReviewedJob};
use windlass_core::review::Subject;
use windlass_core::{
    Args, Decision, Digest, Invalid, JobId, JobOptions, Json, KindName, NewJob, QueueName, Review, Ruling,
    Stage, Timestamp,
};

use super::past;
use crate::reviews::{NewRuling, REVIEWER, ReviewRecord};
use crate::{Actor, ErrorKind, StoreError};

/// What is kept of the last time that a job came into review.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// How often it has come into review.
    pub number: u32,
    /// When it did.
    pub asked_at: Timestamp,
    /// What it had made by then, where that is decided about.
    pub staged: Option<Json>,
    /// When the default is taken for decided.
    pub decide_by: Option<Timestamp>,
    /// How often its reviewers were reminded.
    pub reminders: u32,
    /// When they are reminded next.
    pub remind_at: Option<Timestamp>,
    /// What was decided.
    pub ruling: Option<Ruling>,
}

/// What time alone brings about for a job in review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing yet.
    Nothing,
    /// Its reviewers are reminded.
    Remind,
    /// The default is taken for decided.
    Decide,
}

impl Round {
    /// A job comes into review; `last` is how often it had before.
    #[must_use]
    pub fn asked(terms: &Review, last: u32, staged: Option<Json>, now: Timestamp) -> Self {
        Self {
            number: last.saturating_add(1),
            asked_at: now,
            staged,
            decide_by: terms.decide_by(now),
            reminders: 0,
            remind_at: terms.remind_at(now),
            ruling: None,
        }
    }

    /// When time alone brings something about, if ever.
    #[must_use]
    pub fn look_at(&self) -> Option<Timestamp> {
        self.decide_by.into_iter().chain(self.remind_at).min()
    }

    /// What it brings about.
    #[must_use]
    pub fn look(&self, now: Timestamp) -> Look {
        if past(self.decide_by, now) {
            Look::Decide
        } else if past(self.remind_at, now) {
            Look::Remind
        } else {
            Look::Nothing
        }
    }

    /// Its reviewers are reminded. However many reminders are overdue, this is one.
    pub fn remind(&mut self, terms: &Review, now: Timestamp) {
        self.reminders += 1;
        self.remind_at = terms.remind_at(now).filter(|_| self.reminders < REMINDERS_MAX);
    }
}

/// What is known of a job that came into review, beside its [`Round`].
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// Its id.
    pub job: JobId,
    /// Which handler it is for.
    pub kind: KindName,
    /// Where it waits.
    pub queue: QueueName,
    /// What it asked for.
    pub options: JobOptions,
    /// What it works on.
    pub args: Args,
    /// Whether it is in review.
    pub open: bool,
}

impl Reviewed {
    /// The review as it is shown.
    #[must_use]
    pub fn record(self, round: &Round) -> ReviewRecord {
        let Self { job, kind, queue, options, args, open } = self;
        let editable = editable(&options);
        // Nobody is asked about a job that does not say so.
        let terms = options.review.unwrap_or_else(Review::start);
        let digest = match &round.ruling {
            Some(ruling) => ruling.digest,
            None => Digest::of(terms.of, &args, round.staged.as_ref()),
        };
        ReviewRecord {
            job,
            kind,
            queue,
            terms,
            submitted_by: options.submitted_by,
            args,
            editable,
            staged: round.staged.clone(),
            digest,
            round: round.number,
            asked_at: round.asked_at,
            decide_by: round.decide_by,
            reminders: round.reminders,
            remind_at: round.remind_at.filter(|_| open),
            open,
            ruling: round.ruling.clone(),
        }
    }
}

/// Who reminds, and of what: for the event.
#[must_use]
pub fn reminder(round: &Round) -> Actor {
    Actor::new(REVIEWER).because(format!("in review since {}", round.asked_at))
}

/// The notices that the last reminder makes: `round` is what there is with it.
#[must_use]
pub fn reminders(record: &ReviewRecord, round: &Round, now: Timestamp) -> Vec<NewJob> {
    let reviewed = ReviewedJob {
        id: record.job,
        kind: record.kind.clone(),
        queue: record.queue.clone(),
        of: record.terms.of,
        round: round.number,
        asked_at: round.asked_at,
        reminder: round.reminders,
        reminded_at: now,
        decide_by: round.decide_by,
        otherwise: round.decide_by.map(|_| record.terms.otherwise),
        submitted_by: record.submitted_by.clone(),
    };
    notice::reminders(&record.terms.remind, &reviewed)
}

/// Whether the args of a job that asked for this may be changed with an approval: not once it has started, and not where its
/// unique key is made of them.
#[must_use]
pub fn editable(options: &JobOptions) -> bool {
    let about_start = options.review.as_ref().is_some_and(|terms| terms.of == Subject::Start);
    about_start && options.unique.as_ref().is_none_or(|unique| unique.key.is_some())
}

/// What has to be known of a job to decide about it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its stage.
    pub stage: Stage,
    /// When it must be finished.
    pub deadline: Option<Timestamp>,
    /// The terms it asked for.
    pub terms: Option<&'a Review>,
    /// Who asked for it.
    pub submitted_by: Option<&'a str>,
    /// The digest of what is reviewed, as it is now.
    pub digest: Digest,
    /// Whether its args may be changed: see [`editable`].
    pub editable: bool,
}

/// Whether a decision may be taken at `now`, and the terms it is taken under.
///
/// # Errors
///
/// Those of [`ReviewStore::decide`](crate::ReviewStore::decide), but for `NotFound`.
pub fn deciding<'a>(asked: &Asked<'a>, ruling: &NewRuling, now: Timestamp) -> Result<&'a Review, ErrorKind> {
    let terms = asked.terms.filter(|_| asked.stage == Stage::InReview && !past(asked.deadline, now));
    let terms = terms.ok_or(ErrorKind::NotReady)?;
    if ruling.args.is_some() && !asked.editable {
        let problem = match terms.of {
            Subject::Outcome => "cannot be changed once the job has made a result",
            Subject::Start => "cannot be changed, as the job's unique key is made of them",
        };
        return Err(ErrorKind::Invalid(Invalid::new("args", problem)));
    }
    if !terms.admits(&ruling.by.name, asked.submitted_by) {
        let problem = format!("is {:?}, who submitted the job and may not review it", ruling.by.name);
        return Err(ErrorKind::Invalid(Invalid::new("by.name", problem)));
    }
    if ruling.digest == asked.digest { Ok(terms) } else { Err(ErrorKind::Conflict) }
}

/// Why nothing was decided about `job`, in the words that all stores use.
#[must_use]
pub fn refusal(operation: &'static str, job: JobId, kind: ErrorKind) -> StoreError {
    let detail = match kind {
        ErrorKind::NotReady => Some(format!("job {job} is not in review")),
        ErrorKind::Conflict => {
            Some(format!("what is to be decided about job {job} is not what was looked at: look again"))
        }
        _ => None,
    };
    let error = StoreError::new(operation, kind);
    match detail {
        Some(detail) => error.with_detail(detail),
        None => error,
    }
}

/// The decision as it is kept.
#[must_use]
pub fn taken(ruling: &NewRuling, now: Timestamp) -> Ruling {
    Ruling {
        decision: ruling.decision,
        by: Some(ruling.by.name.clone()),
        comment: ruling.by.why.clone(),
        at: now,
        digest: ruling.digest,
        edited: ruling.args.is_some(),
    }
}

/// The decision that nobody took, as it is kept.
#[must_use]
pub const fn taken_by_time(decision: Decision, digest: Digest, now: Timestamp) -> Ruling {
    Ruling { decision, by: None, comment: None, at: now, digest, edited: false }
}

/// Who decided, and why: for the event. Where the args were changed, it says what those were that had been reviewed.
#[must_use]
pub fn decider(ruling: &Ruling) -> Actor {
    let Some(name) = &ruling.by else {
        return Actor::new(REVIEWER).because("nobody had decided by the end of the time there was");
    };
    let why = match (&ruling.comment, ruling.edited) {
        (comment, false) => comment.clone(),
        (None, true) => Some(edited(&ruling.digest)),
        (Some(comment), true) => Some(format!("{comment} ({})", edited(&ruling.digest))),
    };
    Actor { name: name.clone(), why, via: None }
}

fn edited(digest: &Digest) -> String {
    format!("with other args than those reviewed, whose digest is {digest}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use windlass_core::Args;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn digest() -> Digest {
        Digest::of(Subject::Outcome, &Args::default(), None)
    }

    fn asked(terms: &Review) -> Asked<'_> {
        Asked {
            stage: Stage::InReview,
            deadline: None,
            terms: Some(terms),
            submitted_by: Some("ada"),
            digest: digest(),
            editable: false,
        }
    }

    #[test]
    fn a_decision_is_refused_for_one_reason_after_the_other() {
        let terms = Review::outcome();
        let by = |name| NewRuling::accept(Actor::new(name), digest());
        let other = Digest::from_bytes([1; 32]);
        let refused = |asked: Asked<'_>, ruling: &NewRuling| deciding(&asked, ruling, NOW).unwrap_err();

        assert_eq!(deciding(&asked(&terms), &by("bob"), NOW), Ok(&terms));
        assert_eq!(
            refused(Asked { stage: Stage::Waiting, ..asked(&terms) }, &by("bob")),
            ErrorKind::NotReady
        );
        assert_eq!(refused(Asked { deadline: Some(NOW), ..asked(&terms) }, &by("bob")), ErrorKind::NotReady);
        assert_eq!(refused(Asked { digest: other, ..asked(&terms) }, &by("bob")), ErrorKind::Conflict);
        let field = |kind| match kind {
            ErrorKind::Invalid(invalid) => invalid.field,
            other => panic!("{other:?}"),
        };
        assert_eq!(field(refused(asked(&terms), &by("ada"))), "by.name");
        assert_eq!(field(refused(asked(&terms), &by("bob").with_args(Args::default()))), "args");
    }

    #[test]
    fn time_reminds_again_and_again_and_decides_once() {
        let terms = Review::outcome().remind_every(HOUR).decide_within(HOUR * 3, Decision::Accept);
        let mut round = Round::asked(&terms, 0, None, NOW);
        assert_eq!((round.look(NOW), round.look_at()), (Look::Nothing, Some(NOW.after(HOUR))));

        let late = NOW.after(HOUR * 2);
        assert_eq!(round.look(late), Look::Remind);
        round.remind(&terms, late);

        assert_eq!((round.reminders, round.look(late)), (1, Look::Nothing));
        assert_eq!(round.look(NOW.after(HOUR * 3)), Look::Decide);
        round.reminders = REMINDERS_MAX - 1;
        round.remind(&terms, late);
        assert_eq!(round.remind_at, None);
    }

    #[test]
    fn an_event_says_who_decided_and_what_they_had_before_them() {
        let ruling = taken(&NewRuling::accept(Actor::new("bob").because("fine"), digest()), NOW);

        assert_eq!(decider(&ruling), Actor::new("bob").because("fine"));
        let why = decider(&Ruling { edited: true, ..ruling }).why.unwrap();
        assert!(why.starts_with("fine (with other args") && why.contains(&digest().to_string()), "{why}");
        assert_eq!(decider(&taken_by_time(Decision::Decline, digest(), NOW)).name, REVIEWER);
    }
}
