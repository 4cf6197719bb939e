//! Where reading would go on, of inputs whose position is a byte.

use std::path::Path;

use serde_json::json;

/// File and byte as JSON: see [`crate::BatchSource::place`].
pub(crate) fn byte_position(path: &Path, byte: u64) -> String {
    json!({ "file": path.to_string_lossy(), "byte": byte }).to_string()
}
