use std::sync::Arc;

use sage_frame::{BatchView, ColumnData, Layout, LayoutRegistry, StringEncoding};
use sage_types::LayoutId;

use super::keys::{Key, wtf8};

/// How the keys of a batch are written, where there is a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// The narrowest column and encoding.
    Narrow,
    /// The narrowest column, strings as UTF-16.
    Wide,
    /// Canonical bytes.
    Bytes,
}

/// A batch that owns its buffers.
#[derive(Debug)]
pub struct OwnedBatch {
    layout: Arc<Layout>,
    layout_id: LayoutId,
    rows: usize,
    buffers: Vec<(Vec<u64>, usize)>,
    encodings: Vec<StringEncoding>,
}

impl OwnedBatch {
    /// Rows with these keys; `columns` are the elements of the row tuple, `f64?` each, none as one of the three forms of
    /// nothing.
    pub fn new(registry: &LayoutRegistry, keys: &[Key], form: KeyForm, columns: &[Vec<Option<f64>>]) -> Self {
        let items = vec![r#""f64?""#; columns.len()].join(",");
        let mut batch = Self {
            layout: Arc::new(Layout::unkeyed(sage_frame::Node::tuple([]))),
            layout_id: LayoutId(0),
            rows: keys.len(),
            buffers: Vec::new(),
            encodings: Vec::new(),
        };
        let kind = batch.push_keys(keys, form);
        for column in columns {
            let absent = |row: usize| 1 + u8::try_from(row % 3).unwrap();
            let presence: Vec<u8> = column
                .iter()
                .enumerate()
                .map(|(row, value)| if value.is_some() { 0 } else { absent(row) })
                .collect();
            batch.push(&presence);
            let values: Vec<f64> = column.iter().map(|value| value.unwrap_or(0.0)).collect();
            batch.push(bytemuck::cast_slice(&values));
        }
        batch.set_layout(
            registry,
            &format!(r#"{{"key":"{kind}","row":{{"tup":[{items}]}}}}"#),
        );
        batch
    }

    /// A batch of any layout.
    pub fn raw(
        registry: &LayoutRegistry,
        layout: &str,
        rows: usize,
        buffers: &[&[u8]],
        encodings: &[StringEncoding],
    ) -> Self {
        let mut batch = Self::new(registry, &[], KeyForm::Bytes, &[]);
        batch.rows = rows;
        batch.buffers.clear();
        for buffer in buffers {
            batch.push(buffer);
        }
        batch.encodings = encodings.to_vec();
        batch.set_layout(registry, layout);
        batch
    }

    fn set_layout(&mut self, registry: &LayoutRegistry, text: &str) {
        self.layout_id = registry.intern(text).unwrap();
        self.layout = registry.get(self.layout_id).unwrap();
    }

    fn push(&mut self, bytes: &[u8]) {
        let mut words = vec![0_u64; bytes.len().div_ceil(8)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        self.buffers.push((words, bytes.len()));
    }

    fn push_rows(&mut self, rows: &[Vec<u8>], lengths: impl Iterator<Item = usize>) {
        let mut end = 0;
        let ends: Vec<u32> = lengths
            .map(|length| {
                end += u32::try_from(length).unwrap();
                end
            })
            .collect();
        self.push(bytemuck::cast_slice(&ends));
        self.push(&rows.concat());
    }

    fn push_keys(&mut self, keys: &[Key], form: KeyForm) -> &'static str {
        if form != KeyForm::Bytes && !keys.is_empty() {
            let numbers = keys.iter().map(|key| match key {
                Key::Number(number) => Some(*number),
                _ => None,
            });
            if let Some(numbers) = numbers.collect::<Option<Vec<f64>>>() {
                self.push(bytemuck::cast_slice(&numbers));
                return "f64";
            }
            let booleans = keys.iter().map(|key| match key {
                Key::Bool(boolean) => Some(u8::from(*boolean)),
                _ => None,
            });
            if let Some(booleans) = booleans.collect::<Option<Vec<u8>>>() {
                self.push(&booleans);
                return "bool";
            }
            let strings = keys.iter().map(|key| match key {
                Key::Str(units) => Some(units.as_slice()),
                _ => None,
            });
            if let Some(strings) = strings.collect::<Option<Vec<&[u16]>>>() {
                self.push_strings(&strings, form);
                return "str";
            }
        }
        let rows: Vec<Vec<u8>> = keys.iter().map(Key::canonical).collect();
        self.push_rows(&rows, rows.iter().map(Vec::len));
        "bytes"
    }

    fn push_strings(&mut self, strings: &[&[u16]], form: KeyForm) {
        let lengths = strings.iter().map(|units| units.len());
        let whole = strings.concat();
        let (data, encoding) = match String::from_utf16(&whole) {
            Ok(text) if form == KeyForm::Narrow => {
                let ascii = text.is_ascii();
                let encoding = if ascii {
                    StringEncoding::Ascii
                } else {
                    StringEncoding::Utf8
                };
                (text.into_bytes(), encoding)
            }
            _ => (
                whole.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
                StringEncoding::Utf16,
            ),
        };
        self.push_rows(&[data], lengths);
        self.encodings.push(encoding);
    }

    pub fn view(&self) -> BatchView<'_> {
        let buffers = self
            .buffers
            .iter()
            .map(|(words, length)| &bytemuck::cast_slice::<u64, u8>(words)[..*length]);
        BatchView::from_parts(
            Arc::clone(&self.layout),
            self.layout_id,
            self.rows,
            buffers,
            self.encodings.iter().copied(),
        )
        .unwrap()
    }
}

/// The canonical bytes of each key of a batch, read back from whatever column it has.
pub fn read_identities(data: ColumnData<'_>) -> Vec<Vec<u8>> {
    match data {
        ColumnData::F64(numbers) => numbers
            .iter()
            .map(|&number| Key::Number(number).canonical())
            .collect(),
        ColumnData::Bool(booleans) => booleans
            .iter()
            .map(|&boolean| Key::Bool(boolean == 1).canonical())
            .collect(),
        ColumnData::Str(strings) => {
            let units = strings.units();
            let mut start = 0;
            strings
                .ends
                .iter()
                .map(|&end| {
                    let row = &units[start..end as usize];
                    start = end as usize;
                    [&[5][..], &wtf8(row)].concat()
                })
                .collect()
        }
        ColumnData::Bytes(bytes) => (0..bytes.ends.len()).map(|row| bytes.row(row).to_vec()).collect(),
        other => panic!("{other:?} is no key column"),
    }
}
