//! The table: every route there is.
//!
//! A line says the method and the path, what kind of act it is and which queue it concerns, what it does, and by which
//! function. There is no other way to a handler.

mod audit;
mod errors;
mod flows;
mod jobs;
mod leases;
mod listing;
mod numbers;
mod operations;
mod queues;
mod reviews;
mod schedules;
mod service;
mod signals;
mod tokens;
mod turns;
mod upkeep;
mod workers;

use windlass_wire::answers;
use windlass_wire::{
    AllOperations, AllTokens, BatchShape, BeatShape, DrivenShape, EnqueuedShape, ErrorGroupShape,
    ExplanationShape, FiredShape, HeldShape, JobShape, LeadershipShape, LeasesShape, OperationShape,
    PrunedShape, RescuedShape, SettledShape, StatusShape, TokenMadeShape, TokenShape, TurnShape,
};

use crate::access::{Access, Concerns, Verb};
use crate::lanes::Lane;
use crate::route::{Route, delete, get, patch, post};

const fn reads(concerns: Concerns) -> Access {
    Access::new(Verb::Read, concerns)
}

const fn works(concerns: Concerns) -> Access {
    Access::new(Verb::Work, concerns)
}

const fn operates(concerns: Concerns) -> Access {
    Access::new(Verb::Operate, concerns)
}

const fn administers(concerns: Concerns) -> Access {
    Access::new(Verb::Admin, concerns)
}

/// What pages have behind the `?`.
const PAGE: &[&str] = &["limit", "after"];

/// Every route there is.
pub(crate) fn table() -> Vec<Route> {
    let mut table = Vec::new();
    table.extend(of_service());
    table.extend(of_jobs());
    table.extend(of_leases());
    table.extend(of_workers());
    table.extend(flows::table());
    table.extend(of_queues());
    table.extend(schedules::table());
    table.extend(of_reviews());
    table.extend(of_operations());
    table.extend(of_upkeep());
    table
}

fn of_service() -> Vec<Route> {
    let open = Access::new(Verb::Open, Concerns::Nothing);
    vec![
        get("/healthz", open, "Whether the server lives", service::health)
            .gives::<service::Health>(200)
            .in_lane(Lane::Free),
        get("/readyz", open, "Whether the server and its store can do something", service::ready)
            .gives::<service::Health>(200)
            .in_lane(Lane::Free),
        get("/api/v1/openapi.json", open, "Tell what the API is", service::openapi)
            .gives_text("application/json"),
        get("/metrics", reads(Concerns::Everything), "Numbers for a monitor", numbers::metrics)
            .gives_text("application/openmetrics-text"),
        get("/api/v1/stats", reads(Concerns::Named), "Say how full everything is", numbers::stats)
            .gives::<numbers::Stats>(200),
        get(
            "/api/v1/live",
            reads(Concerns::Named),
            "Say how full everything is, whenever that changes",
            numbers::live,
        )
        .gives_text("text/event-stream"),
        get(
            "/api/v1/signals",
            Access::new(Verb::Listen, Concerns::Nothing),
            "Hint that there may be work, or that a job may have ended",
            signals::stream,
        )
        .gives_text("text/event-stream"),
        get("/api/v1/capabilities", open, "Say what the caller may do", numbers::capabilities)
            .gives::<answers::Capabilities>(200),
    ]
}

