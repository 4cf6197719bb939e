//! What is kept for a window or a part of one.

use sage_frame::BatchView;
use sage_types::Result;

use crate::AccumulatorIds;

/// What is kept for windows, and what becomes of it. The bookkeeping calls these in the order in which things happen.
pub trait PaneAccumulators {
    /// Whether the content of several panes can be merged into one accumulator. If not, results are made of lists of panes.
    fn merges_panes(&self) -> bool;

    /// Results of so many panes at most are made of the panes themselves each time; of more, by merging in advance what later
    /// results share, where panes can be merged.
    fn max_panes_of_result(&self) -> i64;

    /// Takes the batch whose rows are added next.
    ///
    /// # Errors
    /// As the implementation says; nothing has changed then.
    fn begin_batch(&mut self, view: &BatchView<'_>) -> Result<()>;

    /// No more rows of this batch are added.
    fn end_batch(&mut self);

    /// From now on a slot belongs to the key of this row.
    fn key(&mut self, slot: u32, row: u32);

    /// The key of a slot has nothing left; the slot may go to another key later.
    fn drop_key(&mut self, slot: u32);

    /// The numbers of accumulators, for those who do not number them by themselves.
    fn ids(&mut self) -> &mut AccumulatorIds;

    /// There is now an empty accumulator with this number. 0 is no accumulator's number.
    fn init(&mut self, accumulator: u32);

    /// An accumulator is not needed any more; its number may be used again.
    fn forget(&mut self, accumulator: u32);

    /// A new, empty accumulator.
    fn open(&mut self) -> u32 {
        let accumulator = self.ids().take();
        self.init(accumulator);
        accumulator
    }

    /// Forgets an accumulator that was opened.
    fn free(&mut self, accumulator: u32) {
        self.forget(accumulator);
        self.ids().give_back(accumulator);
    }

    /// Adds a row of the batch at hand.
    fn add(&mut self, row: u32, accumulator: u32);

    /// Adds to an accumulator what another has, as if it had come later. The other stays as it is.
    fn merge(&mut self, into: u32, from: u32);

    /// The accumulator now stands for this window; again when a session has grown. Told only when JavaScript is the trigger.
    fn stands_for(&mut self, accumulator: u32, slot: u32, start: f64, end: f64);

    /// Gives the result of a window: of these accumulators together, in this order, of which there is at least one.
    fn emit(&mut self, accumulators: &[u32], slot: u32, start: f64, end: f64);

    /// Bytes of an accumulator in a checkpoint; 0 where JavaScript has what is in it.
    fn saved_len(&self) -> usize;

    /// Appends what an accumulator has, so many bytes.
    fn save(&self, accumulator: u32, into: &mut Vec<u8>);

    /// There is now an accumulator with this number, of what one had that was saved.
    fn restore(&mut self, accumulator: u32, saved: &[u8]);

    /// Whether enough has been given that was not taken away yet: so many results, or as much as memory should be used for.
    fn is_full(&self, max_results: usize) -> bool;

    /// Whether all that was given has been taken away.
    fn is_taken(&self) -> bool;

    /// Bytes of memory held.
    fn bytes_used(&self) -> usize;
}
