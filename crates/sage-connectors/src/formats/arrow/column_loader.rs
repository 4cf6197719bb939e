//! Arrow arrays to the buffers of a batch.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType};
use sage_frame::{LeafKind, Node, StringEncoding, presence};
use sage_types::{ErrorCode, SageError};

use crate::columns::TextColumn;
use crate::formats::arrow::array_values::{cast_to, check_json, clear_nulls, load_text, narrow};

/// Why an array could not be loaded.
#[derive(Debug)]
pub(crate) enum LoadError {
    /// The file is not what it says.
    Arrow(ArrowError),
    /// A value that the column cannot hold.
    Unfit(SageError),
}

impl From<ArrowError> for LoadError {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

/// What a column becomes.
#[derive(Debug)]
pub(crate) enum Load {
    /// Whole numbers of at most 32 bits: `i32`.
    Small,
    /// 64-bit whole numbers that fit in 32 bits, as the statistics say: `i32`.
    SmallOfInt64,
    /// 64-bit whole numbers: `f64`.
    Whole {
        /// Refuse those that a double does not hold exactly.
        exact: bool,
    },
    /// 64-bit whole numbers: `str`.
    WholeText,
    /// Everything else that is a number: `f64`.
    Number,
    Bool,
    Text {
        is_json: bool,
    },
    DecimalText,
    Base64,
    /// Points in time: `date`. Parts of a millisecond are cut off downwards.
    Moment {
        per_milli: f64,
    },
    /// Days since 1970: `date`.
    Day,
    /// Times of day and durations: `f64` milliseconds.
    Millis {
        per_milli: f64,
    },
    /// `json`: an array.
    List(Box<ColumnLoader>),
    /// `json`: an object when the keys are strings, else an array of pairs.
    Map(Box<(ColumnLoader, ColumnLoader)>),
    Record(Vec<ColumnLoader>),
    Nil,
}

/// A column of a file on its way into batches.
#[derive(Debug)]
pub(crate) struct ColumnLoader {
    pub(crate) name: String,
    path: String,
    optional: bool,
    pub(super) load: Load,
    pub(super) presence: Vec<u8>,
    pub(super) numbers: Vec<f64>,
    pub(super) small: Vec<i32>,
    pub(super) bools: Vec<u8>,
    pub(super) text: TextColumn,
    /// Where the strings end in bytes; of columns inside lists only.
    pub(super) byte_ends: Vec<u32>,
}

const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
const MILLIS_OF_DAY: f64 = 86_400_000.0;

impl ColumnLoader {
    pub(crate) fn new(name: String, path: String, optional: bool, load: Load) -> Self {
        Self {
            name,
            path,
            optional,
            load,
            presence: Vec::new(),
            numbers: Vec::new(),
            small: Vec::new(),
            bools: Vec::new(),
            text: TextColumn::with_fillers(0),
            byte_ends: Vec::new(),
        }
    }

    /// Takes the values of an array in place of those before. In rows where `outer` is null an enclosing record is.
    pub(crate) fn load(&mut self, array: &ArrayRef, outer: Option<&NullBuffer>) -> Result<(), LoadError> {
        let rows = array.len();
        let own = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        // A file whose statistics deny its nulls is believed by its data: layouts may widen.
        self.optional |= own.as_ref().is_some_and(|own| match outer {
            None => true,
            Some(outer) => (0..rows).any(|row| own.is_null(row) && outer.is_valid(row)),
        });
        self.presence.clear();
        if self.optional || matches!(self.load, Load::Nil) {
            self.presence.resize(rows, presence::VALUE);
            if let Some(own) = &own {
                for (row, presence) in self.presence.iter_mut().enumerate() {
                    if own.is_null(row) && outer.is_none_or(|outer| outer.is_valid(row)) {
                        *presence = presence::NULL;
                    }
                }
            }
        }
        let nulls = NullBuffer::union(own.as_ref(), outer);
        self.load_values(array, nulls.as_ref())
    }

