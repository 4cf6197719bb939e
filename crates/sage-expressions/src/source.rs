//! Where the columns of an expression are in one batch.

use std::borrow::Cow;

use sage_frame::{BatchView, ColumnData, NodeIndex, PlannedKind, StrColumn, Wtf8Column, presence};

use crate::json_value::{json_field, json_value};
use crate::text::Text;
use crate::value::Value;

/// A column that an expression reads, found in a batch.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) data: SourceData<'a>,
    /// Where a row has no value, itself or what it is a part of: anything but 0.
    pub(crate) absent: Option<Cow<'a, [u8]>>,
}

#[derive(Debug)]
pub(crate) enum SourceData<'a> {
    Numbers(&'a [f64]),
    Whole(&'a [i32]),
    Booleans(&'a [u8]),
    Dates(&'a [f64]),
    Texts {
        column: StrColumn<'a>,
        rows: Wtf8Column<'a>,
    },
    /// JSON texts, and the fields to take of the values in them.
    Json {
        rows: Wtf8Column<'a>,
        path: Box<[String]>,
    },
    /// Objects or arrays whose parts are columns.
    Nested {
        node: NodeIndex,
        is_array: bool,
    },
    /// No row has a value.
    Nothing,
}

impl<'a> Source<'a> {
    /// Finds the column at a path.
    pub(crate) fn find(view: &BatchView<'a>, path: &[String]) -> Self {
        let layout = view.layout();
        let mut node = layout.row_node();
        let mut absent = view
            .node(node)
            .and_then(|column| column.presence)
            .map(Cow::Borrowed);
        for (depth, name) in path.iter().enumerate() {
            match layout.nodes()[node].kind {
                PlannedKind::Record => {
                    let Some(field) = layout.field(node, name) else {
                        return Self {
                            data: SourceData::Nothing,
                            absent: None,
                        };
                    };
                    node = field;
                    let own = view.node(node).and_then(|column| column.presence);
                    absent = either(absent, own);
                }
                PlannedKind::Leaf(sage_frame::LeafKind::Json) => {
                    let rest = path[depth..].into();
                    return Self {
                        data: json_source(view, node, rest),
                        absent,
                    };
                }
                // Nothing else has fields.
                PlannedKind::Tuple | PlannedKind::Leaf(_) => {
                    return Self {
                        data: SourceData::Nothing,
                        absent: None,
                    };
                }
            }
        }
        let data = match view.node(node).map(|column| column.data) {
            Some(ColumnData::F64(values)) => SourceData::Numbers(values),
            Some(ColumnData::I32(values)) => SourceData::Whole(values),
            Some(ColumnData::Bool(values)) => SourceData::Booleans(values),
            Some(ColumnData::Date(values)) => SourceData::Dates(values),
            Some(ColumnData::Str(column)) => SourceData::Texts {
                column,
                rows: column.wtf8(),
            },
            Some(ColumnData::Json(_)) => json_source(view, node, Box::default()),
            Some(ColumnData::Record) => SourceData::Nested {
                node,
                is_array: false,
            },
            Some(ColumnData::Tuple) => SourceData::Nested { node, is_array: true },
            _ => SourceData::Nothing,
        };
        Self { data, absent }
    }

    /// The node, where the column is one as it is.
    pub(crate) fn node_at(view: &BatchView<'a>, path: &[String]) -> Option<NodeIndex> {
        let layout = view.layout();
        let mut node = layout.row_node();
        for name in path {
            node = layout.field(node, name)?;
        }
        Some(node)
    }

    pub(crate) fn is_absent(&self, row: usize) -> bool {
        self.absent
            .as_ref()
            .is_some_and(|absent| absent.get(row).is_some_and(|&one| one != presence::VALUE))
    }

    /// The value of a row.
    pub(crate) fn value(&self, row: usize) -> Value<'_> {
        if self.is_absent(row) {
            return Value::Null;
        }
        let number = |values: &[f64]| values.get(row).copied().unwrap_or(f64::NAN);
        match &self.data {
            SourceData::Numbers(values) => Value::Number(number(values)),
            SourceData::Whole(values) => Value::Number(values.get(row).copied().map_or(f64::NAN, f64::from)),
            SourceData::Booleans(values) => Value::Boolean(values.get(row).is_some_and(|&value| value != 0)),
            SourceData::Dates(values) => Value::Date(number(values)),
            SourceData::Texts { rows, .. } => Value::Text(Text::from_wtf8(rows.row(row))),
            SourceData::Json { rows, path } => {
                let mut text = rows.row_str(row);
                for name in path {
                    text = text.and_then(|text| json_field(text, name));
                }
                text.map_or(Value::Null, json_value)
            }
            SourceData::Nested { node, is_array } => Value::Nested {
                node: *node,
                row,
                is_array: *is_array,
            },
            SourceData::Nothing => Value::Null,
        }
    }
}

fn json_source<'a>(view: &BatchView<'a>, node: NodeIndex, path: Box<[String]>) -> SourceData<'a> {
    match view.node(node).map(|column| column.data) {
        Some(ColumnData::Json(column)) => SourceData::Json {
            rows: column.wtf8(),
            path,
        },
        _ => SourceData::Nothing,
    }
}

/// Absent in one of the two.
pub(crate) fn either<'a>(left: Option<Cow<'a, [u8]>>, right: Option<&'a [u8]>) -> Option<Cow<'a, [u8]>> {
    match (left, right) {
        (None, None) => None,
        (Some(one), None) => Some(one),
        (None, Some(one)) => Some(Cow::Borrowed(one)),
        (Some(left), Some(right)) => Some(left.iter().zip(right).map(|(a, b)| a | b).collect()),
    }
}
