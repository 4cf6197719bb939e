//! What is in an epoch, for people and for programs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sage_types::Result;
use serde_json::{Value, json};

use crate::{Files, PartKey, PartKind, RestoredEpoch, read_epoch};

/// What is in an epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochListing {
    /// Of its newest file.
    pub format_version: u32,
    /// Its number.
    pub epoch: u64,
    /// What was committed with it.
    pub metadata: Value,
    /// Its files, the newest first; more than one when it holds changes.
    pub files: Vec<ListedFile>,
    /// Its parts, in the order in which they were written.
    pub parts: Vec<ListedPart>,
    /// Newer epochs of the directory that are damaged.
    pub skipped: Vec<String>,
}

/// One of the files of an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Where it is.
    pub path: PathBuf,
    /// The epoch that it was written for.
    pub epoch: u64,
    /// How long it is.
    pub bytes: u64,
}

/// A part, as it is in the newest file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPart {
    /// Whose and which it is.
    pub key: PartKey,
    /// How it is shared out.
    pub kind: PartKind,
    /// Whether it stands alone; else its bytes and entries are those of the changes.
    pub is_full: bool,
    /// How long it is.
    pub bytes: u64,
    /// How many entries it has, when it is keyed.
    pub entries: Option<u64>,
}

/// Lists what is in the epoch of a file, or in the newest one of a directory, after checking all of it. Nothing is locked.
///
/// # Errors
/// Those of [`read_epoch`].
pub fn inspect(files: &Arc<dyn Files>, path: &Path) -> Result<EpochListing> {
    Ok(EpochListing::of(&read_epoch(files, path)?))
}

impl EpochListing {
    /// What is in an epoch.
    #[must_use]
    pub fn of(epoch: &RestoredEpoch) -> Self {
        let files = epoch.chain().files().iter().map(|file| ListedFile {
            path: file.path().to_owned(),
            epoch: file.index().epoch,
            bytes: file.bytes(),
        });
        let parts = epoch.chain().parts().iter().map(|part| ListedPart {
            key: part.key.clone(),
            kind: part.kind,
            is_full: part.is_full,
            bytes: part.length,
            entries: (part.kind == PartKind::Keyed).then_some(part.entries),
        });
        Self {
            format_version: epoch.chain().newest().version(),
            epoch: epoch.epoch,
            // It was JSON when it was committed.
            metadata: serde_json::from_str(epoch.metadata()).unwrap_or(Value::Null),
            files: files.collect(),
            parts: parts.collect(),
            skipped: epoch.skipped().iter().map(ToString::to_string).collect(),
        }
    }

    /// `{"formatVersion","epoch","metadata","files":[{"path","epoch","bytes"}],"parts":[{"operator","instance","parallelism","name","kind","isFull","bytes",
    /// "entries":number|null}],"skipped":[...]}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|file| json!({ "path": file.path.display().to_string(), "epoch": file.epoch, "bytes": file.bytes }))
            .collect();
        let parts: Vec<Value> = self
            .parts
            .iter()
            .map(|part| {
                json!({
                    "operator": part.key.operator,
                    "instance": part.key.instance,
                    "parallelism": part.key.parallelism,
                    "name": part.key.name,
                    "kind": part.kind.as_str(),
                    "isFull": part.is_full,
                    "bytes": part.bytes,
                    "entries": part.entries,
                })
            })
            .collect();
        json!({ "formatVersion": self.format_version, "epoch": self.epoch, "metadata": self.metadata, "files": files, "parts": parts, "skipped": self.skipped })
    }
}

impl fmt::Display for EpochListing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "epoch {}", self.epoch)?;
        for file in &self.files {
            writeln!(
                f,
                "  {} ({} bytes, epoch {})",
                file.path.display(),
                file.bytes,
                file.epoch
            )?;
        }
        if !self.metadata.is_null() {
            writeln!(f, "  metadata {}", self.metadata)?;
        }
        for error in &self.skipped {
            writeln!(f, "  skipped {error}")?;
        }
        let name_width = self.width(|part| part.key.name.chars().count());
        let operator_width = self.width(|part| part.key.operator.chars().count());
        let bytes_width = self.width(|part| part.bytes.to_string().len());
        for part in &self.parts {
            let PartKey {
                operator,
                instance,
                parallelism,
                name,
            } = &part.key;
            write!(
                f,
                "  {operator:operator_width$}  {name:name_width$}  {instance}/{parallelism}  {kind:5}  {bytes:>bytes_width$} bytes",
                kind = part.kind.as_str(),
                bytes = part.bytes,
            )?;
            if let Some(entries) = part.entries {
                let what = if part.is_full { "entries" } else { "changes" };
                write!(f, ", {entries} {what}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl EpochListing {
    fn width(&self, of: impl Fn(&ListedPart) -> usize) -> usize {
        self.parts.iter().map(of).max().unwrap_or(0)
    }
}
