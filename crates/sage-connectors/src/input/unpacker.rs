//! Compressed bytes, unpacked ahead on a thread of their own.

use std::fs::File;
use std::io::{BufRead, Chain, Cursor, Error, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;
use sage_types::{ErrorCode, Result, SageError};
use zstd::stream::read::Decoder;

use crate::files::Compression;
use crate::input::counted_reader::CountedReader;
use crate::input::filled::Filled;
use crate::input::polled_file::PolledFile;
use crate::io_error::{IoAction, io_error};

/// Bytes of a block of unpacked data ...
const BLOCK_BYTES: usize = 256 * 1024;
/// ... of which so many may be ready.
const BLOCKS_AHEAD: usize = 3;
/// How long the thread waits for another process before it looks whether it is still wanted.
const SLICE: Duration = Duration::from_millis(20);

/// Where compressed bytes come from.
#[derive(Debug)]
pub(crate) enum PackedSource {
    File(File),
    Polled(PolledFile),
}

/// Unpacks on a thread, so that unpacking and parsing overlap, and that the reader of a pipe never waits inside the
/// decoder. At most [`BLOCKS_AHEAD`] blocks are in memory, whose buffers go round.
#[derive(Debug)]
pub(crate) struct Unpacker {
    blocks: Option<Receiver<Result<Vec<u8>>>>,
    /// What came while waiting.
    next: Option<Result<Vec<u8>>>,
    used: Sender<Vec<u8>>,
    block: Vec<u8>,
    /// Position in `block` of the first byte that was not taken.
    at: usize,
    ended: bool,
    path: PathBuf,
    unwanted: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Unpacker {
    /// Starts to unpack; `head` are the first bytes, which were read already.
    ///
    /// # Errors
    /// `SAGE_IO_READ` when the system has no thread.
    pub(crate) fn start(
        path: &Path,
        compression: Compression,
        head: Vec<u8>,
        source: PackedSource,
    ) -> Result<Self> {
        let (filled, blocks) = sync_channel(BLOCKS_AHEAD);
        let (used, free) = channel();
        let unwanted = Arc::new(AtomicBool::new(false));
        let unpacking = Unpacking {
            path: path.to_owned(),
            compression,
            live: matches!(source, PackedSource::Polled(_)),
            filled,
            free,
        };
        let reader = PackedReader {
            source,
            unwanted: Arc::clone(&unwanted),
        };
        let reader = CountedReader::new(Cursor::new(head).chain(reader));
        let thread = std::thread::Builder::new()
            .name("sage-unpack".to_owned())
            .spawn(move || unpacking.run(reader))
            .map_err(|error| io_error(IoAction::Open, path, &error))?;
        Ok(Self {
            blocks: Some(blocks),
            next: None,
            used,
            block: Vec::new(),
            at: 0,
            ended: false,
            path: path.to_owned(),
            unwanted,
            thread: Some(thread),
        })
    }

    /// # Errors
    /// `SAGE_IO_TRUNCATED`, `SAGE_FORMAT_COMPRESSED` and `SAGE_IO_READ`, with the place in the compressed file.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<Filled> {
        if self.at == self.block.len() && !self.take_block()? {
            return Ok(if self.ended { Filled::End } else { Filled::NotYet });
        }
        let bytes = into.len().min(self.block.len() - self.at);
        into[..bytes].copy_from_slice(&self.block[self.at..self.at + bytes]);
        self.at += bytes;
        Ok(Filled::Bytes(bytes))
    }

    /// Waits for the next block, up to `timeout`.
    pub(crate) fn wait(&mut self, timeout: Duration) {
        if self.at == self.block.len() && self.next.is_none() && !self.ended {
            self.next = match self.blocks.as_ref().map(|blocks| blocks.recv_timeout(timeout)) {
                Some(Ok(next)) => Some(next),
                Some(Err(RecvTimeoutError::Timeout)) | None => None,
                Some(Err(RecvTimeoutError::Disconnected)) => Some(Err(self.thread_gone())),
            };
        }
    }

    /// Whether there is a new block.
    fn take_block(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let block = match self.next.take() {
            Some(next) => next?,
            None => match self.blocks.as_ref().map(Receiver::try_recv) {
                Some(Ok(next)) => next?,
                Some(Err(TryRecvError::Empty)) => return Ok(false),
                Some(Err(TryRecvError::Disconnected)) | None => return Err(self.thread_gone()),
            },
        };
        // An empty block is the end. That the thread is gone is no reason to keep the old one.
        self.ended = block.is_empty();
        let old = std::mem::replace(&mut self.block, block);
        self.at = 0;
        let _ = self.used.send(old);
        Ok(!self.ended)
    }

    fn thread_gone(&self) -> SageError {
        let message = format!(
            "the thread that unpacks {} ended before its time",
            self.path.display()
        );
        SageError::new(ErrorCode::Internal, message)
    }
}

impl Drop for Unpacker {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
        self.blocks = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was an error here.
            let _ = thread.join();
        }
    }
}

