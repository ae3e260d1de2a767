//! The values as schemas of `OpenAPI`: what they look like in JSON.
//!
//! Beside the values and not derived from them: most are texts with a form of their own, which no derive could know. Each
//! says as much as a generated client needs to have a type for it.

use std::borrow::Cow;

use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::notice::Target;
use crate::{
    AttemptError, AttemptOutcome, AttemptToken, BulkVerb, Decision, Digest, EdgePolicy, Fence, Fingerprint,
    FiredBy, JobId, JobOptions, JobState, Json, KeyedLimit, KindName, Lock, LogLevel, Missed, Notify,
    OperationId, OperationState, Overlap, Pace, Phase, Priority, ProgramName, Progress, QueueName, Rate,
    Reason, RetryPolicy, Review, ScheduleName, Tag, Timestamp, Unique, WorkerId,
};

macro_rules! schemas {
    ($($type:ty = $text:expr),+ $(,)?) => {
        $(
            impl PartialSchema for $type {
                fn schema() -> RefOr<Schema> {
                    read(stringify!($type), $text)
                }
            }

            impl ToSchema for $type {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed(stringify!($type))
                }
            }
        )+

        #[cfg(test)]
        const ALL: &[fn() -> RefOr<Schema>] = &[$(<$type as PartialSchema>::schema),+];
    };
}

fn read(name: &str, text: &str) -> RefOr<Schema> {
    let schema = serde_json::from_str(text);
    RefOr::T(schema.unwrap_or_else(|error| panic!("the schema of {name} is written down wrongly: {error}")))
}

const UUID: &str = r#"{"type":"string","format":"uuid","example":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11"}"#;
const NAME: &str =
    r#"{"type":"string","minLength":1,"maxLength":128,"pattern":"^[A-Za-z0-9][A-Za-z0-9._:/-]*$"}"#;

