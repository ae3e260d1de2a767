//! What a caller got wrong, said before anything is written.

/// A value that is refused, with the field it stands in.
///
/// `Display` reads after "could not …:", as in `queue: must not be empty`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// The path of the field at fault, as a caller wrote it: `queue`, `jobs[3].args`, `retry.base`.
    pub field: String,
    /// What is wrong with it, as a lowercase fragment.
    pub problem: String,
}

impl Invalid {
    /// Refuses `field` because of `problem`.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    /// The same refusal, of a value that is nested in `parent`: `queue` becomes `jobs[3].queue`.
    #[must_use]
    pub fn inside(self, parent: &str) -> Self {
        Self { field: format!("{parent}.{}", self.field), ..self }
    }
}
