//! What `enqueue` and the commands on reviews take.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use windlass_core::notice::Target;
use windlass_core::{Decision, Digest, JobId, KindName, QueueName, Review};

use super::By;
use super::notices::target;
use super::values::{cursor, duration};

/// That a person decides about a job.
#[derive(Debug, Args, Default)]
pub(crate) struct ReviewOptions {
    /// Let a person decide: `start`, before it starts, or `outcome`, about what it makes.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) review: Option<Reviewed>,
    /// How long they have for it.
    #[arg(long, value_name = "TIME", requires = "review", value_parser = duration)]
    pub(crate) decide_within: Option<Duration>,
    /// What is taken for decided after that [default: decline].
    #[arg(long, value_enum, value_name = "DECISION", requires = "decide_within")]
    pub(crate) otherwise: Option<Otherwise>,
    /// How often they are reminded.
    #[arg(long, value_name = "TIME", requires = "review", value_parser = duration)]
    pub(crate) remind_every: Option<Duration>,
    /// Send the reminders to `mailto:ADDRESS` or an `https://…`, too. Repeatable; sent by `work` and `run` with --allow-host.
    #[arg(long, value_name = "TARGET", requires = "remind_every", value_parser = target)]
    pub(crate) remind: Vec<Target>,
    /// Who asks for the job; may not decide about it.
    #[arg(long, value_name = "NAME")]
    pub(crate) submitted_by: Option<String>,
}

/// What a person decides about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reviewed {
    /// Whether it may start.
    Start,
    /// What it makes.
    Outcome,
}

/// What is decided if nobody decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Otherwise {
    /// It may start, or holds.
    Accept,
    /// It may not, or does not.
    Decline,
}

impl ReviewOptions {
    /// The terms that were asked for.
    pub(crate) fn asked(&self) -> Option<Review> {
        let mut terms = match self.review? {
            Reviewed::Start => Review::start(),
            Reviewed::Outcome => Review::outcome(),
        };
        terms.decide_within = self.decide_within;
        terms.remind_every = self.remind_every;
        terms.remind.clone_from(&self.remind);
        if self.otherwise == Some(Otherwise::Accept) {
            terms.otherwise = Decision::Accept;
        }
        Some(terms)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewsCommand {
    /// List jobs that wait for a person, the longest-waiting first
    #[command(visible_alias = "ls")]
    List(ReviewsListArgs),
    /// Show what is to be decided about a job, or what was decided
    Show {
        /// The job's id.
        id: JobId,
    },
    /// Let a job start, or accept what it made
    #[command(visible_alias = "approve")]
    Accept {
        #[command(flatten)]
        decision: DecisionArgs,
        /// Let it start with these args: JSON, `@FILE` to read it from there, `-` to read it from stdin.
        #[arg(long, value_name = "JSON", allow_negative_numbers = true)]
        args: Option<String>,
    },
    /// Do not let a job start, or do not accept what it made
    #[command(visible_alias = "reject")]
    Decline(DecisionArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReviewsListArgs {
    /// Of jobs in this queue. Repeatable, or comma-separated.
    #[arg(long = "queue", value_delimiter = ',')]
    pub(crate) queues: Vec<QueueName>,
    /// Of jobs of this kind. Repeatable, or comma-separated.
    #[arg(long = "kind", value_delimiter = ',')]
    pub(crate) kinds: Vec<KindName>,
    /// At most this many, 1 to 500.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: u32,
    /// Go on after the last page; the footer says with what.
    #[arg(long, value_name = "CURSOR", value_parser = cursor)]
    pub(crate) after: Option<i64>,
}

#[derive(Debug, Args)]
pub(crate) struct DecisionArgs {
    /// The job's id.
    #[arg(required_unless_present = "latest", conflicts_with = "latest")]
    pub(crate) id: Option<JobId>,
    /// Decide about the job that came into review last.
    #[arg(long)]
    pub(crate) latest: bool,
    /// What you have to say about it; kept with the decision.
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
    /// Decide only if what is to be decided has this digest, as `reviews show` prints it [default: whatever is there now].
    #[arg(long, value_name = "DIGEST")]
    pub(crate) digest: Option<Digest>,
    /// Wait until a worker has carried it out, and say how that went.
    #[arg(long)]
    pub(crate) wait: bool,
    /// With --wait, give up after this long; the decision stands.
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) by: By,
}
