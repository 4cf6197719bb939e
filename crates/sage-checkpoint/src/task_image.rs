//! What a task hands over at a barrier.
//!
//! `u32 parts`, then for each part `u32 length, operator, u32 length, name, u8 kind, u8 is full, u32 length, payload`.

use std::ops::Range;

use sage_types::{ErrorCode, Result, SageError};

use crate::PartKind;
use crate::byte_reader::ByteReader;
use crate::entries::length_of;

/// The smallest part: three lengths and two bytes.
const MIN_PART_BYTES: usize = 14;

/// The parts of all operators of one task, in the bytes in which they cross from JavaScript.
#[derive(Debug, Clone)]
pub struct TaskImage {
    bytes: Vec<u8>,
    parts: Vec<Place>,
}

/// One part of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImagePart<'a> {
    /// The id of the operator.
    pub operator: &'a str,
    /// The name of the part.
    pub name: &'a str,
    /// Whose it is.
    pub kind: PartKind,
    /// Whether it stands alone; else it holds changes on top of the part of the epoch before.
    pub is_full: bool,
    /// Its bytes.
    pub payload: &'a [u8],
}

/// Where a part lies in the bytes of its image.
#[derive(Debug, Clone)]
struct Place {
    operator: Range<usize>,
    name: Range<usize>,
    kind: PartKind,
    is_full: bool,
    payload: Range<usize>,
}

impl Default for TaskImage {
    fn default() -> Self {
        Self::new()
    }
}

impl TaskImage {
    /// An image without parts.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bytes: vec![0; 4],
            parts: Vec::new(),
        }
    }

    /// Takes the bytes of an image, and checks them.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH` when they are no image.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let Some(parts) = places_of(&bytes) else {
            return Err(SageError::new(
                ErrorCode::FormatBatch,
                format!(
                    "the {} bytes that a task handed over are no task image",
                    bytes.len()
                ),
            ));
        };
        Ok(Self { bytes, parts })
    }

    /// Adds a part.
    ///
    /// # Errors
    /// `SAGE_LIMIT_BATCH` when it is 4 GiB or larger.
    pub fn push(&mut self, part: &ImagePart<'_>) -> Result<()> {
        let operator_length = length_of(part.operator.as_bytes())?;
        let name_length = length_of(part.name.as_bytes())?;
        let payload_length = length_of(part.payload)?;
        let count = u32::try_from(self.parts.len() + 1)
            .map_err(|_| SageError::new(ErrorCode::LimitBatch, "a task hands over more than 2^32 parts"))?;
        let operator = self.append(operator_length, part.operator.as_bytes());
        let name = self.append(name_length, part.name.as_bytes());
        self.bytes.push(part.kind.code());
        self.bytes.push(u8::from(part.is_full));
        let payload = self.append(payload_length, part.payload);
        self.parts.push(Place {
            operator,
            name,
            kind: part.kind,
            is_full: part.is_full,
            payload,
        });
        self.bytes[..4].copy_from_slice(&count.to_le_bytes());
        Ok(())
    }

    fn append(&mut self, length: u32, bytes: &[u8]) -> Range<usize> {
        self.bytes.extend_from_slice(&length.to_le_bytes());
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// The parts, in the order in which they were handed over.
    #[must_use]
    pub fn parts(&self) -> impl ExactSizeIterator<Item = ImagePart<'_>> {
        self.parts.iter().map(|place| ImagePart {
            operator: self.text(&place.operator),
            name: self.text(&place.name),
            kind: place.kind,
            is_full: place.is_full,
            payload: &self.bytes[place.payload.clone()],
        })
    }

    fn text(&self, place: &Range<usize>) -> &str {
        // It was UTF-8 when the place was noted.
        std::str::from_utf8(&self.bytes[place.clone()]).unwrap_or_default()
    }

    /// The bytes of the image.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn places_of(bytes: &[u8]) -> Option<Vec<Place>> {
    let mut reader = ByteReader::new(bytes);
    let count = usize::try_from(reader.u32()?).ok()?;
    // A count that lies must not reserve more than the bytes can hold.
    let mut places = Vec::with_capacity(count.min(bytes.len() / MIN_PART_BYTES));
    for _ in 0..count {
        let operator = reader.text()?.len();
        let operator = ending_at(bytes, &reader, operator);
        let name = reader.text()?.len();
        let name = ending_at(bytes, &reader, name);
        let kind = PartKind::from_code(reader.u8()?)?;
        let is_full = match reader.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let payload = reader.prefixed()?.len();
        let payload = ending_at(bytes, &reader, payload);
        places.push(Place {
            operator,
            name,
            kind,
            is_full,
            payload,
        });
    }
    (reader.remaining() == 0).then_some(places)
}

/// The range of the `length` bytes that were just read.
fn ending_at(bytes: &[u8], reader: &ByteReader<'_>, length: usize) -> Range<usize> {
    let end = bytes.len() - reader.remaining();
    end - length..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> TaskImage {
        let mut image = TaskImage::new();
        let mut push = |operator, name, kind, is_full, payload| {
            image
                .push(&ImagePart {
                    operator,
                    name,
                    kind,
                    is_full,
                    payload,
                })
                .unwrap();
        };
        push("name:größe", "position", PartKind::Own, true, b"12".as_slice());
        push("agg", "state", PartKind::Keyed, false, b"");
        image
    }

    #[test]
    fn given_an_image_when_its_bytes_are_read_then_the_parts_are_the_same() {
        let image = sample();
        let again = TaskImage::from_bytes(image.as_bytes().to_vec()).unwrap();
        assert!(image.parts().eq(again.parts()));
        assert_eq!(again.parts().len(), 2);
        let first = again.parts().next().unwrap();
        assert_eq!(
            (first.operator, first.name, first.payload),
            ("name:größe", "position", b"12".as_slice())
        );
        assert_eq!(TaskImage::from_bytes(vec![0; 4]).unwrap().parts().len(), 0);
    }

    #[test]
    fn given_bytes_that_are_cut_off_or_too_long_then_they_are_no_image() {
        let image = sample();
        let bytes = image.as_bytes();
        for length in 0..bytes.len() {
            assert!(
                TaskImage::from_bytes(bytes[..length].to_vec()).is_err(),
                "{length}"
            );
        }
        assert!(TaskImage::from_bytes([bytes, &[0]].concat()).is_err());
        assert!(TaskImage::from_bytes(vec![255; 4]).is_err());
    }
}
