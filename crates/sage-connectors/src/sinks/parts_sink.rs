//! The files of an instance, and those of instances that there are no more.

use std::collections::HashSet;
use std::path::PathBuf;

use sage_frame::BatchView;
use sage_types::{ErrorCode, Result, SageError};

use crate::output::malformed;
use crate::sinks::saved_parts::{SavedPart, claim, to_bytes};
use crate::sinks::{Beginning, PartSink};
use crate::{BatchSink, Cancellation, Guarantee, Restored, SavedPosition, SinkReport, SourceSplit};

/// Opens what writes the files of a number; the last argument says whether files of the same sink may be there already.
pub(crate) type OpenPart = Box<dyn Fn(SourceSplit, Beginning<'_>, bool) -> Result<Box<dyn PartSink>> + Send>;

/// Writes the files of its own number. See [`SavedPart`] for the others.
pub(crate) struct PartsSink {
    split: SourceSplit,
    open: OpenPart,
    own: Own,
    /// Of other numbers; they wait.
    others: Vec<SavedPart>,
    /// Of other numbers, to be committed.
    complete: Vec<Box<dyn PartSink>>,
    /// What all is, when it was completed here.
    sealed: Option<Vec<u8>>,
    beside_earlier: bool,
    cancellation: Cancellation,
}

/// What writes the files of the own number.
enum Own {
    /// It is still to be restored.
    Unknown,
    /// There were none when all was complete.
    Absent,
    Open {
        sink: Box<dyn PartSink>,
        /// What was prepared, if nothing came since.
        prepared: Option<Vec<u8>>,
    },
    /// An earlier process had completed them.
    Sealed {
        sink: Box<dyn PartSink>,
        part: SavedPart,
    },
}

impl Own {
    fn sink(&self) -> Option<&dyn PartSink> {
        match self {
            Self::Unknown | Self::Absent => None,
            Self::Open { sink, .. } | Self::Sealed { sink, .. } => Some(sink.as_ref()),
        }
    }

    fn into_sink(self) -> Option<Box<dyn PartSink>> {
        match self {
            Self::Unknown | Self::Absent => None,
            Self::Open { sink, .. } | Self::Sealed { sink, .. } => Some(sink),
        }
    }
}

impl PartsSink {
    /// One that begins anew.
    ///
    /// # Errors
    /// Those of `open`.
    pub(crate) fn open(split: SourceSplit, open: OpenPart) -> Result<Self> {
        let mut sink = Self::to_restore(split, open);
        sink.begin(Beginning::Anew)?;
        Ok(sink)
    }

    /// One that nothing is known of before [`BatchSink::restore`].
    pub(crate) fn to_restore(split: SourceSplit, open: OpenPart) -> Self {
        Self {
            split,
            open,
            own: Own::Unknown,
            others: Vec::new(),
            complete: Vec::new(),
            sealed: None,
            beside_earlier: false,
            cancellation: Cancellation::default(),
        }
    }

    fn open_saved(&self, part: &SavedPart) -> Result<Box<dyn PartSink>> {
        let split = SourceSplit {
            instance: part.number,
            ..self.split
        };
        (self.open)(split, Beginning::Saved(&part.bytes), self.beside_earlier)
    }

    fn begin(&mut self, beginning: Beginning<'_>) -> Result<()> {
        let mut sink = (self.open)(self.split, beginning, self.beside_earlier)?;
        sink.cancel_when(self.cancellation.clone());
        self.own = Own::Open { sink, prepared: None };
        Ok(())
    }

    /// What takes batches; what an earlier process had completed is gone on with.
    fn writer(&mut self) -> Result<&mut Box<dyn PartSink>> {
        if self.sealed.is_none() {
            match &self.own {
                Own::Absent => self.begin(Beginning::Anew)?,
                Own::Sealed { part, .. } => {
                    let part = part.clone();
                    self.begin(Beginning::Completed {
                        sealed: &part.bytes,
                        open: part.open.as_deref(),
                    })?;
                }
                Own::Open { .. } | Own::Unknown => {}
            }
        }
        match &mut self.own {
            Own::Open { sink, prepared } if self.sealed.is_none() => {
                *prepared = None;
                Ok(sink)
            }
            _ => Err(SageError::new(
                ErrorCode::Internal,
                "a sink was used that was complete, or not restored yet",
            )),
        }
    }

    /// The state of the own number, not complete.
    fn prepare_own(&mut self) -> Result<Option<SavedPart>> {
        Ok(match &mut self.own {
            Own::Unknown => {
                return Err(SageError::new(
                    ErrorCode::Internal,
                    "a sink was prepared that was not restored yet",
                ));
            }
            Own::Absent => None,
            Own::Sealed { part, .. } => Some(part.clone()),
            Own::Open { sink, prepared } => {
                let bytes = sink.prepare(false)?;
                *prepared = Some(bytes.clone());
                Some(SavedPart {
                    number: self.split.instance,
                    sealed: false,
                    bytes,
                    open: None,
                })
            }
        })
    }

    /// All that are there.
    fn all(&mut self) -> Vec<Box<dyn PartSink>> {
        let own = std::mem::replace(&mut self.own, Own::Absent).into_sink();
        own.into_iter()
            .chain(std::mem::take(&mut self.complete))
            .collect()
    }

    /// Completes the files of all numbers.
    fn seal(&mut self) -> Result<Vec<u8>> {
        if let Some(sealed) = &self.sealed {
            return Ok(sealed.clone());
        }
        let mut parts = Vec::with_capacity(self.others.len() + 1);
        match &mut self.own {
            Own::Unknown | Own::Absent => {}
            Own::Sealed { part, .. } => parts.push(part.clone()),
            Own::Open { sink, prepared } => parts.push(SavedPart {
                number: self.split.instance,
                sealed: true,
                bytes: sink.prepare(true)?,
                open: prepared.take().filter(|_| !sink.begins_new_files()),
            }),
        }
        for part in std::mem::take(&mut self.others) {
            let mut sink = self.open_saved(&part)?;
            parts.push(if part.sealed {
                part
            } else {
                SavedPart {
                    number: part.number,
                    sealed: true,
                    bytes: sink.prepare(true)?,
                    open: Some(part.bytes).filter(|_| !sink.begins_new_files()),
                }
            });
            self.complete.push(sink);
        }
        let sealed = to_bytes(&parts, self.beside_earlier)?;
        self.sealed = Some(sealed.clone());
        Ok(sealed)
    }
}

impl BatchSink for PartsSink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        self.writer()?.write(batch)
    }

    fn prepare(&mut self, last: bool) -> Result<Vec<u8>> {
        if last {
            return self.seal();
        }
        if let Some(sealed) = &self.sealed {
            return Ok(sealed.clone());
        }
        let own = self.prepare_own()?;
        to_bytes(own.iter().chain(&self.others), self.beside_earlier)
    }

    fn restore(&mut self, saved: &[SavedPosition]) -> Result<Restored> {
        if !matches!(self.own, Own::Unknown) {
            return Err(malformed("the sink is in use already"));
        }
        let claim = claim(saved, self.split)?;
        self.beside_earlier = claim.beside_earlier;
        match claim.own {
            Some(part) if part.sealed => {
                let sink = self.open_saved(&part)?;
                self.own = Own::Sealed { sink, part };
            }
            Some(part) => self.begin(Beginning::Saved(&part.bytes))?,
            None if claim.restored == Restored::Sealed => self.own = Own::Absent,
            None => self.begin(Beginning::Anew)?,
        }
        for part in claim.others.iter().filter(|part| part.sealed) {
            // What is not there any more is told now. It stays as it is when this is dropped.
            drop(self.open_saved(part)?);
        }
        self.others = claim.others;
        Ok(claim.restored)
    }

    fn guarantee(&self) -> Guarantee {
        let own = self.own.sink();
        own.map_or(
            Guarantee::ExactlyOnce,
            super::super::batch_sink::BatchSink::guarantee,
        )
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        self.seal()?;
        // Its own comes first: the number of the report's path is that of the instance.
        let sinks = self.all();
        let paths: HashSet<PathBuf> = sinks.iter().flat_map(|sink| sink.paths()).collect();
        let mut all = SinkReport::default();
        for mut sink in sinks {
            sink.keep(&paths);
            let report = sink.commit()?;
            if all.path.is_empty() {
                all.path = report.path;
            }
            all.files += report.files;
            all.records += report.records;
            all.bytes += report.bytes;
            all.unread_records += report.unread_records;
            all.replaced_strings += report.replaced_strings;
        }
        Ok(all)
    }

    fn abort(mut self: Box<Self>) {
        for part in std::mem::take(&mut self.others) {
            // What cannot be opened is not there.
            if let Ok(sink) = self.open_saved(&part) {
                sink.abort();
            }
        }
        for sink in self.all() {
            sink.abort();
        }
    }

    fn detach(mut self: Box<Self>) {
        for sink in self.all() {
            sink.detach();
        }
    }

    fn cancel_when(&mut self, cancellation: Cancellation) {
        if let Own::Open { sink, .. } = &mut self.own {
            sink.cancel_when(cancellation.clone());
        }
        self.cancellation = cancellation;
    }

    fn wants_more(&self) -> bool {
        self.own
            .sink()
            .is_none_or(super::super::batch_sink::BatchSink::wants_more)
    }
}
