//! What a derive that is written wrongly says, and where it points.

#[test]
fn a_wrong_derive_says_what_to_write() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
