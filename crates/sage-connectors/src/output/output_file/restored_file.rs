//! A file that an earlier process has prepared at a checkpoint.

use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use sage_types::Result;

use super::{Destination, FileOptions, OutputFile};
use crate::io_error::{IoAction, io_error};
use crate::output::appended_file::AppendedFile;
use crate::output::file_state::{FileKind, FileState, check_length};
use crate::output::file_version::FileVersion;
use crate::output::raw_output::RawOutput;
use crate::output::temporary_file::TemporaryFile;
use crate::output::{Compression, STANDARD_OUTPUT};

impl OutputFile {
    /// Goes on with a file that was prepared by an earlier process.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SINK` when it is not there any more, or too short; `SAGE_IO_*`.
    pub(crate) fn restore(state: FileState, options: FileOptions) -> Result<Self> {
        let path = state.path.clone();
        let Some(temporary) = state.temporary.clone() else {
            if state.sealed {
                return Self::sealed(&state, Destination::Visible, options);
            }
            let there = if path == Path::new("standard output") {
                Path::new(STANDARD_OUTPUT)
            } else {
                &path
            };
            return Self::open(there, options);
        };
        if state.sealed && !temporary.exists() {
            let is_there = match &state.kind {
                // Nothing was written, and so nothing was appended.
                FileKind::Append { .. } if !state.started => true,
                FileKind::Append { to, .. } => {
                    let length = fs::metadata(&path).map(|metadata| FileVersion::of(&metadata));
                    length.is_ok_and(|there| to.is_same_file(&there) && there.bytes == to.bytes + state.bytes)
                }
                _ => state.is_renamed(),
            };
            if is_there {
                return Self::sealed(&state, Destination::Visible, options);
            }
        }
        check_length(&state, &temporary)?;
        let failed = |error: io::Error| io_error(IoAction::Open, &temporary, &error);
        let left = TemporaryFile::left(temporary.clone());
        let destination = match &state.kind {
            FileKind::Append { to, mends } => {
                let mut to = AppendedFile::known(to.clone(), options.compression);
                if state.sealed {
                    to.take_back(&path, &left)?;
                } else {
                    to.check_unchanged(&path)?;
                }
                Destination::Append {
                    more: left,
                    to,
                    mends: *mends,
                }
            }
            FileKind::Create => Destination::Create(left),
            FileKind::Replace | FileKind::Live => Destination::Replace(left),
        };
        // What was written after the checkpoint will come again.
        let cut = |file: &fs::File| {
            if file.metadata()?.len() == state.bytes {
                return Ok(());
            }
            file.set_len(state.bytes)
        };
        if state.sealed {
            let file = OpenOptions::new().write(true).open(&temporary);
            file.and_then(|file| cut(&file)).map_err(failed)?;
            return Self::sealed(&state, destination, options);
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&temporary)
            .map_err(failed)?;
        cut(&file)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(failed)?;
        let output = RawOutput::file_behind(file, state.bytes);
        let between = state.started && options.compression != Compression::None;
        let compression = if between {
            Compression::None
        } else {
            options.compression
        };
        let own = FileOptions {
            compression,
            ..options
        };
        Ok(Self {
            compression: options.compression,
            between,
            started: state.started,
            durable: Some(state.bytes),
            ..Self::new(&path, output, destination, own)?
        })
    }

    fn sealed(state: &FileState, destination: Destination, options: FileOptions) -> Result<Self> {
        Ok(Self {
            encoder: None,
            path: state.path.clone(),
            destination,
            bytes: Arc::new(AtomicU64::new(state.bytes)),
            started: state.started,
            incomplete: false,
            eager: options.eager,
            compression: options.compression,
            between: false,
            durable: Some(state.bytes),
        })
    }
}