fn of_jobs() -> Vec<Route> {
    use Concerns::{Job, Named};

    let enqueues = Access::new(Verb::Enqueue, Named);
    vec![
        post("/api/v1/jobs", enqueues, "Enqueue a job", jobs::enqueue)
            .gives::<EnqueuedShape>(201)
            .gives::<EnqueuedShape>(200),
        get("/api/v1/jobs", reads(Named), "List jobs, the last enqueued first", listing::list)
            .gives::<answers::Listed>(200)
            .query(&["filter", "limit", "after"]),
        post(
            "/api/v1/jobs/redrive",
            operates(Named),
            "Give dead jobs a new budget, a page of them",
            listing::redrive,
        )
        .gives::<answers::Redriven>(200)
        .query(PAGE),
        post("/api/v1/jobs/batch", enqueues, "Enqueue jobs, all or none", jobs::enqueue_batch)
            .gives::<BatchShape>(201)
            .of_many(),
        get("/api/v1/jobs/{id}", reads(Job), "Show a job, once it is final if asked to wait", jobs::show)
            .gives::<jobs::JobWithEdges>(200)
            .query(&["wait"]),
        get("/api/v1/jobs/{id}/attempts", reads(Job), "List the attempts of a job", jobs::attempts)
            .gives::<answers::Attempts>(200),
        get("/api/v1/jobs/{id}/logs", reads(Job), "List the log lines of a job", jobs::logs)
            .gives::<answers::Logs>(200)
            .query(PAGE),
        get("/api/v1/jobs/{id}/explain", reads(Job), "Say why a job does not run", jobs::explain)
            .gives::<ExplanationShape>(200),
        get("/api/v1/jobs/{id}/events", reads(Job), "List what was done to a job by hand", jobs::events)
            .gives::<answers::Events>(200),
        post("/api/v1/jobs/{id}/cancel", operates(Job), "Stop a job on purpose", jobs::cancel)
            .gives::<answers::CancelShape>(200),
        post("/api/v1/jobs/{id}/retry", operates(Job), "Give a job a new budget of attempts", jobs::retry)
            .gives::<answers::Done>(200),
        post("/api/v1/jobs/{id}/run-now", operates(Job), "Make a waiting job due now", jobs::run_now)
            .gives::<answers::Done>(200),
        post("/api/v1/jobs/{id}/snooze", operates(Job), "Put a waiting job off", jobs::snooze)
            .gives::<answers::Done>(200),
        patch("/api/v1/jobs/{id}", operates(Job), "Change a waiting job", jobs::edit)
            .gives::<answers::Done>(200),
        post("/api/v1/jobs/{id}/rerun", operates(Job), "Enqueue a further copy of a final job", jobs::rerun)
            .gives::<EnqueuedShape>(201)
            .gives::<EnqueuedShape>(200),
        delete("/api/v1/jobs/{id}", operates(Job), "Remove a job", jobs::remove).gives::<answers::Done>(200),
    ]
}

fn of_leases() -> Vec<Route> {
    use Concerns::{Lease, Named};

    vec![
        post("/api/v1/leases", works(Named), "Claim jobs, and wait for some", leases::claim)
            .gives::<LeasesShape>(200)
            .gives_nothing(204)
            .in_lane(Lane::Lease),
        get("/api/v1/leases/{token}", works(Lease), "Say which job an attempt is of", leases::show)
            .gives::<HeldShape>(200)
            .in_lane(Lane::Lease),
        get("/api/v1/leases/{token}/job", works(Lease), "Show the job of an attempt", leases::job)
            .gives::<JobShape>(200),
        get(
            "/api/v1/leases/{token}/inputs",
            works(Lease),
            "List what the jobs made that the job of an attempt waited for",
            flows::inputs_under,
        )
        .gives::<answers::Inputs>(200)
        .query(PAGE),
        post("/api/v1/leases/{token}/extend", works(Lease), "Keep a lease", leases::extend)
            .gives::<HeldShape>(200)
            .in_lane(Lane::Lease),
        post(
            "/api/v1/leases/{token}/progress",
            works(Lease),
            "Store how far an attempt has come",
            leases::progress,
        )
        .gives::<answers::Done>(200)
        .in_lane(Lane::Lease),
        post("/api/v1/leases/{token}/checkpoint", works(Lease), "Store where to go on", leases::checkpoint)
            .gives::<answers::Done>(200)
            .in_lane(Lane::Lease),
        post("/api/v1/leases/{token}/logs", works(Lease), "Store log lines", leases::log)
            .gives::<answers::Done>(202)
            .of_many(),
        post("/api/v1/leases/{token}/settle", works(Lease), "End an attempt", leases::settle)
            .gives::<SettledShape>(200)
            .in_lane(Lane::Lease),
        post(
            "/api/v1/leases/{token}/jobs",
            works(Lease),
            "Enqueue jobs as long as a lease holds",
            leases::children,
        )
        .gives::<BatchShape>(201)
        .gives::<EnqueuedShape>(201)
        .gives::<EnqueuedShape>(200)
        .of_many(),
        post("/api/v1/turns", works(Named), "End attempts and claim jobs in one go", turns::turn)
            .gives::<TurnShape>(200)
            .in_lane(Lane::Lease)
            .of_many(),
    ]
}

