//! A file that an earlier process has prepared at a checkpoint, or completed.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use sage_types::Result;

use super::{Destination, FileOptions, OutputFile};
use crate::io_error::{IoAction, io_error};
use crate::output::appended_file::AppendedFile;
use crate::output::file_state::{FileKind, FileState, check_length};
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
                return Ok(Self::sealed(&state, Destination::Visible, options));
            }
            let there = if path == Path::new("standard output") {
                Path::new(STANDARD_OUTPUT)
            } else {
                &path
            };
            return Self::open(there, options);
        };
        if state.sealed && !temporary.exists() && state.is_visible() {
            return Ok(Self::sealed(&state, Destination::Visible, options));
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
            return Ok(Self::sealed(&state, destination, options));
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
            superseded: state.superseded,
            is_saved: true,
            ..Self::new(&path, output, destination, own)?
        })
    }

    /// Goes on with a file that an earlier process completed, which `open` describes as it was right before. What is complete, and
    /// may be visible, is not touched: this is a copy. What was appended is gone on behind.
    ///
    /// # Errors
    /// `SAGE_CHECKPOINT_SINK` when it is not there any more; `SAGE_IO_*`.
    pub(crate) fn reopen(open: FileState, sealed: &FileState, options: FileOptions) -> Result<Self> {
        let Some(complete) = &sealed.temporary else {
            return Self::restore(open, options);
        };
        let is_left = complete.exists();
        if is_left {
            check_length(sealed, complete)?;
        } else if !sealed.is_visible() {
            let name = sealed.path.clone();
            return Err(sealed.unfit(&name, "is not there any more as it was completed"));
        } else if matches!(open.kind, FileKind::Append { .. } | FileKind::Create) {
            return Self::open(&sealed.path, options);
        }
        let mut state = open;
        if let FileKind::Append { to, .. } = &mut state.kind {
            let mut appended = AppendedFile::known(to.clone(), options.compression);
            appended.take_back(&state.path, &TemporaryFile::left(complete.clone()))?;
            *to = appended.version().clone();
        }
        let from = if is_left { complete } else { &sealed.path };
        let failed = |error: io::Error| io_error(IoAction::Read, from, &error);
        let (mut copy, mut file) = TemporaryFile::create(&state.path)
            .map_err(|error| io_error(IoAction::Create, &state.path, &error))?;
        let mut complete_file = fs::File::open(from).map_err(failed)?.take(state.bytes);
        io::copy(&mut complete_file, &mut file)
            .map_err(|error| io_error(IoAction::Write, copy.path(), &error))?;
        drop(file);
        state.superseded.extend(is_left.then(|| complete.clone()));
        state.temporary = Some(copy.path().to_owned());
        let mut opened = Self::restore(state, options)?;
        opened.durable = None;
        opened.is_saved = false;
        if let Some(temporary) = opened.temporary_mut() {
            temporary.set_kept(false);
        }
        copy.set_kept(true);
        Ok(opened)
    }

    fn sealed(state: &FileState, destination: Destination, options: FileOptions) -> Self {
        Self {
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
            superseded: state.superseded.clone(),
            is_saved: true,
        }
    }
}
