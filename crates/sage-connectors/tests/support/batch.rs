//! Batches made by hand, for what readers never make: tuples, `undefined`, dates, `i32`.

use std::sync::Arc;

use sage_connectors::BatchSink;
use sage_frame::{BatchView, Layout, LayoutRegistry, StringEncoding};
use sage_types::Result;

/// The buffers of a batch.
#[derive(Default)]
pub struct Batch {
    pub rows: usize,
    buffers: Vec<Vec<u64>>,
    lengths: Vec<usize>,
    encodings: Vec<StringEncoding>,
}

impl Batch {
    pub fn of_rows(rows: usize) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        // Aligned memory.
        let mut words = vec![0_u64; bytes.len().div_ceil(8)];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks(8)) {
            let mut padded = [0; 8];
            padded[..chunk.len()].copy_from_slice(chunk);
            *word = u64::from_ne_bytes(padded);
        }
        self.lengths.push(bytes.len());
        self.buffers.push(words);
        self
    }

    pub fn presence(self, presence: &[u8]) -> Self {
        self.bytes(presence)
    }

    pub fn bools(self, values: &[u8]) -> Self {
        self.bytes(values)
    }

    pub fn f64s(self, values: &[f64]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        self.bytes(&bytes)
    }

    pub fn i32s(self, values: &[i32]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        self.bytes(&bytes)
    }

    /// Strings in UTF-16, so that any JavaScript string can be given.
    pub fn strings(mut self, values: &[&[u16]]) -> Self {
        let mut end = 0_u32;
        let ends: Vec<u8> = values
            .iter()
            .flat_map(|value| {
                end += u32::try_from(value.len()).unwrap();
                end.to_ne_bytes()
            })
            .collect();
        let data: Vec<u8> = values
            .iter()
            .flat_map(|value| value.iter().flat_map(|unit| unit.to_le_bytes()))
            .collect();
        self.encodings.push(StringEncoding::Utf16);
        self.bytes(&ends).bytes(&data)
    }

    pub fn texts(self, values: &[&str]) -> Self {
        let units: Vec<Vec<u16>> = values
            .iter()
            .map(|value| value.encode_utf16().collect())
            .collect();
        let slices: Vec<&[u16]> = units.iter().map(Vec::as_slice).collect();
        self.strings(&slices)
    }

    pub fn write(&self, layout: &str, sink: &mut dyn BatchSink) -> Result<()> {
        let registry = LayoutRegistry::new();
        let layout = Arc::new(Layout::parse(layout).unwrap());
        let id = registry.intern_layout(Arc::clone(&layout)).unwrap();
        let buffers = self.buffers.iter().zip(&self.lengths).map(|(words, &length)| {
            // SAFETY: any initialised memory may be read as bytes; the length is within the vector.
            unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), length) }
        });
        let view =
            BatchView::from_parts(layout, id, self.rows, buffers, self.encodings.iter().copied()).unwrap();
        sink.write(&view)
    }
}
