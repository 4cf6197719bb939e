//! A keyed aggregate with a thread that helps.

use std::collections::VecDeque;
use std::sync::Arc;

use sage_frame::{BatchView, LayoutRegistry};
use sage_queue::sync::{Condvar, Mutex};
use sage_queue::{EngineThread, MAX_SLICE, core_to_spare};
use sage_state::{Emitted, KeyedAggregate};
use sage_types::{Result, SageError};

use crate::net;

/// Batches after which a helper is worth its start; a short job never has one.
const FROM_BATCHES: u32 = 32;
/// So many batches wake the helper: one each would cost a system call for each.
const WAKE_AT: usize = 2;
/// With so many waiting, whoever brings the next one works on the oldest itself: the bound of the queue.
const MOST_WAITING: usize = 8;
/// So many batches of running results may stay with the helper.
const LEFT_RESULTS: usize = 2;
/// A larger batch does not wait: copies of a few of them could fill the memory.
const LARGE_BYTES: usize = 1 << 20;

/// A keyed aggregate whose batches may be worked on by a second thread, while the first one makes the next batch. The helper
/// is never waited for: what it has not begun, the caller does itself. Batches are added in the order in which they came,
/// whoever does it.
pub struct HelpedAggregate {
    registry: Arc<LayoutRegistry>,
    /// Locked before `waiting`, by whoever takes a batch from there: that keeps their order.
    aggregate: Mutex<KeyedAggregate>,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    batches: VecDeque<Batch>,
    /// Running results of batches that are done, oldest first.
    results: VecDeque<Image>,
    /// Memory of images that are done.
    spare: Vec<Image>,
    /// The first error of a batch; the next call returns it.
    error: Option<SageError>,
    seen: u32,
    has_helper: bool,
    is_closed: bool,
}

struct Batch {
    image: Image,
    /// Whether running results are wanted of it.
    emits: bool,
}

/// A copy of a batch image, aligned as images are.
#[derive(Default)]
struct Image {
    words: Vec<u64>,
    bytes: usize,
}

impl Image {
    fn copy_from(&mut self, image: &[u8]) {
        self.resize(image.len()).copy_from_slice(image);
    }

    fn resize(&mut self, bytes: usize) -> &mut [u8] {
        self.bytes = bytes;
        self.words.resize(bytes.div_ceil(8), 0);
        &mut bytemuck::cast_slice_mut(&mut self.words)[..bytes]
    }

    /// Whether its memory is worth keeping.
    const fn is_spare(&self) -> bool {
        self.words.capacity() <= LARGE_BYTES / 8
    }

    fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.bytes]
    }
}

