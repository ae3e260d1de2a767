//! What is refused of the gates that a job asks for.

use super::Lock;
use crate::limits::{GATE_NAME_BYTES_MAX, GATES_MAX};
use crate::{Invalid, JobOptions};

impl JobOptions {
    /// Refuses gates that cannot be.
    pub(crate) fn validate_gates(&self) -> Result<(), Invalid> {
        check_locks(&self.locks)?;
        check_each(
            "limits",
            &self.limits,
            |limit| &limit.key,
            |limit, field| match limit.max {
                0 => Err(Invalid::new(format!("{field}.max"), "must be 1 or more")),
                _ => Ok(()),
            },
        )?;
        check_each("rates", &self.rates, |rate| &rate.key, |rate, field| rate.pace.validate(field))?;
        self.order_key.as_ref().map_or(Ok(()), |key| check_gate_name("order_key", key))
    }
}

/// Refuses locks that cannot be had together.
///
/// # Errors
///
/// [`Invalid`] with the field `locks`, or one inside it.
pub fn check_locks(locks: &[Lock]) -> Result<(), Invalid> {
    let resource = |lock: &'_ Lock| lock.resource.clone();
    for (index, lock) in locks.iter().enumerate() {
        if locks[..index].iter().any(|before| resource(before) == lock.resource && before.mode != lock.mode) {
            let problem = format!("{:?} is wanted both shared and exclusive", lock.resource);
            return Err(Invalid::new(format!("locks[{index}].mode"), problem));
        }
    }
    check_count("locks", locks.len())?;
    locks.iter().enumerate().try_for_each(|(index, lock)| {
        check_gate_name(&format!("locks[{index}].resource"), &lock.resource)?;
        check_twice("locks", locks.iter().map(|lock| lock.resource.as_str()), index)
    })
}

fn check_each<T>(
    list: &str,
    items: &[T],
    key: impl Fn(&T) -> &String,
    check: impl Fn(&T, &str) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    check_count(list, items.len())?;
    items.iter().enumerate().try_for_each(|(index, item)| {
        check_gate_name(&format!("{list}[{index}].key"), key(item))?;
        check_twice(list, items.iter().map(|item| key(item).as_str()), index)?;
        check(item, &format!("{list}[{index}]"))
    })
}

fn check_count(list: &str, count: usize) -> Result<(), Invalid> {
    if count > GATES_MAX {
        return Err(Invalid::new(list, format!("are {count}; at most {GATES_MAX} are allowed")));
    }
    Ok(())
}

fn check_twice<'a>(
    list: &str,
    mut names: impl Iterator<Item = &'a str> + Clone,
    index: usize,
) -> Result<(), Invalid> {
    let name = names.clone().nth(index);
    if names.by_ref().take(index).any(|before| Some(before) == name) {
        return Err(Invalid::new(format!("{list}[{index}]"), "stands there twice"));
    }
    Ok(())
}

/// Refuses a name of a gate that could not be shown or kept.
fn check_gate_name(field: &str, name: &str) -> Result<(), Invalid> {
    if name.is_empty() {
        return Err(Invalid::new(field, "must not be empty"));
    }
    if name.len() > GATE_NAME_BYTES_MAX {
        let problem = format!("is {} bytes long; at most {GATE_NAME_BYTES_MAX} are allowed", name.len());
        return Err(Invalid::new(field, problem));
    }
    if name.chars().any(char::is_control) {
        return Err(Invalid::new(field, "contains a control character"));
    }
    Ok(())
}
