//! What somebody probably meant.

use windlass_core::Invalid;

/// The one of `names` that is closest to `word`, if any is close enough to be a slip of the fingers.
#[must_use]
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    // A third of the letters may be wrong: `prioritty` is `priority`, `colour` is nothing we know.
    let most = (word.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| {
            // `que` for `queue`: a word that was cut short is a slip too, however much is missing.
            let cut_short = word.len() >= 3 && name.starts_with(&word);
            (if cut_short { 1 } else { strsim::osa_distance(&word, name) }, name)
        })
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `did you mean …?`, if [`nearest`] finds something.
#[must_use]
pub fn suggestion<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, names).map(|name| format!("did you mean `{name}`?"))
}

/// Refuses a field that is none of `known`, those of `what`.
///
/// # Errors
///
/// [`Invalid`] of that field, with the one that was probably meant, or else with those there are.
pub fn check_field(what: &str, name: &str, known: &[&str]) -> Result<(), Invalid> {
    if known.contains(&name) {
        return Ok(());
    }
    let meant = suggestion(name, known.iter().copied());
    let meant = meant.unwrap_or_else(|| format!("the fields are {}", known.join(", ")));
    Err(Invalid::new(name, format!("is not a field of {what}: {meant}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["queue", "priority", "kind", "run_at"];

    #[test]
    fn a_slip_of_the_fingers_finds_what_was_meant() {
        for (word, meant) in
            [("que", "queue"), ("prioritty", "priority"), ("knid", "kind"), ("RUN_AT", "run_at")]
        {
            assert_eq!(nearest(word, NAMES), Some(meant), "{word}");
        }
    }

    #[test]
    fn what_is_far_from_everything_finds_nothing() {
        for word in ["colour", "x", ""] {
            assert_eq!(nearest(word, NAMES), None, "{word}");
        }
    }
}
