//! The files of an instance, and those of instances that there are no more.

use std::collections::HashSet;
use std::path::PathBuf;

use sage_frame::BatchView;
use sage_types::{ErrorCode, Result, SageError};

use crate::output::malformed;
use crate::sinks::PartSink;
use crate::sinks::saved_parts::{SavedPart, claim, to_bytes};
use crate::{BatchSink, Cancellation, Guarantee, Restored, SavedPosition, SinkReport, SourceSplit};

/// Opens what writes the files of a number: new ones, or those that were prepared.
pub(crate) type OpenPart = Box<dyn Fn(SourceSplit, Option<&[u8]>) -> Result<Box<dyn PartSink>> + Send>;

/// Writes the files of its own number. See [`SavedPart`] for the others.
pub(crate) struct PartsSink {
    split: SourceSplit,
    open: OpenPart,
    /// `None` before it is restored, and when it was complete and had nothing.
    own: Option<Box<dyn PartSink>>,
    /// Of other numbers; they wait.
    others: Vec<SavedPart>,
    /// Of other numbers, to be committed.
    complete: Vec<Box<dyn PartSink>>,
    /// What all is, when it is complete.
    sealed: Option<Vec<u8>>,
    cancellation: Cancellation,
}

impl PartsSink {
    /// One that begins anew.
    ///
    /// # Errors
    /// Those of `open`.
    pub(crate) fn open(split: SourceSplit, open: OpenPart) -> Result<Self> {
        let mut sink = Self::to_restore(split, open);
        sink.own = Some((sink.open)(split, None)?);
        Ok(sink)
    }

    /// One that nothing is known of before [`BatchSink::restore`].
    pub(crate) fn to_restore(split: SourceSplit, open: OpenPart) -> Self {
        Self {
            split,
            open,
            own: None,
            others: Vec::new(),
            complete: Vec::new(),
            sealed: None,
            cancellation: Cancellation::default(),
        }
    }

    fn open_saved(&self, part: &SavedPart) -> Result<Box<dyn PartSink>> {
        let split = SourceSplit {
            instance: part.number,
            ..self.split
        };
        (self.open)(split, Some(&part.bytes))
    }

    fn writer(&mut self) -> Result<&mut Box<dyn PartSink>> {
        self.own.as_mut().ok_or_else(|| {
            SageError::new(
                ErrorCode::Internal,
                "a sink was used that was complete, or not restored yet",
            )
        })
    }

    /// Completes the files of all numbers.
    fn seal(&mut self) -> Result<Vec<u8>> {
        if let Some(sealed) = &self.sealed {
            return Ok(sealed.clone());
        }
        let mut parts = Vec::with_capacity(self.others.len() + 1);
        if let Some(own) = &mut self.own {
            parts.push(SavedPart {
                number: self.split.instance,
                sealed: true,
                bytes: own.prepare(true)?,
            });
        }
        for part in std::mem::take(&mut self.others) {
            let mut sink = self.open_saved(&part)?;
            let bytes = if part.sealed {
                part.bytes
            } else {
                sink.prepare(true)?
            };
            self.complete.push(sink);
            parts.push(SavedPart {
                sealed: true,
                bytes,
                ..part
            });
        }
        let sealed = to_bytes(&parts)?;
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
        let own = SavedPart {
            number: self.split.instance,
            sealed: false,
            bytes: self.writer()?.prepare(false)?,
        };
        to_bytes(std::iter::once(&own).chain(&self.others))
    }

    fn restore(&mut self, saved: &[SavedPosition]) -> Result<Restored> {
        if self.own.is_some() || self.sealed.is_some() {
            return Err(malformed("the sink is in use already"));
        }
        let claim = claim(saved, self.split)?;
        self.own = match &claim.own {
            Some(own) => Some(self.open_saved(own)?),
            None if claim.restored == Restored::Sealed => None,
            None => Some((self.open)(self.split, None)?),
        };
        self.others = claim.others;
        if let Some(own) = &mut self.own {
            own.cancel_when(self.cancellation.clone());
        }
        if claim.restored == Restored::Sealed {
            // What is sealed is not written again.
            let own = claim.own.filter(|own| own.sealed);
            for part in &self.others {
                let sink = self.open_saved(part)?;
                self.complete.push(sink);
            }
            self.sealed = Some(to_bytes(own.iter().chain(&self.others))?);
            self.others.clear();
        }
        Ok(claim.restored)
    }

    fn guarantee(&self) -> Guarantee {
        self.own
            .as_ref()
            .map_or(Guarantee::ExactlyOnce, |own| own.guarantee())
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        self.seal()?;
        // Its own comes first: the number of the report's path is that of the instance.
        let mut sinks: Vec<Box<dyn PartSink>> = self.own.take().into_iter().collect();
        sinks.append(&mut self.complete);
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
        for sink in self
            .own
            .take()
            .into_iter()
            .chain(std::mem::take(&mut self.complete))
        {
            sink.abort();
        }
    }

    fn detach(mut self: Box<Self>) {
        for sink in self
            .own
            .take()
            .into_iter()
            .chain(std::mem::take(&mut self.complete))
        {
            sink.detach();
        }
    }

    fn cancel_when(&mut self, cancellation: Cancellation) {
        if let Some(own) = &mut self.own {
            own.cancel_when(cancellation.clone());
        }
        self.cancellation = cancellation;
    }

    fn wants_more(&self) -> bool {
        self.own.as_ref().is_none_or(|own| own.wants_more())
    }
}
