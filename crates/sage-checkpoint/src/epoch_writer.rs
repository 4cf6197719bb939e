//! Writes one epoch.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sage_types::{ErrorCode, Result, SageError};

use crate::checkpoint_directory::CheckpointDirectory;
use crate::checkpoint_error::{Action, io_error, misuse};
use crate::disk_files::parent_of;
use crate::epoch_chain::EpochChain;
use crate::epoch_file_writer::EpochFileWriter;
use crate::epoch_format::PartPlace;
use crate::epoch_names::{epoch_path, merged_path, savepoint_temporary_path, temporary_path};
use crate::restored_epoch::ALL_KEY_GROUPS;
use crate::savepoint_place::{check_free, make_savepoint_place};
use crate::{EntryReader, EntryWriter, Files, PartKey, PartKind};

/// Entries that are merged are written in pieces of about this size.
const PIECE_BYTES: usize = 256 << 10;

/// A committed epoch.
#[derive(Debug, Clone)]
pub struct EpochSummary {
    /// Its number.
    pub epoch: u64,
    /// How long its file is.
    pub bytes: u64,
    /// Its file.
    pub path: PathBuf,
    /// What failed without harm to the epoch: older files that could not be removed. It is tried again after the next commit.
    pub warnings: Vec<SageError>,
}

/// Where an epoch goes.
#[derive(Debug)]
enum Target {
    /// To its place among the epochs of a directory.
    Directory(Arc<CheckpointDirectory>),
    /// To the place of the same epoch, which had bases.
    Merged(Arc<CheckpointDirectory>),
    /// To a file anywhere.
    File(Arc<dyn Files>),
}

/// Writes one epoch, in pieces. Dropped before the commit, nothing of it is left. It is used by one thread, which may wait for the disk.
#[derive(Debug)]
pub struct EpochWriter {
    file: EpochFileWriter,
    path: PathBuf,
    target: Target,
    written: HashSet<PartKey>,
    /// The parts that changes may be put on top of.
    base_parts: HashMap<PartKey, PartKind>,
    /// After an error a part is missing, and there must be no commit.
    failed: Option<SageError>,
}

impl EpochWriter {
    /// Writes an epoch to a file of its own, outside of a checkpoint directory: a savepoint that needs no other file. The directories that
    /// it is in are made.
    ///
    /// # Errors
    /// `SAGE_IO_EXISTS` when there is such a file; `SAGE_IO_*` when it cannot be made.
    pub fn to_file(files: Arc<dyn Files>, path: &Path, epoch: u64) -> Result<Self> {
        make_savepoint_place(files.as_ref(), path)?;
        let file = EpochFileWriter::create(Arc::clone(&files), savepoint_temporary_path(path), epoch, 0)?;
        Ok(Self::new(
            file,
            path.to_owned(),
            Target::File(files),
            HashMap::new(),
        ))
    }

    /// The number must have been begun in the catalog of the directory.
    pub(crate) fn in_directory(
        directory: Arc<CheckpointDirectory>,
        epoch: u64,
        base: u64,
        base_parts: HashMap<PartKey, PartKind>,
    ) -> Result<Self> {
        let path = epoch_path(directory.path(), epoch);
        let file = EpochFileWriter::create(directory.files(), temporary_path(&path), epoch, base);
        match file {
            Ok(file) => Ok(Self::new(file, path, Target::Directory(directory), base_parts)),
            Err(error) => {
                directory.catalog().ended(epoch);
                Err(error)
            }
        }
    }

    /// Writes an epoch anew that is there with its bases.
    pub(crate) fn for_merge(directory: Arc<CheckpointDirectory>, epoch: u64) -> Result<Self> {
        let path = epoch_path(directory.path(), epoch);
        let file = EpochFileWriter::create(directory.files(), merged_path(&path), epoch, 0)?;
        Ok(Self::new(file, path, Target::Merged(directory), HashMap::new()))
    }

    fn new(
        file: EpochFileWriter,
        path: PathBuf,
        target: Target,
        base_parts: HashMap<PartKey, PartKind>,
    ) -> Self {
        Self {
            file,
            path,
            target,
            written: HashSet::new(),
            base_parts,
            failed: None,
        }
    }

