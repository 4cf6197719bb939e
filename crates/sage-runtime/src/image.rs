//! Copies of batch images, in memory that is used again.

use sage_frame::Frame;
use sage_queue::sync::Mutex;

/// An image with more memory is not kept for the next one: copies of a few of them could fill the memory.
pub(crate) const LARGE_BYTES: usize = 1 << 20;
/// So many are kept.
const MOST_SPARES: usize = 16;

/// A copy of a batch image, aligned as images are.
#[derive(Default)]
pub(crate) struct Image {
    words: Vec<u64>,
    bytes: usize,
}

impl Image {
    pub(crate) fn resize(&mut self, bytes: usize) -> &mut [u8] {
        self.bytes = bytes;
        self.words.resize(bytes.div_ceil(8), 0);
        &mut bytemuck::cast_slice_mut(&mut self.words)[..bytes]
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.bytes]
    }
}

/// Memory of images that are done.
#[derive(Default)]
pub(crate) struct Spares(Mutex<Vec<Image>>);

impl Spares {
    /// An image with room for whatever is written next.
    pub(crate) fn take(&self) -> Image {
        self.0.lock().pop().unwrap_or_default()
    }

    pub(crate) fn copy_of(&self, image: &[u8]) -> Image {
        let mut copy = self.take();
        copy.resize(image.len()).copy_from_slice(image);
        copy
    }

    pub(crate) fn image_of(&self, frame: &Frame) -> Image {
        let mut image = self.take();
        let written = frame.write_image(image.resize(frame.image_len()));
        debug_assert!(written.is_ok(), "an image has the length that it says");
        image
    }

    /// Keeps the memory of an image, if it is worth it.
    pub(crate) fn give_back(&self, image: Image) {
        let mut spares = self.0.lock();
        if image.words.capacity() <= LARGE_BYTES / 8 && spares.len() < MOST_SPARES {
            spares.push(image);
        }
    }
}
