//! One node of a batch under construction.

use crate::text_builder::TextBuilder;
use crate::token_writer::TokenWriter;
use crate::{Found, LeafKind, PlannedKind, PlannedNode, StringEncoding, presence};

/// One node of a batch under construction.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    /// Rows that have a value or an absence; for records and tuples, rows in which they were settled.
    pub(crate) rows: usize,
    /// One entry a row, for optional nodes.
    presence: Option<Vec<u8>>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    F64(Vec<f64>),
    Date(Vec<f64>),
    I32(Vec<i32>),
    Bool(Vec<u8>),
    Str(TextBuilder),
    Json(TextBuilder),
    Bytes(BytesBuilder),
    Any {
        tokens: BytesBuilder,
        pool: TextBuilder,
    },
    /// `nil`, records and tuples.
    None {
        kind: Found,
    },
}

#[derive(Debug, Default)]
struct BytesBuilder {
    ends: Vec<u32>,
    data: Vec<u8>,
}

impl BytesBuilder {
    fn end_row(&mut self) {
        // A column of 2 GiB or more is refused when the frame is made, before anybody reads its ends.
        #[expect(clippy::cast_possible_truncation, reason = "see above")]
        self.ends.push(self.data.len() as u32);
    }

    fn take_back(&mut self) {
        self.ends.pop();
        self.data
            .truncate(self.ends.last().copied().unwrap_or(0) as usize);
    }

    fn clear(&mut self) {
        self.ends.clear();
        self.data.clear();
    }
}

