//! Locks that a kind declares, with fields of its args in their names.

use serde_json::Value;

use super::{Lock, LockMode, check_locks};
use crate::{Args, Invalid};

/// A lock that every job of a kind needs: its resource may name fields of the args, as in `table:{args.table}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockTemplate {
    /// The resource, with `{args.field}` for what is taken from the args; `{args.a.b}` for a field of a field.
    pub resource: &'static str,
    /// How it is wanted.
    pub mode: LockMode,
}

impl LockTemplate {
    /// The lock of a job with these args.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `locks`, naming the field of the args that is not there, or that is no text, number or
    /// truth value.
    pub fn resolve(&self, args: &Args) -> Result<Lock, Invalid> {
        let mut resource = String::with_capacity(self.resource.len());
        let mut rest = self.resource;
        while let Some((before, field, after)) = next_field(rest)? {
            resource.push_str(before);
            resource.push_str(&text_of(args, field)?);
            rest = after;
        }
        resource.push_str(rest);
        Ok(Lock { resource, mode: self.mode })
    }

    /// Refuses locks that a kind cannot declare: a resource both shared and exclusive, or a name that cannot be read.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `locks`, or one inside it.
    pub fn check_all(templates: &[Self]) -> Result<(), Invalid> {
        for template in templates {
            let mut rest = template.resource;
            while let Some((_, _, after)) = next_field(rest)? {
                rest = after;
            }
        }
        let locks: Vec<Lock> = templates
            .iter()
            .map(|template| Lock { resource: template.resource.to_owned(), mode: template.mode })
            .collect();
        check_locks(&locks)
    }
}

/// What stands before the first field, its path within the args, and what stands after it.
fn next_field(template: &str) -> Result<Option<(&str, &str, &str)>, Invalid> {
    let Some((before, opened)) = template.split_once('{') else { return Ok(None) };
    let unreadable = || {
        Invalid::new(
            "locks",
            format!("{template:?} cannot be read: expected fields of the args, as in {{args.table}}"),
        )
    };
    let (field, after) = opened.split_once('}').ok_or_else(unreadable)?;
    let path = field.strip_prefix("args.").filter(|path| !path.is_empty()).ok_or_else(unreadable)?;
    Ok(Some((before, path, after)))
}

fn text_of(args: &Args, path: &str) -> Result<String, Invalid> {
    let parsed: Value = serde_json::from_slice(args.as_bytes()).map_err(|_| {
        Invalid::new("locks", format!("need the field `{path}` of the args, which are no JSON"))
    })?;
    let found = path.split('.').try_fold(&parsed, |value, name| value.get(name));
    match found {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        Some(_) => Err(Invalid::new(
            "locks",
            format!("the field `{path}` of the args is no text, number or truth value"),
        )),
        None => Err(Invalid::new("locks", format!("need the field `{path}`, which the args do not have"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(resource: &'static str, args: &str) -> Result<String, Invalid> {
        let template = LockTemplate { resource, mode: LockMode::Exclusive };
        template.resolve(&Args::json(args.to_owned()).unwrap()).map(|lock| lock.resource)
    }

    #[test]
    fn fields_of_the_args_stand_in_the_name() {
        let args = r#"{"table":"users","shard":7,"at":{"zone":"eu"}}"#;

        assert_eq!(resolved("table:{args.table}/{args.shard}", args).unwrap(), "table:users/7");
        assert_eq!(resolved("{args.at.zone}", args).unwrap(), "eu");
        assert_eq!(resolved("plain", args).unwrap(), "plain");
    }

    #[test]
    fn a_field_that_is_not_there_is_named() {
        let refused = resolved("table:{args.table}", r#"{"tables":1}"#).unwrap_err();

        assert_eq!(refused.to_string(), "locks: need the field `table`, which the args do not have");
        assert!(resolved("{args.table}", r#"{"table":[1]}"#).is_err());
        assert!(resolved("{table}", r#"{"table":1}"#).is_err());
        assert!(resolved("{args.table", r#"{"table":1}"#).is_err());
    }

    #[test]
    fn a_kind_cannot_declare_a_resource_both_ways() {
        let template = |mode| LockTemplate { resource: "table:{args.table}", mode };

        let both = [template(LockMode::Exclusive), template(LockMode::Shared)];

        assert_eq!(LockTemplate::check_all(&both).unwrap_err().field, "locks[1].mode");
        assert!(LockTemplate::check_all(&both[..1]).is_ok());
    }
}
