//! Which trace a job was enqueued in, so that its run can be linked to it.
//!
//! A trace travels in the job's `meta`, as the two texts of [W3C Trace Context](https://www.w3.org/TR/trace-context/): whatever
//! keeps the one keeps the other, a job without a trace has nothing more, and a program that knows nothing of traces hands
//! them on. Text that is no trace means that there is none: nobody's work fails for the sake of being watched.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::Json;
use crate::limits::{META_BYTES_MAX, TRACE_STATE_BYTES_MAX};

/// Under which name of `meta` the trace lies, and the header that it comes in.
pub const TRACEPARENT: &str = "traceparent";

/// Under which name of `meta` lies what the systems that trace it want to remember, and the header that it comes in.
pub const TRACESTATE: &str = "tracestate";

/// Where the dashes are, and where the text ends: `00-<32 digits>-<16 digits>-<2 digits>`.
const DASHES: [usize; 3] = [2, 35, 52];
const LENGTH: usize = 55;

/// A span of a trace, as it travels between programs.
///
/// ```
/// use windlass_core::Trace;
///
/// let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let trace = Trace::parse(text, Some("vendor=x")).unwrap();
/// assert_eq!((trace.traceparent(), trace.tracestate()), (text, Some("vendor=x")));
/// assert!(trace.is_sampled());
/// assert_eq!(Trace::parse("nonsense", None), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trace {
    parent: String,
    state: Option<String>,
}

impl Trace {
    /// Reads the two headers. None where the first is not what the standard says; a second that is not is left out.
    #[must_use]
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let bytes = traceparent.as_bytes();
        let is_later = bytes.len() > LENGTH && bytes[LENGTH] == b'-' && !traceparent.starts_with("00");
        if bytes.len() != LENGTH && !is_later {
            return None;
        }
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let fits = |(index, byte): (usize, &u8)| {
            if DASHES.contains(&index) { *byte == b'-' } else { is_digit(byte) }
        };
        if !bytes[..LENGTH].iter().enumerate().all(fits) || traceparent.starts_with("ff") {
            return None;
        }
        // What a later version of the standard adds is for those who know it; the front means the same.
        let parent = format!("00{}", &traceparent[2..LENGTH]);
        let trace = Self { parent, state: tracestate.filter(|state| is_state(state)).map(str::to_owned) };
        let is_somebody = trace.trace_id() != 0 && trace.span_id() != 0;
        is_somebody.then_some(trace)
    }

    /// A trace by its numbers. None where one of them is zero, which stands for nobody.
    #[must_use]
    pub fn new(trace_id: u128, span_id: u64, flags: u8, tracestate: Option<&str>) -> Option<Self> {
        Self::parse(&format!("00-{trace_id:032x}-{span_id:016x}-{flags:02x}"), tracestate)
    }

    /// The trace that travels in `meta`, if there is one.
    #[must_use]
    pub fn of(meta: &BTreeMap<String, Value>) -> Option<Self> {
        let state = meta.get(TRACESTATE).and_then(Value::as_str);
        Self::parse(meta.get(TRACEPARENT)?.as_str()?, state)
    }

    /// Lets the trace travel in `meta`, unless another does already, or there is no room for it: it is the job that matters.
    pub fn travel(&self, meta: &mut BTreeMap<String, Value>) {
        if meta.contains_key(TRACEPARENT) {
            return;
        }
        meta.insert(TRACEPARENT.to_owned(), self.parent.clone().into());
        meta.remove(TRACESTATE);
        if let Some(state) = &self.state {
            meta.insert(TRACESTATE.to_owned(), state.clone().into());
        }
        for name in [TRACESTATE, TRACEPARENT] {
            if has_room(meta) {
                return;
            }
            meta.remove(name);
        }
    }

    /// The text of the header `traceparent`.
    #[must_use]
    pub fn traceparent(&self) -> &str {
        &self.parent
    }

    /// The text of the header `tracestate`.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The number of the trace.
    #[must_use]
    pub fn trace_id(&self) -> u128 {
        u128::from_str_radix(&self.parent[3..35], 16).unwrap_or_default()
    }

    /// The number of the span in it.
    #[must_use]
    pub fn span_id(&self) -> u64 {
        u64::from_str_radix(&self.parent[36..52], 16).unwrap_or_default()
    }

    /// The flags: the lowest bit says that it is recorded.
    #[must_use]
    pub fn flags(&self) -> u8 {
        u8::from_str_radix(&self.parent[53..], 16).unwrap_or_default()
    }

    /// Whether whoever made it records it.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags() & 1 == 1
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parent)
    }
}

