//! Every promise of the port, one case each.

#![expect(clippy::unwrap_used, reason = "a case that cannot go on has failed, and says where")]

use futures_util::future::LocalBoxFuture;

use crate::bench::Bench;

/// One promise, as a test of any store.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Bench) -> LocalBoxFuture<'static, ()>,
}

/// Lists the cases of a module. One that is not listed is dead code, which the compiler reports.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        pub(crate) const CASES: &[crate::cases::Case] = &[$(
            crate::cases::Case { name: stringify!($name), run: |bench| Box::pin($name(bench)) }
        ),+];
    };
}

macro_rules! modules {
    ($($module:ident),+ $(,)?) => {
        $(mod $module;)+

        /// Every case with the module it stands in.
        pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static Case)> {
            let modules = [$((stringify!($module), $module::CASES)),+];
            modules.into_iter().flat_map(|(module, cases)| cases.iter().map(move |case| (module, case)))
        }
    };
}

mod schedule_scene;

modules! {
    audit, cancel, claim, claim_job, dependency, edit, edit_line, enqueue, errors, explain, flow, gate, gate_bounds, gate_line, gate_random, leader, lease, limits, log, notice, notice_ends, notice_job, operation, operation_steps, operator, queue, read, rescue, retention, review, review_cleanup, review_settle, review_time, schedule, schedule_declare, schedule_hand, schedule_late, schedule_leaders,
    settle, token, trace,
    turn, unique, unique_replace, worker,
}
