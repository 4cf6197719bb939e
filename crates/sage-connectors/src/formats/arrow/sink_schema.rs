//! Which columns a file gets.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};
use sage_frame::{LeafKind, Node};
use sage_types::{ErrorCode, Result, SageError};

use crate::formats::arrow::column_plan::{EXTENSION_NAME, JSON_EXTENSION};
use crate::formats::arrow::field_path::FieldPath;

/// A column of the file. All are nullable: `null`, `undefined` and missing are null there.
#[derive(Debug)]
pub(crate) struct SinkColumn {
    pub(crate) name: String,
    /// For messages.
    pub(crate) path: FieldPath,
    pub(crate) kind: SinkKind,
}

/// What a column of the file holds.
#[derive(Debug)]
pub(crate) enum SinkKind {
    F64,
    I32,
    Bool,
    Text,
    /// Moments in milliseconds, UTC.
    Date,
    /// JSON texts: arrays, and fields of several types.
    Json,
    /// Only nulls.
    Nil,
    Record(Vec<SinkColumn>),
}

impl SinkColumn {
    /// The columns for records of this layout. Records that are not objects become one column, `value`.
    ///
    /// # Errors
    /// `SAGE_FORMAT_COLUMN_TYPE` when a file of columns has no form for them.
    pub(crate) fn of_row(row: &Node) -> Result<Vec<Self>> {
        match row {
            Node::Record { fields, .. } if !fields.is_empty() => fields
                .iter()
                .map(|(name, node)| Self::of_node(name, FieldPath::default().child(name), node))
                .collect(),
            Node::Record { .. } => Err(SageError::new(
                ErrorCode::FormatColumnType,
                "the records have no fields, and the file needs columns; name them in the option schema",
            )),
            other => Ok(vec![Self::of_node(
                "value",
                FieldPath::default().child("value"),
                other,
            )?]),
        }
    }

    fn of_node(name: &str, path: FieldPath, node: &Node) -> Result<Self> {
        let kind = match node {
            Node::Tuple { .. } => SinkKind::Json,
            Node::Record { fields, .. } if fields.is_empty() => {
                let message = format!(
                    "the field {path} is an object without fields, which a file of columns cannot hold"
                );
                return Err(
                    SageError::new(ErrorCode::FormatColumnType, message).with("field", path.to_string())
                );
            }
            Node::Record { fields, .. } => {
                let child = |(name, node): &(String, Node)| Self::of_node(name, path.child(name), node);
                SinkKind::Record(fields.iter().map(child).collect::<Result<_>>()?)
            }
            Node::Leaf { kind, .. } => match kind {
                LeafKind::F64 => SinkKind::F64,
                LeafKind::I32 => SinkKind::I32,
                LeafKind::Bool => SinkKind::Bool,
                LeafKind::Str => SinkKind::Text,
                LeafKind::Date => SinkKind::Date,
                LeafKind::Json => SinkKind::Json,
                LeafKind::Nil => SinkKind::Nil,
                LeafKind::Any | LeafKind::Bytes => {
                    let message = format!(
                        "the column {path} came to a native sink in a form that only JavaScript reads"
                    );
                    return Err(SageError::new(ErrorCode::Internal, message).with("field", path.to_string()));
                }
            },
        };
        Ok(Self {
            name: name.to_owned(),
            path,
            kind,
        })
    }

    /// The column's type.
    pub(crate) fn data_type(&self) -> DataType {
        match &self.kind {
            SinkKind::F64 => DataType::Float64,
            SinkKind::I32 => DataType::Int32,
            SinkKind::Bool => DataType::Boolean,
            SinkKind::Text | SinkKind::Json => DataType::Utf8,
            SinkKind::Date => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            SinkKind::Nil => DataType::Null,
            SinkKind::Record(columns) => {
                DataType::Struct(columns.iter().map(|column| Arc::new(column.field())).collect())
            }
        }
    }

    /// The column as a field of the file's schema.
    pub(crate) fn field(&self) -> Field {
        let field = Field::new(&self.name, self.data_type(), true);
        if matches!(self.kind, SinkKind::Json) {
            let mark = HashMap::from([(EXTENSION_NAME.to_owned(), JSON_EXTENSION.to_owned())]);
            return field.with_metadata(mark);
        }
        field
    }

    /// What the option `schema` calls the type.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.kind {
            SinkKind::F64 => "f64",
            SinkKind::I32 => "i32",
            SinkKind::Bool => "bool",
            SinkKind::Text => "str",
            SinkKind::Date => "date",
            SinkKind::Json => "json",
            SinkKind::Nil => "nil",
            SinkKind::Record(_) => "rec",
        }
    }
}
