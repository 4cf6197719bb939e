//! Arrow arrays to the buffers of a batch.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, GenericStringArray, OffsetSizeTrait};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType};
use sage_frame::{LeafKind, Node, StringEncoding, presence};
use sage_types::{ErrorCode, SageError};

use crate::columns::TextColumn;
use crate::json::{push_integer, push_iso_date, push_json_number, push_json_string};

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

/// A column of a Parquet file on its way into batches.
#[derive(Debug)]
pub(crate) struct ColumnLoader {
    pub(crate) name: String,
    path: String,
    optional: bool,
    load: Load,
    presence: Vec<u8>,
    numbers: Vec<f64>,
    small: Vec<i32>,
    bools: Vec<u8>,
    text: TextColumn,
    /// Where the strings end in bytes; of columns inside lists only.
    byte_ends: Vec<u32>,
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
            Load::WholeText => {
                let array = cast_to(array, &DataType::LargeUtf8)?;
                load_text(&mut self.text, array.as_string::<i64>(), nulls);
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
            Load::Text { .. } => match array.data_type() {
                DataType::Utf8 => load_text(&mut self.text, array.as_string::<i32>(), nulls),
                _ => {
                    let array = cast_to(array, &DataType::LargeUtf8)?;
                    if array.null_count() > array.logical_null_count() {
                        return Err(ArrowError::CastError("some bytes are not UTF-8".to_owned()).into());
                    }
                    load_text(&mut self.text, array.as_string::<i64>(), nulls);
                }
            },
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

    fn load_list(&mut self, array: &ArrayRef, nulls: Option<&NullBuffer>) -> Result<(), LoadError> {
        let Load::List(item) = &mut self.load else {
            return Ok(());
        };
        let (bounds, values) = list_bounds(array);
        let (first, last) = (
            bounds.first().copied().unwrap_or(0),
            bounds.last().copied().unwrap_or(0),
        );
        item.load_items(&values.slice(first, last - first))?;
        self.text.clear();
        let mut json = Vec::new();
        for (row, ends) in bounds.windows(2).enumerate() {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                self.text.push_filler();
                continue;
            }
            json.clear();
            json.push(b'[');
            for at in ends[0] - first..ends[1] - first {
                if json.len() > 1 {
                    json.push(b',');
                }
                item.push_json(at, &mut json);
            }
            json.push(b']');
            self.text.push_utf8(&json);
        }
        Ok(())
    }

