//! Files divided among instances.

use std::collections::VecDeque;
use std::ops::Range;

use crate::SourceSplit;
use crate::files::{FilePart, InputFile};

/// The parts of an instance, in the order of the files. Each byte of each file belongs to exactly one instance.
///
/// Files that one instance must read from their beginning go to the instance that has least, the largest file first; the
/// bytes of the others fill that up, so that all instances have the same number of bytes as far as possible, in
/// consecutive ranges.
pub(crate) fn share_files(files: &[InputFile], split: SourceSplit, divisible: bool) -> VecDeque<FilePart> {
    let loads = files.iter().map(|file| Load {
        bytes: file.bytes.unwrap_or(0),
        is_divisible: divisible && file.is_divisible(),
    });
    let mut parts = VecDeque::new();
    for (file, share) in files.iter().zip(share(&loads.collect::<Vec<_>>(), split)) {
        match share {
            Share::Nothing => {}
            Share::Whole => parts.push_back(FilePart::whole(file.clone())),
            Share::Bytes(range) => parts.push_back(FilePart::of_range(file.clone(), range)),
        }
    }
    parts
}

/// What there is to read of a file, or of a part of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) bytes: u64,
    pub(super) is_divisible: bool,
}

/// What an instance reads of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Share {
    Nothing,
    Whole,
    Bytes(Range<u64>),
}

/// What an instance reads of each load, as [`share_files`] says.
pub(super) fn share(loads: &[Load], split: SourceSplit) -> Vec<Share> {
    let instances = split.instances.max(1) as usize;
    let own = split.instance as usize;
    let (owners, wholes) = whole_loads(loads, instances);
    let dividable: u64 = loads
        .iter()
        .filter(|load| load.is_divisible)
        .map(|load| load.bytes)
        .sum();
    let shares = fill_up(&wholes, dividable);
    let start: u64 = shares[..own].iter().sum();
    let end = start + shares[own];

    let mut before = 0;
    let share_of = |(load, owner): (&Load, usize)| {
        if !load.is_divisible {
            return if owner == own {
                Share::Whole
            } else {
                Share::Nothing
            };
        }
        let bytes = load.bytes;
        let range = start.clamp(before, before + bytes) - before..end.clamp(before, before + bytes) - before;
        before += bytes;
        if range.is_empty() {
            Share::Nothing
        } else {
            Share::Bytes(range)
        }
    };
    loads.iter().zip(owners).map(share_of).collect()
}

/// The instance of each load that is not divided, and the bytes that each instance has by that.
fn whole_loads(files: &[Load], instances: usize) -> (Vec<usize>, Vec<u64>) {
    let mut order: Vec<usize> = (0..files.len())
        .filter(|&index| !files[index].is_divisible)
        .collect();
    order.sort_by_key(|&index| std::cmp::Reverse(files[index].bytes));
    let mut owners = vec![0; files.len()];
    // Bytes, number of files: files of unknown size are dealt out.
    let mut loads = vec![(0_u64, 0_u64); instances];
    for index in order {
        let least = (0..instances)
            .min_by_key(|&instance| loads[instance])
            .unwrap_or(0);
        owners[index] = least;
        loads[least].0 = loads[least].0.saturating_add(files[index].bytes);
        loads[least].1 += 1;
    }
    (owners, loads.into_iter().map(|(bytes, _)| bytes).collect())
}

/// How many of `bytes` each instance takes so that those with the least get them, up to a common level.
fn fill_up(loads: &[u64], bytes: u64) -> Vec<u64> {
    let mut order: Vec<usize> = (0..loads.len()).collect();
    order.sort_by_key(|&instance| (loads[instance], instance));
    let mut total = u128::from(bytes);
    let mut filled = 0;
    // As many of the lowest as the level reaches.
    while filled < order.len() && u128::from(loads[order[filled]]) * (filled as u128) < total {
        total += u128::from(loads[order[filled]]);
        filled += 1;
    }
    let mut shares = vec![0; loads.len()];
    let mut left = bytes;
    for (place, &instance) in order[..filled].iter().enumerate() {
        let rest = (filled - place) as u128;
        let level = total.div_ceil(rest);
        total -= level;
        let share = level.saturating_sub(u128::from(loads[instance]));
        shares[instance] = u64::try_from(share).unwrap_or(left).min(left);
        left -= shares[instance];
    }
    // What rounding left.
    shares[order[0]] += left;
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::files::Compression;

    fn file(name: usize, bytes: u64, compression: Compression) -> InputFile {
        InputFile {
            path: name.to_string().into(),
            bytes: (bytes > 0).then_some(bytes),
            compression: Some(compression),
            stamp: None,
        }
    }

    fn parts_of(files: &[InputFile], instances: u32) -> Vec<VecDeque<FilePart>> {
        (0..instances)
            .map(|instance| share_files(files, SourceSplit { instance, instances }, true))
            .collect()
    }

    fn bytes_of(parts: &VecDeque<FilePart>) -> u64 {
        let bytes = |part: &FilePart| {
            part.range
                .as_ref()
                .map_or(part.file.bytes.unwrap_or(0), |range| range.end - range.start)
        };
        parts.iter().map(bytes).sum()
    }

    #[test]
    fn one_file_is_cut_into_ranges_in_order() {
        let ranges: Vec<_> = parts_of(&[file(0, 10, Compression::None)], 3)
            .iter()
            .map(|parts| parts[0].range.clone().unwrap())
            .collect();
        assert_eq!(ranges, [0..4, 4..7, 7..10]);
    }

    #[test]
    fn ranges_fill_up_what_whole_files_leave() {
        let files = [
            file(0, 100, Compression::Gzip),
            file(1, 30, Compression::None),
            file(2, 50, Compression::None),
        ];
        let parts = parts_of(&files, 3);
        assert_eq!(parts.iter().map(bytes_of).collect::<Vec<_>>(), [100, 40, 40]);
        assert_eq!(
            parts[1].len(),
            2,
            "the first file and the beginning of the second"
        );
    }

    #[test]
    fn files_of_unknown_size_are_dealt_out() {
        let files: Vec<_> = (0..4).map(|name| file(name, 0, Compression::None)).collect();
        assert!(parts_of(&files, 2).iter().all(|parts| parts.len() == 2));
    }

    proptest! {
        #[test]
        fn every_byte_belongs_to_one_instance_and_none_has_much_more_than_its_share(
            files in proptest::collection::vec((0..1000_u64, any::<bool>()), 0..30),
            instances in 1..10_u32,
        ) {
            let files: Vec<_> = files.iter().enumerate().map(|(name, &(bytes, packed))| {
                file(name, bytes, if packed { Compression::Gzip } else { Compression::None })
            }).collect();
            let parts = parts_of(&files, instances);
            for input in &files {
                let mut owned: Vec<_> = parts.iter().flatten().filter(|part| part.file == *input).map(|part| part.range.clone()).collect();
                if !input.is_divisible() {
                    prop_assert_eq!(owned, vec![None]);
                    continue;
                }
                owned.sort_by_key(|range| range.as_ref().unwrap().start);
                let mut end = 0;
                for range in owned.into_iter().flatten() {
                    prop_assert_eq!(range.start, end);
                    end = range.end;
                }
                prop_assert_eq!(Some(end), input.bytes);
            }
            let most = parts.iter().map(bytes_of).max().unwrap();
            let total: u64 = files.iter().filter_map(|file| file.bytes).sum();
            let largest = files.iter().filter(|file| !file.is_divisible()).filter_map(|file| file.bytes).max().unwrap_or(0);
            prop_assert!(most <= total.div_ceil(u64::from(instances)) + largest);
        }
    }
}
