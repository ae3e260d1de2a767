//! Reading Rust source as far as the checks need it: names of functions, comments, and where the tests begin.

/// The names of all functions in `text`.
pub(super) fn functions(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (before, after) = line.split_once("fn ")?;
        let name = after.split(['(', '<']).next()?.trim();
        let is_item = before.split_whitespace().all(|word| {
            word.starts_with("pub")
                || matches!(word, "async" | "const" | "unsafe" | "extern" | "#[test]" | "in")
        });
        (is_item && !name.is_empty() && name.bytes().all(is_word)).then_some(name)
    })
}

/// The lines of `text` before its inline tests, numbered from 1.
pub(super) fn product_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .take_while(|(_, line)| *line != "#[cfg(test)]")
}

/// Whether every line of the file belongs to tests.
pub(super) fn is_test_file(path: &str) -> bool {
    path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.contains("-testing/")
        || path.starts_with("e2e/")
}

/// The words of `text`, each with the number of its line, from 1. A word is letters, digits and underscores.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().flat_map(|(index, line)| {
        line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .map(move |word| (index + 1, word))
    })
}

/// What stands between single backticks in `text`, each with the number of its line.
pub(super) fn code_spans(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .flat_map(|(index, line)| line.split('`').skip(1).step_by(2).map(move |code| (index + 1, code)))
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_wherever_they_stand() {
        let text = "pub(crate) async fn one(x: u8) {}\n    const fn two<T>() {}\n// the fn three()\nlet f: fn (u8);\n";

        assert_eq!(functions(text).collect::<Vec<_>>(), ["one", "two"]);
    }

    #[test]
    fn code_spans_are_what_stands_between_backticks() {
        assert_eq!(code_spans("a `b` c\n`d``e`").collect::<Vec<_>>(), [(1, "b"), (2, "d"), (2, "e")]);
    }

    #[test]
    fn inline_tests_are_not_the_product() {
        assert_eq!(product_lines("a\n#[cfg(test)]\nb").collect::<Vec<_>>(), [(1, "a")]);
    }
}
