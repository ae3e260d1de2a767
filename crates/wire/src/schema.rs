//! The forms that a field of a request may take besides that of its type, as schemas of `OpenAPI`: short ones for what is asked
//! for most. Each says as much as a generated client needs to have a type for it.

use utoipa::openapi::{RefOr, Schema};

fn read(text: &str) -> RefOr<Schema> {
    let schema = serde_json::from_str(text);
    RefOr::T(schema.unwrap_or_else(|error| panic!("a schema is written down wrongly: {error}: {text}")))
}

macro_rules! forms {
    ($($(#[$doc:meta])* $name:ident = $text:expr),+ $(,)?) => {
        $($(#[$doc])* pub(crate) fn $name() -> RefOr<Schema> {
            read($text)
        })+

        #[cfg(test)]
        const ALL: &[fn() -> RefOr<Schema>] = &[$($name),+];
    };
}

forms! {
    /// A number of attempts that is asked for.
    count_or_default = r#"{"oneOf":[{"type":"integer","format":"int32","minimum":1},{"type":"string","enum":["unlimited"]},{"type":"null"}],"description":"Total starts that may end in failure: a number, or `unlimited`."}"#,
    /// A number of attempts, where no bound is a word.
    count = r#"{"oneOf":[{"type":"integer","format":"int32","minimum":1},{"type":"string","enum":["unlimited"]}],"description":"Total starts that may end in failure, or `unlimited`."}"#,
    /// The jobs that one waits for.
    after = r#"{"type":["array","null"],"description":"The jobs it waits for; inside a batch or a file also by their `ref`, which may stand alone.","items":{"oneOf":[{"type":"string"},{"type":"object","required":["job"],"properties":{"job":{"type":"string","format":"uuid"},"on":{"type":"string","enum":["on_success","on_finish"]}}},{"type":"object","required":["ref"],"properties":{"ref":{"type":"string"},"on":{"type":"string","enum":["on_success","on_finish"]}}}]}}"#,
    /// That there is to be no second job like it.
    unique = r##"{"oneOf":[{"type":"boolean"},{"type":"string"},{"$ref":"#/components/schemas/Unique"},{"type":"null"}],"description":"That there is to be no second job like it: `true` for one of its kind with its args, a text for one with that key, or an object that says more."}"##,
    /// Resources that are needed.
    locks = r##"{"type":["array","null"],"description":"Which resources it needs while it runs: their names where it needs them alone, or objects that say how.","items":{"oneOf":[{"type":"string"},{"$ref":"#/components/schemas/Lock"}]}}"##,
    /// That a person decides.
    review = r##"{"oneOf":[{"type":"string","enum":["start","outcome"]},{"$ref":"#/components/schemas/Review"},{"type":"null"}],"description":"That a person decides about it, and on which terms."}"##,
    /// Queues, or all.
    queues = r#"{"oneOf":[{"type":"string","enum":["*"]},{"type":"array","items":{"type":"string"}},{"type":"null"}],"description":"From which queues; every one unless said otherwise, which is `*`."}"#,
    /// Kinds, or all.
    kinds = r##"{"oneOf":[{"type":"string","enum":["*"]},{"type":"array","items":{"oneOf":[{"type":"string"},{"type":"object","required":["kind"],"properties":{"kind":{"$ref":"#/components/schemas/KindName"},"version_max":{"type":"integer","format":"int32","minimum":0}}}]}},{"type":"null"}],"description":"Of which kinds, and up to which version of their args; every one unless said otherwise, which is `*`."}"##,
    /// What went wrong.
    error = r##"{"oneOf":[{"type":"string"},{"$ref":"#/components/schemas/AttemptError"},{"type":"null"}],"description":"What went wrong; a text is its message."}"##,
    /// How far an attempt has come.
    progress = r##"{"oneOf":[{"type":"integer","minimum":0,"maximum":100},{"$ref":"#/components/schemas/Progress"},{"type":"null"}],"description":"How far it has come; a number is a percentage without a message."}"##,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_written_down_rightly() {
        for form in ALL {
            assert!(serde_json::to_string(&form()).is_ok_and(|text| text.contains("description")));
        }
    }
}