impl HelpedAggregate {
    /// An aggregate without a helper; one comes when there are many batches and a core that no engine thread uses.
    #[must_use]
    pub fn new(aggregate: KeyedAggregate, registry: Arc<LayoutRegistry>) -> Arc<Self> {
        Arc::new(Self {
            registry,
            aggregate: Mutex::new(aggregate),
            waiting: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Adds a batch, now or soon.
    ///
    /// # Errors
    /// Those of [`BatchView::from_image`] and [`KeyedAggregate::update`], for this batch or an earlier one.
    pub fn update(self: &Arc<Self>, image: &[u8]) -> Result<()> {
        self.add(image, false).map(|_| ())
    }

    /// As [`HelpedAggregate::update`], for running results. Returns how many batches have results that should be taken now,
    /// so that not too many wait; all of them may be taken.
    ///
    /// # Errors
    /// As [`HelpedAggregate::update`]; those of [`KeyedAggregate::update_emit_into`].
    pub fn update_emit(self: &Arc<Self>, image: &[u8]) -> Result<usize> {
        self.add(image, true)
    }

    fn add(self: &Arc<Self>, image: &[u8], emits: bool) -> Result<usize> {
        let (is_helped, count, to_take) = {
            let mut waiting = self.waiting.lock();
            if let Some(error) = waiting.error.take() {
                return Err(error);
            }
            waiting.seen = waiting.seen.saturating_add(1);
            if waiting.seen == FROM_BATCHES && core_to_spare() {
                waiting.has_helper = self.start_helper();
            }
            let mut copy = waiting.spare.pop().unwrap_or_default();
            copy.copy_from(image);
            waiting.batches.push_back(Batch { image: copy, emits });
            let is_helped = waiting.has_helper && image.len() <= LARGE_BYTES;
            let left = if is_helped { LEFT_RESULTS } else { 0 };
            let emitting = waiting.batches.iter().filter(|batch| batch.emits).count();
            let to_take = (waiting.results.len() + emitting).saturating_sub(left);
            (is_helped, waiting.batches.len(), to_take)
        };
        if !is_helped {
            while self.work_on_oldest() {}
            let error = self.waiting.lock().error.take();
            return error.map_or(Ok(to_take), Err);
        }
        if count >= MOST_WAITING {
            self.work_on_oldest();
        } else if count >= WAKE_AT {
            self.changed.notify_one();
        }
        Ok(to_take)
    }

    /// Writes the oldest running results that were not taken, waiting for them if need be; none when there are none.
    ///
    /// # Errors
    /// That of an earlier batch.
    pub fn take_results(&self, into: &mut [u8]) -> Result<Option<Emitted>> {
        while self.waiting.lock().results.is_empty() {
            if self.work_on_oldest() {
                continue;
            }
            // The helper may be in the middle of the last one.
            drop(self.aggregate.lock());
            let mut waiting = self.waiting.lock();
            if let Some(error) = waiting.error.take() {
                return Err(error);
            }
            if waiting.results.is_empty() {
                return Ok(None);
            }
        }
        let mut waiting = self.waiting.lock();
        let Some(results) = waiting.results.front() else {
            return Ok(None);
        };
        let needed_bytes = results.bytes;
        let Some(place) = into.get_mut(..needed_bytes) else {
            return Ok(Some(Emitted::TooSmall { needed_bytes }));
        };
        place.copy_from_slice(results.bytes());
        let results = waiting.results.pop_front();
        waiting.spare.extend(results.filter(Image::is_spare));
        Ok(Some(Emitted::Written(needed_bytes)))
    }

    /// Calls `body` with the aggregate, behind everything that was added.
    ///
    /// # Errors
    /// Those of `body`, or that of an earlier batch.
    pub fn with<T>(&self, body: impl FnOnce(&mut KeyedAggregate) -> Result<T>) -> Result<T> {
        while self.work_on_oldest() {}
        // The helper may be in the middle of the last one; it notes an error before it lets the aggregate go.
        let mut aggregate = self.aggregate.lock();
        if let Some(error) = self.waiting.lock().error.take() {
            return Err(error);
        }
        body(&mut aggregate)
    }

    /// The helper goes. What waits is forgotten.
    pub fn close(&self) {
        let mut waiting = self.waiting.lock();
        waiting.is_closed = true;
        waiting.batches.clear();
        drop(waiting);
        self.changed.notify_all();
    }

    /// Adds the oldest batch; false when there is none.
    fn work_on_oldest(&self) -> bool {
        let mut aggregate = self.aggregate.lock();
        let (batch, mut results) = {
            let mut waiting = self.waiting.lock();
            let Some(batch) = waiting.batches.pop_front() else {
                return false;
            };
            (batch, waiting.spare.pop().unwrap_or_default())
        };
        let added = net::catch("keyed aggregate", || {
            let view = BatchView::from_image(batch.image.bytes(), &self.registry)?;
            if !batch.emits {
                return aggregate.update(&view);
            }
            let place = results.resize(aggregate.running_image_len(view.rows())?);
            aggregate
                .update_emit_into(&view, &self.registry, place)
                .map(|_| ())
        });
        let mut waiting = self.waiting.lock();
        waiting.spare.extend(Some(batch.image).filter(Image::is_spare));
        match added {
            Ok(()) if batch.emits => waiting.results.push_back(results),
            Ok(()) => waiting.spare.extend(Some(results).filter(Image::is_spare)),
            Err(error) => {
                waiting.batches.clear();
                waiting.error.get_or_insert(error);
            }
        }
        true
    }

    /// Whether a thread could be had; the aggregate does without.
    fn start_helper(self: &Arc<Self>) -> bool {
        let helped = Arc::clone(self);
        let thread = std::thread::Builder::new().name("sage-aggregate".to_owned());
        // Each batch has a net of its own; around them there is nothing that could panic.
        thread
            .spawn(move || {
                let _counted = EngineThread::enter();
                while helped.wait_for_batches() {
                    while helped.work_on_oldest() {}
                }
            })
            .is_ok()
    }

    /// Waits for a batch; false when the aggregate was closed.
    fn wait_for_batches(&self) -> bool {
        let mut waiting = self.waiting.lock();
        while waiting.batches.is_empty() && !waiting.is_closed {
            waiting = self.changed.wait_timeout(waiting, MAX_SLICE);
        }
        !waiting.is_closed
    }
}
