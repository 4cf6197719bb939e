//! What each column of a Parquet file becomes.

use arrow_schema::{DataType, Field, Fields, TimeUnit};
use sage_types::{ErrorCode, Result, SageError};

use crate::parquet::ColumnStatistics;
use crate::parquet::column_loader::{ColumnLoader, Load};
use crate::parquet::column_statistics::count_leaves;
use crate::spec::{BinaryAs, DecimalAs, Int64As, ParquetSourceSpec};

/// The name under which Arrow marks text as JSON.
pub(crate) const EXTENSION_NAME: &str = "ARROW:extension:name";
/// See [`EXTENSION_NAME`].
pub(crate) const JSON_EXTENSION: &str = "arrow.json";

/// Plans the top-level columns that `is_kept` keeps.
///
/// # Errors
/// `SAGE_FORMAT_COLUMN_TYPE` when one of them has a type that no record can have; the message names it and says what to do.
pub(crate) fn plan_columns(
    fields: &Fields,
    is_kept: impl Fn(&str) -> bool,
    statistics: ColumnStatistics<'_>,
    spec: &ParquetSourceSpec,
) -> Result<Vec<ColumnLoader>> {
    let planner = Planner { statistics, spec };
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

struct Planner<'a> {
    statistics: ColumnStatistics<'a>,
    spec: &'a ParquetSourceSpec,
}

impl Planner<'_> {
    /// `leaf` is the first physical column of the field; `repeated` when it is inside a list, whose statistics say other
    /// things.
    fn column(&self, field: &Field, path: String, leaf: usize, repeated: bool) -> Result<ColumnLoader> {
        let leaves = leaf..leaf + count_leaves(field.data_type());
        let optional = field.is_nullable()
            && (repeated || !leaves.clone().any(|leaf| self.statistics.has_no_nulls(leaf)));
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
            DataType::Int64 | DataType::UInt64 => match self.spec.int64 {
                Int64As::String => Load::WholeText,
                Int64As::Exact | Int64As::F64 => {
                    if !repeated && *field.data_type() == DataType::Int64 && self.statistics.fits_i32(leaf) {
                        Load::SmallOfInt64
                    } else {
                        Load::Whole {
                            exact: self.spec.int64 == Int64As::Exact,
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
            | DataType::Decimal256(precision, _) => match self.spec.decimal {
                DecimalAs::F64 => Load::Number,
                DecimalAs::Auto if *precision <= 15 => Load::Number,
                DecimalAs::Auto | DecimalAs::String => Load::DecimalText,
            },
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => match self.spec.binary {
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
                other => return Err(unfit(path, other, "it is not a map that Parquet knows")),
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
