//! Claims jobs, runs their handlers, keeps their leases, and shuts down.

pub mod job;

pub use job::Job;