/// The thread's side.
struct Unpacking {
    path: PathBuf,
    compression: Compression,
    /// Whether what is there should go on at once.
    live: bool,
    filled: SyncSender<Result<Vec<u8>>>,
    free: Receiver<Vec<u8>>,
}

impl Unpacking {
    fn run(self, mut reader: CountedReader<Chain<Cursor<Vec<u8>>, PackedReader>>) {
        let begin = reader.fill_buf().map(|head| self.compression.may_begin(head));
        let result = match self.compression {
            _ if begin.is_err() => begin.map(drop).map_err(|error| self.error(&error, 0)),
            _ if matches!(begin, Ok(false)) => Err(self.begins_otherwise()),
            Compression::Gzip => self.unpack(MultiGzDecoder::new(reader), |decoder| decoder.get_ref().used()),
            Compression::Zstd => match Decoder::with_buffer(reader) {
                Ok(decoder) => self.unpack(decoder, |decoder| decoder.get_ref().used()),
                Err(error) => Err(self.error(&error, 0)),
            },
            Compression::None => self.unpack(reader, CountedReader::used),
        };
        // The last message; when nobody wants it, all is well.
        let _ = self.filled.send(result.map(|()| Vec::new()));
    }

    fn unpack<R: Read>(&self, mut decoder: R, used: impl Fn(&R) -> u64) -> Result<()> {
        loop {
            let mut block = self.free.try_recv().unwrap_or_default();
            block.resize(BLOCK_BYTES, 0);
            let mut filled = 0;
            let end = loop {
                match decoder.read(&mut block[filled..]) {
                    Ok(0) => break Some(Ok(())),
                    Ok(bytes) => filled += bytes,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => break Some(Err(self.error(&error, used(&decoder)))),
                }
                if filled == block.len() || self.live {
                    break None;
                }
            };
            block.truncate(filled);
            // What came out before an error is good.
            if filled > 0 && self.filled.send(Ok(block)).is_err() {
                return Ok(());
            }
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// The option said what the file is not.
    fn begins_otherwise(&self) -> SageError {
        let (path, kind) = (self.path.display().to_string(), self.compression.name());
        let message = format!(
            "{path} does not begin as {kind} data does; leave the option compression away, and the first bytes of the file tell"
        );
        let error = SageError::new(ErrorCode::FormatCompressed, message);
        error.with("file", path).with("compressedByte", 0_u64)
    }

    fn error(&self, error: &Error, used: u64) -> SageError {
        let path = self.path.display().to_string();
        if let Some(SourceFailed(error)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return io_error(IoAction::Read, &self.path, error).with("compressedByte", used);
        }
        let kind = self.compression.name();
        let error = if error.kind() == ErrorKind::UnexpectedEof {
            let message = format!("{path} ends in the middle of its {kind} data, at compressed byte {used}");
            SageError::new(ErrorCode::IoTruncated, message)
        } else {
            let message = format!("the {kind} data of {path} is corrupt at compressed byte {used}: {error}");
            SageError::new(ErrorCode::FormatCompressed, message)
        };
        error.with("file", path).with("compressedByte", used)
    }
}

/// What the operating system said, told apart from what the decoder says.
#[derive(Debug)]
struct SourceFailed(Error);

impl std::fmt::Display for SourceFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SourceFailed {}

struct PackedReader {
    source: PackedSource,
    unwanted: Arc<AtomicBool>,
}

impl Read for PackedReader {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let failed = |error: Error| match error.kind() {
            ErrorKind::Interrupted => error,
            _ => Error::other(SourceFailed(error)),
        };
        let file = match &mut self.source {
            PackedSource::File(file) => return file.read(into).map_err(failed),
            PackedSource::Polled(file) => file,
        };
        loop {
            if self.unwanted.load(Ordering::Relaxed) {
                return Err(failed(ErrorKind::BrokenPipe.into()));
            }
            if !file.wait(SLICE) {
                continue;
            }
            if let Some(bytes) = file.read(into).map_err(failed)? {
                return Ok(bytes);
            }
        }
    }
}
