//! What becomes of schedules when a program says which ones it has.

use std::collections::{HashMap, HashSet};

use windlass_core::limits::SCHEDULES_DECLARED_MAX;
use windlass_core::schedule::Source;
use windlass_core::{Invalid, Limits, NewSchedule, ProgramName, ScheduleName, Timestamp};

use super::{changed, made};
use crate::schedules::{Declared, Schedule};

/// Refuses a declaration that could not be kept, by its first fault.
///
/// # Errors
///
/// [`Invalid`] with the field `schedules` for too many, else below `schedules[i]`.
pub fn check_declared(asked: &[NewSchedule], limits: &Limits) -> Result<(), Invalid> {
    let count = asked.len();
    if count > SCHEDULES_DECLARED_MAX {
        return Err(Invalid::new(
            "schedules",
            format!("are {count}; at most {SCHEDULES_DECLARED_MAX} are allowed for one program"),
        ));
    }
    let mut names = HashSet::with_capacity(count);
    for (index, schedule) in asked.iter().enumerate() {
        let twice = if names.insert(&schedule.name) {
            Ok(())
        } else {
            Err(Invalid::new("name", format!("{} comes twice", schedule.name)))
        };
        let fault = twice.and_then(|()| schedule.validate(limits));
        fault.map_err(|invalid| invalid.inside(&format!("schedules[{index}]")))?;
    }
    Ok(())
}

/// What is to be kept where a program says which schedules it has; `known` are those that it has, and those of the names
/// that it says.
///
/// # Errors
///
/// [`Invalid`] with the field of the first schedule that is somebody else's.
pub fn declared(
    known: Vec<Schedule>,
    program: &ProgramName,
    asked: Vec<NewSchedule>,
    now: Timestamp,
) -> Result<(Vec<Schedule>, Declared), Invalid> {
    let source = Source::Code(program.clone());
    let mut known: HashMap<ScheduleName, Schedule> =
        known.into_iter().map(|schedule| (schedule.name().clone(), schedule)).collect();
    let (mut kept, mut told) = (Vec::new(), Declared::default());
    for (index, asked) in asked.into_iter().enumerate() {
        let name = asked.name.clone();
        match known.remove(&name) {
            None => {
                kept.push(made(asked, source.clone(), now)?);
                told.created.push(name);
            }
            Some(old) => {
                check_may_declare(&old, &source, index)?;
                if let Some(changed) = changed(old, asked, source.clone(), now)? {
                    kept.push(changed);
                    told.changed.push(name);
                }
            }
        }
    }
    let mut gone: Vec<Schedule> =
        known.into_values().filter(|old| old.source == source && old.removed_at.is_none()).collect();
    gone.sort_unstable_by(|one, other| one.name().cmp(other.name()));
    for old in gone {
        told.removed.push(old.name().clone());
        let removed = Schedule { removed_at: Some(now), look_at: None, held: None, ..old };
        kept.push(removed.with_revision());
    }
    Ok((kept, told))
}

fn check_may_declare(old: &Schedule, source: &Source, index: usize) -> Result<(), Invalid> {
    if old.removed_at.is_some() || old.source == *source {
        return Ok(());
    }
    let owner = match &old.source {
        Source::Code(program) => format!("the program {program:?} declares it"),
        Source::Operator => "it was made by hand: delete it, or choose another name".to_owned(),
    };
    let name = old.name();
    Err(Invalid::new(format!("schedules[{index}].name"), format!("{name} is taken: {owner}")))
}
