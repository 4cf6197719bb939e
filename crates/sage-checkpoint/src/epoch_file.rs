//! One epoch file that is read.

use std::io;
use std::path::{Path, PathBuf};

use sage_types::{Result, SageError};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::byte_reader::ByteReader;
use crate::checkpoint_error::{Action, damaged, damaged_part, io_error, newer_version};
use crate::entries::{ENTRY_HEADER_BYTES, entry_header};
use crate::epoch_format::{
    EpochFooter, EpochHeader, EpochIndex, FOOTER_BYTES, FORMAT_VERSION, HEADER_BYTES, PartPlace,
};
use crate::{Entry, EntryReader, Files, PartKey, ReadFile};

/// Parts are read in pieces of this size where they need not be in memory as a whole.
const CHUNK_BYTES: u64 = 1 << 20;

/// What is done with each entry of a part.
pub(crate) type Visit<'a> = dyn FnMut(Entry<'_>) -> Result<()> + 'a;

/// An open file with its index. It stays readable when it is replaced or removed.
#[derive(Debug)]
pub(crate) struct EpochFile {
    path: PathBuf,
    file: Box<dyn ReadFile>,
    version: u32,
    bytes: u64,
    index: EpochIndex,
}

/// The header of a file, of whatever version.
pub(crate) fn read_header(files: &dyn Files, path: &Path) -> Result<EpochHeader> {
    let file = files
        .open(path)
        .map_err(|error| io_error(Action::Open, path, &error))?;
    header_of(file.as_ref(), path)
}

fn header_of(file: &dyn ReadFile, path: &Path) -> Result<EpochHeader> {
    let mut bytes = [0; HEADER_BYTES];
    read_at(file, path, 0, &mut bytes)?;
    EpochHeader::decode(&bytes).map_err(|what| damaged(path, what))
}

fn read_at(file: &dyn ReadFile, path: &Path, offset: u64, buffer: &mut [u8]) -> Result<()> {
    file.read_exact_at(offset, buffer)
        .map_err(|error| io_error(Action::Read, path, &error))
}

impl EpochFile {
    /// Opens a file and checks everything but the bytes of its parts.
    pub(crate) fn open(files: &dyn Files, path: &Path) -> Result<Self> {
        let failed = |action| move |error: io::Error| io_error(action, path, &error);
        let file = files.open(path).map_err(failed(Action::Open))?;
        let bytes = file.length().map_err(failed(Action::Read))?;
        let header = header_of(file.as_ref(), path)?;
        if header.version > FORMAT_VERSION {
            return Err(newer_version(path, header.version, FORMAT_VERSION));
        }
        let Some(footer_offset) = bytes.checked_sub(FOOTER_BYTES as u64) else {
            return Err(damaged(path, "it is too short"));
        };
        let mut footer = [0; FOOTER_BYTES];
        read_at(file.as_ref(), path, footer_offset, &mut footer)?;
        let footer = EpochFooter::decode(&footer, bytes).map_err(|what| damaged(path, what))?;
        let index = read_block(file.as_ref(), path, footer.offset, footer.length)?;
        if xxh3_64(&index) != footer.checksum {
            return Err(damaged(path, "the checksum of its index is wrong"));
        }
        let index = EpochIndex::decode(&index, &header, &footer)
            .ok_or_else(|| damaged(path, "its index does not fit the file"))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            version: header.version,
            bytes,
            index,
        })
    }

    /// Of its format.
    pub(crate) const fn version(&self) -> u32 {
        self.version
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) const fn index(&self) -> &EpochIndex {
        &self.index
    }

    pub(crate) fn find(&self, key: &PartKey) -> Option<&PartPlace> {
        self.index.parts.iter().find(|part| part.key == *key)
    }

    /// Reads all parts and compares their checksums.
    pub(crate) fn verify(&self) -> Result<()> {
        self.index
            .parts
            .iter()
            .try_for_each(|part| self.chunks(part, &mut |_| Ok(())))
    }

    /// The bytes of a part.
    pub(crate) fn read_part(&self, part: &PartPlace) -> Result<Vec<u8>> {
        let bytes = read_block(self.file.as_ref(), &self.path, part.offset, part.length)?;
        if xxh3_64(&bytes) != part.checksum {
            return Err(self.wrong_checksum(part));
        }
        Ok(bytes)
    }

    /// Gives out the bytes of a part in pieces. They must not be used when this fails.
    pub(crate) fn chunks(&self, part: &PartPlace, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut hasher = Xxh3::new();
        let mut buffer = Vec::new();
        let mut done = 0;
        while done < part.length {
            // At most CHUNK_BYTES, which every usize holds.
            let length = CHUNK_BYTES.min(part.length - done);
            buffer.resize(usize::try_from(length).unwrap_or(usize::MAX), 0);
            read_at(self.file.as_ref(), &self.path, part.offset + done, &mut buffer)?;
            hasher.update(&buffer);
            take(&buffer)?;
            done += length;
        }
        if hasher.digest() == part.checksum {
            Ok(())
        } else {
            Err(self.wrong_checksum(part))
        }
    }

    /// Gives out the entries of a keyed part, of which only a piece is in memory. They must not be used when this fails.
    pub(crate) fn visit_entries(&self, part: &PartPlace, visit: &mut Visit<'_>) -> Result<()> {
        // Begins with an entry, of which the end may be in the next piece.
        let mut pending: Vec<u8> = Vec::new();
        self.chunks(part, &mut |chunk| {
            pending.extend_from_slice(chunk);
            let mut used = 0;
            while let Some(length) = next_entry(&pending[used..], visit)
                .map_err(|error| error.unwrap_or_else(|| self.malformed(part)))?
            {
                used += length;
            }
            pending.drain(..used);
            Ok(())
        })?;
        if pending.is_empty() {
            Ok(())
        } else {
            Err(self.malformed(part))
        }
    }

    pub(crate) fn malformed(&self, part: &PartPlace) -> SageError {
        damaged_part(&self.path, &part.key, "its entries are malformed")
    }

    fn wrong_checksum(&self, part: &PartPlace) -> SageError {
        damaged_part(&self.path, &part.key, "its checksum is wrong")
    }
}

/// Visits the first entry and says how long it is; none when its end is missing. An error without a cause: it cannot be an entry.
fn next_entry(bytes: &[u8], visit: &mut Visit<'_>) -> Result<Option<usize>, Option<SageError>> {
    if bytes.len() < ENTRY_HEADER_BYTES {
        return Ok(None);
    }
    let Some((_, _, key_length, value_length)) = entry_header(&mut ByteReader::new(bytes)) else {
        return Err(None);
    };
    let length = ENTRY_HEADER_BYTES
        .checked_add(key_length)
        .and_then(|length| length.checked_add(value_length))
        .ok_or(None)?;
    let Some(whole) = bytes.get(..length) else {
        return Ok(None);
    };
    for entry in EntryReader::new(whole) {
        visit(entry.map_err(Some)?).map_err(Some)?;
    }
    Ok(Some(length))
}

/// A block that is known to lie inside of the file.
fn read_block(file: &dyn ReadFile, path: &Path, offset: u64, length: u64) -> Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(|_| {
        damaged(
            path,
            "a block of it is larger than the memory of this machine can be",
        )
    })?;
    let mut bytes = vec![0; length];
    read_at(file, path, offset, &mut bytes)?;
    Ok(bytes)
}
