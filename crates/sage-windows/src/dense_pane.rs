//! One pane of many keys.

/// No page.
pub(crate) const NO_PAGE: u32 = u32::MAX;
const PAGE_SLOTS_LOG2: u32 = 6;

/// Pages of 64 slots that all panes share. The accumulators of a page have neighbouring numbers, so that nothing has to be
/// looked up to find one, and results read them in order.
#[derive(Debug)]
pub(crate) struct PanePages {
    /// For each page which of its slots have rows.
    present: Vec<u64>,
    free: Vec<u32>,
}

/// A pane: for each 64 slots their page.
#[derive(Debug)]
pub(crate) struct DensePane {
    pub(crate) number: i64,
    pages: Vec<u32>,
}

impl PanePages {
    /// No pages, but the first one, whose first accumulator is nobody's.
    pub(crate) fn new() -> Self {
        Self {
            present: vec![0],
            free: Vec::new(),
        }
    }

    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.present.push(0);
            // Pages are at most as many as accumulators.
            u32::try_from(self.present.len() - 1).unwrap_or(NO_PAGE)
        })
    }

    /// Bytes of memory held.
    pub(crate) const fn bytes_used(&self) -> usize {
        self.present.capacity() * size_of::<u64>() + self.free.capacity() * size_of::<u32>()
    }
}

impl DensePane {
    /// A pane without rows.
    pub(crate) const fn new(number: i64) -> Self {
        Self {
            number,
            pages: Vec::new(),
        }
    }

    /// The accumulator of a slot, if it has rows here.
    #[inline]
    pub(crate) fn find(&self, slot: u32, pages: &PanePages) -> Option<u32> {
        let page = *self.pages.get((slot >> PAGE_SLOTS_LOG2) as usize)?;
        let present = *pages.present.get(page as usize)?;
        let at = slot & 63;
        (present >> at & 1 == 1).then_some(page << PAGE_SLOTS_LOG2 | at)
    }

    /// A number for the accumulator of a slot that has none here.
    pub(crate) fn add(&mut self, slot: u32, pages: &mut PanePages) -> u32 {
        let index = (slot >> PAGE_SLOTS_LOG2) as usize;
        if self.pages.len() <= index {
            self.pages.resize(index + 1, NO_PAGE);
        }
        if self.pages[index] == NO_PAGE {
            self.pages[index] = pages.take();
        }
        let page = self.pages[index];
        let at = slot & 63;
        pages.present[page as usize] |= 1 << at;
        page << PAGE_SLOTS_LOG2 | at
    }

    /// Gives all pages back.
    pub(crate) fn clear(&mut self, pages: &mut PanePages) {
        for page in self.pages.drain(..).filter(|&page| page != NO_PAGE) {
            pages.present[page as usize] = 0;
            pages.free.push(page);
        }
    }

    /// Appends the slots that have rows in any of some panes, in order.
    pub(crate) fn append_slots(group: &[Self], pages: &PanePages, slots: &mut Vec<u32>) {
        let count = group.iter().map(|pane| pane.pages.len()).max().unwrap_or(0);
        for (index, first) in (0..count).zip((0_u32..).step_by(1 << PAGE_SLOTS_LOG2)) {
            let mut present = group
                .iter()
                .filter_map(|pane| pages.present.get(*pane.pages.get(index)? as usize))
                .fold(0, |all, one| all | one);
            while present != 0 {
                slots.push(first + present.trailing_zeros());
                present &= present - 1;
            }
        }
    }

    /// Bytes of memory held outside of this.
    pub(crate) const fn bytes_used(&self) -> usize {
        self.pages.capacity() * size_of::<u32>()
    }
}
