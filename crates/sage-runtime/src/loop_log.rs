//! What was on its way around a loop when a checkpoint was made.
//!
//! As bytes: `u32 count`, then for each batch `u32 gate, u32 length, layout text, u32 length, batch image`. The layout is there as
//! text, since its number is one of the job that wrote it.

use std::collections::BTreeMap;

use sage_frame::{BatchView, Frame, FrameMeta, LayoutRegistry};
use sage_types::{ErrorCode, LayoutId, Result, SageError};

/// The batches that came around to one task, in the order in which they came, each with its gate.
#[derive(Debug, Default)]
pub(crate) struct LoopLog {
    frames: Vec<(u32, Frame)>,
}

/// Where the number of the layout is in a batch image.
const LAYOUT_AT: usize = 4;

impl LoopLog {
    pub(crate) fn push(&mut self, gate: u32, frame: Frame) {
        self.frames.push((gate, frame));
    }

    pub(crate) fn into_frames(self) -> Vec<(u32, Frame)> {
        self.frames
    }

    /// One log for each gate.
    pub(crate) fn by_gate(self) -> BTreeMap<u32, Self> {
        let mut logs: BTreeMap<u32, Self> = BTreeMap::new();
        for (gate, frame) in self.frames {
            logs.entry(gate).or_default().push(gate, frame);
        }
        logs
    }

    /// # Errors
    /// `SAGE_FORMAT_BATCH` for a frame whose layout the registry does not know; `SAGE_LIMIT_BATCH` above 4 GiB.
    pub(crate) fn to_bytes(&self, registry: &LayoutRegistry) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        put_u32(&mut bytes, self.frames.len())?;
        for (gate, frame) in &self.frames {
            let layout = registry.get(frame.layout_id()).ok_or_else(|| {
                SageError::new(ErrorCode::FormatBatch, "a batch of a loop has an unknown layout")
            })?;
            bytes.extend_from_slice(&gate.to_le_bytes());
            put_u32(&mut bytes, layout.text.len())?;
            bytes.extend_from_slice(layout.text.as_bytes());
            let length = frame.image_len();
            put_u32(&mut bytes, length)?;
            let start = bytes.len();
            bytes.resize(start + length, 0);
            frame
                .write_image(&mut bytes[start..])
                .map_err(|_| SageError::new(ErrorCode::Internal, "a batch is longer than it says"))?;
        }
        Ok(bytes)
    }

    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED`; those of layouts and batches.
    pub(crate) fn from_bytes(bytes: &[u8], registry: &LayoutRegistry) -> Result<Self> {
        let damaged = || SageError::new(ErrorCode::CheckpointDamaged, "the log of a loop is malformed");
        let mut rest = bytes;
        let count = take_u32(&mut rest).ok_or_else(damaged)?;
        let mut log = Self::default();
        let mut layouts: BTreeMap<&[u8], LayoutId> = BTreeMap::new();
        for _ in 0..count {
            let gate = take_u32(&mut rest).ok_or_else(damaged)?;
            let text = take_bytes(&mut rest).ok_or_else(damaged)?;
            let image = take_bytes(&mut rest).ok_or_else(damaged)?;
            let layout = if let Some(&layout) = layouts.get(text) {
                layout
            } else {
                let layout = registry.intern(std::str::from_utf8(text).map_err(|_| damaged())?)?;
                layouts.insert(text, layout);
                layout
            };
            // Aligned, as batches are read in place; and with the number that the layout has here.
            let mut words = vec![0_u64; image.len().div_ceil(8)];
            let copy: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
            let copy = copy.get_mut(..image.len()).ok_or_else(damaged)?;
            copy.copy_from_slice(image);
            copy.get_mut(LAYOUT_AT..LAYOUT_AT + 4)
                .ok_or_else(damaged)?
                .copy_from_slice(&layout.0.to_le_bytes());
            let view = BatchView::from_image(copy, registry)?;
            log.push(gate, Frame::from_view(&view, FrameMeta::default())?);
        }
        if rest.is_empty() { Ok(log) } else { Err(damaged()) }
    }
}

fn put_u32(bytes: &mut Vec<u8>, number: usize) -> Result<()> {
    let number = u32::try_from(number)
        .map_err(|_| SageError::new(ErrorCode::LimitBatch, "the log of a loop is larger than 4 GiB"))?;
    bytes.extend_from_slice(&number.to_le_bytes());
    Ok(())
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (number, behind) = rest.split_first_chunk::<4>()?;
    *rest = behind;
    Some(u32::from_le_bytes(*number))
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_u32(rest)? as usize;
    let (bytes, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(bytes)
}