    /// The number of the epoch.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.file.epoch()
    }

    /// How many bytes were added so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// Adds a part. `is_full` is false when a keyed payload holds changes on top of the part of the base epoch; then each key counts
    /// once, by its last entry. Own parts always stand alone. After an error the epoch cannot be committed any more.
    ///
    /// # Errors
    /// `SAGE_FORMAT_BATCH` when a keyed payload is malformed, or stands alone and holds deletes; `SAGE_INTERNAL` when the part was added
    /// already, or holds changes and the base does not have it; `SAGE_IO_DISK_FULL`, `SAGE_IO_WRITE`.
    pub fn add(&mut self, key: &PartKey, kind: PartKind, is_full: bool, payload: &[u8]) -> Result<()> {
        let added = self.try_add(key, kind, is_full || kind == PartKind::Own, payload);
        self.noted(added)
    }

    fn try_add(&mut self, key: &PartKey, kind: PartKind, is_full: bool, payload: &[u8]) -> Result<()> {
        self.check_new(key)?;
        if !is_full && self.base_parts.get(key) != Some(&kind) {
            return Err(misuse(format!(
                "epoch {} has changes of {key}, which its base {} does not have",
                self.epoch(),
                self.file.base()
            )));
        }
        let entries = match kind {
            PartKind::Own => 0,
            PartKind::Keyed => count_entries(key, is_full, payload)?,
        };
        self.file.begin_part(key, kind, is_full);
        self.file.write(payload)?;
        self.file.end_part(entries)
    }

    /// Adds a part of another epoch so that it stands alone.
    pub(crate) fn add_merged(&mut self, chain: &EpochChain, part: &PartPlace) -> Result<()> {
        let added = self.try_add_merged(chain, part);
        self.noted(added)
    }

    fn try_add_merged(&mut self, chain: &EpochChain, part: &PartPlace) -> Result<()> {
        self.check_new(&part.key)?;
        self.file.begin_part(&part.key, part.kind, true);
        if part.is_full {
            chain.newest().chunks(part, &mut |bytes| self.file.write(bytes))?;
            return self.file.end_part(part.entries);
        }
        let mut piece = EntryWriter::with_capacity(PIECE_BYTES);
        let mut entries = 0;
        chain.visit_keyed(part, &ALL_KEY_GROUPS, &mut |entry| {
            piece.push(entry)?;
            entries += 1;
            if piece.as_bytes().len() >= PIECE_BYTES {
                self.file.write(piece.as_bytes())?;
                piece.clear();
            }
            Ok(())
        })?;
        self.file.write(piece.as_bytes())?;
        self.file.end_part(entries)
    }

    fn check_new(&mut self, key: &PartKey) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.written.insert(key.clone()) {
            Ok(())
        } else {
            Err(misuse(format!("epoch {} was given {key} twice", self.epoch())))
        }
    }

    fn noted(&mut self, added: Result<()>) -> Result<()> {
        if let Err(error) = &added {
            self.failed.get_or_insert_with(|| error.clone());
        }
        added
    }

    /// Makes the epoch durable, and then removes the epochs of the directory that nobody needs any more.
    ///
    /// # Errors
    /// `SAGE_INTERNAL` when the metadata are no JSON, or a newer epoch was committed meanwhile; what `add` failed with;
    /// `SAGE_IO_DISK_FULL`, `SAGE_IO_WRITE`, `SAGE_IO_CHANGED`. The epochs before are as they were then.
    pub fn commit(self, metadata_json: &str) -> Result<EpochSummary> {
        let epoch = self.epoch();
        self.publish(metadata_json)?
            .ok_or_else(|| misuse(format!("epoch {epoch} was removed while it was committed")))
    }

    /// None when the epoch was merged and is not needed any more.
    pub(crate) fn publish(mut self, metadata_json: &str) -> Result<Option<EpochSummary>> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        serde_json::from_str::<serde_json::Value>(metadata_json).map_err(|error| {
            misuse(format!("the metadata of epoch {} are no JSON", self.epoch())).caused_by(error)
        })?;
        self.file.finish(metadata_json)?;
        let warnings = match &self.target {
            Target::Directory(directory) => directory.publish(&mut self.file, &self.path)?,
            Target::Merged(directory) => match directory.publish_merged(&mut self.file, &self.path)? {
                Some(warnings) => warnings,
                None => return Ok(None),
            },
            Target::File(files) => {
                // Somebody else may have written there meanwhile.
                check_free(files.as_ref(), &self.path)?;
                self.file.rename(&self.path)?;
                if let Err(error) = files.sync_directory(parent_of(&self.path)) {
                    // It may be durable or not, and whoever is told of the error must not find it by chance.
                    let _ = files.remove(&self.path);
                    return Err(io_error(Action::Write, &self.path, &error));
                }
                Vec::new()
            }
        };
        Ok(Some(EpochSummary {
            epoch: self.epoch(),
            bytes: self.bytes(),
            path: self.path.clone(),
            warnings,
        }))
    }
}

impl Drop for EpochWriter {
    fn drop(&mut self) {
        if let Target::Directory(directory) = &self.target {
            directory.catalog().ended(self.file.epoch());
        }
    }
}

/// How many entries a keyed payload has.
fn count_entries(key: &PartKey, is_full: bool, payload: &[u8]) -> Result<u64> {
    let mut entries = 0;
    for entry in EntryReader::new(payload) {
        let entry = entry.map_err(|error| {
            SageError::new(ErrorCode::FormatBatch, format!("{key} was handed over malformed"))
                .with("operator", key.operator.as_str())
                .with("part", key.name.as_str())
                .caused_by(error)
        })?;
        if is_full && entry.value.is_none() {
            return Err(SageError::new(
                ErrorCode::FormatBatch,
                format!("{key} stands alone and holds a delete"),
            )
            .with("operator", key.operator.as_str())
            .with("part", key.name.as_str()));
        }
        entries += 1;
    }
    Ok(entries)
}
