//! Edits of waiting jobs: drawn, written down tersely, and made into what a store is asked.

use windlass_core::{Args, Due, Priority, Tag, Timestamp};
use windlass_store::JobEdit;

use super::generate::Generator;
use super::world::{named, offset};

/// What is changed of a job; where a field is none, it stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct EditOf {
    pub(crate) queue: Option<u8>,
    pub(crate) priority: Option<Priority>,
    /// Seconds from now, also in the past.
    pub(crate) due: Option<i32>,
    pub(crate) args: Option<u8>,
    pub(crate) tag: Option<u8>,
    pub(crate) snoozes: bool,
}

impl Generator {
    pub(super) fn edit(&mut self) -> EditOf {
        if self.one_in(3) {
            return EditOf { due: Some(self.seconds()), snoozes: true, ..EditOf::default() };
        }
        EditOf {
            queue: self.sometimes(Self::queue),
            priority: self.sometimes(|g| Priority::ALL[g.index(5)]),
            due: self.sometimes(Self::seconds),
            args: self.sometimes(Self::small),
            tag: self.sometimes(Self::small),
            snoozes: false,
        }
    }
}

pub(super) fn edit(asked: &EditOf, now: Timestamp) -> JobEdit {
    let args = |number: u8| Args::json(number.to_string()).expect("a number is JSON");
    JobEdit {
        queue: asked.queue.map(named),
        priority: asked.priority,
        due: asked.due.map(|seconds| Due::At(offset(now, seconds))),
        args: asked.args.map(args),
        tags: asked.tag.map(|index| vec![tag(index)]),
        meta: None,
        snoozes: asked.snoozes,
    }
}

pub(super) fn tag(index: u8) -> Tag {
    Tag::new(format!("tag {index}")).expect("a tag may hold a blank and a digit")
}
