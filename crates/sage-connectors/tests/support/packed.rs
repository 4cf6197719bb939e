//! Compressed files.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

/// How a content is compressed; the numbers say where members and frames end.
#[derive(Debug, Clone)]
pub enum Packing {
    Plain,
    Gzip(Vec<usize>),
    Zstd(Vec<usize>),
}

impl Packing {
    pub fn any() -> impl Strategy<Value = Self> {
        let cuts = || proptest::collection::vec(0..200_usize, 0..4);
        prop_oneof![
            Just(Self::Plain),
            cuts().prop_map(Self::Gzip),
            cuts().prop_map(Self::Zstd),
        ]
    }
}

type PackPiece = fn(&[u8]) -> Vec<u8>;

pub fn pack(content: &[u8], packing: &Packing) -> Vec<u8> {
    let (cuts, pack_piece): (_, PackPiece) = match packing {
        Packing::Plain => return content.to_vec(),
        Packing::Gzip(cuts) => (cuts, gzip),
        Packing::Zstd(cuts) => (cuts, zstd),
    };
    let mut cuts: Vec<_> = cuts.iter().map(|&cut| cut.min(content.len())).collect();
    cuts.sort_unstable();
    cuts.push(content.len());
    let mut start = 0;
    let mut packed = Vec::new();
    for cut in cuts {
        packed.extend(pack_piece(&content[start..cut]));
        start = cut;
    }
    packed
}

/// With a checksum, as the command writes it.
fn zstd(piece: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(piece).unwrap();
    encoder.finish().unwrap()
}

fn gzip(piece: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(piece).unwrap();
    encoder.finish().unwrap()
}
