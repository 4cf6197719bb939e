//! A window for which something is due.

/// What is done for a window that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WindowTask {
    /// Its clock has run out.
    Timer,
    /// Its end has come.
    Fire,
    /// It takes no more rows.
    Close,
}

/// A window for which something is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowDue {
    pub(crate) task: WindowTask,
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// Number of the key: the order in which keys got their first row.
    pub(crate) number: u64,
    pub(crate) slot: u32,
}

impl WindowDue {
    /// Sorts windows so that the one that is due first is the last: by end, by start, by key.
    pub(crate) fn sort_last_first(due: &mut [Self]) {
        due.sort_by(|a, b| {
            let by_window = b.end.total_cmp(&a.end).then(b.start.total_cmp(&a.start));
            by_window.then(b.number.cmp(&a.number))
        });
    }
}
