//! The files of a source, as TypeScript describes them.

use std::path::Path;
use std::time::Duration;

use sage_types::{ErrorCode, Result, SageError};
use serde::Deserialize;

use crate::SourceSplit;
use crate::files::file_pattern::FilePattern;
use crate::files::file_watcher::FileWatcher;
use crate::files::share_files::share_files;
use crate::files::{CompressionSetting, FileParts, InputFile, STANDARD_INPUT};
use crate::io_error::{IoAction, io_error};

/// The part of a source's spec that says which files it reads, whatever their format is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FileSet {
    path: Paths,
    #[serde(default)]
    pub(crate) compression: CompressionSetting,
    /// Look for new files for ever.
    #[serde(default)]
    pub(crate) watch: Option<Watch>,
    /// The files that were found when the job started, so that all instances agree on them.
    #[serde(default)]
    files: Option<Vec<InputFile>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Paths {
    One(String),
    Many(Vec<String>),
}

/// How often new files are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Watch {
    pub(crate) every_ms: u64,
}

impl FileSet {
    /// The names of the fields, which a spec has beside those of its format.
    pub(crate) const FIELDS: [&str; 4] = ["path", "compression", "watch", "files"];

    fn paths(&self) -> &[String] {
        match &self.path {
            Paths::One(path) => std::slice::from_ref(path),
            Paths::Many(paths) => paths,
        }
    }

    /// Whether the standard input is read, which is then all of it.
    pub(crate) fn is_standard_input(&self) -> bool {
        self.paths() == [STANDARD_INPUT]
    }

    /// What makes no sense, in words; `None` when all is well.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        let paths = self.paths();
        if paths.is_empty() {
            return Some("path has no path");
        }
        if paths.len() > 1 && paths.iter().any(|path| path == STANDARD_INPUT) {
            return Some("the standard input '-' cannot be read together with files");
        }
        if self.watch.is_some() && self.is_standard_input() {
            return Some("the standard input cannot be watched for new files");
        }
        None
    }

    /// The files that the instances share: those of each path in order, each of them once. `None` for a set that is
    /// watched, whose instances find them.
    ///
    /// # Errors
    /// `SAGE_IO_NOT_FOUND` for a path that is not there and a pattern that no file matches, other `SAGE_IO_*`,
    /// `SAGE_PLAN_ARGUMENT`.
    pub(crate) fn list(&self) -> Result<Option<Vec<InputFile>>> {
        if self.watch.is_some() {
            return self.watched_patterns().map(|_| None);
        }
        if self.files.is_some() {
            return Ok(self.files.clone());
        }
        if self.is_standard_input() {
            return Ok(Some(vec![InputFile::standard_input()]));
        }
        let mut seen = std::collections::HashSet::new();
        let mut files = Vec::new();
        for path in self.paths() {
            let pattern = FilePattern::resolve(path)?;
            let found = pattern.list(false)?;
            if found.is_empty() {
                return Err(pattern.nothing_found());
            }
            for file in found {
                // What is written in two ways is one file; a link and its target are two.
                let whole = std::path::absolute(&file.path).unwrap_or_else(|_| file.path.clone());
                if seen.insert(whole) {
                    files.push(InputFile::of(file, self.compression)?);
                }
            }
        }
        Ok(Some(files))
    }

    /// What an instance reads. `divisible`: whether reading can begin in the middle of a file.
    ///
    /// # Errors
    /// Those of [`FileSet::list`], unless the files were given.
    pub(crate) fn parts(&self, split: SourceSplit, divisible: bool) -> Result<FileParts> {
        if let Some(Watch { every_ms }) = self.watch {
            let every = Duration::from_millis(every_ms);
            let patterns = self.watched_patterns()?;
            let watcher = FileWatcher::new(patterns, every, split, self.compression);
            return Ok(FileParts::Watched(watcher));
        }
        let files = self.list()?.unwrap_or_default();
        Ok(FileParts::Listed(share_files(&files, split, divisible)))
    }

    /// Refuses files that cannot be read twice.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SOURCE`, and those of [`FileSet::list`].
    pub(crate) fn check_resumable(&self) -> Result<()> {
        self.list()?
            .iter()
            .flatten()
            .try_for_each(InputFile::check_resumable)
    }

    /// What an instance reads whose [`crate::BatchSource::restore`] says where to go on.
    ///
    /// # Errors
    /// Those of watching.
    pub(crate) fn parts_to_restore(&self, split: SourceSplit) -> Result<FileParts> {
        match self.watch {
            Some(_) => self.parts(split, true),
            None => Ok(FileParts::Listed(std::collections::VecDeque::new())),
        }
    }

    /// A watched directory must be there: one that is misspelt would be watched for ever.
    fn watched_patterns(&self) -> Result<Vec<FilePattern>> {
        let resolve = |path: &String| {
            let pattern = FilePattern::resolve(path)?;
            match pattern.base() {
                None => Err(not_watchable(path)),
                Some(base) => match std::fs::read_dir(base) {
                    Ok(_) => Ok(pattern),
                    Err(error) => Err(io_error(IoAction::List, base, &error)),
                },
            }
        };
        self.paths().iter().map(resolve).collect()
    }
}

fn not_watchable(path: &str) -> SageError {
    let path = Path::new(path).display();
    let message =
        format!("{path} is a file; only a directory or a pattern such as 'logs/*.jsonl' can be watched");
    SageError::new(ErrorCode::IoNotAFile, message).with("file", path.to_string())
}
