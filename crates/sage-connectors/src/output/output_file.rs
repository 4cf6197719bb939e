//! A file that appears under its name when it is complete.

mod restored_file;

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sage_types::{ErrorCode, Result, SageError};

use crate::Cancellation;
use crate::files::FileStamp;
use crate::io_error::{IoAction, io_error};
use crate::output::appended_file::{AppendedFile, changed};
use crate::output::durable::sync_directory_of;
use crate::output::encoder::Encoder;
use crate::output::file_state::{FileKind, FileState};
use crate::output::live_output::LiveOutput;
use crate::output::raw_output::RawOutput;
use crate::output::temporary_file::TemporaryFile;
use crate::output::{Compression, STANDARD_OUTPUT};

/// How a file is written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FileOptions {
    /// Create the directory, with its parents, if it is not there.
    pub(crate) mkdir: bool,
    /// Write behind what is there.
    pub(crate) append: bool,
    pub(crate) compression: Compression,
    /// Who writes hands over each batch at once, so that its size is known.
    pub(crate) eager: bool,
}

/// Writes to a temporary file beside the result; `commit` gives it its name, or copies it behind what is there, and
/// everything else removes it.
///
/// Standard output, a device or a pipe is written directly: there is nothing to rename.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is true or false whatever the others are: there are no states to name"
)]
pub(crate) struct OutputFile {
    /// `None` when all is written: a file that waits for its commit is not open.
    encoder: Option<Encoder>,
    path: PathBuf,
    destination: Destination,
    bytes: Arc<AtomicU64>,
    /// Something was written.
    started: bool,
    /// Something could not be written: what is there is not the result.
    incomplete: bool,
    eager: bool,
    compression: Compression,
    /// The encoder is that of no stream: the next one begins with the next byte.
    between: bool,
    /// Bytes that were durable at the last checkpoint, if there was one.
    durable: Option<u64>,
    /// Temporary files of earlier processes, to be removed with this one's commit.
    superseded: Vec<PathBuf>,
    /// A checkpoint may refer to the temporary file.
    is_saved: bool,
}

enum Destination {
    /// Becomes the file.
    Replace(TemporaryFile),
    /// Becomes the file, which did not exist.
    Create(TemporaryFile),
    Append {
        more: TemporaryFile,
        to: AppendedFile,
        /// The line end that the old file lacks is still to be written.
        mends: bool,
    },
    /// Has been there all the time, or is there now.
    Visible,
}

