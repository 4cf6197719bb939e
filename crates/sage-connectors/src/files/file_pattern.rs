//! What one path of a source means: a file, the files of a directory, or those that a pattern describes.

use std::fs::Metadata;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sage_types::{ErrorCode, Result, SageError};
use walkdir::{DirEntry, WalkDir};

use crate::files::FileStamp;
use crate::files::glob_pattern::{GlobPattern, is_hidden, is_pattern, levels_of};
use crate::io_error::{IoAction, io_error};

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundFile {
    pub(crate) path: PathBuf,
    /// `None` for what is no regular file, and for files without a size that have something in them (those of /proc).
    pub(crate) bytes: Option<u64>,
    pub(crate) modified: Option<SystemTime>,
    pub(crate) stamp: FileStamp,
}

impl FoundFile {
    fn new(path: PathBuf, metadata: &Metadata) -> Self {
        Self {
            path,
            bytes: (metadata.is_file() && metadata.len() > 0).then_some(metadata.len()),
            modified: metadata.modified().ok(),
            stamp: FileStamp::of(metadata),
        }
    }
}

/// One path of a source, understood.
#[derive(Debug)]
pub(crate) enum FilePattern {
    File(FoundFile),
    Directory(PathBuf),
    Glob { text: String, glob: GlobPattern },
}

impl FilePattern {
    /// A path that exists is what it is; only others are patterns.
    ///
    /// # Errors
    /// `SAGE_IO_NOT_FOUND` and other `SAGE_IO_*`; `SAGE_PLAN_ARGUMENT` for a pattern that is none.
    pub(crate) fn resolve(text: &str) -> Result<Self> {
        let path = Path::new(text);
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(Self::Directory(path.to_owned())),
            Ok(metadata) => Ok(Self::File(FoundFile::new(path.to_owned(), &metadata))),
            Err(error) if error.kind() == ErrorKind::NotFound && is_pattern(text) => Ok(Self::Glob {
                text: text.to_owned(),
                glob: GlobPattern::parse(text)?,
            }),
            Err(error) => Err(io_error(IoAction::Open, path, &error)),
        }
    }

    /// Where files are looked for; `None` for a file.
    pub(crate) fn base(&self) -> Option<&Path> {
        match self {
            Self::File(_) => None,
            Self::Directory(path) => Some(path),
            Self::Glob { glob, .. } => Some(&glob.base),
        }
    }

    /// The files that are there now, by path.
    ///
    /// Hidden files and directories (names that begin with `.` or `_`) and temporary files (names that end with `.tmp`)
    /// are left out where the pattern does not name them, and so is what is no regular file.
    ///
    /// # Errors
    /// `SAGE_IO_*`. A name that vanishes while the directory is listed is one unless `may_vanish`.
    pub(crate) fn list(&self, may_vanish: bool) -> Result<Vec<FoundFile>> {
        let (base, depth) = match self {
            Self::File(file) => return Ok(vec![file.clone()]),
            Self::Directory(path) => (path, usize::MAX),
            Self::Glob { glob, .. } => (&glob.base, glob.depth().unwrap_or(usize::MAX)),
        };
        let walk = WalkDir::new(base)
            .follow_links(true)
            .min_depth(1)
            .max_depth(depth)
            .into_iter()
            .filter_entry(|entry| self.is_meant(base, entry));
        let mut found = Vec::new();
        for entry in walk {
            match entry {
                Ok(entry) if !entry.file_type().is_file() => {}
                Ok(entry) => match entry.metadata() {
                    Ok(metadata) => found.push(FoundFile::new(shown_path(base, entry.path()), &metadata)),
                    Err(error) => self.skip_or_fail(base, error, may_vanish)?,
                },
                Err(error) => self.skip_or_fail(base, error, may_vanish)?,
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(file) = found.iter().find(|file| file.path.to_str().is_none()) {
            let path = file.path.display();
            let message = format!("the name of {path} is not UTF-8; rename the file");
            return Err(SageError::new(ErrorCode::IoRead, message).with("file", path.to_string()));
        }
        Ok(found)
    }

    /// The error for a pattern that no file matches.
    pub(crate) fn nothing_found(&self) -> SageError {
        let hint = "names that begin with . or _ or end with .tmp do not count";
        let (pattern, message) = match self {
            Self::Glob { text, glob } if !glob.base.is_dir() => {
                let base = glob.base.display();
                (
                    text.clone(),
                    format!("no file matches '{text}': there is no directory {base}"),
                )
            }
            Self::Glob { text, .. } => (text.clone(), format!("no file matches '{text}'; {hint}")),
            Self::Directory(path) | Self::File(FoundFile { path, .. }) => {
                let path = path.display().to_string();
                let message = format!("the directory {path} has no file to read; {hint}");
                (path, message)
            }
        };
        SageError::new(ErrorCode::IoNotFound, message).with("file", pattern)
    }

    fn is_meant(&self, base: &Path, entry: &DirEntry) -> bool {
        if entry.depth() == 0 {
            return true;
        }
        let below = entry.path().strip_prefix(base).unwrap_or(entry.path());
        self.is_meant_below(below, entry.file_type().is_dir())
    }

    fn is_meant_below(&self, below: &Path, directory: bool) -> bool {
        let name = below.file_name().unwrap_or_default().to_string_lossy();
        let glob = match self {
            Self::Glob { glob, .. } => Some(glob),
            Self::File(_) | Self::Directory(_) => None,
        };
        let level = levels_of(below).saturating_sub(1);
        if is_hidden(&name) && !glob.is_some_and(|glob| glob.names_hidden(level, &name)) {
            return false;
        }
        if directory {
            return glob.is_none_or(|glob| glob.enters(below));
        }
        let temporary = name.ends_with(".tmp") && !glob.is_some_and(GlobPattern::names_temporary);
        !temporary && glob.is_none_or(|glob| glob.matches(below))
    }

    /// What cannot be looked at is an error where it is meant.
    fn skip_or_fail(&self, base: &Path, error: walkdir::Error, may_vanish: bool) -> Result<()> {
        // What a link to a directory above has in it was found there.
        if error.loop_ancestor().is_some() {
            return Ok(());
        }
        let path = error.path().unwrap_or(base).to_owned();
        let below = path.strip_prefix(base).unwrap_or(&path).to_owned();
        let error = error
            .into_io_error()
            .unwrap_or_else(|| Error::other("it cannot be read"));
        let vanished = error.kind() == ErrorKind::NotFound;
        if vanished && may_vanish && path != base {
            return Ok(());
        }
        if path == base && vanished && matches!(self, Self::Glob { .. }) {
            return Ok(()); // the caller finds nothing, and says so
        }
        // A link that leads nowhere, or a directory that may not be entered: an error, unless it is not meant anyway.
        let meant = path == base || self.is_meant_below(&below, !vanished);
        if meant {
            return Err(io_error(IoAction::List, &path, &error));
        }
        Ok(())
    }
}

/// The path of a file as the user would write it.
fn shown_path(base: &Path, path: &Path) -> PathBuf {
    if base == Path::new(".") {
        return path.strip_prefix(base).unwrap_or(path).to_owned();
    }
    path.to_owned()
}