    fn load_map(&mut self, array: &ArrayRef, nulls: Option<&NullBuffer>) -> Result<(), LoadError> {
        let Load::Map(entries) = &mut self.load else {
            return Ok(());
        };
        let (keys, values) = entries.as_mut();
        let map = array.as_map();
        let bounds: Vec<usize> = map
            .value_offsets()
            .iter()
            .map(|&end| usize::try_from(end).unwrap_or(0))
            .collect();
        let (first, last) = (
            bounds.first().copied().unwrap_or(0),
            bounds.last().copied().unwrap_or(0),
        );
        keys.load_items(&map.keys().slice(first, last - first))?;
        values.load_items(&map.values().slice(first, last - first))?;
        let names = matches!(keys.load, Load::Text { .. });
        let (open, between, close): (_, &[u8], _) = if names {
            (b'{', b":", b'}')
        } else {
            (b'[', b",", b']')
        };
        self.text.clear();
        let mut json = Vec::new();
        for (row, ends) in bounds.windows(2).enumerate() {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                self.text.push_filler();
                continue;
            }
            json.clear();
            json.push(open);
            for at in ends[0] - first..ends[1] - first {
                if json.len() > 1 {
                    json.push(b',');
                }
                if !names {
                    json.push(b'[');
                }
                keys.push_json(at, &mut json);
                json.extend_from_slice(between);
                values.push_json(at, &mut json);
                if !names {
                    json.push(b']');
                }
            }
            json.push(close);
            self.text.push_utf8(&json);
        }
        Ok(())
    }

    /// Takes the values of a column inside a list, and prepares [`ColumnLoader::push_json`].
    fn load_items(&mut self, array: &ArrayRef) -> Result<(), LoadError> {
        self.load(array, None)?;
        self.index_text();
        Ok(())
    }

    fn index_text(&mut self) {
        self.byte_ends = self.text.byte_ends();
        if let Load::Record(columns) = &mut self.load {
            columns.iter_mut().for_each(Self::index_text);
        }
    }

    fn text_of(&self, row: usize) -> &[u8] {
        let start = row.checked_sub(1).map_or(0, |before| self.byte_ends[before]);
        &self.text.bytes()[start as usize..self.byte_ends[row] as usize]
    }

    /// Appends the JSON text of a row; an invalid date is `null`, as in JavaScript.
    fn push_json(&self, row: usize, json: &mut Vec<u8>) {
        if self
            .presence
            .get(row)
            .is_some_and(|&presence| presence != presence::VALUE)
        {
            json.extend_from_slice(b"null");
            return;
        }
        match &self.load {
            Load::Small | Load::SmallOfInt64 => push_integer(i64::from(self.small[row]), json),
            Load::Whole { .. } | Load::Number | Load::Millis { .. } => {
                push_json_number(self.numbers[row], json)
            }
            Load::Bool => json.extend_from_slice(if self.bools[row] == 1 { b"true" } else { b"false" }),
            Load::Moment { .. } | Load::Day => {
                let mut date = Vec::with_capacity(32);
                if push_iso_date(self.numbers[row], &mut date) {
                    push_json_string(&date, json);
                } else {
                    json.extend_from_slice(b"null");
                }
            }
            Load::Text { is_json: true } | Load::List(_) | Load::Map(_) => {
                json.extend_from_slice(self.text_of(row));
            }
            Load::Text { .. } | Load::WholeText | Load::DecimalText | Load::Base64 => {
                push_json_string(self.text_of(row), json);
            }
            Load::Record(columns) => {
                json.push(b'{');
                for (index, column) in columns.iter().enumerate() {
                    if index > 0 {
                        json.push(b',');
                    }
                    push_json_string(column.name.as_bytes(), json);
                    json.push(b':');
                    column.push_json(row, json);
                }
                json.push(b'}');
            }
            Load::Nil => json.extend_from_slice(b"null"),
        }
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

fn cast_to(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == data_type {
        return Ok(ArrayRef::clone(array));
    }
    let options = arrow_cast::CastOptions {
        safe: false,
        ..arrow_cast::CastOptions::default()
    };
    arrow_cast::cast_with_options(array, data_type, &options)
}

/// Puts the filler where there is no value: arrays hold anything there.
fn clear_nulls<T: Copy>(values: &mut [T], nulls: Option<&NullBuffer>, filler: T) {
    if let Some(nulls) = nulls {
        for (row, value) in values.iter_mut().enumerate() {
            if nulls.is_null(row) {
                *value = filler;
            }
        }
    }
}

/// Narrows to 32 bits; false when some value does not fit.
fn narrow(values: &[i64], nulls: Option<&NullBuffer>, small: &mut Vec<i32>) -> bool {
    small.clear();
    if nulls.is_none() {
        #[expect(clippy::cast_possible_truncation, reason = "checked below, all at once")]
        small.extend(values.iter().map(|&value| value as i32));
        return values.iter().zip(&*small).fold(true, |fits, (&value, &narrow)| {
            fits & (value == i64::from(narrow))
        });
    }
    for (row, &value) in values.iter().enumerate() {
        let value = if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            0
        } else {
            value
        };
        let Ok(value) = i32::try_from(value) else {
            return false;
        };
        small.push(value);
    }
    true
}

fn load_text<O: OffsetSizeTrait>(
    column: &mut TextColumn,
    array: &GenericStringArray<O>,
    nulls: Option<&NullBuffer>,
) {
    column.clear();
    let offsets = array.value_offsets();
    if nulls.is_none()
        && let (Some(first), Some(last)) = (offsets.first(), offsets.last())
    {
        let (first, last) = (first.as_usize(), last.as_usize());
        let bytes = array.value_data().get(first..last).unwrap_or_default();
        if bytes.is_ascii() {
            column.extend_ascii(offsets.iter().skip(1).map(|end| end.as_usize() - first), bytes);
            return;
        }
    }
    for row in 0..array.len() {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            column.push_filler();
        } else {
            column.push_utf8(array.value(row).as_bytes());
        }
    }
}

/// Where the lists of an array begin and end in its values: one more than there are lists.
fn list_bounds(array: &ArrayRef) -> (Vec<usize>, &ArrayRef) {
    match array.data_type() {
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            (
                list.value_offsets()
                    .iter()
                    .map(|&end| usize::try_from(end).unwrap_or(0))
                    .collect(),
                list.values(),
            )
        }
        DataType::FixedSizeList(_, size) => {
            let list = array.as_fixed_size_list();
            let size = usize::try_from(*size).unwrap_or(0);
            // The values of a sliced array are sliced with it.
            ((0..=list.len()).map(|row| row * size).collect(), list.values())
        }
        _ => {
            let list = array.as_list::<i32>();
            (
                list.value_offsets()
                    .iter()
                    .map(|&end| usize::try_from(end).unwrap_or(0))
                    .collect(),
                list.values(),
            )
        }
    }
}
