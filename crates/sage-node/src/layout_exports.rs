//! The job's registry of layouts and shapes.

use napi_derive::napi;
use sage_types::LayoutId;

use crate::guard::{guarded, internal};
use crate::handles::job;

/// The id of a layout text, new or known.
#[napi]
pub fn intern_layout(job_handle: u32, text: String) -> napi::Result<u32> {
    guarded("internLayout", || {
        Ok(job(job_handle)?.registry().intern(&text)?.0)
    })
}

/// The text of a layout.
#[napi]
pub fn layout_text(job_handle: u32, id: u32) -> napi::Result<String> {
    guarded("layoutText", || {
        let layout = job(job_handle)?.registry().get(LayoutId(id));
        let layout = layout.ok_or_else(|| internal(format!("there is no layout {id}")))?;
        Ok(layout.text.to_string())
    })
}

/// The id of a shape (JSON array of field names), new or known.
#[napi]
pub fn intern_shape(job_handle: u32, text: String) -> napi::Result<u32> {
    guarded("internShape", || job(job_handle)?.registry().intern_shape(&text))
}

/// The text of a shape.
#[napi]
pub fn shape_text(job_handle: u32, id: u32) -> napi::Result<String> {
    guarded("shapeText", || {
        let shape = job(job_handle)?.registry().shape(id);
        Ok(shape
            .ok_or_else(|| internal(format!("there is no shape {id}")))?
            .to_string())
    })
}