/// What a header can carry, and not too much of it. What is in it is the business of those who wrote it.
fn is_state(text: &str) -> bool {
    let is_visible = |byte: u8| matches!(byte, b' '..=b'~');
    !text.is_empty() && text.len() <= TRACE_STATE_BYTES_MAX && text.bytes().all(is_visible)
}

fn has_room(meta: &BTreeMap<String, Value>) -> bool {
    Json::of("meta", meta).is_ok_and(|json| json.as_bytes().len() <= META_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_is_read_and_written_unchanged() {
        let trace = Trace::parse(TEXT, None).unwrap();

        assert_eq!(trace.traceparent(), TEXT);
        assert_eq!(trace.trace_id(), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(trace.span_id(), 0x00f0_67aa_0ba9_02b7);
        assert_eq!(Trace::new(trace.trace_id(), trace.span_id(), 1, None), Some(trace));
        assert!(!Trace::new(1, 1, 0, None).unwrap().is_sampled());
    }

    #[test]
    fn what_is_no_trace_is_none() {
        let zeros = "0".repeat(32);
        let wrong = [
            String::new(),
            "x".repeat(LENGTH),
            TEXT.to_uppercase(),
            TEXT.replace('-', "_"),
            TEXT[..54].to_owned(),
            format!("{TEXT}0"),
            format!("{TEXT}-more"),
            TEXT.replacen("00", "ff", 1),
            format!("00-{zeros}-00f067aa0ba902b7-01"),
            format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", &zeros[..16]),
            format!("{}é", &TEXT[..53]),
        ];

        for text in wrong {
            assert_eq!(Trace::parse(&text, None), None, "{text:?}");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = TEXT.replacen("00", "cc", 1);

        for text in [later.clone(), format!("{later}-more")] {
            assert_eq!(Trace::parse(&text, None).unwrap().traceparent(), TEXT);
        }
    }

    #[test]
    fn a_state_that_no_header_could_carry_is_left_out() {
        for state in ["", "a\nb", "é", &"x".repeat(TRACE_STATE_BYTES_MAX + 1)] {
            assert_eq!(Trace::parse(TEXT, Some(state)).unwrap().tracestate(), None);
        }
    }

    #[test]
    fn it_travels_unless_another_does_or_there_is_no_room() {
        let trace = Trace::parse(TEXT, Some("a=b")).unwrap();
        let mut meta = BTreeMap::new();
        trace.travel(&mut meta);
        assert_eq!(Trace::of(&meta), Some(trace.clone()));

        Trace::new(1, 2, 0, None).unwrap().travel(&mut meta);
        assert_eq!(Trace::of(&meta), Some(trace.clone()), "the first stays");

        for (room, kept) in [(20, None), (90, Some(Trace::parse(TEXT, None).unwrap()))] {
            let mut full = BTreeMap::from([("k".to_owned(), "x".repeat(META_BYTES_MAX - 8 - room).into())]);
            trace.travel(&mut full);
            assert_eq!((Trace::of(&full), has_room(&full)), (kept, true));
        }
    }

    #[test]
    fn what_is_no_text_is_no_trace() {
        for value in [Value::Null, 7.into(), "junk".into()] {
            assert_eq!(Trace::of(&BTreeMap::from([(TRACEPARENT.to_owned(), value)])), None);
        }
    }
}
