//! Directories and patterns that are watched for new files.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::SourceSplit;
use crate::files::file_pattern::{FilePattern, FoundFile};
use crate::files::file_stamp::{moment_of, nanos_of};
use crate::files::{CompressionSetting, FilePart, InputFile};

/// Looks for new files again and again.
///
/// Polling works on every file system, also on those of networks and containers, where notifications are lost. A file is
/// read when two looks, an interval apart, found it with the same size and time of change: it is complete then, if it
/// was renamed into its place, and most probably otherwise. Each look lists everything, so that no file can slip by
/// whatever its time of change is.
#[derive(Debug)]
pub(crate) struct FileWatcher {
    patterns: Vec<FilePattern>,
    every: Duration,
    split: SourceSplit,
    compression: CompressionSetting,
    /// The files of this instance that the last look found.
    known: HashMap<PathBuf, Known>,
    complete: VecDeque<FoundFile>,
    /// What an earlier process had found and not read.
    restored: VecDeque<FilePart>,
    next_look: Instant,
}

/// A file that was read, or is to be, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WatchedFile {
    path: PathBuf,
    bytes: Option<u64>,
    /// Nanoseconds since 1970.
    modified: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    bytes: Option<u64>,
    modified: Option<SystemTime>,
    read: bool,
}

impl FileWatcher {
    pub(crate) fn new(
        patterns: Vec<FilePattern>,
        every: Duration,
        split: SourceSplit,
        compression: CompressionSetting,
    ) -> Self {
        Self {
            patterns,
            every,
            split,
            compression,
            known: HashMap::new(),
            complete: VecDeque::new(),
            restored: VecDeque::new(),
            next_look: Instant::now(),
        }
    }

    /// The next complete file; `None` when there is none yet.
    ///
    /// # Errors
    /// `SAGE_IO_*` when a directory cannot be listed, `SAGE_IO_CHANGED` for a file that changed after it was read.
    pub(crate) fn next(&mut self) -> Result<Option<FilePart>> {
        if let Some(part) = self.restored.pop_front() {
            return Ok(Some(part));
        }
        if self.complete.is_empty() && Instant::now() >= self.next_look {
            self.look()?;
            self.next_look = Instant::now() + self.every;
        }
        let Some(found) = self.complete.pop_front() else {
            return Ok(None);
        };
        self.part_of(found).map(Some)
    }

    fn part_of(&self, found: FoundFile) -> Result<FilePart> {
        let bytes = found.bytes;
        let file = InputFile::of(found, self.compression)?;
        // What is appended now is not read, and the next look says so.
        let range = bytes.filter(|_| file.is_divisible()).map(|bytes| 0..bytes);
        Ok(match range {
            Some(range) => FilePart::of_range(file, range),
            None => FilePart::whole(file),
        })
    }

    /// The files that were found and not yet given.
    ///
    /// # Errors
    /// `SAGE_IO_*` when the beginning of one cannot be read.
    pub(crate) fn left(&self) -> Result<Vec<FilePart>> {
        let found = self.complete.iter().map(|found| self.part_of(found.clone()));
        self.restored.iter().cloned().map(Ok).chain(found).collect()
    }

    /// The files that are not given again.
    pub(crate) fn given(&self) -> Vec<WatchedFile> {
        let read = self.known.iter().filter(|(_, known)| known.read);
        read.map(|(path, known)| WatchedFile {
            path: path.clone(),
            bytes: known.bytes,
            modified: known.modified.and_then(nanos_of),
        })
        .collect()
    }

    /// Gives these parts first, and none of the files that all instances of the earlier process had been given.
    pub(crate) fn restore(&mut self, left: VecDeque<FilePart>, given: &[WatchedFile]) {
        self.restored = left;
        for file in given {
            if !self.is_own(&file.path) {
                continue;
            }
            let known = Known {
                bytes: file.bytes,
                modified: file.modified.and_then(moment_of),
                read: true,
            };
            self.known.insert(file.path.clone(), known);
        }
    }

    /// Waits until the next look is due, up to `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        let left = self.next_look.saturating_duration_since(Instant::now());
        std::thread::park_timeout(left.min(timeout));
    }

    fn look(&mut self) -> Result<()> {
        let mut known = HashMap::with_capacity(self.known.len());
        let mut complete = Vec::new();
        for pattern in &self.patterns {
            for file in pattern.list(true)? {
                if !self.is_own(&file.path) || known.contains_key(&file.path) {
                    continue;
                }
                let mut now = Known {
                    bytes: file.bytes,
                    modified: file.modified,
                    read: false,
                };
                match self.known.get(&file.path) {
                    Some(before) if before.read => {
                        now.read = true;
                        if *before != now {
                            return Err(changed(&file));
                        }
                    }
                    // An empty file has nothing to read, and often is one that somebody begins to write.
                    Some(before) if *before == now && now.bytes.is_some() => {
                        now.read = true;
                        complete.push(file.clone());
                    }
                    _ => {}
                }
                known.insert(file.path, now);
            }
        }
        complete.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
        self.known = known;
        self.complete = complete.into();
        Ok(())
    }

    /// Whether this instance reads the file: the same one at every look, and in every run.
    fn is_own(&self, path: &Path) -> bool {
        let hash = xxh3_64(path.as_os_str().as_encoded_bytes());
        hash % u64::from(self.split.instances.max(1)) == u64::from(self.split.instance)
    }
}

