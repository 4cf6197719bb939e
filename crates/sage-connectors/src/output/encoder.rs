//! Compresses what is written.

use std::io::{Result, Write};

use flate2::write::GzEncoder;

use crate::output::Compression;
use crate::output::raw_output::RawOutput;

/// Writes to a file as its [`Compression`] says.
pub(crate) enum Encoder {
    Plain(RawOutput),
    Gzip(GzEncoder<RawOutput>),
    Zstd(zstd::stream::write::Encoder<'static, RawOutput>),
}

impl Encoder {
    /// # Errors
    /// When the library refuses the level, or has no memory.
    pub(crate) fn new(output: RawOutput, compression: Compression) -> Result<Self> {
        Ok(match compression {
            Compression::None => Self::Plain(output),
            // Without a time in its header: the same records are the same bytes.
            Compression::Gzip { level } => {
                Self::Gzip(GzEncoder::new(output, flate2::Compression::new(level)))
            }
            Compression::Zstd { level } => {
                let mut encoder = zstd::stream::write::Encoder::new(output, level)?;
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
        })
    }

    /// Ends the compressed stream: writes what is still in memory, and its checksum.
    ///
    /// # Errors
    /// Those of writing.
    pub(crate) fn finish(&mut self) -> Result<()> {
        match self {
            Self::Plain(output) => output.flush(),
            Self::Gzip(encoder) => encoder.try_finish(),
            Self::Zstd(encoder) => encoder.do_finish(),
        }
    }

    /// Ends the compressed stream; what it wrote to.
    ///
    /// # Errors
    /// Those of writing.
    pub(crate) fn into_output(self) -> Result<RawOutput> {
        match self {
            Self::Plain(mut output) => output.flush().map(|()| output),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }

    pub(crate) fn output(&self) -> &RawOutput {
        match self {
            Self::Plain(output) => output,
            Self::Gzip(encoder) => encoder.get_ref(),
            Self::Zstd(encoder) => encoder.get_ref(),
        }
    }

    pub(crate) fn output_mut(&mut self) -> &mut RawOutput {
        match self {
            Self::Plain(output) => output,
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }
}

impl Write for Encoder {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Plain(output) => output.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Plain(output) => output.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}
