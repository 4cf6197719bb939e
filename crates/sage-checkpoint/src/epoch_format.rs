//! The bytes of an epoch file around its parts: see docs/internals/checkpoints.md.

use std::collections::HashSet;

use sage_types::Result;
use xxhash_rust::xxh3::xxh3_64;

use crate::byte_reader::ByteReader;
use crate::entries::length_of;
use crate::{PartKey, PartKind};

/// Raised when the bytes behind the header change their meaning. The header itself stays as it is for all time.
pub(crate) const FORMAT_VERSION: u32 = 1;
pub(crate) const HEADER_BYTES: usize = 40;
pub(crate) const FOOTER_BYTES: usize = 40;

const HEADER_MAGIC: &[u8; 8] = b"SAGECKPT";
const FOOTER_MAGIC: &[u8; 8] = b"SAGECEND";
/// The smallest entry of an index: two empty texts and the numbers.
const MIN_PLACE_BYTES: usize = 50;

/// The beginning of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EpochHeader {
    pub version: u32,
    pub epoch: u64,
    /// The epoch that this one holds changes of; 0 when it stands alone.
    pub base: u64,
}

impl EpochHeader {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(HEADER_MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.base.to_le_bytes());
        let checksum = xxh3_64(&bytes[..32]);
        bytes[32..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// What is wrong, in words that follow "is damaged:".
    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, &'static str> {
        const CUT_OFF: &str = "its header is cut off";
        let mut reader = ByteReader::new(bytes);
        if reader.bytes(8) != Some(HEADER_MAGIC) {
            return Err("it does not begin as a checkpoint does");
        }
        let version = reader.u32().ok_or(CUT_OFF)?;
        let _reserved = reader.u32().ok_or(CUT_OFF)?;
        let epoch = reader.u64().ok_or(CUT_OFF)?;
        let base = reader.u64().ok_or(CUT_OFF)?;
        if reader.u64() != Some(xxh3_64(&bytes[..32])) {
            return Err("the checksum of its header is wrong");
        }
        if base >= epoch {
            return Err("it holds changes of a later epoch");
        }
        Ok(Self { version, epoch, base })
    }
}

/// The end of a file: where the index is, and its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EpochFooter {
    pub offset: u64,
    pub length: u64,
    pub checksum: u64,
}

impl EpochFooter {
    pub(crate) fn encode(&self) -> [u8; FOOTER_BYTES] {
        let mut bytes = [0; FOOTER_BYTES];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.length.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.checksum.to_le_bytes());
        let checksum = xxh3_64(&bytes[..24]);
        bytes[24..32].copy_from_slice(&checksum.to_le_bytes());
        bytes[32..].copy_from_slice(FOOTER_MAGIC);
        bytes
    }

    /// The footer of a file of `file_length` bytes; else what is wrong, in words that follow "is damaged:".
    pub(crate) fn decode(bytes: &[u8; FOOTER_BYTES], file_length: u64) -> Result<Self, &'static str> {
        const CUT_OFF: &str = "its end is cut off";
        let mut reader = ByteReader::new(bytes);
        let offset = reader.u64().ok_or(CUT_OFF)?;
        let length = reader.u64().ok_or(CUT_OFF)?;
        let checksum = reader.u64().ok_or(CUT_OFF)?;
        let own_checksum = reader.u64();
        if reader.bytes(8) != Some(FOOTER_MAGIC) {
            return Err(
                "it does not end as a checkpoint does, so it was not written to its end or is cut off",
            );
        }
        if own_checksum != Some(xxh3_64(&bytes[..24])) {
            return Err("the checksum of its end is wrong");
        }
        let end = offset
            .checked_add(length)
            .and_then(|end| end.checked_add(FOOTER_BYTES as u64));
        if end != Some(file_length) || offset < HEADER_BYTES as u64 {
            return Err("it is longer or shorter than it was written");
        }
        Ok(Self {
            offset,
            length,
            checksum,
        })
    }
}

/// A part in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartPlace {
    pub key: PartKey,
    pub kind: PartKind,
    pub is_full: bool,
    pub offset: u64,
    pub length: u64,
    /// How many entries a keyed part has.
    pub entries: u64,
    pub checksum: u64,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EpochIndex {
    pub epoch: u64,
    pub base: u64,
    /// In the order in which they lie in the file, without gaps.
    pub parts: Vec<PartPlace>,
    pub metadata: String,
}

impl EpochIndex {
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        bytes.extend_from_slice(&self.base.to_le_bytes());
        bytes.extend_from_slice(&(self.parts.len() as u64).to_le_bytes());
        for part in &self.parts {
            for text in [&part.key.operator, &part.key.name] {
                bytes.extend_from_slice(&length_of(text.as_bytes())?.to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
            bytes.extend_from_slice(&part.key.instance.to_le_bytes());
            bytes.extend_from_slice(&part.key.parallelism.to_le_bytes());
            bytes.extend_from_slice(&[part.kind.code(), u8::from(part.is_full)]);
            for number in [part.offset, part.length, part.entries, part.checksum] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        bytes.extend_from_slice(&length_of(self.metadata.as_bytes())?.to_le_bytes());
        bytes.extend_from_slice(self.metadata.as_bytes());
        Ok(bytes)
    }

    /// The index of the file that has this header and footer; none when it does not fit them or itself.
    pub(crate) fn decode(bytes: &[u8], header: &EpochHeader, footer: &EpochFooter) -> Option<Self> {
        let mut reader = ByteReader::new(bytes);
        let epoch = reader.u64()?;
        let base = reader.u64()?;
        if (epoch, base) != (header.epoch, header.base) {
            return None;
        }
        let count = usize::try_from(reader.u64()?).ok()?;
        let mut parts = Vec::with_capacity(count.min(bytes.len() / MIN_PLACE_BYTES));
        let mut seen = HashSet::new();
        let mut end = HEADER_BYTES as u64;
        for _ in 0..count {
            let part = read_place(&mut reader)?;
            if part.offset != end || (base == 0 && !part.is_full) || !seen.insert(part.key.clone()) {
                return None;
            }
            end = end.checked_add(part.length)?;
            parts.push(part);
        }
        let metadata = reader.text()?.to_owned();
        (end == footer.offset && reader.remaining() == 0).then_some(Self {
            epoch,
            base,
            parts,
            metadata,
        })
    }
}

fn read_place(reader: &mut ByteReader<'_>) -> Option<PartPlace> {
    let operator = reader.text()?.to_owned();
    let name = reader.text()?.to_owned();
    let key = PartKey {
        operator,
        instance: reader.u32()?,
        parallelism: reader.u32()?,
        name,
    };
    let kind = PartKind::from_code(reader.u8()?)?;
    let is_full = match reader.u8()? {
        0 if kind == PartKind::Keyed => false,
        1 => true,
        _ => return None,
    };
    Some(PartPlace {
        key,
        kind,
        is_full,
        offset: reader.u64()?,
        length: reader.u64()?,
        entries: reader.u64()?,
        checksum: reader.u64()?,
    })
}
