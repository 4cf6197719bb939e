//! What a channel can count.

use sage_frame::Frame;

/// An item that takes room in a [`crate::Channel`].
pub trait Credited {
    /// Records in the item; an item without rows still takes bytes.
    fn credit_rows(&self) -> u64;
    /// Memory the item holds, in bytes.
    fn credit_bytes(&self) -> u64;
    /// Whether it says all that `older`, which waits right before it, says: only one of them is kept then.
    fn supersedes(&self, _older: &Self) -> bool {
        false
    }
}

impl Credited for Frame {
    fn credit_rows(&self) -> u64 {
        self.rows() as u64
    }

    fn credit_bytes(&self) -> u64 {
        self.byte_len() as u64
    }

    /// Of the watermarks between two batches only the last one counts, so that a queue nobody reads stays bounded.
    fn supersedes(&self, older: &Self) -> bool {
        self.is_time() && older.is_time()
    }
}
