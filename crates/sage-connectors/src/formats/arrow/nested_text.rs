//! Lists and maps as JSON texts.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use sage_frame::presence;

use crate::columns::TextColumn;
use crate::formats::arrow::column_loader::{ColumnLoader, Load, LoadError};
use crate::formats::json::{push_integer, push_iso_date, push_json_number, push_json_string};

impl ColumnLoader {
    pub(super) fn load_list(
        &mut self,
        array: &ArrayRef,
        nulls: Option<&NullBuffer>,
    ) -> Result<(), LoadError> {
        let Load::List(item) = &mut self.load else {
            return Ok(());
        };
        let (bounds, values) = list_bounds(array);
        let (first, last) = (
            bounds.first().copied().unwrap_or(0),
            bounds.last().copied().unwrap_or(0),
        );
        item.load_items(&values.slice(first, last - first))?;
        load_texts(&mut self.text, &bounds, nulls, (b'[', b']'), |at, json| {
            item.push_json(at, json);
        });
        Ok(())
    }

    pub(super) fn load_map(&mut self, array: &ArrayRef, nulls: Option<&NullBuffer>) -> Result<(), LoadError> {
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
        load_texts(&mut self.text, &bounds, nulls, (open, close), |at, json| {
            if !names {
                json.push(b'[');
            }
            keys.push_json(at, json);
            json.extend_from_slice(between);
            values.push_json(at, json);
            if !names {
                json.push(b']');
            }
        });
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
                push_json_number(self.numbers[row], json);
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
}

/// A text for each row: what `push` appends for each of its elements, by their place from the first on, between brackets.
#[inline]
fn load_texts(
    text: &mut TextColumn,
    bounds: &[usize],
    nulls: Option<&NullBuffer>,
    (open, close): (u8, u8),
    mut push: impl FnMut(usize, &mut Vec<u8>),
) {
    let first = bounds.first().copied().unwrap_or(0);
    text.clear();
    let mut json = Vec::new();
    for (row, ends) in bounds.windows(2).enumerate() {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            text.push_filler();
            continue;
        }
        json.clear();
        json.push(open);
        for at in ends[0] - first..ends[1] - first {
            if json.len() > 1 {
                json.push(b',');
            }
            push(at, &mut json);
        }
        json.push(close);
        text.push_utf8(&json);
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
