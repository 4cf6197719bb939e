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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_two_frames_then_only_a_time_takes_the_place_of_a_time() {
        let frames = [
            Frame::time(5.0, false),
            Frame::time(7.0, true),
            Frame::barrier(1, false),
        ];
        let supersedes = frames
            .each_ref()
            .map(|newer| frames.each_ref().map(|older| newer.supersedes(older)));
        assert_eq!(
            supersedes,
            [[true, true, false], [true, true, false], [false, false, false]]
        );
    }

    #[test]
    fn given_a_frame_without_records_then_it_takes_its_bytes() {
        let barrier = Frame::barrier(1, false);
        assert_eq!(barrier.credit_rows(), 0);
        assert_eq!(barrier.credit_bytes(), barrier.byte_len() as u64);
        assert!(barrier.credit_bytes() > 1);
    }
}
