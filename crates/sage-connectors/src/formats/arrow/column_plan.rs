//! What each column of a file becomes.

use std::path::Path;

use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use sage_types::{ErrorCode, Result, SageError};

use crate::formats::arrow::column_loader::{ColumnLoader, Load};
use crate::spec::{BinaryAs, ColumnForms, DecimalAs, Int64As};

/// The name under which Arrow marks text as JSON.
pub(crate) const EXTENSION_NAME: &str = "ARROW:extension:name";
/// See [`EXTENSION_NAME`].
pub(crate) const JSON_EXTENSION: &str = "arrow.json";

/// What a file says about its columns before it is read.
pub(crate) trait ColumnFacts {
    /// Whether no value of the physical column `leaf`, and of what encloses it, is null. False when it is not known.
    fn has_no_nulls(&self, leaf: usize) -> bool;

    /// Whether every value of the 64-bit column `leaf` fits in 32 bits. False when it is not known.
    fn fits_i32(&self, leaf: usize) -> bool;
}

/// Nothing is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoFacts;

impl ColumnFacts for NoFacts {
    fn has_no_nulls(&self, _: usize) -> bool {
        false
    }

    fn fits_i32(&self, _: usize) -> bool {
        false
    }
}

/// Plans the top-level columns that `is_kept` keeps.
///
/// # Errors
/// `SAGE_FORMAT_COLUMN_TYPE` when one of them has a type that no record can have; the message names it and says what to do.
pub(crate) fn plan_columns(
    fields: &Fields,
    is_kept: impl Fn(&str) -> bool,
    facts: &impl ColumnFacts,
    forms: ColumnForms,
) -> Result<Vec<ColumnLoader>> {
    let planner = Planner { facts, forms };
    let mut leaf = 0;
    let mut columns = Vec::new();
    for field in fields {
        if is_kept(field.name()) {
            columns.push(planner.column(field, field.name().clone(), leaf, false)?);
        }
        leaf += count_leaves(field.data_type());
    }
    Ok(columns)
}

/// Indexes of the columns to read: those with these names, or all.
///
/// # Errors
/// `SAGE_FORMAT_COLUMN_MISSING` when the file has no such column; the message lists those that it has.
pub(crate) fn kept_columns(path: &Path, names: Option<&[String]>, schema: &Schema) -> Result<Vec<usize>> {
    let Some(names) = names else {
        return Ok((0..schema.fields().len()).collect());
    };
    let mut kept = Vec::with_capacity(names.len());
    for name in names {
        let Ok(index) = schema.index_of(name) else {
            let there: Vec<&str> = schema
                .fields()
                .iter()
                .map(|field| field.name().as_str())
                .collect();
            let path = path.display().to_string();
            let message = format!("{path} has no column {name}; it has {}", there.join(", "));
            return Err(SageError::new(ErrorCode::FormatColumnMissing, message)
                .with("file", path)
                .with("field", name.as_str()));
        };
        kept.push(index);
    }
    kept.sort_unstable();
    kept.dedup();
    Ok(kept)
}

struct Planner<'a, F> {
    facts: &'a F,
    forms: ColumnForms,
}

