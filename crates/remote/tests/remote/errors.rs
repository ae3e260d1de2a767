//! Errors come back as they went.

use proptest::prelude::*;
use windlass_core::{Invalid, JobId};
use windlass_store::{ErrorKind, StoreError};
use windlass_wire::ProblemShape;

const NAME: &str = "enqueue jobs";

fn kinds() -> impl Strategy<Value = ErrorKind> {
    let invalid = (".*", ".*").prop_map(|(field, problem)| ErrorKind::Invalid(Invalid::new(field, problem)));
    let duplicate = any::<[u8; 16]>().prop_map(|id| ErrorKind::Duplicate(JobId::from_bytes(id)));
    prop_oneof![
        invalid,
        duplicate,
        Just(ErrorKind::NotFound),
        Just(ErrorKind::NotReady),
        Just(ErrorKind::NotRunning),
        Just(ErrorKind::Finished),
        Just(ErrorKind::Cancelled),
        Just(ErrorKind::LeaseLost),
        Just(ErrorKind::Conflict),
        Just(ErrorKind::Unavailable),
        Just(ErrorKind::Unknown),
        Just(ErrorKind::Full),
        Just(ErrorKind::Incompatible),
        Just(ErrorKind::Corrupt),
    ]
}

/// What a client has of an error that a server answered.
fn there_and_back(error: &StoreError) -> StoreError {
    let text = serde_json::to_string(&ProblemShape::from(error)).unwrap();
    serde_json::from_str::<ProblemShape>(&text).unwrap().into_error(NAME)
}

proptest! {
    #[test]
    fn an_error_comes_back_as_it_went(kind in kinds(), detail in proptest::option::of(".*")) {
        let error = StoreError::new(NAME, kind.clone());
        let error = match (&kind, detail) {
            (ErrorKind::Invalid(_), _) | (_, None) => error,
            (_, Some(detail)) => error.with_detail(detail),
        };

        let back = there_and_back(&error);

        prop_assert_eq!(back.kind(), &kind);
        prop_assert_eq!(back.to_string(), error.to_string());
        prop_assert_eq!(back.is_transient(), error.is_transient());
    }
}
