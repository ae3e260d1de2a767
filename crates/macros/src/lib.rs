//! The macros of Windlass. Use them through the `windlass` crate, which re-exports and documents them.
//!
//! - [`derive_job`]: `#[derive(Job)]` makes a struct the args of a job.
//! - [`debug_handler`]: says what makes a function no handler.

mod attributes;
mod handler;
mod job;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemFn, parse_macro_input};

/// Makes a type the args of a job.
///
/// The type must also be `Serialize` and `Deserialize`. What is written here holds for every job of the kind, unless
/// the one who enqueues it says otherwise. Names, numbers and durations are checked when it is compiled.
///
/// | attribute | what it says | unless said |
/// | --- | --- | --- |
/// | `kind = "send_email"` | the stable name its handler is found by; never changed once jobs exist | required |
/// | `version = 2` | the version of the args, raised when their meaning changes | 1 |
/// | `upcast = older_args` | `fn(u32, serde_json::Value) -> Result<serde_json::Value, String>`: reads an older version | older ones are not understood |
/// | `output = MessageId` | what its handler makes | `()` |
/// | `queue = "mail"` | where it waits | `default` |
/// | `priority = "high"` | `critical`, `high`, `normal`, `low` or `idle` | `normal` |
/// | `attempts = 5` | how many starts may end in failure; `"unlimited"` for no bound | 8 |
/// | `losses = 2` | how many lost attempts are forgiven | 2 |
/// | `timeout = "30s"` | how long one attempt may take | no bound |
/// | `retry = "30s"` | how long to wait after a failure: the same each time, `["1s", "1m"]` in turn, or `exponential(base = "5s", factor = 2.0, cap = "1h", jitter = 0.1)` | `exponential()`, with these terms |
/// | `review = "outcome"` | a person decides about the `outcome`, or about the `start`; with terms, `outcome(decide_within = "72h", otherwise = "decline", remind_every = "24h", submitter_may)` | nobody is asked |
/// | `unique` | no second one with the same args until it is final | any number |
/// | `lock = "table:{args.table}"` | a resource that the job needs alone while it runs; `{args.…}` is a field of its args. Repeatable | none |
/// | `lock_shared = "config"` | a resource that it needs together with others. Repeatable | none |
/// | `crate = other::path` | where the `windlass` crate is, if not at `::windlass` | `::windlass` |
#[proc_macro_derive(Job, attributes(job))]
pub fn derive_job(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    job::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Says exactly what makes a function no handler.
///
/// Without it, the compiler can only say that the function as a whole is none. It looks at the arguments, at what is
/// returned, and at whether the future can be sent to another thread; it changes nothing, and costs nothing at run
/// time. A handler that takes `State<T>` names the state of its worker: `#[debug_handler(state = App)]`.
#[proc_macro_attribute]
pub fn debug_handler(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(options as handler::Options);
    let function = parse_macro_input!(item as ItemFn);
    handler::expand(&options, &function).into()
}
