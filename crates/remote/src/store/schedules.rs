//! Schedules.

use async_trait::async_trait;
use windlass_core::{Invalid, JobId, NewSchedule, ProgramName, ScheduleName, Timestamp};
use windlass_store::rules::schedules::check_declared;
use windlass_store::{
    Actor, Backfilled, Declared, Firing, Page, PageRequest, Schedule, ScheduleEvent, ScheduleOutcome,
    ScheduleStore, StoreError,
};
use windlass_wire::answers::{BackfilledShape, DeclaredShape, Firings, Made, Put, ScheduleEvents, Schedules};
use windlass_wire::{BackfillRequest, CopyRequest, DeclareRequest, ScheduleRequest, ScheduleShape};

use super::{RemoteStore, all, any_size, by, page, verb};
use crate::ask::Ask;

fn put(schedule: NewSchedule, actor: &Actor) -> Result<Ask, Invalid> {
    // What is not a caller's to say could not be told any more once it is sent.
    schedule.validate(&any_size())?;
    let ask = Ask::put(&[&"schedules", &schedule.name]).named_by(actor);
    ask.with(&ScheduleRequest::new(schedule, verb(actor)?))
}

#[async_trait]
impl ScheduleStore for RemoteStore {
    async fn put_schedule(&self, schedule: NewSchedule, actor: Actor) -> Result<ScheduleOutcome, StoreError> {
        self.get::<Put, _>("put the schedule", put(schedule, &actor)).await
    }

    async fn declare_schedules(
        &self,
        program: &ProgramName,
        schedules: Vec<NewSchedule>,
    ) -> Result<Declared, StoreError> {
        let ask = Ask::put(&[&"programs", program, &"schedules"]).harmless();
        let checked = check_declared(&schedules, &any_size());
        let ask = checked.and_then(|()| ask.with(&DeclareRequest::new(schedules)));
        self.get::<DeclaredShape, _>("declare schedules", ask).await
    }

    async fn schedule(&self, name: &ScheduleName) -> Result<Schedule, StoreError> {
        self.get::<ScheduleShape, _>("read the schedule", Ok(Ask::get(&[&"schedules", name]))).await
    }

    async fn schedules(&self, of: PageRequest) -> Result<Page<Schedule>, StoreError> {
        const NAME: &str = "list schedules";
        let ask = Ask::get(&[&"schedules"]).page(of);
        let Schedules { schedules, next } = self.client().ask(NAME, Ok(ask)).await?;
        page(NAME, (schedules, next))
    }

    async fn pause_schedule(&self, name: &ScheduleName, actor: Actor) -> Result<(), StoreError> {
        let ask = by(Ask::post(&[&"schedules", name, &"pause"]).harmless(), &actor);
        self.done("pause the schedule", ask).await
    }

    async fn resume_schedule(&self, name: &ScheduleName, actor: Actor) -> Result<(), StoreError> {
        let ask = by(Ask::post(&[&"schedules", name, &"resume"]).harmless(), &actor);
        self.done("resume the schedule", ask).await
    }

    async fn delete_schedule(&self, name: &ScheduleName, actor: Actor) -> Result<(), StoreError> {
        self.done("delete the schedule", by(Ask::delete(&[&"schedules", name]), &actor)).await
    }

    async fn run_schedule(&self, name: &ScheduleName, job: JobId, actor: Actor) -> Result<(), StoreError> {
        let ask = Ask::post(&[&"schedules", name, &"run-now"]).harmless().named_by(&actor);
        let ask = verb(&actor).and_then(|verb| ask.with(&CopyRequest::new(Some(job), verb)));
        self.client().ask::<Made>("run the schedule", ask).await.map(drop)
    }

    async fn backfill(
        &self,
        name: &ScheduleName,
        range: (Timestamp, Timestamp),
        actor: Actor,
    ) -> Result<Backfilled, StoreError> {
        let ask = Ask::post(&[&"schedules", name, &"backfill"]).named_by(&actor);
        let ask = verb(&actor).and_then(|verb| ask.with(&BackfillRequest::new(range, verb)));
        self.get::<BackfilledShape, _>("backfill the schedule", ask).await
    }

    async fn firings(&self, name: &ScheduleName, of: PageRequest) -> Result<Page<Firing>, StoreError> {
        const NAME: &str = "list firings";
        let ask = Ask::get(&[&"schedules", name, &"firings"]).page(of);
        let Firings { firings, next } = self.client().ask(NAME, Ok(ask)).await?;
        page(NAME, (firings, next))
    }

    async fn schedule_events(&self, name: &ScheduleName) -> Result<Vec<ScheduleEvent>, StoreError> {
        const NAME: &str = "list events of the schedule";
        let ask = Ask::get(&[&"schedules", name, &"events"]);
        all(NAME, self.client().ask::<ScheduleEvents>(NAME, Ok(ask)).await?.events)
    }
}
