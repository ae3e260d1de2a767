//! Stores that do what another does, but for a little: what they leave as it is stands here, once for all of them.

/// Implements traits of the port for a type by handing every call on to its field `inner`, a store.
///
/// What it does otherwise it implements itself, trait by trait. A test that asks for this needs `async-trait`, `windlass-core`
/// and `windlass-store` among its dependencies.
///
/// ```
/// use windlass_memory::MemoryStore;
///
/// struct Quiet {
///     inner: MemoryStore,
/// }
///
/// windlass_store_testing::forward!(Quiet: AuditStore, TokenStore);
/// ```
#[macro_export]
macro_rules! forward {
    ($store:ty: $($port:ident),+ $(,)?) => {
        $($crate::forward!(@ $port for $store);)+
    };
    (@ JobStore for $store:ty) => {
        $crate::forward!(@@ JobStore for $store {
            enqueue(jobs: Vec<::windlass_core::NewJob>) -> Vec<::windlass_store::Enqueued>;
            job(id: ::windlass_core::JobId) -> ::windlass_core::Job;
            jobs(filter: ::windlass_store::JobFilter, page: ::windlass_store::PageRequest)
                -> ::windlass_store::Page<::windlass_core::Job>;
            attempts(id: ::windlass_core::JobId) -> Vec<::windlass_core::Attempt>;
            logs(id: ::windlass_core::JobId, page: ::windlass_store::PageRequest)
                -> ::windlass_store::Page<::windlass_core::LogLine>;
            events(id: ::windlass_core::JobId) -> Vec<::windlass_store::JobEvent>;
            explain(id: ::windlass_core::JobId) -> ::windlass_store::Explanation;
            cancel(id: ::windlass_core::JobId, by: ::windlass_store::Actor) -> ::windlass_store::CancelOutcome;
            retry(id: ::windlass_core::JobId, by: ::windlass_store::Actor) -> ();
            run_now(id: ::windlass_core::JobId, by: ::windlass_store::Actor) -> ();
            edit(id: ::windlass_core::JobId, edit: ::windlass_store::JobEdit, by: ::windlass_store::Actor) -> ();
            rerun(id: ::windlass_core::JobId, copy: ::windlass_core::JobId, by: ::windlass_store::Actor)
                -> ::windlass_store::Enqueued;
            delete(id: ::windlass_core::JobId, by: ::windlass_store::Actor) -> ();
        });
    };
    (@ FlowStore for $store:ty) => {
        $crate::forward!(@@ FlowStore for $store {
            parents(id: ::windlass_core::JobId, page: ::windlass_store::PageRequest)
                -> ::windlass_store::Page<::windlass_store::Relative>;
            children(id: ::windlass_core::JobId, page: ::windlass_store::PageRequest)
                -> ::windlass_store::Page<::windlass_store::Relative>;
            inputs(id: ::windlass_core::JobId, page: ::windlass_store::PageRequest)
                -> ::windlass_store::Page<::windlass_store::Input>;
            flow(id: ::windlass_core::JobId) -> ::windlass_store::Flow;
            cancel_flow(id: ::windlass_core::JobId, by: ::windlass_store::Actor) -> Vec<::windlass_core::JobId>;
            retry_flow(id: ::windlass_core::JobId, by: ::windlass_store::Actor) -> Vec<::windlass_core::JobId>;
            delete_flow(root: ::windlass_core::JobId, by: ::windlass_store::Actor) -> Vec<::windlass_core::JobId>;
        });
    };
    (@ ReviewStore for $store:ty) => {
        $crate::forward!(@@ ReviewStore for $store {
            decide(job: ::windlass_core::JobId, ruling: ::windlass_store::NewRuling) -> ::windlass_store::Settled;
            review(job: ::windlass_core::JobId) -> Option<::windlass_store::ReviewRecord>;
            reviews(filter: ::windlass_store::ReviewFilter, page: ::windlass_store::PageRequest)
                -> ::windlass_store::Page<::windlass_store::ReviewRecord>;
        });
    };
    (@ ErrorStore for $store:ty) => {
        $crate::forward!(@@ ErrorStore for $store {
            error_groups(filter: ::windlass_store::ErrorFilter, page: ::windlass_store::PageRequest)
                -> ::windlass_store::Page<::windlass_store::ErrorGroup>;
            error_group(fingerprint: ::windlass_core::Fingerprint) -> ::windlass_store::ErrorGroup;
        });
    };
    (@ QueueStore for $store:ty) => {
        $crate::forward!(@@ QueueStore for $store {
            keep(
                queue: &::windlass_core::QueueName,
                retention: ::windlass_store::QueueRetention,
                by: ::windlass_store::Actor
            ) -> ();
            retentions() -> Vec<(::windlass_core::QueueName, ::windlass_store::QueueRetention)>;
            queues() -> Vec<::windlass_store::QueueSummary>;
            pause(queue: &::windlass_core::QueueName, by: ::windlass_store::Actor) -> ();
            resume(queue: &::windlass_core::QueueName, by: ::windlass_store::Actor) -> ();
            bound(whole: &::windlass_core::Whole, bounds: ::windlass_core::Bounds, by: ::windlass_store::Actor) -> ();
            bounds() -> Vec<(::windlass_core::Whole, ::windlass_core::Bounds)>;
        });
    };
    (@ WorkerStore for $store:ty) => {
        $crate::forward!(@@ WorkerStore for $store {
            register(worker: ::windlass_store::NewWorker) -> ();
            beat(worker: ::windlass_core::WorkerId) -> ::windlass_store::Beat;
            deregister(worker: ::windlass_core::WorkerId) -> ();
            workers(silent_for: ::std::time::Duration) -> Vec<::windlass_store::Worker>;
            leases(silent_for: ::std::time::Duration) -> Vec<::windlass_store::LeaseSummary>;
            held(worker: ::windlass_core::WorkerId) -> Vec<::windlass_core::AttemptToken>;
        });
    };
    (@ ScheduleStore for $store:ty) => {
        $crate::forward!(@@ ScheduleStore for $store {
            put_schedule(schedule: ::windlass_core::NewSchedule, by: ::windlass_store::Actor)
                -> ::windlass_store::ScheduleOutcome;
            declare_schedules(program: &::windlass_core::ProgramName, schedules: Vec<::windlass_core::NewSchedule>)
                -> ::windlass_store::Declared;
            schedule(name: &::windlass_core::ScheduleName) -> ::windlass_store::Schedule;
            schedules(page: ::windlass_store::PageRequest) -> ::windlass_store::Page<::windlass_store::Schedule>;
            pause_schedule(name: &::windlass_core::ScheduleName, by: ::windlass_store::Actor) -> ();
            resume_schedule(name: &::windlass_core::ScheduleName, by: ::windlass_store::Actor) -> ();
            delete_schedule(name: &::windlass_core::ScheduleName, by: ::windlass_store::Actor) -> ();
            run_schedule(name: &::windlass_core::ScheduleName, job: ::windlass_core::JobId, by: ::windlass_store::Actor)
                -> ();
            backfill(
                name: &::windlass_core::ScheduleName,
                range: (::windlass_core::Timestamp, ::windlass_core::Timestamp),
                by: ::windlass_store::Actor
            ) -> ::windlass_store::Backfilled;
            firings(name: &::windlass_core::ScheduleName, page: ::windlass_store::PageRequest)
                -> ::windlass_store::Page<::windlass_store::Firing>;
            schedule_events(name: &::windlass_core::ScheduleName) -> Vec<::windlass_store::ScheduleEvent>;
        });
    };
    (@ Maintenance for $store:ty) => {
        $crate::forward!(@@ Maintenance for $store {
            rescue() -> ::windlass_store::Rescued;
            prune(retention: ::windlass_store::Retention) -> ::windlass_store::Pruned;
            fire() -> ::windlass_store::Fired;
            tidy() -> ();
            lead(candidate: ::windlass_core::WorkerId) -> ::windlass_store::Leadership;
            resign(leader: ::windlass_core::WorkerId) -> ();
            status() -> ::windlass_store::StoreStatus;
            check() -> Vec<String>;
        });
    };
    (@ OperationStore for $store:ty) => {
        $crate::forward!(@@ OperationStore for $store {
            begin_operation(operation: ::windlass_store::NewOperation, by: ::windlass_store::Actor)
                -> ::windlass_store::Operation;
            operation(id: ::windlass_core::OperationId) -> ::windlass_store::Operation;
            operations(page: ::windlass_store::PageRequest) -> ::windlass_store::Page<::windlass_store::Operation>;
            pause_operation(id: ::windlass_core::OperationId, by: ::windlass_store::Actor) -> ::windlass_store::Operation;
            resume_operation(id: ::windlass_core::OperationId, by: ::windlass_store::Actor) -> ::windlass_store::Operation;
            abort_operation(id: ::windlass_core::OperationId, by: ::windlass_store::Actor) -> ::windlass_store::Operation;
            drive_operation() -> Option<(::windlass_store::DriveToken, ::windlass_store::Operation)>;
            advance_operation(token: ::windlass_store::DriveToken, advance: ::windlass_store::Advance, limit: u32)
                -> ::windlass_store::Driven;
        });
    };
    (@ TokenStore for $store:ty) => {
        $crate::forward!(@@ TokenStore for $store {
            create_token(token: ::windlass_store::NewToken, by: ::windlass_store::Actor) -> ();
            token(id: ::windlass_store::TokenId) -> ::windlass_store::Token;
            tokens(page: ::windlass_store::PageRequest) -> ::windlass_store::Page<::windlass_store::Token>;
            revoke_token(id: ::windlass_store::TokenId, by: ::windlass_store::Actor) -> ();
            use_token(id: ::windlass_store::TokenId) -> ();
        });
    };
    (@ AuditStore for $store:ty) => {
        $crate::forward!(@@ AuditStore for $store {
            audit(filter: ::windlass_store::AuditFilter, page: ::windlass_store::PageRequest)
                -> ::windlass_store::Page<::windlass_store::AuditEntry>;
        });
    };
    (@@ $port:ident for $store:ty {
        $($method:ident($($name:ident: $type:ty),*) -> $answer:ty;)+
    }) => {
        #[::async_trait::async_trait]
        impl ::windlass_store::$port for $store {
            $(
                async fn $method(&self, $($name: $type),*) -> Result<$answer, ::windlass_store::StoreError> {
                    self.inner.$method($($name),*).await
                }
            )+
        }
    };
}
