//! Schedules that are asked for, written down by who has them as values: a program that calls from afar.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use windlass_core::{JobId, NewSchedule, Rhythm, ScheduleName, span};

use super::{DeclareRequest, ScheduleRequest};
use crate::{JobRequest, VerbRequest};

impl ScheduleRequest {
    /// What the schedule asks for, but for its name.
    #[must_use]
    pub fn new(schedule: NewSchedule, verb: VerbRequest) -> Self {
        Self {
            rhythm: schedule.rhythm,
            job: schedule.job,
            overlap: schedule.overlap,
            missed: schedule.missed,
            jitter: schedule.jitter,
            starts_at: schedule.starts_at,
            ends_at: schedule.ends_at,
            paused: schedule.paused,
            verb,
        }
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match &self.rhythm {
            Rhythm::Cron { expression, zone } => {
                map.serialize_entry("cron", expression)?;
                map.serialize_entry("time_zone", zone)?;
            }
            Rhythm::Every(long) => map.serialize_entry("every", &span::format(*long))?,
        }
        // The id of a template is never used, and not written.
        let job = JobRequest::from(self.job.job(JobId::from_bytes([1; 16])));
        map.serialize_entry("job", &JobRequest { id: None, ..job })?;
        map.serialize_entry("overlap", &self.overlap)?;
        map.serialize_entry("missed", &self.missed)?;
        map.serialize_entry("jitter", &span::format(self.jitter))?;
        map.serialize_entry("starts_at", &self.starts_at)?;
        map.serialize_entry("ends_at", &self.ends_at)?;
        map.serialize_entry("paused", &self.paused)
    }
}

impl Serialize for ScheduleRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write(&mut map)?;
        map.serialize_entry("reason", &self.verb.reason)?;
        map.serialize_entry("by", &self.verb.by)?;
        map.end()
    }
}

/// One of a declaration: with its name, and in nobody's name.
struct Named<'a>(&'a (ScheduleName, ScheduleRequest));

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, schedule) = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", name)?;
        schedule.write(&mut map)?;
        map.end()
    }
}

impl DeclareRequest {
    /// These schedules, and no others.
    #[must_use]
    pub fn new(schedules: Vec<NewSchedule>) -> Self {
        let named = |schedule: NewSchedule| {
            (schedule.name.clone(), ScheduleRequest::new(schedule, VerbRequest::default()))
        };
        Self { schedules: schedules.into_iter().map(named).collect() }
    }
}

impl Serialize for DeclareRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let schedules: Vec<_> = self.schedules.iter().map(Named).collect();
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("schedules", &schedules)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use windlass_core::{Args, JobTemplate, KindName, Missed, Overlap, Timestamp};

    use super::*;
    use crate::FromBody;

    fn schedule(rhythm: Rhythm) -> NewSchedule {
        let mut job = JobTemplate::new(KindName::new("clean").unwrap(), Args::json("[30]").unwrap());
        job.deadline_in = Some(Duration::from_secs(60));
        job.options.order_key = Some("one".to_owned());
        let mut schedule = NewSchedule::new(ScheduleName::new("nightly").unwrap(), rhythm, job);
        schedule.overlap = Overlap::QueueOne;
        schedule.missed = Missed::All(3);
        schedule.jitter = Duration::from_millis(1_500);
        schedule.starts_at = Some(Timestamp::from_micros(7));
        schedule.paused = true;
        schedule
    }

    #[test]
    fn what_is_asked_for_reads_back_in_full() {
        for rhythm in [Rhythm::cron("0 3 * * *", "Europe/Berlin"), Rhythm::Every(Duration::from_secs(90))] {
            let asked = schedule(rhythm);
            let verb = VerbRequest::new(Some("ada".to_owned()), None);

            let text = serde_json::to_string(&ScheduleRequest::new(asked.clone(), verb.clone())).unwrap();
            let read = ScheduleRequest::from_body(&text).unwrap();
            assert_eq!(read.verb, verb);
            assert_eq!(read.into_new_schedule(asked.name.clone()).unwrap(), asked);

            let text = serde_json::to_string(&DeclareRequest::new(vec![asked.clone()])).unwrap();
            let read = DeclareRequest::from_body(&text).unwrap();
            assert_eq!(read.into_new_schedules().unwrap(), [asked]);
        }
    }
}