impl OutputFile {
    /// Creates the temporary file; nothing is visible under the path.
    ///
    /// # Errors
    /// `SAGE_IO_NOT_FOUND` when the directory is missing and `mkdir` is false, other `SAGE_IO_*`, and
    /// `SAGE_FORMAT_COMPRESSION` when what is there has another form than what is to be appended.
    pub(crate) fn open(path: &Path, options: FileOptions) -> Result<Self> {
        if path == Path::new(STANDARD_OUTPUT) {
            let live = LiveOutput::standard_output();
            let live =
                live.map_err(|error| io_error(IoAction::Open, Path::new("standard output"), &error))?;
            return Self::new(
                Path::new("standard output"),
                RawOutput::live(live),
                Destination::Visible,
                options,
            );
        }
        // A link keeps being one: what it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let failed = |error: io::Error| io_error(IoAction::Create, &path, &error);
        let there = fs::metadata(&path).ok();
        if let Some(metadata) = &there {
            if metadata.is_dir() {
                return Err(failed(ErrorKind::IsADirectory.into()));
            }
            if !metadata.is_file() {
                let live = LiveOutput::open(&path).map_err(failed)?;
                return Self::new(&path, RawOutput::live(live), Destination::Visible, options);
            }
        }
        let appended = match (options.append, there) {
            (true, Some(_)) => Some(AppendedFile::open(&path, options.compression)?),
            _ => None,
        };
        if options.mkdir
            && let Some(directory) = path.parent()
        {
            fs::create_dir_all(directory).map_err(|error| io_error(IoAction::Create, directory, &error))?;
        }
        let (temporary, file) = match TemporaryFile::create(&path) {
            Ok(created) => created,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(missing_directory(&path, &error));
            }
            Err(error) => return Err(failed(error)),
        };
        let destination = match appended {
            Some(to) => Destination::Append {
                more: temporary,
                mends: to.ends_inside_a_line,
                to,
            },
            None if options.append => Destination::Create(temporary),
            None => Destination::Replace(temporary),
        };
        Self::new(&path, RawOutput::file(file), destination, options)
    }

    fn new(path: &Path, output: RawOutput, destination: Destination, options: FileOptions) -> Result<Self> {
        let bytes = output.bytes();
        let encoder = Encoder::new(output, options.compression)
            .map_err(|error| io_error(IoAction::Create, path, &error))?;
        Ok(Self {
            eager: options.eager || matches!(destination, Destination::Visible),
            encoder: Some(encoder),
            path: path.to_owned(),
            destination,
            bytes,
            started: false,
            incomplete: false,
            compression: options.compression,
            between: false,
            durable: None,
            superseded: Vec::new(),
            is_saved: false,
        })
    }

    /// Whether all is written.
    pub(crate) fn is_sealed(&self) -> bool {
        self.encoder.is_none()
    }

    /// Bytes that are in the file.
    pub(crate) fn written(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Where they are.
    pub(crate) fn written_to(&self) -> &Path {
        self.temporary().map_or(&self.path, TemporaryFile::path)
    }

    fn temporary(&self) -> Option<&TemporaryFile> {
        match &self.destination {
            Destination::Replace(temporary)
            | Destination::Create(temporary)
            | Destination::Append { more: temporary, .. } => Some(temporary),
            Destination::Visible => None,
        }
    }

    fn temporary_mut(&mut self) -> Option<&mut TemporaryFile> {
        match &mut self.destination {
            Destination::Replace(temporary)
            | Destination::Create(temporary)
            | Destination::Append { more: temporary, .. } => Some(temporary),
            Destination::Visible => None,
        }
    }

    /// Removes what was written, also when a checkpoint refers to it.
    pub(crate) fn discard(&mut self) {
        self.remove_superseded();
        if let Some(temporary) = self.temporary_mut() {
            temporary.remove();
        }
    }

    /// Leaves what was written when this is dropped, unless nobody knows of it.
    pub(crate) fn leave(&mut self) {
        let kept = self.is_saved;
        if let Some(temporary) = self.temporary_mut() {
            temporary.set_kept(kept);
        }
    }

    fn remove_superseded(&mut self) {
        for path in self.superseded.drain(..) {
            // Nobody is left to tell; the file is recognisable by its name.
            let _ = fs::remove_file(path);
        }
    }

    /// Makes all bytes durable, and says how another process goes on behind them. From now on the temporary file stays
    /// there until it has its name, or [`OutputFile::discard`] removes it.
    ///
    /// # Errors
    /// Those of [`OutputFile::append`].
    pub(crate) fn checkpoint(&mut self) -> Result<FileState> {
        if self.incomplete {
            return Err(self.had_failed());
        }
        if self.started && !self.between && self.compression != Compression::None {
            if let Some(encoder) = self.encoder.take() {
                let output = encoder.into_output();
                self.incomplete |= output.is_err();
                let output = output.map_err(|error| self.failed(&error))?;
                self.encoder = Some(Encoder::Plain(output));
                self.between = true;
            }
        } else if self.between || self.compression == Compression::None {
            self.hand_over()?;
        }
        let bytes = self.written();
        if let Some(encoder) = self.encoder.as_ref().filter(|_| self.durable != Some(bytes)) {
            let synced = encoder.output().sync();
            self.incomplete |= synced.is_err();
            synced.map_err(|error| self.failed(&error))?;
            if self.durable.replace(bytes).is_none() && !self.is_live() {
                // Its name too: the checkpoint is of no use without it.
                sync_directory_of(&self.path);
            }
        }
        let state = self.state()?;
        self.leave();
        Ok(state)
    }

    /// How another process goes on, when all bytes are durable.
    ///
    /// # Errors
    /// `SAGE_IO_*`
    pub(crate) fn state(&mut self) -> Result<FileState> {
        self.is_saved = true;
        let temporary = self.temporary().map(|temporary| temporary.path().to_owned());
        let stamp = match &temporary {
            Some(path) => {
                // Users know the name that it is to get.
                let metadata =
                    fs::metadata(path).map_err(|error| io_error(IoAction::Commit, &self.path, &error))?;
                Some(FileStamp::of(&metadata))
            }
            None => None,
        };
        let kind = match &self.destination {
            Destination::Replace(_) => FileKind::Replace,
            Destination::Create(_) => FileKind::Create,
            Destination::Append { to, mends, .. } => FileKind::Append {
                to: to.version().clone(),
                mends: *mends,
            },
            Destination::Visible => FileKind::Live,
        };
        Ok(FileState {
            path: self.path.clone(),
            temporary,
            kind,
            bytes: self.written(),
            stamp,
            started: self.started,
            sealed: self.is_sealed(),
            superseded: self.superseded.clone(),
        })
    }

    fn had_failed(&self) -> SageError {
        let message = "a sink was committed although writing to it had failed";
        SageError::new(ErrorCode::Internal, message).with("file", self.path.display().to_string())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The first bytes of what is there to write behind, at most so many; none of a file that begins here.
    ///
    /// # Errors
    /// `SAGE_IO_*`, `SAGE_FORMAT_COMPRESSION`.
    pub(crate) fn first_bytes_before(&self, most: u64) -> Result<Vec<u8>> {
        match &self.destination {
            Destination::Append { to, .. } => to.first_bytes(&self.path, most),
            Destination::Replace(_) | Destination::Create(_) | Destination::Visible => Ok(Vec::new()),
        }
    }

    /// Bytes written so far, for who watches from outside.
    pub(crate) fn bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }

    /// Whether a batch should be handed over when it ends, and not when there is enough to write.
    pub(crate) fn is_eager(&self) -> bool {
        self.eager
    }

    /// Whether what is written is visible at once.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.destination, Destination::Visible)
    }

    /// Whether this is a pipe that nobody reads any more. What is written to it is lost, and no error.
    pub(crate) fn is_reader_gone(&self) -> bool {
        let live = self
            .encoder
            .as_ref()
            .and_then(|encoder| encoder.output().as_live());
        live.is_some_and(LiveOutput::is_reader_gone)
    }

    /// Asks this before a write waits for the reader of a pipe.
    pub(crate) fn cancel_when(&mut self, cancellation: Cancellation) {
        if let Some(live) = self
            .encoder
            .as_mut()
            .and_then(|encoder| encoder.output_mut().as_live_mut())
        {
            live.cancel_when(cancellation);
        }
    }

    /// Remembers that something could not be written, so that the file never appears.
    pub(crate) fn mark_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// `SAGE_IO_DISK_FULL`, other `SAGE_IO_*`; `SAGE_JOB_CANCELED` when the job was over before a pipe took them.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(|error| self.failed(&error))
    }

    /// Hands over what a compressor keeps.
    ///
    /// # Errors
    /// Those of [`OutputFile::append`].
    pub(crate) fn hand_over(&mut self) -> Result<()> {
        self.flush().map_err(|error| self.failed(&error))
    }

    /// Ends the compressed stream, makes all of it durable and closes the file; nothing can be written afterwards.
    ///
    /// # Errors
    /// Those of [`OutputFile::append`], and `SAGE_IO_CHANGED` when the file to append to is no longer as it was.
    pub(crate) fn sync(&mut self) -> Result<()> {
        let Some(mut encoder) = self.encoder.take() else {
            return Ok(());
        };
        let finished = encoder.finish().and_then(|()| encoder.output().sync());
        self.incomplete |= encoder.output().has_failed() || finished.is_err();
        self.encoder = Some(encoder);
        finished.map_err(|error| self.failed(&error))?;
        self.encoder = None;
        match &self.destination {
            Destination::Append { to, .. } => to.check_unchanged(&self.path),
            Destination::Create(_) => self.check_absent(),
            Destination::Replace(_) | Destination::Visible => Ok(()),
        }
    }

    /// Makes the file durable and gives it its name; the bytes that were written.
    ///
    /// # Errors
    /// `SAGE_IO_*`; the temporary file is removed and the path is as it was.
    pub(crate) fn commit(&mut self) -> Result<u64> {
        if !self.incomplete {
            self.sync()?;
        }
        if self.incomplete {
            return Err(self.had_failed());
        }
        match &mut self.destination {
            // An empty compressed stream is left away.
            Destination::Append { more, .. } if !self.started => {
                more.remove();
                return Ok(0);
            }
            Destination::Append { more, to, .. } => {
                to.append(&self.path, more)?;
                more.remove();
            }
            Destination::Create(_) => {
                self.check_absent()?;
                self.rename()?;
            }
            Destination::Replace(_) => self.rename()?,
            Destination::Visible => {}
        }
        self.destination = Destination::Visible;
        self.remove_superseded();
        Ok(self.bytes.load(Ordering::Relaxed))
    }

    fn rename(&mut self) -> Result<()> {
        if let Destination::Replace(temporary) | Destination::Create(temporary) = &mut self.destination {
            let renamed = temporary.rename(&self.path);
            renamed.map_err(|error| io_error(IoAction::Commit, &self.path, &error))?;
            sync_directory_of(&self.path);
        }
        Ok(())
    }

    fn check_absent(&self) -> Result<()> {
        if fs::symlink_metadata(&self.path).is_ok() {
            return Err(changed(&self.path));
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> SageError {
        let live = self
            .encoder
            .as_ref()
            .and_then(|encoder| encoder.output().as_live());
        if live.is_some_and(LiveOutput::is_canceled) {
            let path = self.path.display().to_string();
            let message = format!("the job was over before all was written to {path}");
            return SageError::new(ErrorCode::JobCanceled, message).with("file", path);
        }
        io_error(IoAction::Write, &self.path, error)
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.encoder.is_none() {
            return Err(io::Error::other("the file is complete"));
        }
        self.started |= !bytes.is_empty();
        if self.between
            && !bytes.is_empty()
            && let Some(done) = self.encoder.take()
        {
            self.between = false;
            self.encoder = Some(Encoder::new(done.into_output()?, self.compression)?);
        }
        let Some(encoder) = &mut self.encoder else {
            return Err(io::Error::other("the file is complete"));
        };
        if let Destination::Append { mends, .. } = &mut self.destination
            && self.started
            && std::mem::take(mends)
        {
            encoder.write_all(b"\n")?;
        }
        let written = encoder.write(bytes);
        self.incomplete |= encoder.output().has_failed();
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.as_mut().map_or(Ok(()), Encoder::flush)
    }
}

impl fmt::Debug for OutputFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn missing_directory(path: &Path, error: &io::Error) -> SageError {
    let mut failure = io_error(IoAction::Create, path, error);
    let directory = path.parent().unwrap_or(path).display();
    failure.message = format!(
        "cannot create {}: the directory {directory} does not exist; create it, or give the option mkdir: true",
        path.display()
    );
    failure
}
