//! `assert_enqueued!` and `assert_not_enqueued!`.

use crate::Job;

/// Asserts that a job waits in a [`TestQueue`](crate::testing::TestQueue), by what it is to work on.
///
/// Fields are compared with `==`, so a `String` may be given as a literal; `..` leaves the others open. Instead of
/// fields, any condition on the args may be given. Must be used in an `async` function.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use windlass::testing::TestQueue;
/// # use windlass::{Job, assert_enqueued, assert_not_enqueued};
/// # #[derive(Serialize, Deserialize, Job)]
/// # #[job(kind = "send_email")]
/// # struct SendEmail { to: String, copies: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), windlass::Error> {
/// let queue = TestQueue::new();
/// queue.windlass().enqueue(SendEmail { to: "ada@example.com".into(), copies: 2 }).await?;
///
/// assert_enqueued!(queue, SendEmail);
/// assert_enqueued!(queue, SendEmail { to: "ada@example.com", .. });
/// assert_enqueued!(queue, SendEmail { to: "ada@example.com", copies: 2 });
/// assert_enqueued!(queue, SendEmail, |job| job.copies > 1);
/// assert_not_enqueued!(queue, SendEmail { to: "bob@example.com", .. });
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// When no job that waits is like that; the message shows those that do wait.
#[macro_export]
macro_rules! assert_enqueued {
    ($queue:expr, $($wanted:tt)+) => {{
        let (found, told) = $crate::__enqueued!($queue, $($wanted)+);
        ::core::assert!(found, "no job that waits is `{}`; {}", ::core::stringify!($($wanted)+), told);
    }};
}

/// Asserts that no job like this waits in a [`TestQueue`](crate::testing::TestQueue); the opposite of
/// [`assert_enqueued!`](crate::assert_enqueued).
///
/// # Panics
///
/// When a job that waits is like that; the message shows all that wait.
#[macro_export]
macro_rules! assert_not_enqueued {
    ($queue:expr, $($unwanted:tt)+) => {{
        let (found, told) = $crate::__enqueued!($queue, $($unwanted)+);
        ::core::assert!(!found, "a job that waits is `{}`; {}", ::core::stringify!($($unwanted)+), told);
    }};
}

/// Whether a job like this waits, and which do.
#[doc(hidden)]
#[macro_export]
macro_rules! __enqueued {
    ($queue:expr, $kind:path { $($field:ident: $value:expr,)* .. }) => {
        $crate::__enqueued!($queue, $kind, |job| true $(&& job.$field == $value)*)
    };
    // Taking the job apart makes the compiler ask for every field, as it does of a pattern.
    ($queue:expr, $kind:path { $($field:ident: $value:expr),* $(,)? }) => {
        $crate::__enqueued!($queue, $kind, |job| {
            let $kind { $($field: _),* } = job;
            true $(&& job.$field == $value)*
        })
    };
    ($queue:expr, $kind:path) => {
        $crate::__enqueued!($queue, $kind, |_| true)
    };
    ($queue:expr, $kind:path, $like:expr) => {{
        fn any<J>(jobs: &[J], like: impl Fn(&J) -> bool) -> bool {
            jobs.iter().any(like)
        }
        let jobs = $queue.enqueued::<$kind>().await;
        (any(&jobs, $like), $crate::testing::told(&jobs))
    }};
}

/// The jobs that wait, for the message of an assertion.
#[doc(hidden)]
#[must_use]
pub fn told<J: Job>(jobs: &[J]) -> String {
    let line = |job: &J| {
        serde_json::to_string(job).map_or_else(|error| error.to_string(), |args| format!("\n  {args}"))
    };
    match jobs.len() {
        0 => format!("no job of kind {} waits", J::KIND),
        count => format!("{count} of kind {} wait:{}", J::KIND, jobs.iter().map(line).collect::<String>()),
    }
}