fn of_workers() -> Vec<Route> {
    use Concerns::{Everything, Nothing};

    vec![
        get("/api/v1/workers", reads(Nothing), "List workers", workers::list)
            .gives::<answers::Workers>(200)
            .query(&["silent_for"]),
        post("/api/v1/workers", works(Nothing), "Register a worker", workers::register)
            .gives::<answers::Registered>(201)
            .in_lane(Lane::Lease),
        post("/api/v1/workers/{worker}/beat", works(Nothing), "Keep a worker's lease", workers::beat)
            .gives::<BeatShape>(200)
            .in_lane(Lane::Lease),
        get("/api/v1/workers/{worker}/leases", works(Nothing), "List what a worker holds", workers::held)
            .gives::<answers::Held>(200)
            .in_lane(Lane::Lease),
        delete("/api/v1/workers/{worker}", works(Nothing), "Forget a worker", workers::leave)
            .gives::<answers::Done>(200)
            .in_lane(Lane::Lease),
        get(
            "/api/v1/leases",
            reads(Everything),
            "List open attempts, the longest-silent first",
            workers::leases,
        )
        .gives::<answers::Leases>(200)
        .query(&["silent_for"]),
    ]
}

fn of_queues() -> Vec<Route> {
    use Concerns::{Everything, Named, Queue};

    vec![
        get("/api/v1/queues", reads(Named), "List queues", queues::list).gives::<answers::Queues>(200),
        get("/api/v1/queues/{queue}", reads(Queue), "Show a queue", queues::show)
            .gives::<queues::QueueWithBounds>(200),
        patch(
            "/api/v1/queues/{queue}",
            administers(Queue),
            "Bound a queue, and say what is kept",
            queues::change,
        )
        .gives::<answers::Done>(200),
        post("/api/v1/queues/{queue}/pause", operates(Queue), "Stop claims from a queue", queues::pause)
            .gives::<answers::Done>(200),
        post(
            "/api/v1/queues/{queue}/resume",
            operates(Queue),
            "Let a queue be claimed from again",
            queues::resume,
        )
        .gives::<answers::Done>(200),
        post(
            "/api/v1/queues/{queue}/drain",
            operates(Queue),
            "Stop claims, and say what still runs",
            queues::drain,
        )
        .gives::<queues::Drained>(200),
        get("/api/v1/bounds", reads(Everything), "List bounded queues and kinds", queues::bounds)
            .gives::<answers::AllBounds>(200),
        get(
            "/api/v1/retentions",
            reads(Everything),
            "List queues with a retention of their own",
            queues::retentions,
        )
        .gives::<answers::AllKept>(200),
        patch("/api/v1/kinds/{kind}", administers(Everything), "Bound a kind", queues::change_kind)
            .gives::<answers::Done>(200),
    ]
}

fn of_reviews() -> Vec<Route> {
    use Concerns::{Everything, Job, Named};

    let decides = Access::new(Verb::Review, Job);
    vec![
        get("/api/v1/reviews", reads(Named), "List what is to be decided, the oldest first", reviews::list)
            .gives::<answers::Reviews>(200)
            .query(&["queue", "kind", "limit", "after"]),
        get("/api/v1/jobs/{id}/review", reads(Job), "Show what is to be decided about a job", reviews::show)
            .gives::<answers::Asked>(200),
        post("/api/v1/jobs/{id}/review", decides, "Decide about a job", reviews::decide)
            .gives::<answers::Decided>(200),
        get("/api/v1/errors", reads(Everything), "List groups of errors, the last seen first", errors::list)
            .gives::<answers::Groups>(200)
            .query(&["kind", "since", "limit", "after"]),
        get("/api/v1/errors/{fingerprint}", reads(Everything), "Show a group of errors", errors::show)
            .gives::<ErrorGroupShape>(200),
    ]
}

