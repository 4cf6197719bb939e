//! The columns of a batch that a native reader fills row by row, widening as the data disagree.

use sage_frame::{LeafKind, Node, StringEncoding, presence};

use crate::columns::{RecordColumn, TextColumn};

/// A node of the layout with the values of the rows so far.
///
/// A node starts as [`ColumnData::Nil`] (nothing known), takes the kind of the first value, and becomes optional at
/// the first `null` or missing field; both without giving up the rows before. A value of another kind cannot
/// be taken in: the reader then sets `demoted`, hands over the rows before, and calls [`ColumnNode::apply_demotions`].
#[derive(Debug)]
pub(crate) struct ColumnNode {
    pub(crate) data: ColumnData,
    /// Whether the layout says `?`. Stays set, because layouts only widen.
    optional: bool,
    /// One entry a row when `optional` (and for `Nil`), else empty.
    presence: Vec<u8>,
    /// To become a `json` column as soon as there are no rows.
    pub(crate) demoted: bool,
}

/// The values of a column.
#[derive(Debug)]
pub(crate) enum ColumnData {
    /// No value yet.
    Nil,
    F64(Vec<f64>),
    /// Milliseconds since 1970.
    Date(Vec<f64>),
    Bool(Vec<u8>),
    Text(TextColumn),
    /// JSON texts.
    Json(TextColumn),
    Record(RecordColumn),
}

/// What the first value of a column decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    Number,
    Date,
    Bool,
    Text,
    Json,
    Record,
}

impl ColumnNode {
    /// A column of which nothing is known.
    pub(crate) fn unknown() -> Self {
        Self {
            data: ColumnData::Nil,
            optional: false,
            presence: Vec::new(),
            demoted: false,
        }
    }

    /// A column that was not there in `rows` rows of this batch and perhaps in batches before.
    pub(crate) fn appended(rows: usize) -> Self {
        Self {
            data: ColumnData::Nil,
            optional: true,
            presence: vec![presence::MISSING; rows],
            demoted: false,
        }
    }

