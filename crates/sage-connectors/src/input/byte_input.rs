//! The bytes of an input, whatever it is.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use sage_types::Result;

use crate::files::{Compression, FilePart, HEAD_BYTES, open_file};
#[cfg(test)]
use crate::input::Pieces;
use crate::input::filled::Filled;
use crate::input::polled_file::PolledFile;
use crate::input::unpacker::{PackedSource, Unpacker};
use crate::io_error::{IoAction, io_error};

/// An open input. Reading does not wait for other processes or threads.
#[derive(Debug)]
pub(crate) enum ByteInput {
    Nothing,
    /// An uncompressed file, which can be read from anywhere.
    File(File),
    /// A pipe or terminal; `head` was read before and comes first.
    Polled {
        file: PolledFile,
        head: Vec<u8>,
    },
    /// The same, as long as its first bytes do not say whether it is compressed.
    Undecided {
        file: PolledFile,
        head: Vec<u8>,
    },
    Unpacked(Unpacker),
    #[cfg(test)]
    Pieces(Pieces),
}

impl ByteInput {
    /// Opens the file of a part.
    ///
    /// # Errors
    /// `SAGE_IO_*`.
    pub(crate) fn open(part: &FilePart) -> Result<Self> {
        let (path, compression) = (part.file.shown_path(), part.file.compression);
        if part.file.is_standard_input() {
            return Self::polled(path, PolledFile::standard_input()?, compression);
        }
        let (mut file, metadata) = open_file(path)?;
        if !metadata.is_file() {
            return Self::polled(path, PolledFile::new(file), compression);
        }
        let compression = match compression {
            Some(compression) => compression,
            None => detect(&mut file).map_err(|error| io_error(IoAction::Read, path, &error))?,
        };
        Ok(match compression {
            Compression::None => Self::File(file),
            packed => Self::Unpacked(Unpacker::start(
                path,
                packed,
                Vec::new(),
                PackedSource::File(file),
            )?),
        })
    }

    fn polled(path: &Path, file: PolledFile, compression: Option<Compression>) -> Result<Self> {
        let head = Vec::new();
        Ok(match compression {
            None => Self::Undecided { file, head },
            Some(Compression::None) => Self::Polled { file, head },
            Some(packed) => Self::Unpacked(Unpacker::start(path, packed, head, PackedSource::Polled(file))?),
        })
    }

    /// Reads what is there. `path` is for messages.
    ///
    /// # Errors
    /// `SAGE_IO_*`, `SAGE_FORMAT_COMPRESSED`.
    pub(crate) fn read(&mut self, path: &Path, into: &mut [u8]) -> Result<Filled> {
        let failed = |error: std::io::Error| io_error(IoAction::Read, path, &error);
        if matches!(self, Self::Undecided { .. }) && !self.decide(path)? {
            return Ok(Filled::NotYet);
        }
        let bytes = match self {
            Self::Nothing => 0,
            Self::File(file) => loop {
                match file.read(into) {
                    Ok(bytes) => break bytes,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(failed(error)),
                }
            },
            Self::Polled { head, .. } if !head.is_empty() => {
                let bytes = head.len().min(into.len());
                into[..bytes].copy_from_slice(&head[..bytes]);
                head.drain(..bytes);
                bytes
            }
            Self::Polled { file, .. } | Self::Undecided { file, .. } => {
                match file.read(into).map_err(failed)? {
                    Some(bytes) => bytes,
                    None => return Ok(Filled::NotYet),
                }
            }
            Self::Unpacked(unpacker) => return unpacker.read(into),
            #[cfg(test)]
            Self::Pieces(pieces) => return Ok(pieces.read(into)),
        };
        Ok(if bytes == 0 {
            Filled::End
        } else {
            Filled::Bytes(bytes)
        })
    }

    /// Goes to a position of an uncompressed file; others are read from their beginning.
    ///
    /// # Errors
    /// `SAGE_IO_READ`.
    pub(crate) fn seek(&mut self, path: &Path, to: u64) -> Result<()> {
        let Self::File(file) = self else { return Ok(()) };
        file.seek(SeekFrom::Start(to))
            .map(drop)
            .map_err(|error| io_error(IoAction::Read, path, &error))
    }

    /// Waits until there may be something to read, up to `timeout`.
    pub(crate) fn wait(&mut self, timeout: Duration) {
        match self {
            Self::Nothing | Self::File(_) => {}
            Self::Polled { file, .. } | Self::Undecided { file, .. } => {
                file.wait(timeout);
            }
            Self::Unpacked(unpacker) => unpacker.wait(timeout),
            #[cfg(test)]
            Self::Pieces(_) => {}
        }
    }

    /// Whether it can be opened again and read from anywhere.
    pub(crate) fn is_plain_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Reads first bytes until they say how the input is compressed; false when more are needed.
    fn decide(&mut self, path: &Path) -> Result<bool> {
        let Self::Undecided { file, head } = self else {
            return Ok(true);
        };
        let mut ended = false;
        while !ended && Compression::needs_more(head) {
            let mut more = [0; HEAD_BYTES];
            let wanted = HEAD_BYTES - head.len();
            match file
                .read(&mut more[..wanted])
                .map_err(|error| io_error(IoAction::Read, path, &error))?
            {
                Some(bytes) => {
                    ended = bytes == 0;
                    head.extend_from_slice(&more[..bytes]);
                }
                None => return Ok(false),
            }
        }
        let Self::Undecided { file, head } = std::mem::replace(self, Self::Nothing) else {
            return Ok(true);
        };
        *self = match Compression::detect(&head) {
            // A terminal that said that this is the end would have to say it again.
            Compression::None if ended && head.is_empty() => Self::Nothing,
            Compression::None => Self::Polled { file, head },
            packed => Self::Unpacked(Unpacker::start(path, packed, head, PackedSource::Polled(file))?),
        };
        Ok(true)
    }
}

fn detect(file: &mut File) -> std::io::Result<Compression> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(Compression::detect(&head))
}