/// A value on its way into a column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scalar<'s> {
    F64(f64),
    I32(i32),
    Bool(bool),
    Str(&'s str),
    Utf16(&'s [u16]),
    Date(f64),
    /// A JSON text.
    Json(&'s str),
    /// Canonical key bytes.
    Bytes(&'s [u8]),
}

impl Scalar<'_> {
    const fn kind(&self) -> LeafKind {
        match self {
            Self::F64(_) => LeafKind::F64,
            Self::I32(_) => LeafKind::I32,
            Self::Bool(_) => LeafKind::Bool,
            Self::Str(_) | Self::Utf16(_) => LeafKind::Str,
            Self::Date(_) => LeafKind::Date,
            Self::Json(_) => LeafKind::Json,
            Self::Bytes(_) => LeafKind::Bytes,
        }
    }
}

impl ColumnBuilder {
    pub(crate) fn new(planned: &PlannedNode) -> Self {
        let values = match planned.kind {
            PlannedKind::Leaf(LeafKind::F64) => Values::F64(Vec::new()),
            PlannedKind::Leaf(LeafKind::Date) => Values::Date(Vec::new()),
            PlannedKind::Leaf(LeafKind::I32) => Values::I32(Vec::new()),
            PlannedKind::Leaf(LeafKind::Bool) => Values::Bool(Vec::new()),
            PlannedKind::Leaf(LeafKind::Str) => Values::Str(TextBuilder::default()),
            PlannedKind::Leaf(LeafKind::Json) => Values::Json(TextBuilder::default()),
            PlannedKind::Leaf(LeafKind::Bytes) => Values::Bytes(BytesBuilder::default()),
            PlannedKind::Leaf(LeafKind::Any) => Values::Any {
                tokens: BytesBuilder::default(),
                pool: TextBuilder::default(),
            },
            PlannedKind::Leaf(LeafKind::Nil) => Values::None { kind: Found::Absent },
            PlannedKind::Record => Values::None { kind: Found::Record },
            PlannedKind::Tuple => Values::None { kind: Found::Tuple },
        };
        Self {
            rows: 0,
            presence: planned.is_optional().then(Vec::new),
            values,
        }
    }

    /// Whether the last row is an absence.
    pub(crate) fn last_is_absent(&self) -> bool {
        self.presence
            .as_ref()
            .and_then(|presence| presence.last())
            .is_some_and(|&last| last != presence::VALUE)
    }

    fn present(&mut self) {
        self.rows += 1;
        if let Some(presence) = &mut self.presence {
            presence.push(presence::VALUE);
        }
    }

    /// Adds a value; returns the bytes of variable data that it took.
    ///
    /// # Errors
    /// What was found, as a kind that the column would have to be widened with. Nothing was added then.
    #[inline]
    pub(crate) fn push(&mut self, value: Scalar<'_>) -> Result<usize, Found> {
        let variable = match (&mut self.values, value) {
            (Values::F64(values), Scalar::F64(number)) => {
                values.push(number);
                0
            }
            (Values::F64(values), Scalar::I32(whole)) => {
                values.push(f64::from(whole));
                0
            }
            (Values::I32(values), Scalar::I32(whole)) => {
                values.push(whole);
                0
            }
            (Values::I32(values), Scalar::F64(number)) => {
                values.push(whole(number).ok_or(Found::Value(LeafKind::F64))?);
                0
            }
            (Values::Bool(values), Scalar::Bool(boolean)) => {
                values.push(u8::from(boolean));
                0
            }
            (Values::Date(values), Scalar::Date(epoch_millis)) => {
                values.push(epoch_millis);
                0
            }
            (Values::Str(column), Scalar::Str(text)) | (Values::Json(column), Scalar::Json(text)) => {
                column.append(text);
                column.end_row();
                text.len()
            }
            (Values::Str(column), Scalar::Utf16(units)) => {
                column.append_utf16(units);
                column.end_row();
                units.len() * 2
            }
            (Values::Json(column), value) => push_json(column, value)?,
            (Values::Bytes(column), Scalar::Bytes(bytes)) => {
                column.data.extend_from_slice(bytes);
                column.end_row();
                bytes.len()
            }
            (Values::Any { tokens, pool }, value) => push_any(tokens, pool, value)?,
            (_, value) => return Err(Found::Value(value.kind())),
        };
        self.present();
        Ok(variable)
    }

    /// Adds a value of an `any` column; returns the bytes of variable data that it took.
    ///
    /// # Errors
    /// `any` where the column is another.
    pub(crate) fn push_tokens(&mut self, write: impl FnOnce(&mut TokenWriter<'_>)) -> Result<usize, Found> {
        let Values::Any { tokens, pool } = &mut self.values else {
            return Err(Found::Value(LeafKind::Any));
        };
        let before = tokens.data.len() + pool.data().len();
        write(&mut TokenWriter {
            tokens: &mut tokens.data,
            pool,
        });
        let variable = (tokens.data.len() + pool.data().len()).saturating_sub(before);
        tokens.end_row();
        pool.end_row();
        self.present();
        Ok(variable)
    }

    /// Adds an object or array, whose contents are other columns.
    ///
    /// # Errors
    /// `kind` where the node is another.
    pub(crate) fn push_container(&mut self, kind: Found) -> Result<(), Found> {
        match self.values {
            Values::None { kind: own } if own == kind => {
                self.present();
                Ok(())
            }
            _ => Err(kind),
        }
    }

    /// Adds a row without a value: one of [`presence`], not `VALUE`. Columns that can say `null` themselves do, where
    /// they are not optional.
    ///
    /// # Errors
    /// [`Found::Absent`] where the node cannot.
    pub(crate) fn push_absent(&mut self, absence: u8) -> Result<(), Found> {
        if let Some(presence) = &mut self.presence {
            presence.push(absence);
            self.push_filler_value();
            self.rows += 1;
            return Ok(());
        }
        match (&mut self.values, absence) {
            (Values::Json(column), presence::NULL) => {
                column.append("null");
                column.end_row();
            }
            (Values::Any { tokens, pool }, presence::NULL | presence::UNDEFINED) => {
                // Tokens 0 and 1.
                tokens.data.push(absence - presence::NULL);
                tokens.end_row();
                pool.end_row();
            }
            _ => return Err(Found::Absent),
        }
        self.rows += 1;
        Ok(())
    }

    /// Adds the filler of a row in which something above the node is absent.
    pub(crate) fn push_filler(&mut self) {
        self.present();
        self.push_filler_value();
    }

    fn push_filler_value(&mut self) {
        match &mut self.values {
            Values::F64(values) | Values::Date(values) => values.push(0.0),
            Values::I32(values) => values.push(0),
            Values::Bool(values) => values.push(0),
            Values::Str(column) | Values::Json(column) => column.end_row(),
            Values::Bytes(column) => column.end_row(),
            Values::Any { tokens, pool } => {
                tokens.end_row();
                pool.end_row();
            }
            Values::None { .. } => {}
        }
    }

    /// Takes back the last row.
    pub(crate) fn take_back(&mut self) {
        self.rows -= 1;
        if let Some(presence) = &mut self.presence {
            presence.pop();
        }
        match &mut self.values {
            Values::F64(values) | Values::Date(values) => drop(values.pop()),
            Values::I32(values) => drop(values.pop()),
            Values::Bool(values) => drop(values.pop()),
            Values::Str(column) | Values::Json(column) => column.take_back(),
            Values::Bytes(column) => column.take_back(),
            Values::Any { tokens, pool } => {
                tokens.take_back();
                pool.take_back();
            }
            Values::None { .. } => {}
        }
    }

    /// Removes all rows; the memory stays.
    pub(crate) fn clear(&mut self) {
        self.rows = 0;
        if let Some(presence) = &mut self.presence {
            presence.clear();
        }
        match &mut self.values {
            Values::F64(values) | Values::Date(values) => values.clear(),
            Values::I32(values) => values.clear(),
            Values::Bool(values) => values.clear(),
            Values::Str(column) | Values::Json(column) => column.clear(),
            Values::Bytes(column) => column.clear(),
            Values::Any { tokens, pool } => {
                tokens.clear();
                pool.clear();
            }
            Values::None { .. } => {}
        }
    }

    /// Appends the buffers of the node, without its children, and its encoding.
    pub(crate) fn buffers<'b>(&'b self, buffers: &mut Vec<&'b [u8]>, encodings: &mut Vec<StringEncoding>) {
        buffers.extend(self.presence.as_deref());
        let mut text = |column: &'b TextBuilder, buffers: &mut Vec<&'b [u8]>| {
            buffers.extend([bytemuck::cast_slice(column.ends()), column.data()]);
            encodings.push(column.encoding());
        };
        match &self.values {
            Values::F64(values) | Values::Date(values) => buffers.push(bytemuck::cast_slice(values)),
            Values::I32(values) => buffers.push(bytemuck::cast_slice(values)),
            Values::Bool(values) => buffers.push(values),
            Values::Str(column) | Values::Json(column) => text(column, buffers),
            Values::Bytes(column) => buffers.extend([bytemuck::cast_slice(&column.ends), &column.data]),
            Values::Any { tokens, pool } => {
                buffers.extend([bytemuck::cast_slice(&tokens.ends), &tokens.data]);
                text(pool, buffers);
            }
            Values::None { .. } => {}
        }
    }
}

/// The number as int32, where that loses nothing: not a fraction, not -0.
fn whole(number: f64) -> Option<i32> {
    #[expect(clippy::cast_possible_truncation, reason = "compared with what it was")]
    let whole = number as i32;
    (f64::from(whole).to_bits() == number.to_bits()).then_some(whole)
}

/// Writes a value as JSON text. What JSON has no text for is a mismatch that only `any` can hold.
fn push_json(column: &mut TextBuilder, value: Scalar<'_>) -> Result<usize, Found> {
    let text = match value {
        Scalar::F64(number) if number.is_finite() => match whole(number) {
            Some(whole) => whole.to_string(),
            None => serde_json::Value::from(number).to_string(),
        },
        Scalar::I32(whole) => whole.to_string(),
        Scalar::Bool(boolean) => boolean.to_string(),
        Scalar::Str(text) => serde_json::Value::from(text).to_string(),
        Scalar::Utf16(units) => match String::from_utf16(units) {
            Ok(text) => serde_json::Value::from(text).to_string(),
            Err(_) => return Err(Found::Value(LeafKind::Any)),
        },
        _ => return Err(Found::Value(LeafKind::Any)),
    };
    column.append(&text);
    column.end_row();
    Ok(text.len())
}

/// Writes a value as tokens. JSON texts and keys are no values and have no tokens.
fn push_any(tokens: &mut BytesBuilder, pool: &mut TextBuilder, value: Scalar<'_>) -> Result<usize, Found> {
    let before = tokens.data.len() + pool.data().len();
    let mut writer = TokenWriter {
        tokens: &mut tokens.data,
        pool,
    };
    match value {
        Scalar::F64(number) => writer.f64(number),
        Scalar::I32(whole) => writer.i32(whole),
        Scalar::Bool(boolean) => writer.bool(boolean),
        Scalar::Str(text) => writer.str(text),
        Scalar::Utf16(units) => writer.utf16(units),
        Scalar::Date(epoch_millis) => writer.date(epoch_millis),
        Scalar::Json(_) => return Err(Found::Value(LeafKind::Json)),
        Scalar::Bytes(_) => return Err(Found::Value(LeafKind::Bytes)),
    }
    let variable = (tokens.data.len() + pool.data().len()).saturating_sub(before);
    tokens.end_row();
    pool.end_row();
    Ok(variable)
}
