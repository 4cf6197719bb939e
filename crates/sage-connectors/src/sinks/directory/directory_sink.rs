//! A sink that writes several files.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sage_frame::{BatchView, Frame, FrameMeta, LayoutRegistry, partition};
use sage_types::{ErrorCode, Result, SageError};
use serde::{Deserialize, Serialize};

use crate::output::{FileOptions, OutputFile, SavedReader, SavedWriter, sync_directories_of};
use crate::sinks::directory::created_directories::CreatedDirectories;
use crate::sinks::directory::part_files::PartFiles;
use crate::sinks::directory::partition_fields::{Partition, PartitionFields};
use crate::sinks::{Beginning, PartSink};
use crate::spec::{Existing, OutputSpec};
use crate::{BatchSink, Guarantee, SinkReport};

/// Makes the writer of a file, which may have been prepared: then with what the writer had saved behind the state of the file.
pub(crate) type OpenFile =
    Arc<dyn Fn(OutputFile, Option<&mut SavedReader<'_>>) -> Result<Box<dyn PartSink>> + Send + Sync>;

/// One instance of a sink with a directory: a file at a time, or one for each partition, each ended at its limit.
///
/// At most `max_open_files` are open: the one that was not written to for longest is completed, and a later record of its
/// partition begins another. All appear when the sink is committed.
pub(crate) struct DirectorySink {
    spec: OutputSpec,
    files: PartFiles,
    options: FileOptions,
    open_format: OpenFile,
    fields: Option<PartitionFields>,
    /// By directory; the empty one without partitions.
    open: HashMap<Arc<str>, OpenPart>,
    /// Complete, and not yet visible.
    complete: Vec<CompletePart>,
    /// Files of other numbers that belong to the result.
    kept: HashSet<PathBuf>,
    /// Directories that have been looked at.
    seen: HashSet<Arc<str>>,
    created: CreatedDirectories,
    /// Number of the next file. Counted over all partitions: where the names of two are one directory, as on file systems
    /// without regard to case, their files are not one.
    next_number: u32,
    /// Counts the pieces that are written, to know which file was written to last. Those of a batch count each: a process that
    /// goes on must complete the same files as the one before.
    now: u64,
}

struct CompletePart {
    sink: Box<dyn PartSink>,
    state: Vec<u8>,
    /// A checkpoint may refer to it as complete.
    is_saved: bool,
}

/// What another process needs beside the files.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DirectoryState {
    open: Vec<OpenState>,
    complete: usize,
    /// Directories that have been looked at.
    seen: Vec<String>,
    next_number: u32,
    now: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OpenState {
    directory: String,
    rows: u64,
    used: u64,
}

struct OpenPart {
    sink: Box<dyn PartSink>,
    rows: u64,
    bytes: Arc<AtomicU64>,
    used: u64,
}

impl DirectorySink {
    /// # Errors
    /// `SAGE_IO_*`; `SAGE_IO_EXISTS` when files of an earlier run are there and nothing is said about them.
    pub(crate) fn open(
        spec: OutputSpec,
        files: PartFiles,
        options: FileOptions,
        open_format: OpenFile,
        beginning: Beginning<'_>,
    ) -> Result<Self> {
        let mut created = CreatedDirectories::default();
        created.check_root(&spec.path, spec.mkdir)?;
        let fields = (!spec.partition_by.is_empty())
            .then(|| PartitionFields::new(spec.partition_by.clone(), spec.keep_partition_fields));
        let mut sink = Self {
            options: FileOptions {
                mkdir: false,
                eager: options.eager || spec.max_file_bytes.is_some(),
                ..options
            },
            spec,
            files,
            open_format,
            fields,
            open: HashMap::new(),
            complete: Vec::new(),
            kept: HashSet::new(),
            seen: HashSet::new(),
            created,
            next_number: 0,
            now: 0,
        };
        match beginning {
            Beginning::Anew if sink.fields.is_none() => {
                // No record at all is an empty file, as for a sink with one.
                sink.part(&"".into())?;
            }
            Beginning::Anew if sink.spec.existing == Existing::Error => {
                sink.files.refuse_earlier(&sink.spec.path)?;
            }
            Beginning::Anew => {}
            Beginning::Completed { sealed, open } if !sink.begins_new_files() => {
                sink.go_on(open.unwrap_or(sealed), Some(sealed))?;
            }
            // Files that are complete stay so.
            Beginning::Saved(saved) | Beginning::Completed { sealed: saved, .. } => {
                sink.go_on(saved, None)?;
            }
        }
        Ok(sink)
    }

    /// Opens what an earlier process had prepared; what was open then has been completed if `sealed` is given, and is opened again.
    fn go_on(&mut self, saved: &[u8], sealed: Option<&[u8]>) -> Result<()> {
        let mut saved = SavedReader::new(saved)?;
        let state: DirectoryState = saved.json()?;
        let mut sealed = sealed
            .map(|sealed| completed_behind(sealed, state.complete))
            .transpose()?;
        (self.next_number, self.now) = (state.next_number, state.now);
        self.seen = state
            .seen
            .into_iter()
            .map(|directory| directory.as_str().into())
            .collect();
        for open in state.open {
            let completed = sealed.as_mut().and_then(VecDeque::pop_front);
            let (sink, bytes) = self.open_saved(saved.bytes()?, completed.as_deref())?;
            let part = OpenPart {
                sink,
                rows: open.rows,
                bytes,
                used: open.used,
            };
            self.open.insert(open.directory.as_str().into(), part);
        }
        for _ in 0..state.complete {
            let state = saved.bytes()?.to_vec();
            let (sink, _) = self.open_saved(&state, None)?;
            self.complete.push(CompletePart {
                sink,
                state,
                is_saved: true,
            });
        }
        Ok(())
    }

    fn open_saved(
        &self,
        saved: &[u8],
        completed: Option<&[u8]>,
    ) -> Result<(Box<dyn PartSink>, Arc<AtomicU64>)> {
        let mut saved = SavedReader::new(saved)?;
        let file = match completed {
            None => OutputFile::restore(saved.json()?, self.options)?,
            Some(completed) => {
                let completed = SavedReader::new(completed)?.json()?;
                OutputFile::reopen(saved.json()?, &completed, self.options)?
            }
        };
        let bytes = file.bytes();
        Ok(((self.open_format)(file, Some(&mut saved))?, bytes))
    }

    fn save(&mut self) -> Result<Vec<u8>> {
        let mut open: Vec<(&Arc<str>, &mut OpenPart)> = self.open.iter_mut().collect();
        open.sort_by(|a, b| a.0.cmp(b.0));
        let mut seen: Vec<String> = self.seen.iter().map(std::string::ToString::to_string).collect();
        seen.sort();
        let state = DirectoryState {
            open: open
                .iter()
                .map(|(directory, part)| OpenState {
                    directory: directory.to_string(),
                    rows: part.rows,
                    used: part.used,
                })
                .collect(),
            complete: self.complete.len(),
            seen,
            next_number: self.next_number,
            now: self.now,
        };
        let mut saved = SavedWriter::new();
        saved.json(&state)?;
        for (_, part) in open {
            saved.bytes(&part.sink.prepare(false)?);
        }
        for part in &self.complete {
            saved.bytes(&part.state);
        }
        for part in &mut self.complete {
            part.is_saved = true;
        }
        Ok(saved.finish())
    }

    /// The open file of a directory, opened if it is not.
    fn part(&mut self, directory: &Arc<str>) -> Result<&mut OpenPart> {
        if !self.open.contains_key(directory) {
            if self.open.len() >= self.spec.max_open_files {
                self.complete_the_oldest()?;
            }
            let part = self.open_part(directory)?;
            self.open.insert(Arc::clone(directory), part);
        }
        self.now += 1;
        let now = self.now;
        match self.open.get_mut(directory) {
            Some(part) => {
                part.used = now;
                Ok(part)
            }
            None => Err(SageError::new(
                ErrorCode::Internal,
                "a file that was opened is not there",
            )),
        }
    }

    fn open_part(&mut self, directory: &Arc<str>) -> Result<OpenPart> {
        let path = self.spec.path.join(&**directory);
        if self.seen.insert(Arc::clone(directory)) {
            self.created.create(&path, &self.spec.path)?;
            if self.spec.existing == Existing::Error {
                self.files.refuse_earlier(&path)?;
            }
        }
        let file = OutputFile::open(&self.free_path(&path), self.options)?;
        let bytes = file.bytes();
        Ok(OpenPart {
            sink: (self.open_format)(file, None)?,
            rows: 0,
            bytes,
            used: self.now,
        })
    }

    /// The path of the next file; with files of an earlier run to be kept, one that none of them has.
    fn free_path(&mut self, directory: &Path) -> PathBuf {
        loop {
            let path = directory.join(self.files.name(self.next_number));
            self.next_number += 1;
            if self.spec.existing != Existing::Add || std::fs::symlink_metadata(&path).is_err() {
                return path;
            }
        }
    }

    fn complete_the_oldest(&mut self) -> Result<()> {
        let oldest = self.open.iter().min_by_key(|(_, part)| part.used);
        match oldest.map(|(directory, _)| Arc::clone(directory)) {
            Some(directory) => self.complete(&directory),
            None => Ok(()),
        }
    }

    /// Ends a file: it is durable and not open any more.
    fn complete(&mut self, directory: &Arc<str>) -> Result<()> {
        if let Some(mut part) = self.open.remove(directory) {
            let state = part.sink.prepare(true)?;
            self.complete.push(CompletePart {
                sink: part.sink,
                state,
                is_saved: false,
            });
        }
        Ok(())
    }

    fn complete_all(&mut self) -> Result<()> {
        let mut open: Vec<Arc<str>> = self.open.keys().map(Arc::clone).collect();
        open.sort();
        open.iter().try_for_each(|directory| self.complete(directory))
    }

    fn write_rows(&mut self, directory: &Arc<str>, rows: &BatchView<'_>) -> Result<()> {
        let part = self.part(directory)?;
        part.sink.write(rows)?;
        part.rows += rows.rows() as u64;
        let is_full = self
            .spec
            .max_file_rows
            .is_some_and(|most| self.open[directory].rows >= most)
            || self
                .spec
                .max_file_bytes
                .is_some_and(|most| self.open[directory].bytes.load(Ordering::Relaxed) >= most);
        if is_full {
            self.complete(directory)?;
        }
        Ok(())
    }

    /// Writes rows to the files of a directory, as many to each as it may have.
    fn write_limited(&mut self, directory: &Arc<str>, rows: &BatchView<'_>) -> Result<()> {
        let Some(most) = self.spec.max_file_rows else {
            return self.write_rows(directory, rows);
        };
        let before = self.open.get(directory).map_or(0, |part| part.rows);
        let file_of = |row: usize| u32::try_from((before + row as u64) / most).unwrap_or(u32::MAX);
        let targets: Vec<u32> = (0..rows.rows()).map(file_of).collect();
        let parts = targets.last().map_or(0, |&last| last as usize + 1);
        if parts <= 1 {
            return self.write_rows(directory, rows);
        }
        let registry = LayoutRegistry::new();
        let pieces = partition::to_targets(rows, &targets, parts, FrameMeta::default())?;
        for piece in pieces.into_iter().flatten() {
            // Frames of this process know their layouts.
            self.write_rows(directory, &piece.view(&registry)?)?;
        }
        Ok(())
    }

    fn write_partitions(&mut self, partitions: Vec<Partition>) -> Result<()> {
        let registry = LayoutRegistry::new();
        for Partition { directory, rows } in partitions {
            self.write_frame(&directory, &rows, &registry)?;
        }
        Ok(())
    }

    fn write_frame(&mut self, directory: &Arc<str>, rows: &Frame, registry: &LayoutRegistry) -> Result<()> {
        self.write_limited(directory, &rows.view(registry)?)
    }
}

impl BatchSink for DirectorySink {
    fn write(&mut self, batch: &BatchView<'_>) -> Result<()> {
        if let Some(fields) = &mut self.fields {
            let path = &self.spec.path;
            let partitions = fields.divide(batch);
            let partitions = partitions.map_err(|error| error.with("file", path.display().to_string()))?;
            return self.write_partitions(partitions);
        }
        self.write_limited(&"".into(), batch)
    }

    fn prepare(&mut self, last: bool) -> Result<Vec<u8>> {
        if last {
            self.complete_all()?;
            return self.save();
        }
        let completed = self.complete.iter().filter(|part| !part.is_saved);
        let completed: Vec<PathBuf> = completed.flat_map(|part| part.sink.paths()).collect();
        let saved = self.save()?;
        // What the checkpoint refers to is found also when the power fails.
        sync_directories_of(completed);
        self.created.keep();
        Ok(saved)
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee::ExactlyOnce
    }

    fn commit(mut self: Box<Self>) -> Result<SinkReport> {
        self.complete_all()?;
        let mut report = SinkReport {
            path: self.spec.path.display().to_string(),
            ..SinkReport::default()
        };
        let mut written = Vec::with_capacity(self.complete.len());
        self.created.keep();
        for sink in std::mem::take(&mut self.complete) {
            let file = sink.sink.commit()?;
            report.files += file.files;
            report.records += file.records;
            report.bytes += file.bytes;
            report.replaced_strings += file.replaced_strings;
            written.push(PathBuf::from(file.path));
        }
        if self.spec.existing == Existing::Replace {
            let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            let written = written.iter().chain(&self.kept);
            let written: HashSet<PathBuf> = written.map(|path| whole(path)).collect();
            self.files.remove_earlier(&whole(&self.spec.path), &written)?;
        }
        Ok(report)
    }

    /// What is dropped removes its temporary file, and then the directories.
    fn abort(self: Box<Self>) {
        let Self { open, complete, .. } = *self;
        for part in open.into_values() {
            part.sink.abort();
        }
        for part in complete {
            part.sink.abort();
        }
    }

    fn detach(mut self: Box<Self>) {
        for (_, part) in self.open.drain() {
            part.sink.detach();
        }
        for part in self.complete.drain(..) {
            if part.is_saved {
                part.sink.detach();
            } else {
                // Completed behind the last checkpoint: its records come again, into another file. What an earlier checkpoint
                // refers to stays nevertheless.
                drop(part.sink);
            }
        }
        self.created.keep();
    }
}

impl PartSink for DirectorySink {
    fn paths(&self) -> Vec<PathBuf> {
        let open = self.open.values().map(|part| &part.sink);
        let complete = self.complete.iter().map(|part| &part.sink);
        open.chain(complete).flat_map(|sink| sink.paths()).collect()
    }

    fn keep(&mut self, paths: &HashSet<PathBuf>) {
        self.kept.extend(paths.iter().cloned());
    }

    fn begins_new_files(&self) -> bool {
        self.files.are_several()
    }
}

/// The files that were completed behind the first ones.
fn completed_behind(sealed: &[u8], first: usize) -> Result<VecDeque<Vec<u8>>> {
    let mut sealed = SavedReader::new(sealed)?;
    let state: DirectoryState = sealed.json()?;
    (0..state.complete)
        .map(|_| sealed.bytes().map(<[u8]>::to_vec))
        .skip(first)
        .collect()
}
