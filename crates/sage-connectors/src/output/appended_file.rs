//! A file that gets more at its end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use sage_types::{ErrorCode, Result, SageError};

use crate::io_error::{IoAction, io_error};
use crate::output::Compression;
use crate::output::durable::sync_file;
use crate::output::file_version::FileVersion;
use crate::output::temporary_file::TemporaryFile;

/// The file as it was when the job began. Its bytes are never written again: what is new is collected in a temporary file
/// and copied behind them when the job commits.
#[derive(Debug)]
pub(crate) struct AppendedFile {
    version: FileVersion,
    compression: Compression,
    /// Its last line has no line end.
    pub(crate) ends_inside_a_line: bool,
}

impl AppendedFile {
    /// Looks at the file that is there.
    ///
    /// # Errors
    /// `SAGE_IO_*`; `SAGE_FORMAT_COMPRESSION` when its content has another form than what is to be appended.
    pub(crate) fn open(path: &Path, compression: Compression) -> Result<Self> {
        let failed = |error: io::Error| io_error(IoAction::Append, path, &error);
        // Opened for both, so that a file that may not be written is known now.
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(path)
            .map_err(failed)?;
        let version = FileVersion::of(&file.metadata().map_err(failed)?);
        let ends_inside_a_line = match last_byte(&mut file, version.bytes, compression) {
            Ok(last) => last.is_some_and(|byte| byte != b'\n'),
            Err(AppendError::OtherForm) => return Err(other_form(path, compression)),
            Err(AppendError::Broken(error)) => return Err(broken(path, compression, &error)),
            Err(AppendError::Io(error)) => return Err(failed(error)),
        };
        Ok(Self {
            version,
            compression,
            ends_inside_a_line,
        })
    }

    /// The file as an earlier process found it.
    pub(crate) fn known(version: FileVersion, compression: Compression) -> Self {
        Self {
            version,
            compression,
            ends_inside_a_line: false,
        }
    }

    pub(crate) fn version(&self) -> &FileVersion {
        &self.version
    }

