//! A part of a file, which one instance reads.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::files::InputFile;

/// A file, or a range of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FilePart {
    pub(crate) file: InputFile,
    /// The bytes, of those that the file had when it was found; `None` for all that can be read. The end [`OPEN_END`] is the
    /// end of the file, wherever it is.
    pub(crate) range: Option<Range<u64>>,
    #[serde(default)]
    pub(crate) start: PartStart,
}

/// The end of a range of a file whose size was not known.
pub(crate) const OPEN_END: u64 = u64::MAX;

/// Where reading of a part begins: an earlier process may have read some of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum PartStart {
    /// With the first record that begins in the range.
    #[default]
    Range,
    /// The range begins with a record.
    Record,
    /// Behind so many bytes of what the file unpacks to.
    Unpacked(u64),
    /// Behind so many records.
    Records(u64),
    /// These row groups or record batches are left, of the first of them without so many rows.
    Blocks { from: u64, to: u64, row: u64 },
}

impl FilePart {
    pub(crate) fn whole(file: InputFile) -> Self {
        Self {
            file,
            range: None,
            start: PartStart::Range,
        }
    }

    pub(crate) fn of_range(file: InputFile, range: Range<u64>) -> Self {
        Self {
            file,
            range: Some(range),
            start: PartStart::Range,
        }
    }

    /// What is left behind byte `at` of the file, or of what it unpacks to when it is not `plain`, where a record begins;
    /// `range_end` is where those of others begin. `None` when that is nothing.
    pub(crate) fn behind(&self, plain: bool, at: u64, range_end: u64) -> Option<Self> {
        if !plain {
            return Some(Self {
                start: PartStart::Unpacked(at),
                ..self.clone()
            });
        }
        (at < range_end).then(|| Self {
            file: self.file.clone(),
            range: Some(at..range_end),
            start: PartStart::Record,
        })
    }

    /// Whether the part stays what it is when bytes are added to its file, of a format that is read from front to back.
    pub(crate) fn may_grow(&self) -> bool {
        self.range.is_some() && self.file.is_divisible()
    }

    /// Bytes that are left to read, as far as they are known.
    pub(crate) fn bytes_left(&self) -> u64 {
        let whole = self.file.bytes.unwrap_or(0);
        match (&self.range, self.start) {
            (Some(range), _) if range.end != OPEN_END => range.end - range.start.min(range.end),
            (_, PartStart::Unpacked(at)) => whole.saturating_sub(at).max(1),
            _ => whole,
        }
    }

    /// Whether several instances can share what is left.
    pub(crate) fn is_divisible(&self) -> bool {
        let is_range = self.range.as_ref().is_some_and(|range| range.end != OPEN_END);
        match self.start {
            PartStart::Range | PartStart::Record => is_range && self.file.is_divisible(),
            PartStart::Blocks { to, .. } => is_range && to != OPEN_END,
            PartStart::Unpacked(_) | PartStart::Records(_) => false,
        }
    }

    /// The piece from byte `from` to byte `to` of the [`FilePart::bytes_left`] of a part that is divisible; `None` when it is
    /// empty.
    pub(crate) fn piece(&self, from: u64, to: u64) -> Option<Self> {
        let range = self.range.as_ref().filter(|_| from < to)?;
        let bytes = u128::from(self.bytes_left().max(1));
        let start = match self.start {
            PartStart::Blocks {
                from: first,
                to: last,
                row,
            } => {
                let count = u128::from(last - first.min(last));
                let block = |at: u64| first + u64::try_from(count * u128::from(at) / bytes).unwrap_or(0);
                if block(from) == block(to) {
                    return None;
                }
                let start = PartStart::Blocks {
                    from: block(from),
                    to: block(to),
                    row: if block(from) == first { row } else { 0 },
                };
                return Some(Self {
                    start,
                    ..self.clone()
                });
            }
            PartStart::Record if from == 0 => PartStart::Record,
            _ => PartStart::Range,
        };
        Some(Self {
            file: self.file.clone(),
            range: Some(range.start + from..range.start + to),
            start,
        })
    }

    /// The share of `whole` that the part has: as large as its share of the file. For formats whose records lie in blocks of
    /// their own, beside parts of the file that nobody reads as records.
    pub(crate) fn share_of(&self, whole: u128) -> Range<u128> {
        match (&self.range, self.file.bytes) {
            (Some(range), Some(bytes)) if bytes > 0 => {
                let bound = |at: u64| whole * u128::from(at) / u128::from(bytes);
                bound(range.start)..bound(range.end)
            }
            _ => 0..whole,
        }
    }
}