schemas! {
    JobId = UUID,
    WorkerId = UUID,
    OperationId = UUID,
    QueueName = NAME,
    KindName = NAME,
    ScheduleName = NAME,
    ProgramName = NAME,
    Tag = r#"{"type":"string","minLength":1,"maxLength":128}"#,
    Timestamp = r#"{"type":"string","format":"date-time","description":"RFC 3339, in UTC","example":"2026-11-21T08:00:00Z"}"#,
    AttemptToken = r#"{"type":"string","pattern":"^wlt_[0-9A-Fa-f]{49,64}$","description":"names one attempt of one job"}"#,
    Fingerprint = r#"{"type":"string","pattern":"^[0-9a-f]{16}$"}"#,
    Digest = r#"{"type":"string","description":"what is decided about, as a short text"}"#,
    Json = r#"{"type":null,"description":"any JSON, kept byte for byte"}"#,
    JobState = r#"{"type":"string","enum":["scheduled","ready","retryable","blocked","in_review","running","completed","cancelled","dead"]}"#,
    Reason = r#"{"type":"string","description":"why it is in its state, as in exhausted, operator or dependency"}"#,
    Priority = r#"{"type":"string","enum":["critical","high","normal","low","idle"]}"#,
    BulkVerb = r#"{"type":"string","enum":["cancel","retry","run_now","rerun","delete"],"description":"what can be done to many jobs"}"#,
    OperationState = r#"{"type":"string","enum":["selecting","running","paused","done","aborted","failed"],"description":"how far an operation has come"}"#,
    Phase = r#"{"type":"string","enum":["run","settle","cleanup"]}"#,
    EdgePolicy = r#"{"type":"string","enum":["on_success","on_finish"]}"#,
    LogLevel = r#"{"type":"string","enum":["trace","debug","info","warn","error"],"description":"how grave it is"}"#,
    Decision = r#"{"type":"string","enum":["accept","decline"]}"#,
    AttemptOutcome = r#"{"type":"string","enum":["succeeded","failed","timed_out","lost","interrupted","snoozed","cancelled"]}"#,
    Overlap = r#"{"type":"string","enum":["skip","allow","queue_one"]}"#,
    Missed = r#"{"oneOf":[{"type":"string","enum":["one","skip"]},{"type":"object","required":["all"],"properties":{"all":{"type":"integer","minimum":1,"maximum":1000}}}]}"#,
    AttemptError = r#"{"type":"object","required":["message"],"properties":{"message":{"type":"string"},"type":{"type":"string"},"chain":{"type":"array","items":{"type":"string"}},"trace":{"type":"string"},"by_parent":{"type":"boolean"}}}"#,
    Progress = r#"{"type":"object","required":["percent"],"properties":{"percent":{"type":"integer","minimum":0,"maximum":100},"message":{"type":"string"}}}"#,
    Lock = r#"{"type":"object","required":["resource"],"properties":{"resource":{"type":"string"},"mode":{"type":"string","enum":["shared","exclusive"]}}}"#,
    KeyedLimit = r#"{"type":"object","required":["key","max"],"properties":{"key":{"type":"string"},"max":{"type":"integer","minimum":1}}}"#,
    Pace = r#"{"type":"object","required":["starts","per"],"properties":{"starts":{"type":"integer","minimum":1},"per":{"type":"string","example":"1m"},"burst":{"type":"integer","minimum":1}}}"#,
    Rate = r#"{"type":"object","required":["key","starts","per"],"properties":{"key":{"type":"string"},"starts":{"type":"integer","minimum":1},"per":{"type":"string","example":"1m"},"burst":{"type":"integer","minimum":1}}}"#,
    Fence = r#"{"type":"object","required":["resource","number"],"properties":{"resource":{"type":"string"},"number":{"type":"integer","minimum":1}}}"#,
    FiredBy = r#"{"type":"object","required":["schedule","tick"],"properties":{"schedule":{"type":"string"},"tick":{"type":"string","format":"date-time"}}}"#,
    RetryPolicy = r#"{"oneOf":[{"type":"object","required":["fixed"],"properties":{"fixed":{"type":"string","example":"5s"}}},{"type":"object","required":["exponential"],"properties":{"exponential":{"type":"object","required":["base","factor","cap","jitter"],"properties":{"base":{"type":"string"},"factor":{"type":"number"},"cap":{"type":"string"},"jitter":{"type":"number"}}}}},{"type":"object","required":["list"],"properties":{"list":{"type":"array","items":{"type":"string"}}}}]}"#,
    Unique = r#"{"type":"object","properties":{"key":{"type":"string"},"within":{"type":"string","enum":["kind","queue","global"]},"scope":{"oneOf":[{"type":"string","enum":["waiting","active"]},{"type":"object","required":["for"],"properties":{"for":{"type":"string","example":"1h"}}}]},"on_conflict":{"oneOf":[{"type":"string","enum":["existing","reject","replace"]},{"type":"object","required":["debounce"],"properties":{"debounce":{"type":"object","required":["delay","max_wait"],"properties":{"delay":{"type":"string","example":"5s"},"max_wait":{"type":"string","example":"1m"}}}}}]}}}"#,
    Review = r##"{"type":"object","required":["of"],"properties":{"of":{"type":"string","enum":["start","outcome"]},"decide_within":{"type":"string"},"otherwise":{"type":"string","enum":["accept","decline"]},"remind_every":{"type":"string"},"submitter_may":{"type":"boolean"},"settle_attempts_max":{"type":"integer"},"settle_retry":{"$ref":"#/components/schemas/RetryPolicy"}}}"##,
    Target = r#"{"oneOf":[{"type":"object","required":["mail"],"properties":{"mail":{"type":"string"}}},{"type":"object","required":["webhook"],"properties":{"webhook":{"type":"string","format":"uri"}}}]}"#,
    Notify = r#"{"type":"object","properties":{"mail":{"type":"string"},"webhook":{"type":"string","format":"uri"},"on":{"type":"array","items":{"type":"string","enum":["completed","cancelled","dead"]}}}}"#,
    JobOptions = r##"{"type":"object","properties":{"timeout":{"type":"string"},"retry":{"$ref":"#/components/schemas/RetryPolicy"},"tags":{"type":"array","items":{"type":"string"}},"meta":{"type":"object","additionalProperties":true},"unique":{"$ref":"#/components/schemas/Unique"},"submitted_by":{"type":"string"},"notify":{"type":"array","items":{"$ref":"#/components/schemas/Notify"}},"review":{"$ref":"#/components/schemas/Review"},"locks":{"type":"array","items":{"$ref":"#/components/schemas/Lock"}},"limits":{"type":"array","items":{"$ref":"#/components/schemas/KeyedLimit"}},"rates":{"type":"array","items":{"$ref":"#/components/schemas/Rate"}},"order_key":{"type":"string"},"rerun_of":{"type":"string","format":"uuid"},"cleans":{"type":"string","format":"uuid"},"fired_by":{"$ref":"#/components/schemas/FiredBy"}}}"##,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_written_down_rightly() {
        for schema in ALL {
            assert!(serde_json::to_string(&schema()).is_ok_and(|text| text.len() > 2));
        }
    }

    #[test]
    fn states_and_priorities_are_all_there() {
        let text = serde_json::to_string(&JobState::schema()).unwrap();

        assert!(JobState::ALL.iter().all(|state| text.contains(state.as_str())), "{text}");
    }
}
