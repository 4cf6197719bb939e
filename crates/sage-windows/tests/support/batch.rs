use std::fmt::Write as _;
use std::sync::Arc;

use sage_frame::{BatchView, Layout, LayoutRegistry, StringEncoding};
use sage_types::LayoutId;

use super::oracle::Row;

/// Keys, one optional number, and a number: the batch of some rows.
pub struct RowBatch {
    layout: Arc<Layout>,
    layout_id: LayoutId,
    keyed: bool,
    key_ends: Vec<u32>,
    key_data: String,
    presence: Vec<u8>,
    values: Vec<f64>,
    pub times: Vec<f64>,
}

impl RowBatch {
    pub fn new(registry: &LayoutRegistry, rows: &[Row], keyed: bool) -> Self {
        let key = if keyed { r#""key":"str","# } else { "" };
        let text = format!(r#"{{{key}"row":{{"tup":["f64?","f64"]}}}}"#);
        let layout = Arc::new(Layout::parse(&text).unwrap());
        let layout_id = registry.intern(&text).unwrap();
        let (mut key_ends, mut key_data) = (Vec::new(), String::new());
        for row in rows {
            write!(key_data, "key-{}", row.key).unwrap();
            key_ends.push(u32::try_from(key_data.len()).unwrap());
        }
        Self {
            layout,
            layout_id,
            keyed,
            key_ends,
            key_data,
            presence: rows.iter().map(|row| u8::from(row.value.is_none())).collect(),
            values: rows.iter().map(|row| row.value.unwrap_or(0.0)).collect(),
            times: rows.iter().map(|row| row.time).collect(),
        }
    }

    pub fn view(&self) -> BatchView<'_> {
        let values: &[u8] = bytemuck::cast_slice(&self.values);
        let row = [&*self.presence, values, values];
        let key: [&[u8]; 2] = [bytemuck::cast_slice(&self.key_ends), self.key_data.as_bytes()];
        let key = key.into_iter().filter(|_| self.keyed);
        let encodings = self.keyed.then_some(StringEncoding::Ascii);
        BatchView::from_parts(
            Arc::clone(&self.layout),
            self.layout_id,
            self.values.len(),
            key.chain(row),
            encodings,
        )
        .unwrap()
    }
}