impl<F: ColumnFacts> Planner<'_, F> {
    /// `leaf` is the first physical column of the field; `repeated` when it is inside a list, whose statistics say other
    /// things.
    fn column(&self, field: &Field, path: String, leaf: usize, repeated: bool) -> Result<ColumnLoader> {
        let leaves = leaf..leaf + count_leaves(field.data_type());
        let optional =
            field.is_nullable() && (repeated || !leaves.clone().any(|leaf| self.facts.has_no_nulls(leaf)));
        let load = self.load(field, &path, leaf, repeated)?;
        Ok(ColumnLoader::new(field.name().clone(), path, optional, load))
    }

    fn load(&self, field: &Field, path: &str, leaf: usize, repeated: bool) -> Result<Load> {
        let is_json = field
            .metadata()
            .get(EXTENSION_NAME)
            .is_some_and(|name| name == JSON_EXTENSION);
        let child =
            |field: &Field, leaf: usize| self.column(field, format!("{path}.{}", field.name()), leaf, true);
        Ok(match field.data_type() {
            DataType::Null => Load::Nil,
            DataType::Boolean => Load::Bool,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => {
                Load::Small
            }
            DataType::UInt32 | DataType::Float16 | DataType::Float32 | DataType::Float64 => Load::Number,
            DataType::Int64 | DataType::UInt64 => match self.forms.int64 {
                Int64As::String => Load::WholeText,
                Int64As::Exact | Int64As::F64 => {
                    if !repeated && *field.data_type() == DataType::Int64 && self.facts.fits_i32(leaf) {
                        Load::SmallOfInt64
                    } else {
                        Load::Whole {
                            exact: self.forms.int64 == Int64As::Exact,
                        }
                    }
                }
            },
            DataType::Timestamp(unit, _) => Load::Moment {
                per_milli: ticks_per_milli(*unit),
            },
            DataType::Date32 => Load::Day,
            DataType::Date64 => Load::Moment { per_milli: 1.0 },
            DataType::Time32(unit) | DataType::Time64(unit) | DataType::Duration(unit) => Load::Millis {
                per_milli: ticks_per_milli(*unit),
            },
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Load::Text { is_json },
            DataType::Dictionary(_, values) => {
                let values = Field::new(field.name(), values.as_ref().clone(), true);
                return self.load(&values, path, leaf, repeated);
            }
            DataType::Decimal32(precision, _)
            | DataType::Decimal64(precision, _)
            | DataType::Decimal128(precision, _)
            | DataType::Decimal256(precision, _) => match self.forms.decimal {
                DecimalAs::F64 => Load::Number,
                DecimalAs::Auto if *precision <= 15 => Load::Number,
                DecimalAs::Auto | DecimalAs::String => Load::DecimalText,
            },
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => match self.forms.binary {
                BinaryAs::Base64 => Load::Base64,
                BinaryAs::Utf8 => Load::Text { is_json: false },
                BinaryAs::Error => {
                    let fix = "give the option binary: 'utf8' if it is text, binary: 'base64' otherwise";
                    return Err(unfit(path, field.data_type(), fix));
                }
            },
            DataType::Struct(fields) => {
                let mut leaf = leaf;
                let mut columns = Vec::new();
                for field in fields {
                    columns.push(self.column(field, format!("{path}.{}", field.name()), leaf, repeated)?);
                    leaf += count_leaves(field.data_type());
                }
                Load::Record(columns)
            }
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                Load::List(Box::new(child(item, leaf)?))
            }
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => {
                    let keys = child(&fields[0], leaf)?;
                    let values = child(&fields[1], leaf + count_leaves(fields[0].data_type()))?;
                    Load::Map(Box::new((keys, values)))
                }
                other => return Err(unfit(path, other, "it is not a map of keys and values")),
            },
            other => return Err(unfit(path, other, "leave it away with the option columns")),
        })
    }
}

fn ticks_per_milli(unit: TimeUnit) -> f64 {
    match unit {
        TimeUnit::Second => 1e-3,
        TimeUnit::Millisecond => 1.0,
        TimeUnit::Microsecond => 1e3,
        TimeUnit::Nanosecond => 1e6,
    }
}

fn unfit(path: &str, data_type: &DataType, fix: &str) -> SageError {
    SageError::new(
        ErrorCode::FormatColumnType,
        format!("the column {path} has the type {data_type}, which no field of a record can have: {fix}"),
    )
    .with("field", path)
}

/// Number of physical columns of a type.
fn count_leaves(data_type: &DataType) -> usize {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|field| count_leaves(field.data_type())).sum(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => count_leaves(item.data_type()),
        DataType::Dictionary(_, values) => count_leaves(values),
        _ => 1,
    }
}
