//! What is said to Windlass from outside, and what it answers.
//!
//! The JSON of the HTTP API, of job files, and of the command line's `--json` is one and the same; it is written down
//! here once. These types are not the model: they are what others may rely on while the model moves, so each is
//! made from the model, or turned into it, in one place. They have no behaviour beyond that.
//!
//! - [`request`]: a job that is asked for, read field by field so that a refusal names the field; [`enqueued`]: several, and
//!   what becomes of them; [`by`]: a change that somebody makes by hand.
//! - [`claim`], [`lease`], [`during`], [`settle`], [`turn`]: how work is asked for, what is said of it, and how it ends.
//! - [`bounds`], [`scheduling`], [`decision`], [`upkeep`]: what operators ask for, and the duties of the store.
//! - [`answers`]: lists, and words.
//! - [`mod@filter`]: which jobs are meant.
//! - [`problem`]: why something was not done.
//! - [`operation`]: something that is done to many jobs, and how far it has come.
//! - [`job`], [`attempt`], [`log`], [`event`], [`error_group`], [`queue`], [`schedule`], [`worker`], [`notice`], [`review`]: what is answered.
//! - [`fields`]: a JSON object as its fields in order, each value byte for byte.
//! - [`mod@nearest`]: what somebody probably meant.
//!
//! Ids and names are strings, times are RFC 3339 in UTC, spans of time are strings such as `30s` and `1h30m`. A field
//! that has nothing to say is left out. Fields may be added; none changes its meaning.

pub mod answers;
pub mod attempt;
pub mod audit;
pub mod body;
pub mod bounds;
pub mod by;
pub mod decision;
pub mod during;
pub mod edit;
pub mod enqueued;
pub mod error_group;
pub mod event;
pub mod explanation;
pub mod fields;
pub mod filter;
pub mod flow;
pub mod gate;
pub mod job;
pub mod lease;
pub mod log;
pub mod nearest;
pub mod notice;
pub mod operation;
pub mod problem;
pub mod queue;
pub mod request;
pub mod review;
pub mod schedule;
pub mod scheduling;
pub mod settle;
pub mod token;
pub mod turn;
pub mod upkeep;
pub mod worker;

pub mod claim;
mod count;
mod model;
#[cfg(feature = "openapi")]
mod schema;

pub use attempt::AttemptShape;
pub use audit::AuditShape;
pub use body::FromBody;
pub use bounds::{BoundsRequest, Change, KeepShape, RetentionRequest, RetentionShape};
pub use by::{CopyRequest, RedriveRequest, VerbRequest};
pub use claim::{LeaseRequest, TermShape, WorkerRef};
pub use decision::DecisionRequest;
pub use during::{ChildrenRequest, ExtendRequest, LogRequest};
pub use edit::{EditRequest, SnoozeRequest};
pub use enqueued::{BatchRequest, BatchShape, EnqueuedAs, EnqueuedShape};
pub use error_group::ErrorGroupShape;
pub use event::EventShape;
pub use explanation::{BoundShape, ExplanationShape, HolderShape, ObstacleShape};
pub use fields::Fields;
pub use filter::Filter;
pub use flow::{AfterShape, ErrorTreeShape, FlowShape, RelativeShape};
pub use gate::GateShape;
pub use job::JobShape;
pub use lease::{HeldShape, InputShape, LeasedJobShape, LeasedShape, LeasesShape, SettlesShape};
pub use log::LogShape;
pub use nearest::nearest;
pub use notice::NoticeShape;
pub use operation::{
    AdvanceRequest, AllOperations, DrivenShape, OperationRequest, OperationShape, RefusalShape,
};
pub use problem::ProblemShape;
pub use queue::{PauseShape, QueueShape};
pub use request::JobRequest;
pub use review::{ReviewShape, RulingShape};
pub use schedule::{FiringShape, ScheduleEventShape, ScheduleShape};
pub use scheduling::{BackfillRequest, DeclareRequest, ScheduleRequest};
pub use settle::{OutcomeShape, SettleRequest, SettledShape, SettlementRequest};
pub use token::{AllTokens, TokenMadeShape, TokenRequest, TokenShape};
pub use turn::{SettledOrProblem, TurnRequest, TurnShape};
pub use upkeep::{
    FiredShape, LeadRequest, LeadershipShape, NotFiredShape, PrunedShape, RescuedShape, StatusShape,
};
pub use worker::{BeatShape, KindShape, LeaseShape, LeaseSummaryShape, WorkerRequest, WorkerShape};

/// The version of these shapes. Raised when a field changes its meaning or goes away, never when one is added.
pub const SCHEMA_VERSION: u32 = 1;