    /// Number of rows.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match &self.data {
            ColumnData::Nil => self.presence.len(),
            ColumnData::F64(values) | ColumnData::Date(values) => values.len(),
            ColumnData::Bool(values) => values.len(),
            ColumnData::Text(text) | ColumnData::Json(text) => text.len(),
            ColumnData::Record(record) => record.rows(),
        }
    }

    /// Gives a `Nil` column its kind.
    pub(crate) fn specialise(&mut self, kind: ValueKind) {
        debug_assert!(matches!(self.data, ColumnData::Nil));
        let rows = self.presence.len();
        self.data = match kind {
            ValueKind::Number => ColumnData::F64(vec![0.0; rows]),
            ValueKind::Date => ColumnData::Date(vec![0.0; rows]),
            ValueKind::Bool => ColumnData::Bool(vec![0; rows]),
            ValueKind::Text => ColumnData::Text(TextColumn::with_fillers(rows)),
            ValueKind::Json => ColumnData::Json(TextColumn::with_fillers(rows)),
            ValueKind::Record => ColumnData::Record(RecordColumn::with_fillers(rows)),
        };
    }

    /// Records that the row has a value; the caller pushes it to `data`.
    #[inline]
    pub(crate) fn mark_present(&mut self) {
        if self.optional {
            self.presence.push(presence::VALUE);
        }
    }

    /// Adds a row without a value: `presence::NULL` or `presence::MISSING`.
    pub(crate) fn push_absent(&mut self, presence: u8) {
        if !self.optional {
            self.optional = true;
            self.presence.clear();
            self.presence.resize(self.len(), presence::VALUE);
        }
        self.presence.push(presence);
        self.push_data_filler();
    }

    /// Adds the filler of a row in which an enclosing record has no value.
    pub(crate) fn push_filler(&mut self) {
        if matches!(self.data, ColumnData::Nil) {
            // A column without data counts its rows by presence and is always optional.
            self.push_absent(presence::VALUE);
            return;
        }
        self.mark_present();
        self.push_data_filler();
    }

    fn push_data_filler(&mut self) {
        match &mut self.data {
            ColumnData::Nil => {}
            ColumnData::F64(values) | ColumnData::Date(values) => values.push(0.0),
            ColumnData::Bool(values) => values.push(0),
            ColumnData::Text(text) | ColumnData::Json(text) => text.push_filler(),
            ColumnData::Record(record) => record.push_filler(),
        }
    }

    /// Takes back what a row in progress left behind, so that `rows` rows are there. At most one row is taken back.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.presence.truncate(rows);
        match &mut self.data {
            ColumnData::Nil => {}
            ColumnData::F64(values) | ColumnData::Date(values) => values.truncate(rows),
            ColumnData::Bool(values) => values.truncate(rows),
            ColumnData::Text(text) | ColumnData::Json(text) => {
                if text.len() > rows {
                    text.pop();
                }
            }
            ColumnData::Record(record) => record.truncate(rows),
        }
    }

    /// Removes all rows; what is known of the layout stays.
    pub(crate) fn clear(&mut self) {
        self.presence.clear();
        match &mut self.data {
            ColumnData::Nil => {}
            ColumnData::F64(values) | ColumnData::Date(values) => values.clear(),
            ColumnData::Bool(values) => values.clear(),
            ColumnData::Text(text) | ColumnData::Json(text) => text.clear(),
            ColumnData::Record(record) => record.clear(),
        }
    }

    /// Turns every demoted node into a `json` column. There must be no rows.
    pub(crate) fn apply_demotions(&mut self) {
        debug_assert_eq!(self.len(), 0);
        let demoted = std::mem::take(&mut self.demoted);
        if let ColumnData::Record(record) = &mut self.data {
            if !demoted && !record.demoted {
                record.apply_demotions();
                return;
            }
        } else if !demoted {
            return;
        }
        self.data = ColumnData::Json(TextColumn::with_fillers(0));
    }

    /// Number of columns of a batch below and with this node.
    pub(crate) fn columns(&self) -> usize {
        match &self.data {
            ColumnData::Record(record) => record.columns(),
            _ => 1,
        }
    }

    /// The node of the layout.
    pub(crate) fn layout(&self) -> Node {
        let kind = match &self.data {
            ColumnData::Nil => {
                return Node::Leaf {
                    kind: LeafKind::Nil,
                    optional: true,
                };
            }
            ColumnData::F64(_) => LeafKind::F64,
            ColumnData::Date(_) => LeafKind::Date,
            ColumnData::Bool(_) => LeafKind::Bool,
            ColumnData::Text(_) => LeafKind::Str,
            ColumnData::Json(_) => LeafKind::Json,
            ColumnData::Record(record) => {
                return Node::Record {
                    fields: record.layout_fields(),
                    optional: self.optional,
                };
            }
        };
        Node::Leaf {
            kind,
            optional: self.optional,
        }
    }

    /// The buffers and encodings in the order of the layout.
    pub(crate) fn collect<'a>(&'a self, buffers: &mut Vec<&'a [u8]>, encodings: &mut Vec<StringEncoding>) {
        if self.optional || matches!(self.data, ColumnData::Nil) {
            buffers.push(&self.presence);
        }
        match &self.data {
            ColumnData::Nil => {}
            ColumnData::F64(values) | ColumnData::Date(values) => buffers.push(bytemuck::cast_slice(values)),
            ColumnData::Bool(values) => buffers.push(values),
            ColumnData::Text(text) | ColumnData::Json(text) => {
                buffers.push(bytemuck::cast_slice(text.ends()));
                buffers.push(text.bytes());
                encodings.push(text.encoding());
            }
            ColumnData::Record(record) => record.collect(buffers, encodings),
        }
    }
}
