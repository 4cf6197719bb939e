//! What the owner of the values has to do before a batch.

use sage_types::{ErrorCode, Result, SageError};

/// Integers before the lists.
const HEAD_INTEGERS: usize = 8;

/// What has changed about the states in memory, as an image of little-endian integers and bytes that JavaScript reads
/// (`docs/internals/data-path.md`, section 7). It is done in this order: expired values are forgotten, loaded ones taken in,
/// those to encode are written down and given back with [`KeyedStateTable::finish`](crate::KeyedStateTable::finish), and all
/// values of the slots that are given up are forgotten.
#[derive(Debug, Default)]
pub struct StateExchange {
    /// Slot and state of values that have expired.
    pub(crate) expired: Vec<(u32, u8)>,
    /// Slot and state of values that were loaded, and where each ends in `data`.
    pub(crate) loaded: Vec<(u32, u8, usize)>,
    /// Slots that are given up.
    pub(crate) given_up: Vec<u32>,
    /// Slot and state of their values that the store does not have yet.
    pub(crate) to_encode: Vec<(u32, u8)>,
    pub(crate) data: Vec<u8>,
    pub(crate) slot_count: usize,
}

impl StateExchange {
    pub(crate) fn clear(&mut self, slot_count: usize) {
        self.expired.clear();
        self.loaded.clear();
        self.given_up.clear();
        self.to_encode.clear();
        self.data.clear();
        self.slot_count = slot_count;
    }

    pub(crate) fn load(&mut self, slot: u32, state: u8, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        self.loaded.push((slot, state, self.data.len()));
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.expired.is_empty() && self.loaded.is_empty() && self.given_up.is_empty()
    }

    /// Slot and state of values that have expired.
    #[must_use]
    pub fn expired(&self) -> &[(u32, u8)] {
        &self.expired
    }

    /// Slot, state and bytes of values that were loaded.
    pub fn loaded(&self) -> impl Iterator<Item = (u32, u8, &[u8])> {
        let mut start = 0;
        self.loaded.iter().map(move |&(slot, state, end)| {
            let bytes = &self.data[start..end];
            start = end;
            (slot, state, bytes)
        })
    }

    /// Slots that are given up.
    #[must_use]
    pub fn given_up(&self) -> &[u32] {
        &self.given_up
    }

    /// Slot and state of the values of slots that are given up which have to be encoded.
    #[must_use]
    pub fn to_encode(&self) -> &[(u32, u8)] {
        &self.to_encode
    }

    /// One more than the greatest slot that there is.
    #[must_use]
    pub const fn slot_count(&self) -> usize {
        self.slot_count
    }

    fn data_offset(&self) -> usize {
        let integers = HEAD_INTEGERS
            + 2 * (self.expired.len() + self.to_encode.len())
            + 3 * self.loaded.len()
            + self.given_up.len();
        integers * 4
    }

    /// Bytes of the image.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.data_offset() + self.data.len()
    }

    /// Writes the image to the beginning of `into`, which has room for it.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when there is no room, or a number does not fit 31 bits.
    pub fn write_image(&self, into: &mut [u8]) -> Result<()> {
        let data_offset = self.data_offset();
        let Some(image) = into.get_mut(..self.byte_len()) else {
            return Err(too_large("there is no room for the states of a batch"));
        };
        let (head, data) = image.split_at_mut(data_offset);
        let pair = |&(slot, state): &(u32, u8)| [slot as usize, usize::from(state)];
        let numbers = [
            self.expired.len(),
            self.loaded.len(),
            self.given_up.len(),
            self.to_encode.len(),
            self.slot_count,
            data_offset,
            0,
            0,
        ]
        .into_iter()
        .chain(self.expired.iter().flat_map(pair))
        .chain(
            self.loaded
                .iter()
                .flat_map(|&(slot, state, end)| [slot as usize, usize::from(state), end]),
        )
        .chain(self.given_up.iter().map(|&slot| slot as usize))
        .chain(self.to_encode.iter().flat_map(pair));
        for (place, number) in head.chunks_exact_mut(4).zip(numbers) {
            let number = i32::try_from(number).map_err(|_| {
                too_large("the states of one batch would have 2 GiB or more: use smaller values")
            })?;
            place.copy_from_slice(&number.to_le_bytes());
        }
        data.copy_from_slice(&self.data);
        Ok(())
    }
}

fn too_large(message: &str) -> SageError {
    SageError::new(ErrorCode::Internal, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_its_lists_one_behind_the_other() {
        let mut exchange = StateExchange::default();
        exchange.clear(9);
        assert!(exchange.is_empty());
        exchange.expired.push((1, 0));
        exchange.load(2, 1, b"ab");
        exchange.load(3, 0, b"c");
        exchange.given_up.extend([4, 5]);
        exchange.to_encode.push((5, 1));

        let mut image = vec![0; exchange.byte_len()];
        exchange.write_image(&mut image).unwrap();

        let integers: Vec<i32> = image[..image.len() - 3]
            .chunks_exact(4)
            .map(|bytes| i32::from_le_bytes(bytes.try_into().unwrap()))
            .collect();
        assert_eq!(integers[..8], [1, 2, 2, 1, 9, 80, 0, 0]);
        assert_eq!(integers[8..], [1, 0, 2, 1, 2, 3, 0, 3, 4, 5, 5, 1]);
        assert_eq!(&image[80..], b"abc");
        assert_eq!(exchange.loaded().last(), Some((3, 0, &b"c"[..])));
        let length = image.len();
        assert!(exchange.write_image(&mut image[..length - 1]).is_err());
    }
}