    fn load_values(&mut self, array: &ArrayRef, nulls: Option<&NullBuffer>) -> Result<(), LoadError> {
        if let DataType::Dictionary(_, values) = array.data_type() {
            return self.load_values(&cast_to(array, values)?, nulls);
        }
        match &mut self.load {
            Load::Small => {
                let array = cast_to(array, &DataType::Int32)?;
                self.small.clear();
                self.small
                    .extend_from_slice(array.as_primitive::<Int32Type>().values());
                clear_nulls(&mut self.small, nulls, 0);
            }
            Load::SmallOfInt64 => {
                let array = cast_to(array, &DataType::Int64)?;
                let values = array.as_primitive::<Int64Type>().values();
                if !narrow(values, nulls, &mut self.small) {
                    // The statistics are wrong; the data count.
                    self.load = Load::Whole { exact: true };
                    return self.load_values(&array, nulls);
                }
            }
            Load::Whole { exact } => {
                let exact = *exact;
                self.load_whole(array, nulls, exact)?;
            }
            Load::Number => {
                let array = cast_to(array, &DataType::Float64)?;
                self.numbers.clear();
                self.numbers
                    .extend_from_slice(array.as_primitive::<Float64Type>().values());
                clear_nulls(&mut self.numbers, nulls, 0.0);
            }
            Load::Bool => {
                self.bools.clear();
                self.bools
                    .extend(array.as_boolean().values().iter().map(u8::from));
                clear_nulls(&mut self.bools, nulls, 0);
            }
            Load::Text { is_json } => {
                let is_json = *is_json;
                self.load_strings(array, nulls, is_json)?;
            }
            Load::WholeText => self.load_strings(array, nulls, false)?,
            Load::DecimalText => self.load_decimals(array, nulls)?,
            Load::Base64 => {
                let array = cast_to(array, &DataType::LargeBinary)?;
                let engine = arrow_cast::base64::BASE64_STANDARD;
                let encoded = arrow_cast::base64::b64_encode(&engine, array.as_binary::<i64>());
                load_text(&mut self.text, &encoded, nulls);
            }
            Load::Moment { per_milli } => {
                let per_milli = *per_milli;
                let array = cast_to(array, &DataType::Int64)?;
                let values = array.as_primitive::<Int64Type>().values();
                self.numbers.clear();
                if per_milli > 1.0 {
                    // Whole division, for a double does not hold every nanosecond.
                    #[expect(clippy::cast_possible_truncation, reason = "1000 or 1000000")]
                    let per_milli = per_milli as i64;
                    self.numbers
                        .extend(values.iter().map(|value| value.div_euclid(per_milli) as f64));
                } else {
                    self.numbers
                        .extend(values.iter().map(|&value| value as f64 / per_milli));
                }
                clear_nulls(&mut self.numbers, nulls, 0.0);
            }
            Load::Day => {
                let array = cast_to(array, &DataType::Int32)?;
                self.numbers.clear();
                let values = array.as_primitive::<Int32Type>().values();
                self.numbers
                    .extend(values.iter().map(|&value| f64::from(value) * MILLIS_OF_DAY));
                clear_nulls(&mut self.numbers, nulls, 0.0);
            }
            Load::Millis { per_milli } => {
                let per_milli = *per_milli;
                let array = match array.data_type() {
                    DataType::Time32(_) => cast_to(&cast_to(array, &DataType::Int32)?, &DataType::Int64)?,
                    _ => cast_to(array, &DataType::Int64)?,
                };
                self.numbers.clear();
                let values = array.as_primitive::<Int64Type>().values();
                self.numbers
                    .extend(values.iter().map(|&value| value as f64 / per_milli));
                clear_nulls(&mut self.numbers, nulls, 0.0);
            }
            Load::List(_) => self.load_list(array, nulls)?,
            Load::Map(_) => self.load_map(array, nulls)?,
            Load::Record(columns) => {
                for (column, array) in columns.iter_mut().zip(array.as_struct().columns()) {
                    column.load(array, nulls)?;
                }
            }
            Load::Nil => {}
        }
        Ok(())
    }

    fn load_whole(
        &mut self,
        array: &ArrayRef,
        nulls: Option<&NullBuffer>,
        exact: bool,
    ) -> Result<(), LoadError> {
        self.numbers.clear();
        let is_null = |row: usize| nulls.is_some_and(|nulls| nulls.is_null(row));
        let inexact = if *array.data_type() == DataType::UInt64 {
            let values = array.as_primitive::<UInt64Type>().values();
            self.numbers.extend(values.iter().map(|&value| value as f64));
            let inexact = |&(row, &value): &(usize, &u64)| value > MAX_SAFE_INTEGER && !is_null(row);
            values
                .iter()
                .enumerate()
                .find(inexact)
                .map(|(_, value)| value.to_string())
        } else {
            let array = cast_to(array, &DataType::Int64)?;
            let values = array.as_primitive::<Int64Type>().values();
            self.numbers.extend(values.iter().map(|&value| value as f64));
            let inexact =
                |&(row, &value): &(usize, &i64)| value.unsigned_abs() > MAX_SAFE_INTEGER && !is_null(row);
            values
                .iter()
                .enumerate()
                .find(inexact)
                .map(|(_, value)| value.to_string())
        };
        clear_nulls(&mut self.numbers, nulls, 0.0);
        match inexact {
            Some(value) if exact => Err(LoadError::Unfit(
                SageError::new(
                    ErrorCode::FormatColumnType,
                    format!(
                        "the column {} has the whole number {value}, which a JavaScript number does not hold exactly; \
                         give the option int64: 'string' for its digits, or int64: 'f64' for the nearest number",
                        self.path
                    ),
                )
                .with("field", self.path.as_str())
                .with("value", value),
            )),
            _ => Ok(()),
        }
    }

