//! Columns of a batch as Arrow arrays of a file's schema.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, StringArray, StructArray, TimestampMillisecondArray,
    new_null_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use sage_frame::{BatchView, Column, ColumnData, Layout, LeafKind, Node, NodeIndex, StrColumn, presence};
use sage_types::{ErrorCode, Result, SageError};

use crate::formats::arrow::field_path::FieldPath;
use crate::formats::arrow::sink_schema::{SinkColumn, SinkKind};
use crate::formats::json::JsonRowWriter;
use crate::formats::{UNPAIRED_SURROGATE, well_formed};
use crate::spec::InvalidStrings;

/// Farthest moment that a `Date` has, in milliseconds.
const MAX_MILLIS: f64 = 8.64e15;

/// Makes arrays of batches.
#[derive(Debug)]
pub(crate) struct SinkArrays {
    invalid_strings: InvalidStrings,
    /// Strings in which unpaired surrogates were replaced.
    pub(crate) replaced_strings: u64,
}

impl SinkArrays {
    pub(crate) fn new(invalid_strings: InvalidStrings) -> Self {
        Self {
            invalid_strings,
            replaced_strings: 0,
        }
    }

    /// The arrays of a batch, one for each column of the file.
    ///
    /// # Errors
    /// `SAGE_FORMAT_COLUMN_TYPE` when a field is not in the schema or has another type, with the fix; `SAGE_FORMAT_RECORD`.
    pub(crate) fn of_batch(
        &mut self,
        columns: &[SinkColumn],
        batch: &BatchView<'_>,
    ) -> Result<Vec<ArrayRef>> {
        let row = batch.layout().row_node();
        match &batch.layout().row {
            Node::Leaf {
                kind: LeafKind::Nil, ..
            } if !is_single_value(columns) => Err(no_row()),
            Node::Record { .. } => {
                if batch.node(row).is_some_and(|column| has_absent(&column)) {
                    return Err(no_row());
                }
                self.of_fields(columns, batch, row, &FieldPath::default())
            }
            _ => match columns {
                [column] if is_single_value(columns) => Ok(vec![self.of_node(column, batch, row)?]),
                _ => Err(SageError::new(
                    ErrorCode::FormatColumnType,
                    "a record is not an object, but the first records of the file were; map() them to one shape",
                )),
            },
        }
    }

    fn of_fields(
        &mut self,
        columns: &[SinkColumn],
        batch: &BatchView<'_>,
        record: NodeIndex,
        path: &FieldPath,
    ) -> Result<Vec<ArrayRef>> {
        let layout = Arc::clone(batch.layout());
        for &child in &layout.nodes()[record].children {
            let name = layout.nodes()[child].name.as_deref().unwrap_or_default();
            let is_known = columns.iter().any(|column| column.name == name);
            // A field that exists in the layout only is no contradiction.
            if !is_known
                && batch
                    .node(child)
                    .is_some_and(|column| has_values(&column, batch.rows()))
            {
                let path = path.child(name);
                let message = format!(
                    "the field {path} was not in the first records, which decided the columns of the file; \
                     declare it with the option schema: {}",
                    path.declaration(type_name_of(&layout, child))
                );
                return Err(
                    SageError::new(ErrorCode::FormatColumnType, message).with("field", path.to_string())
                );
            }
        }
        let mut arrays = Vec::with_capacity(columns.len());
        for column in columns {
            arrays.push(match layout.field(record, &column.name) {
                Some(node) => self.of_node(column, batch, node)?,
                None => new_null_array(&column.data_type(), batch.rows()),
            });
        }
        Ok(arrays)
    }

    fn of_node(&mut self, sink: &SinkColumn, batch: &BatchView<'_>, node: NodeIndex) -> Result<ArrayRef> {
        let Some(column) = batch.node(node) else {
            return Err(SageError::new(
                ErrorCode::Internal,
                "a layout has a child that it does not have",
            ));
        };
        let rows = batch.rows();
        let nulls = nulls_of(&column);
        Ok(match (&sink.kind, column.data) {
            (_, ColumnData::Nil) => new_null_array(&sink.data_type(), rows),
            (SinkKind::F64, ColumnData::F64(values)) => {
                Arc::new(Float64Array::new(ScalarBuffer::from(values.to_vec()), nulls))
            }
            (SinkKind::F64, ColumnData::I32(values)) => {
                let values: Vec<f64> = values.iter().map(|&value| f64::from(value)).collect();
                Arc::new(Float64Array::new(ScalarBuffer::from(values), nulls))
            }
            (SinkKind::I32, ColumnData::I32(values)) => {
                Arc::new(Int32Array::new(ScalarBuffer::from(values.to_vec()), nulls))
            }
            (SinkKind::Bool, ColumnData::Bool(values)) => Arc::new(BooleanArray::new(
                BooleanBuffer::collect_bool(rows, |row| values[row] == 1),
                nulls,
            )),
            (SinkKind::Date, ColumnData::Date(values)) => Arc::new(dates(values, nulls.as_ref())),
            (SinkKind::Text, ColumnData::Str(strings)) => self.strings(sink, strings, nulls)?,
            (SinkKind::Json, ColumnData::Json(texts)) => self.strings(sink, texts, nulls)?,
            (SinkKind::Json, _) => Arc::new(json_texts(batch, node, nulls)?),
            (SinkKind::Record(columns), ColumnData::Record) => {
                let arrays = self.of_fields(columns, batch, node, &sink.path)?;
                let fields = columns.iter().map(|column| Arc::new(column.field())).collect();
                Arc::new(StructArray::try_new(fields, arrays, nulls).map_err(internal)?)
            }
            // Wider in the layout only: no row has a value of another type.
            _ if !has_values(&column, rows) => new_null_array(&sink.data_type(), rows),
            _ => return Err(other_type(sink, batch.layout(), node)),
        })
    }

