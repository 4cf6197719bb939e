//! A keyed aggregate with a thread that helps.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sage_frame::{BatchView, LayoutRegistry};
use sage_state::{Emitted, KeyedAggregate};
use sage_types::Result;

use crate::helped_work::{HelpedWork, Work};
use crate::image::{Image, LARGE_BYTES, Spares};

/// So many batches of running results may stay with the helper.
const LEFT_RESULTS: usize = 2;

/// A keyed aggregate whose batches may be worked on by a second thread, while the first one makes the next batch. Batches are
/// added in the order in which they came, whoever does it.
pub struct HelpedAggregate {
    helper: Arc<HelpedWork<Aggregation>>,
    /// Batches whose running results were not taken.
    owed: AtomicUsize,
}

struct Aggregation {
    aggregate: KeyedAggregate,
    registry: Arc<LayoutRegistry>,
    batch: Option<Batch>,
}

struct Batch {
    image: Image,
    /// Whether running results are wanted of it.
    emits: bool,
}

impl Work for Aggregation {
    type Piece = Batch;
    type Outcome = Image;
    const PLACE: &'static str = "keyed aggregate";

    fn begin(&mut self, batch: Batch) {
        self.batch = Some(batch);
    }

    fn is_busy(&self) -> bool {
        self.batch.is_some()
    }

    fn step(&mut self, spares: &Spares) -> Result<Option<Image>> {
        let Some(Batch { image, emits }) = self.batch.take() else {
            return Ok(None);
        };
        let results = {
            let view = BatchView::from_image(image.bytes(), &self.registry)?;
            if emits {
                let mut into = spares.take();
                let place = into.resize(self.aggregate.running_image_len(view.rows())?);
                self.aggregate.update_emit_into(&view, &self.registry, place)?;
                Some(into)
            } else {
                self.aggregate.update(&view)?;
                None
            }
        };
        spares.give_back(image);
        Ok(results)
    }
}

impl HelpedAggregate {
    /// An aggregate without a helper; one comes when there are many batches and a core that no engine thread uses.
    #[must_use]
    pub fn new(aggregate: KeyedAggregate, registry: Arc<LayoutRegistry>) -> Self {
        let work = Aggregation {
            aggregate,
            registry,
            batch: None,
        };
        Self {
            helper: HelpedWork::new(work, true),
            owed: AtomicUsize::new(0),
        }
    }

    /// Adds a batch, now or soon.
    ///
    /// # Errors
    /// Those of [`BatchView::from_image`] and [`KeyedAggregate::update`], for this batch or an earlier one.
    pub fn update(&self, image: &[u8]) -> Result<()> {
        self.add(image, false).map(|_| ())
    }

    /// As [`HelpedAggregate::update`], for running results. Returns how many batches have results that should be taken now,
    /// so that not too many wait; all of them may be taken.
    ///
    /// # Errors
    /// As [`HelpedAggregate::update`]; those of [`KeyedAggregate::update_emit_into`].
    pub fn update_emit(&self, image: &[u8]) -> Result<usize> {
        let owed = self.owed.fetch_add(1, Ordering::Relaxed) + 1;
        let is_helped = self.add(image, true)?;
        Ok(owed.saturating_sub(if is_helped { LEFT_RESULTS } else { 0 }))
    }

    fn add(&self, image: &[u8], emits: bool) -> Result<bool> {
        let batch = Batch {
            image: self.helper.spares.copy_of(image),
            emits,
        };
        let (_, is_helped) = self.helper.give(batch, image.len() > LARGE_BYTES)?;
        Ok(is_helped)
    }

    /// Writes the oldest running results that were not taken, waiting for them if need be; none when there are none.
    ///
    /// # Errors
    /// That of an earlier batch.
    pub fn take_results(&self, into: &mut [u8]) -> Result<Option<Emitted>> {
        self.helper.take(true, |outcomes| {
            let needed_bytes = outcomes.front()?.bytes().len();
            let Some(place) = into.get_mut(..needed_bytes) else {
                return Some(Emitted::TooSmall { needed_bytes });
            };
            let results = outcomes.pop_front()?;
            place.copy_from_slice(results.bytes());
            self.helper.spares.give_back(results);
            self.owed.fetch_sub(1, Ordering::Relaxed);
            Some(Emitted::Written(needed_bytes))
        })
    }

    /// The keys and what there is of each: [`KeyedAggregate::save`], behind everything that was added.
    ///
    /// # Errors
    /// That of an earlier batch; `SAGE_INTERNAL` when running results were not taken.
    pub fn save(&self, key_groups: u32) -> Result<Vec<u8>> {
        self.helper.with_all_done(|work| work.aggregate.save(key_groups))
    }

    /// What has changed since it was saved last: [`KeyedAggregate::save_changes`], behind everything that was added.
    ///
    /// # Errors
    /// As [`HelpedAggregate::save`].
    pub fn save_changes(&self, key_groups: u32) -> Result<Option<Vec<u8>>> {
        self.helper
            .with_all_done(|work| work.aggregate.save_changes(key_groups))
    }

    /// Calls `body` with the aggregate, behind everything that was added.
    ///
    /// # Errors
    /// Those of `body`, or that of an earlier batch.
    pub fn with<T>(&self, body: impl FnOnce(&mut KeyedAggregate) -> Result<T>) -> Result<T> {
        self.helper.with(|work| body(&mut work.aggregate))
    }
}

impl Drop for HelpedAggregate {
    fn drop(&mut self) {
        self.helper.close();
    }
}
