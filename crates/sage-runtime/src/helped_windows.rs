//! Windows with a thread that helps.

use std::sync::Arc;

use sage_frame::{BatchView, LayoutRegistry};
use sage_types::Result;
use sage_windows::{NativeWindows, RecordedWindows, WindowCounts, WindowSpec};

use crate::helped_work::{HelpedWork, Work};
use crate::image::{Image, LARGE_BYTES, Spares};

/// Results of one outcome.
const MOST_RESULTS: usize = 1024;

/// The windows of one operator, whose batches and watermarks may be worked on by a second thread while the first one makes the
/// next batch. They are worked on in the order in which they came, whoever does it; what becomes of them is taken in that order too.
pub struct HelpedWindows {
    helper: Arc<HelpedWork<Windowing>>,
}

/// What comes of a batch or a watermark: results or programs and late rows, and at last that it is done.
pub enum WindowOutcome<'a> {
    /// The image of a batch of results.
    Results(&'a [u8]),
    /// What JavaScript has to do with accumulators of its own: so many 32-bit words, and behind them, at the next multiple of 8 bytes, the numbers of windows.
    Program {
        /// Words and windows.
        bytes: &'a [u8],
        /// How many words.
        words: usize,
    },
    /// Rows of the batch that came after all of their windows had closed.
    Late(&'a [i32]),
    /// All of it has been taken.
    Done(WindowCounts),
}

/// What is given to windows.
enum Piece {
    /// Rows, and what the caller's clock shows.
    Batch { image: Image, now_ms: f64 },
    /// How far event time has come, and what the caller's clock shows.
    Time { watermark: f64, now_ms: f64 },
    /// There are no more rows.
    End,
}

enum Outcome {
    Results(Image),
    Program { image: Image, words: usize },
    Late(Vec<i32>),
    Done(WindowCounts),
}

enum Windows {
    /// The core has the accumulators.
    Native(Box<NativeWindows>),
    /// JavaScript has them.
    Recorded(Box<RecordedWindows>),
}

/// Calls `$call` with the bookkeeping of either.
macro_rules! with_table {
    ($windows:expr, $accessor:ident, |$table:ident| $call:expr) => {
        match $windows {
            Windows::Native(windows) => {
                let $table = windows.$accessor();
                $call
            }
            Windows::Recorded(windows) => {
                let $table = windows.$accessor();
                $call
            }
        }
    };
}

struct Windowing {
    windows: Windows,
    registry: Arc<LayoutRegistry>,
    piece: Option<Piece>,
    /// The first row of a batch that was not added; of others, whether they were begun.
    next: usize,
    is_added: bool,
}

impl Work for Windowing {
    type Piece = Piece;
    type Outcome = Outcome;
    const PLACE: &'static str = "windows";

    fn begin(&mut self, piece: Piece) {
        self.piece = Some(piece);
        self.next = 0;
        self.is_added = false;
    }

    fn is_busy(&self) -> bool {
        self.piece.is_some()
    }

    fn step(&mut self, spares: &Spares) -> Result<Option<Outcome>> {
        if with_table!(&self.windows, table, |table| table.has_more()) {
            return self.fire(spares);
        }
        if !self.is_added {
            return self.add();
        }
        if let Some(Piece::Batch { image, .. }) = self.piece.take() {
            spares.give_back(image);
        }
        let counts = with_table!(&self.windows, table, |table| table.counts());
        Ok(Some(Outcome::Done(counts)))
    }
}

impl Windowing {
    /// What is due, up to a number of results.
    fn fire(&mut self, spares: &Spares) -> Result<Option<Outcome>> {
        match &mut self.windows {
            Windows::Native(windows) => {
                let results = windows.fire(MOST_RESULTS, &self.registry)?;
                Ok(results
                    .filter(|frame| frame.rows() > 0)
                    .map(|frame| Outcome::Results(spares.image_of(&frame))))
            }
            Windows::Recorded(windows) => {
                let program = windows.program(MOST_RESULTS);
                let (words, numbers) = (&program.words, &program.windows);
                if words.is_empty() {
                    return Ok(None);
                }
                let mut image = spares.take();
                let words_bytes = size_of_val::<[i32]>(words);
                let numbers_at = words_bytes.next_multiple_of(8);
                let place = image.resize(numbers_at + size_of_val::<[f64]>(numbers));
                place[..words_bytes].copy_from_slice(bytemuck::cast_slice(words));
                place[numbers_at..].copy_from_slice(bytemuck::cast_slice(numbers));
                let words = words.len();
                windows.take_program();
                Ok(Some(Outcome::Program { image, words }))
            }
        }
    }

    /// Begins what is in hand, or goes on with a batch that had so many results that they had to be taken first.
    fn add(&mut self) -> Result<Option<Outcome>> {
        let windows = &mut self.windows;
        match &self.piece {
            Some(Piece::Batch { image, now_ms }) => {
                let view = BatchView::from_image(image.bytes(), &self.registry)?;
                let times = view.times().unwrap_or_default();
                let late = with_table!(windows, table_mut, |table| {
                    self.next = table.add(&view, times, self.next, *now_ms)?;
                    table
                        .late()
                        .iter()
                        .map(|row| row.cast_signed())
                        .collect::<Vec<_>>()
                });
                self.is_added = self.next == view.rows();
                return Ok((!late.is_empty()).then_some(Outcome::Late(late)));
            }
            Some(Piece::Time { watermark, now_ms }) => {
                with_table!(windows, table_mut, |table| table.advance(*watermark, *now_ms))?;
            }
            Some(Piece::End) => with_table!(windows, table_mut, |table| table.finish()),
            None => {}
        }
        self.is_added = true;
        Ok(None)
    }
}

impl HelpedWindows {
    /// Windows without rows. A helper comes only where one `may_help`: then nobody can say when an outcome is there.
    ///
    /// # Errors
    /// `SAGE_FORMAT_GRAPH` when the spec is malformed.
    pub fn new(spec: &WindowSpec, registry: Arc<LayoutRegistry>, may_help: bool) -> Result<Self> {
        let windows = if spec.aggregates.is_some() {
            Windows::Native(Box::new(NativeWindows::new(spec)?))
        } else {
            Windows::Recorded(Box::new(RecordedWindows::new(spec)?))
        };
        let work = Windowing {
            windows,
            registry,
            piece: None,
            next: 0,
            is_added: false,
        };
        Ok(Self {
            helper: HelpedWork::new(work, may_help),
        })
    }

    /// Gives the rows of a batch, which has the times of its rows where windows go by event time. How many outcomes there are.
    ///
    /// # Errors
    /// Those of [`BatchView::from_image`] and [`sage_windows::WindowTable::add`], for this batch or an earlier one.
    pub fn give_batch(&self, image: &[u8], now_ms: f64) -> Result<usize> {
        let piece = Piece::Batch {
            image: self.helper.spares.copy_of(image),
            now_ms,
        };
        self.give(piece, image.len() > LARGE_BYTES)
    }

    /// Says how far event time has come and what the clock shows. How many outcomes there are.
    ///
    /// # Errors
    /// Those of [`sage_windows::WindowTable::advance`], or of an earlier batch.
    pub fn give_time(&self, watermark: f64, now_ms: f64) -> Result<usize> {
        self.give(Piece::Time { watermark, now_ms }, false)
    }

    /// Says that no more rows come. How many outcomes there are.
    ///
    /// # Errors
    /// Those of an earlier batch.
    pub fn give_end(&self) -> Result<usize> {
        self.give(Piece::End, false)
    }

    fn give(&self, piece: Piece, large: bool) -> Result<usize> {
        self.helper.give(piece, large).map(|(outcomes, _)| outcomes)
    }

    /// Calls `take` with the oldest outcome, which goes when that returns true; with none when there is none yet, which is only so when the caller
    /// does not `wait`, or when everything is done.
    ///
    /// # Errors
    /// Those of `take`, or of an earlier batch.
    pub fn take<T>(
        &self,
        waits: bool,
        take: impl FnOnce(Option<WindowOutcome<'_>>) -> Result<(T, bool)>,
    ) -> Result<T> {
        self.helper.take(waits, |outcomes| {
            let (taken, goes) = take(outcomes.front().map(|outcome| match outcome {
                Outcome::Results(image) => WindowOutcome::Results(image.bytes()),
                Outcome::Program { image, words } => WindowOutcome::Program {
                    bytes: image.bytes(),
                    words: *words,
                },
                Outcome::Late(rows) => WindowOutcome::Late(rows),
                Outcome::Done(counts) => WindowOutcome::Done(*counts),
            }))?;
            if goes
                && let Some(Outcome::Results(image) | Outcome::Program { image, .. }) = outcomes.pop_front()
            {
                self.helper.spares.give_back(image);
            }
            Ok(taken)
        })?
    }

    /// What there is of each key: [`sage_windows::WindowTable::save`], behind everything that was given.
    ///
    /// # Errors
    /// That of an earlier batch; `SAGE_INTERNAL` when outcomes were not taken.
    pub fn save(&self, key_groups: u32) -> Result<Vec<u8>> {
        self.helper
            .with_all_done(|work| with_table!(&mut work.windows, table_mut, |table| table.save(key_groups)))
    }

    /// What has changed since it was saved last: [`sage_windows::WindowTable::save_changes`], behind everything that was given.
    ///
    /// # Errors
    /// As [`HelpedWindows::save`].
    pub fn save_changes(&self, key_groups: u32) -> Result<Option<Vec<u8>>> {
        self.helper.with_all_done(|work| {
            with_table!(&mut work.windows, table_mut, |table| table
                .save_changes(key_groups))
        })
    }

    /// How far time has come: [`sage_windows::WindowTable::save_progress`].
    ///
    /// # Errors
    /// As [`HelpedWindows::save`].
    pub fn save_progress(&self) -> Result<Vec<u8>> {
        self.helper
            .with_all_done(|work| Ok(with_table!(&work.windows, table, |table| table.save_progress())))
    }

    /// The accumulators of each key: [`sage_windows::WindowTable::list_accumulators`].
    ///
    /// # Errors
    /// As [`HelpedWindows::save`].
    pub fn list_accumulators(&self, key_groups: u32) -> Result<Vec<u8>> {
        self.helper.with_all_done(|work| {
            with_table!(&work.windows, table, |table| table.list_accumulators(key_groups))
        })
    }

    /// Those of the keys that were saved last, as changes: [`sage_windows::WindowTable::list_changed_accumulators`].
    ///
    /// # Errors
    /// As [`HelpedWindows::save`].
    pub fn list_changed_accumulators(&self, key_groups: u32) -> Result<Option<Vec<u8>>> {
        self.helper.with_all_done(|work| {
            with_table!(&mut work.windows, table_mut, |table| table
                .list_changed_accumulators(key_groups))
        })
    }

    /// Takes how far time had come in one of the instances: [`sage_windows::WindowTable::restore_progress`].
    ///
    /// # Errors
    /// Those of the windows.
    pub fn restore_progress(&self, saved: &[u8]) -> Result<()> {
        self.helper.with(|work| {
            with_table!(&mut work.windows, table_mut, |table| table
                .restore_progress(saved))
        })
    }

    /// Takes what there was of each key: [`sage_windows::WindowTable::restore`].
    ///
    /// # Errors
    /// Those of the windows.
    pub fn restore(&self, payload: &[u8]) -> Result<()> {
        self.helper
            .with(|work| with_table!(&mut work.windows, table_mut, |table| table.restore(payload)))
    }

    /// Bytes of memory held, behind everything that was given; looks at every key.
    ///
    /// # Errors
    /// That of an earlier batch.
    pub fn bytes_used(&self) -> Result<usize> {
        self.helper
            .with(|work| Ok(with_table!(&work.windows, table, |table| table.bytes_used())))
    }
}

impl Drop for HelpedWindows {
    fn drop(&mut self) {
        self.helper.close();
    }
}