    fn load_strings(
        &mut self,
        array: &ArrayRef,
        nulls: Option<&NullBuffer>,
        is_json: bool,
    ) -> Result<(), LoadError> {
        if *array.data_type() == DataType::Utf8 && !is_json {
            load_text(&mut self.text, array.as_string::<i32>(), nulls);
            return Ok(());
        }
        let array = cast_to(array, &DataType::LargeUtf8)?;
        if is_json {
            check_json(&self.path, array.as_string::<i64>(), nulls)?;
        }
        load_text(&mut self.text, array.as_string::<i64>(), nulls);
        Ok(())
    }

    fn load_decimals(&mut self, array: &ArrayRef, nulls: Option<&NullBuffer>) -> Result<(), LoadError> {
        use arrow_array::types::{Decimal128Type, Decimal256Type};
        let wide = match array.data_type() {
            DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
                cast_to(array, &DataType::Decimal128(*precision, *scale))?
            }
            _ => ArrayRef::clone(array),
        };
        self.text.clear();
        for row in 0..wide.len() {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                self.text.push_filler();
                continue;
            }
            let decimal = match wide.data_type() {
                DataType::Decimal256(..) => wide.as_primitive::<Decimal256Type>().value_as_string(row),
                _ => wide.as_primitive::<Decimal128Type>().value_as_string(row),
            };
            self.text.push_ascii(decimal.as_bytes());
        }
        Ok(())
    }

    /// The node of the layout.
    pub(crate) fn layout(&self) -> Node {
        let kind = match &self.load {
            Load::Small | Load::SmallOfInt64 => LeafKind::I32,
            Load::Whole { .. } | Load::Number | Load::Millis { .. } => LeafKind::F64,
            Load::Bool => LeafKind::Bool,
            Load::Moment { .. } | Load::Day => LeafKind::Date,
            Load::Text { is_json: true } | Load::List(_) | Load::Map(_) => LeafKind::Json,
            Load::Text { .. } | Load::WholeText | Load::DecimalText | Load::Base64 => LeafKind::Str,
            Load::Nil => LeafKind::Nil,
            Load::Record(columns) => {
                let fields = columns
                    .iter()
                    .map(|column| (column.name.clone(), column.layout()))
                    .collect();
                return Node::Record {
                    fields,
                    optional: self.optional,
                };
            }
        };
        Node::Leaf {
            kind,
            optional: self.optional || kind == LeafKind::Nil,
        }
    }

    /// The buffers and encodings in the order of the layout.
    pub(crate) fn collect<'a>(&'a self, buffers: &mut Vec<&'a [u8]>, encodings: &mut Vec<StringEncoding>) {
        if self.optional || matches!(self.load, Load::Nil) {
            buffers.push(&self.presence);
        }
        match &self.load {
            Load::Small | Load::SmallOfInt64 => buffers.push(bytemuck::cast_slice(&self.small)),
            Load::Whole { .. } | Load::Number | Load::Millis { .. } | Load::Moment { .. } | Load::Day => {
                buffers.push(bytemuck::cast_slice(&self.numbers));
            }
            Load::Bool => buffers.push(&self.bools),
            Load::Text { .. }
            | Load::WholeText
            | Load::DecimalText
            | Load::Base64
            | Load::List(_)
            | Load::Map(_) => {
                buffers.push(bytemuck::cast_slice(self.text.ends()));
                buffers.push(self.text.bytes());
                encodings.push(self.text.encoding());
            }
            Load::Record(columns) => columns
                .iter()
                .for_each(|column| column.collect(buffers, encodings)),
            Load::Nil => {}
        }
    }
}
