//! The footer of a file of Arrow IPC, made of what is in the file.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use arrow_ipc::{Block, FooterBuilder, MessageHeader, MetadataVersion, root_as_message};
use arrow_schema::{ArrowError, Schema};
use flatbuffers::FlatBufferBuilder;

/// What a file begins with, padded to eight bytes or more.
const MAGIC: &[u8] = b"ARROW1";
/// What each message begins with.
const CONTINUATION: u32 = u32::MAX;
/// Continuation mark and length.
const PREFIX_BYTES: u64 = 8;

/// The end of a file whose record batches, without dictionaries, and end mark are there.
///
/// # Errors
/// When the file cannot be read, or is not one.
pub(crate) fn file_footer(path: &Path, schema: &Schema) -> Result<Vec<u8>, ArrowError> {
    let blocks = record_batches(path)?;
    let mut builder = FlatBufferBuilder::new();
    let dictionaries = builder.create_vector::<Block>(&[]);
    let record_batches = builder.create_vector(&blocks);
    let schema = arrow_ipc::convert::schema_to_fb_offset(&mut builder, schema);
    let root = {
        let mut footer = FooterBuilder::new(&mut builder);
        footer.add_version(MetadataVersion::V5);
        footer.add_schema(schema);
        footer.add_dictionaries(dictionaries);
        footer.add_recordBatches(record_batches);
        footer.finish()
    };
    builder.finish(root, None);
    let data = builder.finished_data();
    let mut footer = data.to_vec();
    footer.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    footer.extend_from_slice(MAGIC);
    Ok(footer)
}

/// Where the record batches of a file are: each message says how long it is.
fn record_batches(path: &Path) -> Result<Vec<Block>, ArrowError> {
    let broken = || ArrowError::IpcError(format!("{} is not what was written to it", path.display()));
    let mut file = BufReader::new(File::open(path)?);
    let mut at = PREFIX_BYTES;
    let mut blocks = Vec::new();
    loop {
        file.seek(SeekFrom::Start(at))?;
        let (mark, length) = (read_u32(&mut file)?, read_u32(&mut file)?);
        if mark == 0 {
            // The padding of the magic.
            at += PREFIX_BYTES;
            continue;
        }
        if mark != CONTINUATION {
            return Err(broken());
        }
        if length == 0 {
            return Ok(blocks);
        }
        let mut metadata = vec![0; length as usize];
        file.read_exact(&mut metadata)?;
        let message = root_as_message(&metadata).map_err(|_| broken())?;
        let head = PREFIX_BYTES + u64::from(length);
        let body = u64::try_from(message.bodyLength()).map_err(|_| broken())?;
        if message.header_type() == MessageHeader::RecordBatch {
            blocks.push(Block::new(
                i64::try_from(at).map_err(|_| broken())?,
                i32::try_from(head).map_err(|_| broken())?,
                message.bodyLength(),
            ));
        }
        at += head + body;
    }
}

fn read_u32(file: &mut impl Read) -> Result<u32, ArrowError> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}
