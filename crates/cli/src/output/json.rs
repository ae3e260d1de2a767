//! Output for programs.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;
use windlass_wire::Fields;

use super::Style;
use super::cell::hostile;

/// The fields of these names, or all of them.
pub(super) fn chosen(fields: &Fields, names: Option<&[String]>) -> Fields {
    names.map_or_else(|| fields.clone(), |names| fields.only(names))
}

pub(super) fn pretty<T: Serialize>(value: &T, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    write(&serde_json::to_string_pretty(value)?, style, out)
}

pub(super) fn line<T: Serialize>(value: &T, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    write(&serde_json::to_string(value)?, style, out)
}

fn write(text: &str, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    // Outside strings, JSON has no such characters but line breaks, so escaping them changes no value.
    let escape = style.terminal && text.contains(|c| c != '\n' && hostile(c));
    if !escape {
        return writeln!(out, "{text}");
    }
    let mut safe = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if c == '\n' || !hostile(c) {
            safe.push(c);
        } else {
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        }
    }
    writeln!(out, "{safe}")
}