fn of_operations() -> Vec<Route> {
    use Concerns::{Everything, Named};

    vec![
        post("/api/v1/operations", operates(Named), "Do something to many jobs", operations::begin)
            .gives::<OperationShape>(202),
        get(
            "/api/v1/operations",
            reads(Named),
            "List what is done to many jobs, the last first",
            operations::list,
        )
        .gives::<AllOperations>(200)
        .query(PAGE),
        get("/api/v1/operations/{operation}", reads(Named), "Say how far it has come", operations::show)
            .gives::<OperationShape>(200),
        post(
            "/api/v1/operations/{operation}/pause",
            operates(Named),
            "Let it stand still",
            operations::pause,
        )
        .gives::<OperationShape>(202),
        post("/api/v1/operations/{operation}/resume", operates(Named), "Let it go on", operations::resume)
            .gives::<OperationShape>(202),
        post("/api/v1/operations/{operation}/abort", operates(Named), "Stop it", operations::abort)
            .gives::<OperationShape>(202),
        post(
            "/api/v1/upkeep/operations",
            administers(Everything),
            "Take up an operation that waits",
            operations::drive,
        )
        .gives::<DrivenShape>(200),
        post(
            "/api/v1/upkeep/operations/{operation}",
            administers(Everything),
            "Tell how an operation has gone on, and ask for the next jobs",
            operations::advance,
        )
        .gives::<DrivenShape>(200)
        .of_many(),
    ]
}

fn of_upkeep() -> Vec<Route> {
    let (reads, administers) = (reads(Concerns::Everything), administers(Concerns::Everything));
    vec![
        get("/api/v1/tokens", administers, "List tokens of access, the newest first", tokens::list)
            .gives::<AllTokens>(200)
            .query(PAGE),
        post("/api/v1/tokens", administers, "Make a token of access", tokens::create)
            .gives::<TokenMadeShape>(201),
        get("/api/v1/tokens/{token_id}", administers, "Show a token of access", tokens::show)
            .gives::<TokenShape>(200),
        post(
            "/api/v1/tokens/{token_id}/revoke",
            administers,
            "Let nobody in with a token any more",
            tokens::revoke,
        )
        .gives::<answers::Done>(200),
        post("/api/v1/tokens/{token_id}/use", administers, "Note that a token was used", tokens::note_use)
            .gives::<answers::Done>(200),
        get("/api/v1/audit", administers, "List who did what by hand, the newest first", audit::list)
            .gives::<answers::Audit>(200)
            .query(&["actor", "verb", "noun", "subject", "since", "limit", "after"]),
        get("/api/v1/store", reads, "Say what the store says of itself", upkeep::status)
            .gives::<StatusShape>(200),
        post("/api/v1/store/check", administers, "Read everything, and say what does not fit", upkeep::check)
            .gives::<answers::Findings>(200),
        post("/api/v1/upkeep/rescue", administers, "Take back what expired leases held", upkeep::rescue)
            .gives::<RescuedShape>(200),
        post("/api/v1/upkeep/prune", administers, "Remove what is past its retention", upkeep::prune)
            .gives::<PrunedShape>(200),
        post("/api/v1/upkeep/fire", administers, "Make the jobs of ticks that have come", upkeep::fire)
            .gives::<FiredShape>(200),
        post("/api/v1/upkeep/tidy", administers, "Keep the store in shape", upkeep::tidy)
            .gives::<answers::Done>(200),
        post("/api/v1/upkeep/lead", administers, "Ask to lead", upkeep::lead).gives::<LeadershipShape>(200),
        delete("/api/v1/upkeep/lead/{worker}", administers, "Give the lead up", upkeep::resign)
            .gives::<answers::Done>(200),
    ]
}