fn changed(file: &FoundFile) -> SageError {
    let path = file.path.display().to_string();
    SageError::new(
        ErrorCode::IoChanged,
        format!(
            "{path} changed after it was read; write a file under another name (one that begins with . is not looked at) and rename it when it is complete"
        ),
    )
    .with("file", path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SINGLE: SourceSplit = SourceSplit::WHOLE;

    fn watcher(directory: &std::path::Path, split: SourceSplit) -> FileWatcher {
        let patterns = vec![FilePattern::resolve(directory.to_str().unwrap()).unwrap()];
        FileWatcher::new(patterns, Duration::ZERO, split, CompressionSetting::Auto)
    }

    fn names(watcher: &mut FileWatcher) -> Vec<String> {
        let name = |part: FilePart| part.file.path.file_name().unwrap().to_str().unwrap().to_owned();
        std::iter::from_fn(|| (!watcher.complete.is_empty()).then(|| name(watcher.next().unwrap().unwrap())))
            .collect()
    }

    #[test]
    fn a_file_is_read_once_when_two_looks_have_seen_it_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        fs::write(file("b"), "1\n").unwrap();
        let mut watcher = watcher(directory.path(), SINGLE);
        watcher.look().unwrap();
        assert_eq!(
            names(&mut watcher),
            Vec::<String>::new(),
            "it may be half written"
        );
        fs::write(file("b"), "1\n2\n").unwrap();
        fs::write(file("a"), "1\n").unwrap();
        fs::write(file("empty"), "").unwrap();
        fs::write(file(".hidden"), "1\n").unwrap();
        fs::write(file("c.tmp"), "1\n").unwrap();
        watcher.look().unwrap();
        assert_eq!(names(&mut watcher), Vec::<String>::new(), "it has grown");
        watcher.look().unwrap();
        let mut both = names(&mut watcher);
        both.sort();
        assert_eq!(both, ["a", "b"]);
        watcher.look().unwrap();
        assert_eq!(names(&mut watcher), Vec::<String>::new());
        fs::rename(file("c.tmp"), file("c")).unwrap();
        watcher.look().unwrap();
        watcher.look().unwrap();
        assert_eq!(names(&mut watcher), ["c"]);
    }

    #[test]
    fn the_oldest_change_comes_first_and_then_the_name() {
        let directory = tempfile::tempdir().unwrap();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for (name, seconds) in [("z", 10), ("b", 20), ("a", 20), ("y", 5)] {
            let path = directory.path().join(name);
            fs::write(&path, "x\n").unwrap();
            fs::File::options()
                .append(true)
                .open(&path)
                .unwrap()
                .set_modified(at(seconds))
                .unwrap();
        }
        let mut watcher = watcher(directory.path(), SINGLE);
        watcher.look().unwrap();
        watcher.look().unwrap();
        assert_eq!(names(&mut watcher), ["y", "z", "a", "b"]);
    }

    #[test]
    fn a_file_that_changes_after_it_was_read_is_an_error_and_one_that_is_made_anew_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        fs::write(&path, "1\n").unwrap();
        let mut watcher = watcher(directory.path(), SINGLE);
        watcher.look().unwrap();
        watcher.look().unwrap();
        assert_eq!(names(&mut watcher), ["a"]);
        fs::remove_file(&path).unwrap();
        watcher.look().unwrap();
        fs::write(&path, "1\n2\n").unwrap();
        watcher.look().unwrap();
        watcher.look().unwrap();
        assert_eq!(names(&mut watcher), ["a"]);
        fs::write(&path, "1\n2\n3\n").unwrap();
        let error = watcher.look().unwrap_err();
        assert_eq!(error.code, ErrorCode::IoChanged);
        assert!(error.message.contains(path.to_str().unwrap()));
        // Emptied, to be written anew.
        fs::write(&path, "").unwrap();
        assert_eq!(watcher.look().unwrap_err().code, ErrorCode::IoChanged);
    }

    #[test]
    fn each_file_belongs_to_one_instance() {
        let directory = tempfile::tempdir().unwrap();
        for name in 0..40 {
            fs::write(directory.path().join(name.to_string()), "x\n").unwrap();
        }
        let mut all = Vec::new();
        for instance in 0..3 {
            let mut watcher = watcher(
                directory.path(),
                SourceSplit {
                    instance,
                    instances: 3,
                },
            );
            watcher.look().unwrap();
            watcher.look().unwrap();
            let own = names(&mut watcher);
            assert!(own.len() > 3, "{own:?}");
            all.extend(own);
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 40);
    }
}
