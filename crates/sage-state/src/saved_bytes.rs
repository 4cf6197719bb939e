//! Bytes of a checkpoint, read from front to back.

use sage_types::{ErrorCode, Result, SageError};

/// Bytes of a checkpoint. They may come from a damaged file, so nothing about them is taken for granted.
#[derive(Debug, Clone)]
pub struct SavedBytes<'a> {
    rest: &'a [u8],
}

impl<'a> SavedBytes<'a> {
    /// All of these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next bytes.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_DAMAGED` when there are fewer. (Here and below.)
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| damaged("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// All that is left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| damaged("it ends too early"))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The next byte.
    ///
    /// # Errors
    ///
    /// When it ends too early.
    pub fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// The next 4 bytes as a number.
    ///
    /// # Errors
    ///
    /// When it ends too early.
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next 8 bytes as a number.
    ///
    /// # Errors
    ///
    /// When it ends too early.
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next 8 bytes as a number with a sign.
    ///
    /// # Errors
    ///
    /// When it ends too early.
    pub fn i64(&mut self) -> Result<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// The next 8 bytes as a number with a fraction, bit by bit.
    ///
    /// # Errors
    ///
    /// When it ends too early.
    pub fn f64(&mut self) -> Result<f64> {
        self.u64().map(f64::from_bits)
    }

    /// Nothing may be left.
    ///
    /// # Errors
    ///
    /// When there is more.
    pub fn end(&self) -> Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(damaged("there is more than there should be"))
    }
}

/// The error of bytes of a checkpoint that make no sense.
#[must_use]
pub fn damaged(why: &str) -> SageError {
    SageError::new(
        ErrorCode::CheckpointDamaged,
        format!("the state of an operator in the checkpoint is damaged: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_in_order_and_never_beyond_their_end() {
        let mut bytes = SavedBytes::new(&[7, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9, 9]);
        assert_eq!((bytes.u8().unwrap(), bytes.u32().unwrap()), (7, 1));
        assert_eq!(bytes.clone().u64().unwrap(), 2);
        assert_eq!(bytes.i64().unwrap(), 2);
        assert!(bytes.end().is_err());
        assert_eq!(bytes.f64().unwrap_err().code, ErrorCode::CheckpointDamaged);
        assert_eq!(bytes.take(2).unwrap(), [9, 9]);
        assert!(bytes.end().is_ok());
        assert!(bytes.take(1).is_err());
        assert!(bytes.take_rest().is_empty());
    }
}
