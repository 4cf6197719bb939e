//! The layouts and shapes of a job, by small integers that mean the same in every isolate and native thread.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sage_types::{ErrorCode, LayoutId, Result, SageError};

use crate::Layout;

/// Layouts a job may have, and shapes.
pub const MAX_LAYOUTS: usize = 65_536;

/// The layouts and shapes of one job. Ids are dense from 0 and never change; nothing is ever removed.
#[derive(Debug, Default)]
pub struct LayoutRegistry {
    layouts: RwLock<Interned<Layout>>,
    shapes: RwLock<Interned<str>>,
}

#[derive(Debug)]
struct Interned<T: ?Sized> {
    ids: HashMap<Arc<str>, u32>,
    values: Vec<Arc<T>>,
}

impl<T: ?Sized> Default for Interned<T> {
    fn default() -> Self {
        Self {
            ids: HashMap::new(),
            values: Vec::new(),
        }
    }
}

impl<T: ?Sized> Interned<T> {
    fn add(&mut self, text: &str, value: impl FnOnce(&Arc<str>) -> Arc<T>, what: &str) -> Result<u32> {
        if let Some(&id) = self.ids.get(text) {
            return Ok(id);
        }
        if self.values.len() >= MAX_LAYOUTS {
            let message = format!("the job has more than {MAX_LAYOUTS} {what} of records");
            return Err(SageError::new(ErrorCode::LimitLayouts, message));
        }
        let text: Arc<str> = text.into();
        #[expect(clippy::cast_possible_truncation, reason = "at most MAX_LAYOUTS")]
        let id = self.values.len() as u32;
        self.values.push(value(&text));
        self.ids.insert(text, id);
        Ok(id)
    }
}

// A panic while a lock is held cannot leave a table half changed in a way that a reader would see: the id is
// published last. So a poisoned lock is taken like any other.
fn read<T: ?Sized>(lock: &RwLock<Interned<T>>) -> RwLockReadGuard<'_, Interned<T>> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T: ?Sized>(lock: &RwLock<Interned<T>>) -> RwLockWriteGuard<'_, Interned<T>> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl LayoutRegistry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The id of the layout with this text, canonical or not; a new one on first sight.
    ///
    /// # Errors
    /// `SAGE_FORMAT_LAYOUT` for a malformed text, `SAGE_LIMIT_LAYOUTS` when the job has too many.
    pub fn intern(&self, text: &str) -> Result<LayoutId> {
        if let Some(&id) = read(&self.layouts).ids.get(text) {
            return Ok(LayoutId(id));
        }
        self.intern_layout(Layout::parse(text)?)
    }

    /// The id of a layout; a new one on first sight.
    ///
    /// # Errors
    /// `SAGE_LIMIT_LAYOUTS` when the job has too many.
    pub fn intern_layout(&self, layout: impl Into<Arc<Layout>>) -> Result<LayoutId> {
        let layout = layout.into();
        write(&self.layouts)
            .add(&layout.text, |_| Arc::clone(&layout), "layouts")
            .map(LayoutId)
    }

    /// The layout with this id.
    #[must_use]
    pub fn get(&self, id: LayoutId) -> Option<Arc<Layout>> {
        read(&self.layouts).values.get(id.index()).cloned()
    }

    /// Number of layouts; the next id.
    #[must_use]
    pub fn len(&self) -> usize {
        read(&self.layouts).values.len()
    }

    /// Whether there is no layout yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of a shape (JSON array of field names, read by JavaScript only); a new one on first sight.
    ///
    /// # Errors
    /// `SAGE_LIMIT_LAYOUTS` when the job has too many.
    pub fn intern_shape(&self, names: &str) -> Result<u32> {
        if let Some(&id) = read(&self.shapes).ids.get(names) {
            return Ok(id);
        }
        write(&self.shapes).add(names, Arc::clone, "shapes")
    }

    /// The names of a shape.
    #[must_use]
    pub fn shape(&self, id: u32) -> Option<Arc<str>> {
        read(&self.shapes).values.get(id as usize).cloned()
    }
}