    /// Takes back what an earlier process had copied of the temporary file, which did not come to its end.
    ///
    /// # Errors
    /// `SAGE_IO_CHANGED` when what is there is something else, other `SAGE_IO_*`.
    pub(crate) fn take_back(&mut self, path: &Path, more: &TemporaryFile) -> Result<()> {
        let failed = |error: io::Error| io_error(IoAction::Append, path, &error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(failed)?;
        let there = FileVersion::of(&file.metadata().map_err(failed)?);
        if there == self.version {
            return Ok(());
        }
        let is_it = self.version.is_same_file(&there)
            && there.bytes >= self.version.bytes
            && more.begins_with(&mut file, self.version.bytes).map_err(failed)?;
        if !is_it {
            return Err(changed(path));
        }
        file.set_len(self.version.bytes)
            .and_then(|()| sync_file(&file))
            .map_err(failed)?;
        self.version = FileVersion::of(&file.metadata().map_err(failed)?);
        Ok(())
    }

    /// The first bytes of its content, at most so many.
    ///
    /// # Errors
    /// `SAGE_IO_*`, `SAGE_FORMAT_COMPRESSION`.
    pub(crate) fn first_bytes(&self, path: &Path, most: u64) -> Result<Vec<u8>> {
        let failed = |error: io::Error| io_error(IoAction::Read, path, &error);
        let file = File::open(path).map_err(failed)?;
        if self.version.bytes == 0 {
            return Ok(Vec::new());
        }
        let mut first = Vec::new();
        match self.compression {
            Compression::None => file.take(most).read_to_end(&mut first).map_err(failed)?,
            Compression::Gzip { .. } => flate2::read::MultiGzDecoder::new(io::BufReader::new(file))
                .take(most)
                .read_to_end(&mut first)
                .map_err(|error| broken(path, self.compression, &error))?,
            Compression::Zstd { .. } => zstd::stream::read::Decoder::new(file)
                .map_err(failed)?
                .take(most)
                .read_to_end(&mut first)
                .map_err(|error| broken(path, self.compression, &error))?,
        };
        Ok(first)
    }

    /// Refuses when the file is no longer as it was.
    ///
    /// # Errors
    /// `SAGE_IO_CHANGED`, other `SAGE_IO_*`.
    pub(crate) fn check_unchanged(&self, path: &Path) -> Result<()> {
        let metadata = path
            .metadata()
            .map_err(|error| io_error(IoAction::Append, path, &error))?;
        if FileVersion::of(&metadata) == self.version {
            Ok(())
        } else {
            Err(changed(path))
        }
    }

    /// Copies the bytes of the temporary file behind its own, durably.
    ///
    /// # Errors
    /// `SAGE_IO_*`; the file has its old length then, if the operating system lets us.
    pub(crate) fn append(&self, path: &Path, more: &TemporaryFile) -> Result<()> {
        self.check_unchanged(path)?;
        let failed = |error: io::Error| io_error(IoAction::Append, path, &error);
        let mut file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        let appended = more.copy_to(&mut file).and_then(|()| sync_file(&file));
        if let Err(error) = appended {
            // The error that is told is the first one.
            let _ = file.set_len(self.version.bytes).and_then(|()| file.sync_all());
            return Err(failed(error));
        }
        Ok(())
    }
}

/// The error for a file that somebody else has written meanwhile.
pub(crate) fn changed(path: &Path) -> SageError {
    let path = path.display().to_string();
    SageError::new(
        ErrorCode::IoChanged,
        format!(
            "cannot append to {path}: somebody else has changed it since the job began; run the job again"
        ),
    )
    .with("file", path)
}

enum AppendError {
    OtherForm,
    /// The old content cannot be decompressed.
    Broken(io::Error),
    Io(io::Error),
}

/// The last byte of the content. Compressed content is read to its end, which also shows that it has one.
fn last_byte(
    file: &mut File,
    bytes: u64,
    compression: Compression,
) -> std::result::Result<Option<u8>, AppendError> {
    if bytes == 0 {
        return Ok(None);
    }
    let mut head = Vec::new();
    file.take(4).read_to_end(&mut head).map_err(AppendError::Io)?;
    if !compression.fits(&head) {
        return Err(AppendError::OtherForm);
    }
    match compression {
        Compression::None => {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))
                .and_then(|_| file.read_exact(&mut last))
                .map_err(AppendError::Io)?;
            Ok(Some(last[0]))
        }
        Compression::Gzip { .. } => {
            file.rewind().map_err(AppendError::Io)?;
            last_of(flate2::read::MultiGzDecoder::new(io::BufReader::new(file))).map_err(AppendError::Broken)
        }
        Compression::Zstd { .. } => {
            file.rewind().map_err(AppendError::Io)?;
            let decoder = zstd::stream::read::Decoder::new(file).map_err(AppendError::Io)?;
            last_of(decoder).map_err(AppendError::Broken)
        }
    }
}

fn last_of(mut content: impl Read) -> io::Result<Option<u8>> {
    let mut piece = vec![0; 64 * 1024];
    let mut last = None;
    loop {
        let bytes = content.read(&mut piece)?;
        if bytes == 0 {
            return Ok(last);
        }
        last = Some(piece[bytes - 1]);
    }
}

fn other_form(path: &Path, compression: Compression) -> SageError {
    let path = path.display().to_string();
    SageError::new(
        ErrorCode::FormatCompression,
        format!(
            "cannot append to {path}: what is appended is {}, but what is there is not; give the option compression, or another path",
            compression.name()
        ),
    )
    .with("file", path)
}

fn broken(path: &Path, compression: Compression, cause: &io::Error) -> SageError {
    let path = path.display().to_string();
    SageError::new(
        ErrorCode::FormatCompression,
        format!(
            "cannot append to {path}: what is there is not complete {} data, and nothing behind it could be read",
            compression.name()
        ),
    )
    .with("file", path)
    .caused_by(cause)
}
