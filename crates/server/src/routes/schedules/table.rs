//! The lines of the table that are about schedules.

use windlass_wire::{ScheduleShape, answers};

use super::{backfill, declare, events, firings, list, next, pause, remove, resume, run_now, show};
use crate::access::Concerns;
use crate::route::{Route, delete, get, post, put};
use crate::routes::{PAGE, administers, reads};

pub(in crate::routes) fn table() -> Vec<Route> {
    use Concerns::Everything;

    // What a schedule makes may be of any queue.
    let (reads, administers) = (reads(Everything), administers(Everything));
    vec![
        get("/api/v1/schedules", reads, "List schedules", list).gives::<answers::Schedules>(200).query(PAGE),
        get("/api/v1/schedules/{name}", reads, "Show a schedule", show).gives::<ScheduleShape>(200),
        put("/api/v1/schedules/{name}", administers, "Make or change a schedule", super::put)
            .gives::<answers::Put>(200)
            .gives::<answers::Put>(201),
        delete("/api/v1/schedules/{name}", administers, "Remove a schedule", remove)
            .gives::<answers::Done>(200),
        post("/api/v1/schedules/{name}/pause", administers, "Let a schedule fire nothing", pause)
            .gives::<answers::Done>(200),
        post("/api/v1/schedules/{name}/resume", administers, "Let a schedule go on", resume)
            .gives::<answers::Done>(200),
        post("/api/v1/schedules/{name}/run-now", administers, "Make a job of a schedule now", run_now)
            .gives::<answers::Made>(201),
        post("/api/v1/schedules/{name}/backfill", administers, "Make the jobs of a range of ticks", backfill)
            .gives::<answers::BackfilledShape>(200),
        get("/api/v1/schedules/{name}/next", reads, "Tell the next ticks", next)
            .gives::<super::Next>(200)
            .query(&["n"]),
        get("/api/v1/schedules/{name}/firings", reads, "List what became of ticks", firings)
            .gives::<answers::Firings>(200)
            .query(PAGE),
        get("/api/v1/schedules/{name}/events", reads, "List what was done to a schedule by hand", events)
            .gives::<answers::ScheduleEvents>(200),
        put(
            "/api/v1/programs/{program}/schedules",
            administers,
            "Say which schedules a program has",
            declare,
        )
        .gives::<answers::DeclaredShape>(200)
        .of_many(),
    ]
}
