//! How far time has come.

/// How far event time and processing time have come, in milliseconds. Rows are added only when all that is due is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// All rows before this have come, except late ones.
    pub(crate) watermark: f64,
    /// What the caller's clock said last.
    pub(crate) now_ms: f64,
    /// What it said when the caller last asked for what is due. Only that makes results due: else a batch that is added in two
    /// parts might give others.
    pub(crate) told_ms: f64,
    /// How long a window takes rows after its end.
    pub(crate) lateness_ms: f64,
}

impl Progress {
    /// Whether the time of a window with this end has come.
    #[inline]
    pub(crate) fn has_reached(&self, end: f64) -> bool {
        self.watermark >= end
    }

    /// Whether a window with this end takes no more rows.
    #[inline]
    pub(crate) fn has_closed(&self, end: f64) -> bool {
        self.watermark >= end + self.lateness_ms
    }
}
