//! An epoch as it is read.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use sage_types::{Result, SageError};

use crate::checkpoint_error::damaged_part;
use crate::epoch_chain::EpochChain;
use crate::epoch_format::PartPlace;
use crate::{Entry, EntryWriter, EpochSummary, EpochWriter, Files, PartKey, PartKind};

/// Every key group that there can be.
pub(crate) const ALL_KEY_GROUPS: Range<u32> = 0..1 << 16;

/// What a part holds when it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartPayload {
    /// The bytes that the instance handed over.
    Own(Vec<u8>),
    /// All entries that are left when changes are put on top of what they change; no deletes.
    Keyed(Vec<u8>),
}

impl PartPayload {
    /// Whose it is.
    #[must_use]
    pub const fn kind(&self) -> PartKind {
        match self {
            Self::Own(_) => PartKind::Own,
            Self::Keyed(_) => PartKind::Keyed,
        }
    }

    /// The bytes, or the entries as [`crate::EntryReader`] reads them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) | Self::Keyed(bytes) => bytes,
        }
    }
}

/// An epoch of which every byte was found to be what was written. Its files stay readable, whatever is removed meanwhile.
pub struct RestoredEpoch {
    /// Its number.
    pub epoch: u64,
    files: Arc<dyn Files>,
    chain: EpochChain,
    skipped: Vec<SageError>,
}

impl fmt::Debug for RestoredEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoredEpoch")
            .field("epoch", &self.epoch)
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

impl RestoredEpoch {
    /// Takes open files, and reads all of them once to find out whether they are whole.
    pub(crate) fn verified(files: Arc<dyn Files>, chain: EpochChain) -> Result<Self> {
        chain.verify()?;
        Ok(Self {
            epoch: chain.newest().index().epoch,
            files,
            chain,
            skipped: Vec::new(),
        })
    }

    pub(crate) fn with_skipped(mut self, skipped: Vec<SageError>) -> Self {
        self.skipped = skipped;
        self
    }

    pub(crate) const fn chain(&self) -> &EpochChain {
        &self.chain
    }

    /// The JSON that was committed with it.
    #[must_use]
    pub fn metadata(&self) -> &str {
        &self.chain.newest().index().metadata
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.chain.newest().path()
    }

    /// The epochs that were newer but are damaged, as errors that name file and part.
    #[must_use]
    pub fn skipped(&self) -> &[SageError] {
        &self.skipped
    }

    /// The ids of all operators that have a part, each once, sorted.
    #[must_use]
    pub fn operators(&self) -> Vec<&str> {
        let operators: BTreeSet<&str> = self
            .chain
            .parts()
            .iter()
            .map(|part| part.key.operator.as_str())
            .collect();
        operators.into_iter().collect()
    }

    /// All parts, in the order in which they were written.
    #[must_use]
    pub fn parts(&self) -> impl ExactSizeIterator<Item = (&PartKey, PartKind)> {
        self.chain.parts().iter().map(|part| (&part.key, part.kind))
    }

    /// What all instances handed over as this part, in the order of instances; empty when there is no such part.
    ///
    /// # Errors
    /// `SAGE_IO_READ`; `SAGE_CHECKPOINT_DAMAGED` when a file has changed since the epoch was opened.
    pub fn part(&self, operator: &str, name: &str) -> Result<Vec<(PartKey, PartPayload)>> {
        let mut found = Vec::new();
        for part in self.instances(operator, name) {
            found.push((part.key.clone(), self.payload(part)?));
        }
        Ok(found)
    }

    /// Gives out the entries of a keyed part of all instances whose key groups lie in a range. Only what was changed since the epoch
    /// that stands alone is in memory. Entries that were given out must not be used when this fails.
    ///
    /// # Errors
    /// `SAGE_IO_READ`; `SAGE_CHECKPOINT_DAMAGED` when a file has changed since the epoch was opened, or the part is not keyed;
    /// what `visit` fails with.
    pub fn visit_entries(
        &self,
        operator: &str,
        name: &str,
        key_groups: &Range<u32>,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<()>,
    ) -> Result<()> {
        for part in self.instances(operator, name) {
            if part.kind != PartKind::Keyed {
                return Err(damaged_part(
                    self.path(),
                    &part.key,
                    "it has no entries by key group, as the part of this name should",
                ));
            }
            self.chain.visit_keyed(part, key_groups, visit)?;
        }
        Ok(())
    }

    /// Writes the epoch to a file of its own, which needs no other and can be moved anywhere.
    ///
    /// # Errors
    /// `SAGE_IO_EXISTS` when there is such a file, `SAGE_IO_DISK_FULL` and others when it cannot be written.
    pub fn write_savepoint(&self, path: &Path) -> Result<EpochSummary> {
        let mut writer = EpochWriter::to_file(Arc::clone(&self.files), path, self.epoch)?;
        self.copy_to(&mut writer)?;
        writer.commit(self.metadata())
    }

    /// Writes all parts as parts that stand alone.
    pub(crate) fn copy_to(&self, writer: &mut EpochWriter) -> Result<()> {
        self.chain
            .parts()
            .iter()
            .try_for_each(|part| writer.add_merged(&self.chain, part))
    }

    fn instances(&self, operator: &str, name: &str) -> Vec<&PartPlace> {
        let mut parts: Vec<&PartPlace> = self
            .chain
            .parts()
            .iter()
            .filter(|part| part.key.operator == operator && part.key.name == name)
            .collect();
        parts.sort_by_key(|part| (part.key.instance, part.key.parallelism));
        parts
    }

    fn payload(&self, part: &PartPlace) -> Result<PartPayload> {
        match part.kind {
            PartKind::Own => Ok(PartPayload::Own(self.chain.newest().read_part(part)?)),
            PartKind::Keyed if part.is_full => Ok(PartPayload::Keyed(self.chain.newest().read_part(part)?)),
            PartKind::Keyed => {
                let mut entries = EntryWriter::new();
                self.chain
                    .visit_keyed(part, &ALL_KEY_GROUPS, &mut |entry| entries.push(entry))?;
                Ok(PartPayload::Keyed(entries.into_bytes()))
            }
        }
    }
}