    fn strings(
        &mut self,
        sink: &SinkColumn,
        strings: StrColumn<'_>,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let strings = strings.wtf8();
        if strings.is_well_formed()
            && let Some(offsets) = offsets(strings.ends())
        {
            let data = Buffer::from(strings.data());
            return Ok(Arc::new(
                StringArray::try_new(offsets, data, nulls).map_err(internal)?,
            ));
        }
        let mut builder = StringBuilder::with_capacity(strings.len(), strings.data().len());
        for (row, string) in strings.rows().enumerate() {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                builder.append_null();
                continue;
            }
            let mended = well_formed(string, self.invalid_strings);
            let Some(text) = mended.as_deref().and_then(|text| std::str::from_utf8(text).ok()) else {
                let message = format!("a string of the field {} {UNPAIRED_SURROGATE}", sink.path);
                return Err(
                    SageError::new(ErrorCode::FormatRecord, message).with("field", sink.path.to_string())
                );
            };
            self.replaced_strings += u64::from(text.as_bytes() != string);
            builder.append_value(text);
        }
        Ok(Arc::new(builder.finish()))
    }
}

/// Whether the records of the file are no objects.
fn is_single_value(columns: &[SinkColumn]) -> bool {
    matches!(columns, [column] if column.name == "value")
}

fn no_row() -> SageError {
    SageError::new(
        ErrorCode::FormatRecord,
        "a record is null or undefined, which a file of columns has no row for; filter such records out",
    )
}

fn internal(cause: impl std::fmt::Display) -> SageError {
    SageError::new(ErrorCode::Internal, "a batch could not be made an Arrow array").caused_by(cause)
}

fn dates(values: &[f64], nulls: Option<&NullBuffer>) -> TimestampMillisecondArray {
    // An invalid date has no moment.
    let is_valid =
        |row: usize| values[row].abs() <= MAX_MILLIS && nulls.is_none_or(|nulls| nulls.is_valid(row));
    let valid = NullBuffer::new(BooleanBuffer::collect_bool(values.len(), is_valid));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "dates have whole milliseconds; others are null"
    )]
    let millis: Vec<i64> = values.iter().map(|&value| value as i64).collect();
    TimestampMillisecondArray::new(ScalarBuffer::from(millis), Some(valid)).with_timezone("UTC")
}

fn json_texts(batch: &BatchView<'_>, node: NodeIndex, nulls: Option<NullBuffer>) -> Result<StringArray> {
    let writer = JsonRowWriter::of_node(batch, node)?;
    let mut text = Vec::new();
    let mut ends = Vec::with_capacity(batch.rows());
    for row in 0..batch.rows() {
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            writer.push_row(row, &mut text);
        }
        ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
    }
    let offsets = offsets(&ends)
        .ok_or_else(|| SageError::new(ErrorCode::LimitBatch, "a batch has more than 2 GiB of JSON"))?;
    StringArray::try_new(offsets, Buffer::from(text), nulls).map_err(internal)
}

fn offsets(ends: &[u32]) -> Option<OffsetBuffer<i32>> {
    i32::try_from(ends.last().copied().unwrap_or(0)).ok()?;
    #[expect(
        clippy::cast_possible_wrap,
        reason = "the last one, the greatest, was checked"
    )]
    let offsets: Vec<i32> = std::iter::once(0)
        .chain(ends.iter().map(|&end| end as i32))
        .collect();
    Some(OffsetBuffer::new(ScalarBuffer::from(offsets)))
}

fn nulls_of(column: &Column<'_>) -> Option<NullBuffer> {
    let presence = column.presence?;
    let valid = BooleanBuffer::collect_bool(presence.len(), |row| presence[row] == presence::VALUE);
    Some(NullBuffer::new(valid))
}

fn has_absent(column: &Column<'_>) -> bool {
    column
        .presence
        .is_some_and(|presence| presence.iter().any(|&presence| presence != presence::VALUE))
}

fn has_values(column: &Column<'_>, rows: usize) -> bool {
    let nil = matches!(column.data, ColumnData::Nil);
    !nil && rows > 0
        && column
            .presence
            .is_none_or(|presence| presence.contains(&presence::VALUE))
}

fn type_name_of(layout: &Layout, node: NodeIndex) -> &'static str {
    use sage_frame::PlannedKind;
    match layout.nodes()[node].kind {
        PlannedKind::Leaf(kind) => kind.as_str(),
        PlannedKind::Record | PlannedKind::Tuple => LeafKind::Json.as_str(),
    }
}

fn other_type(sink: &SinkColumn, layout: &Layout, node: NodeIndex) -> SageError {
    let path = &sink.path;
    let (first, now) = (sink.type_name(), type_name_of(layout, node));
    let wide = if (first, now) == ("i32", "f64") {
        "f64"
    } else {
        "json"
    };
    let fix = if first == "nil" { now } else { wide };
    SageError::new(
        ErrorCode::FormatColumnType,
        format!(
            "the field {path} is {now}, but the first records, which decided the columns of the file, had {first}; \
             give all records one type, or declare it with the option schema: {}",
            path.declaration(fix)
        ),
    )
    .with("field", path.to_string())
}
